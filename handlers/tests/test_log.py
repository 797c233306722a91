import json

from payments_common import log
from payments_common.log import Level
from world import VISA, Lines


def test_a_line_masks_card_data_in_every_text_and_leaves_out_what_is_not_known():
    lines = Lines()
    lines.log.bound(correlation_id=f"c-{VISA}").line(
        Level.ERROR, "payment_failed", f"of {VISA}", note=VISA, cause=ValueError(VISA), provider=None, latency_ms=1.5
    )
    (line,) = lines.values
    assert VISA not in lines.texts[0]
    assert line["note"] == "*" * 16
    assert line["latency_ms"] == 1.5
    assert "provider" not in line


def test_a_line_is_one_line_of_ascii_whatever_it_holds():
    lines = Lines()
    lines.log.line(Level.INFO, "e", "first\nsecond \u2028 \ud800")
    assert lines.texts[0].isascii()
    assert len(lines.texts[0].splitlines()) == 1
    assert json.loads(lines.texts[0])["level"] == "INFO"


def test_a_duration_is_milliseconds_with_one_decimal():
    assert log.milliseconds(0.01234) == 12.3


def test_an_error_is_described_by_type_and_place_alone():
    try:
        int(VISA + "x")
    except ValueError as error:
        described = log.describe(error)
    assert described["error_type"] == "ValueError"
    assert described["error_place"].startswith("test_log.py:")
    assert VISA not in str(described)
