"""The fields of a payment: what each may hold, and its one canonical form.

A rule is said in words for the sender. It never repeats the value, which may be anything, a card number included.
Currencies are checked by shape alone: a list of them would refuse the next one that ISO 4217 adds.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

AMOUNT_DIGITS = 12
AMOUNT_DECIMALS = 4
EVENT_TYPES = ("payment.succeeded", "payment.failed", "payment.refunded", "payment.pending")
METADATA_ENTRIES = 20
METADATA_VALUE_CHARACTERS = 256
REFERENCE_CHARACTERS = 140

_AMOUNT = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_METADATA_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class Broken(Exception):
    """A value that breaks its field's rule."""

    def __init__(self, rule: str):
        super().__init__(rule)
        self.rule = rule


def amount(value: object) -> Decimal:
    rule = (
        f"must be a decimal above 0, with at most {AMOUNT_DIGITS} digits in all and {AMOUNT_DECIMALS} after the point"
    )
    if isinstance(value, str) and len(value) <= AMOUNT_DIGITS + 1 and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise Broken(rule)
    # By place, before anything writes the number out: 1E+999999999 is short only as long as nobody does.
    decimals = max(-value.as_tuple().exponent, 0)
    if decimals > AMOUNT_DECIMALS or max(value.adjusted() + 1, 1) + decimals > AMOUNT_DIGITS:
        raise Broken(rule)
    return Decimal(plain(value))


def plain(number: Decimal) -> str:
    """A number's shortest form without an exponent: `10.50` and `1.05E+1` are both `10.5`."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def timestamp(value: object) -> str:
    """In UTC with six fraction digits, so that the texts sort as the instants do."""
    rule = "must be a date and time of ISO 8601 with its zone, as in 2026-11-22T10:00:00Z"
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise Broken(rule)
    try:
        return instant(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        raise Broken(rule) from None


def instant(moment: datetime) -> str:
    """A moment as every function writes it down."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event_type(value: object) -> str:
    if not isinstance(value, str) or value not in EVENT_TYPES:
        raise Broken(f"must be one of {', '.join(EVENT_TYPES)}")
    return value


def metadata(value: object) -> dict[str, str]:
    is_met = (
        isinstance(value, dict)
        and len(value) <= METADATA_ENTRIES
        and all(_METADATA_KEY.fullmatch(key) for key in value)
        and all(_is_text(entry, METADATA_VALUE_CHARACTERS) for entry in value.values())
    )
    if not is_met:
        raise Broken(
            f"must be a flat object of at most {METADATA_ENTRIES} entries, names of 1 to 40 of [A-Za-z0-9_.-], "
            f"values printable texts of at most {METADATA_VALUE_CHARACTERS} characters"
        )
    return value


def reference(value: object) -> str:
    if not _is_text(value, REFERENCE_CHARACTERS) or not value:
        raise Broken(f"must be a printable text of 1 to {REFERENCE_CHARACTERS} characters")
    return value


def _matching(pattern: str, rule: str) -> Callable[[object], str]:
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Broken(rule)
        return value

    return check


transaction_id = _matching(r"[A-Za-z0-9_-]{1,64}", "must be 1 to 64 of [A-Za-z0-9_-]")
provider = _matching(r"[a-z][a-z0-9_-]{1,31}", "must be 2 to 32 of [a-z0-9_-], a letter first")
currency = _matching(r"[A-Z]{3}", "must be a code of ISO 4217: three upper-case letters")
customer_id = _matching(r"[A-Za-z0-9._:@-]{1,64}", "must be 1 to 64 of [A-Za-z0-9._:@-]")
correlation_id = _matching(r"[A-Za-z0-9_-]{8,64}", "must be 8 to 64 of [A-Za-z0-9_-]")


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and value.isprintable()
