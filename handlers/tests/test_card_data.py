import re
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payments_common import card_data
from world import CARDS, VISA

SEPARATORS = [" ", "-", ".", "_", " - ", "\u00a0", "\u2013", "\u2009", "\n"]


def luhn_completed(digits: str) -> str:
    return next(digits + check for check in "0123456789" if card_data.passes_luhn(digits + check))


card_numbers = st.from_regex("[2-9][0-9]{11,17}|1[0-9]{13}", fullmatch=True).map(luhn_completed)


@st.composite
def written_cards(draw):
    """A card number as people write it: cut into groups, with one separator throughout."""
    number, size, separator = (
        draw(card_numbers),
        draw(st.sampled_from([2, 3, 4, 5, 6, 19])),
        draw(st.sampled_from(SEPARATORS)),
    )
    return separator.join(number[place : place + size] for place in range(0, len(number), size))


@given(written_cards(), st.text("ab :,", max_size=8), st.text("ab :,", max_size=8))
def test_a_card_number_is_found_and_masked_however_it_is_grouped(card, before, after):
    text = f"{before}{card}{after}"
    assert card_data.in_text(text)
    masked = card_data.mask(text)
    assert len(masked) == len(text)
    assert not re.search("[0-9]", masked)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)), st.integers(-14 * 4, 14 * 4))
@example(datetime(2026, 11, 25, 23, 44, 37, 123453), 0)
def test_a_moment_is_no_card_number_at_any_hour(moment, quarters):
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    for text in (moment.isoformat(), moment.isoformat(" "), moment.isoformat(timespec="milliseconds")):
        assert not card_data.in_text(text)
    assert card_data.in_text(f"{moment.isoformat()} {VISA}")


@given(card_numbers, st.integers(0, 9))
def test_a_number_with_a_wrong_check_digit_is_none(card, digit):
    text = card[:-1] + str(digit)
    assert card_data.passes_luhn(text) == (text == card)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    "template",
    [
        "{}",
        "card {} ok",
        "PAN{}END",
        "00{}",
        "{}1225",
        ";{}=25121011000012345678?",
        "%2B{}",
        "order 12 {}",
        '{{"a":"{}"}}',
    ],
)
def test_an_issued_card_number_is_found_inside_other_text(card, template):
    text = template.format(card)
    assert card not in card_data.mask(text)


@pytest.mark.parametrize("separator", ["/", ":", ",", "*", "|", '", "'])
def test_an_issued_card_number_is_found_between_odd_separators(separator):
    assert card_data.in_text(separator.join(["4111", "1111", "1111", "1111"]))


@pytest.mark.parametrize("zero", ["\u0660", "\u0966", "\uff10"])
def test_a_card_number_in_another_script_is_found_and_masked(zero):
    written = "".join(chr(ord(zero) + int(digit)) for digit in VISA)
    assert card_data.mask(f"pay {written}") == "pay " + "*" * 16


def test_a_card_number_with_invisible_characters_between_its_digits_is_found():
    assert card_data.in_text("\u200b".join(VISA))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00.000000Z",
        "2026-11-22 10:00:00.123",
        "1795341600000",
        "0000000000000000",
        "10.0.0.1",
        "order 1001, 1002",
        "4111111111111112",
        "411111111111",
    ],
)
def test_ordinary_text_is_left_as_it_is(text):
    assert card_data.mask(text) == text


@given(st.integers(1_500_000_000, 1_999_999_999), st.sampled_from([3, 6, 9]), st.data())
def test_a_time_since_1970_is_never_taken_for_a_card_number(seconds, digits, data):
    fraction = data.draw(st.text("0123456789", min_size=digits, max_size=digits))
    assert not card_data.in_text(f"{seconds}{fraction}")


@given(st.uuids(version=4))
@example(uuid.UUID("41111111-1111-4111-8111-111111111111"))
def test_a_uuid_is_never_taken_for_a_card_number(identifier):
    assert not card_data.in_text(str(identifier))
    assert not card_data.in_text(f"tx-{identifier}")


@pytest.mark.parametrize(
    "text", ["cvv 123", "CVV2: 1234", "cvc=123", '"cvv": "987"', "cid:1234", "Security Code 123", "cvv code is 123"]
)
def test_a_security_code_beside_its_name_is_found_and_masked(text):
    assert card_data.in_text(text)
    assert not re.search("[0-9]{3}", card_data.mask(text))


@pytest.mark.parametrize(
    "name", ["cvv", "CVV2", "card_cvc", "cardCvv", "cid", "security-code", "cardSecurityCode", "pin"]
)
def test_a_field_for_a_security_code_is_known_by_its_name(name):
    assert card_data.names_security_code(name)


@pytest.mark.parametrize("name", ["transaction_id", "placid", "shipping", "code", "country", "incident", "opinion"])
def test_an_ordinary_field_is_not_taken_for_a_security_code(name):
    assert not card_data.names_security_code(name)


@given(
    st.recursive(
        st.just(VISA) | st.just(Decimal(VISA)) | st.just(Decimal("4.111111111111111E+15")),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("ab"), inner, min_size=1, max_size=3)
        ),
        max_leaves=5,
    )
)
def test_a_card_number_is_found_at_any_depth(tree):
    assert card_data.in_tree(tree)


def test_a_card_number_is_found_in_a_key_and_below_a_security_code_field_anything_counts():
    assert card_data.in_tree({"a": [{VISA: None}]})
    assert card_data.in_tree({"a": {"cvv": None}})
    assert not card_data.in_tree({"a": [1, True, None, "text", Decimal("10.5")]})


def test_a_long_text_of_digits_is_searched_in_reasonable_time():
    for text in ("4" * 32_768, "4 " * 16_384, "4,5:" * 8_192):
        assert card_data.mask(text) is not None
