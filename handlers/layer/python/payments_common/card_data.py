"""Finds and masks card numbers and security codes, wherever they hide.

A card number is 13 to 19 digits that pass the Luhn check. It may be grouped by spaces, dashes, dots or underscores and
written in any script's digits. No card begins with 0, and with 1 only the airlines' 15 digits do.

Two looser shapes count only when they also begin and measure as an issuer's cards do, because chance would match them
too often: groups with other separators between, and a cut out of a longer number.

Four kinds of identifiers are not searched, because those that pass by chance would be real payments refused: UUIDs (one
in a thousand passes), hexadecimal digests, dates with their time (a tenth of those with microseconds and an offset pass
that are later than 22 o'clock), and times since 1970 in milliseconds, microseconds or nanoseconds (a tenth pass). The
times since 1970 are those of the years 2017 to 2033; no card number of their lengths begins as they do.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

MASK = "*"
SHORTEST, LONGEST = 13, 19

_DIGIT_RUN = re.compile(r"[0-9](?:[\W_]{0,4}[0-9])+")
_GROUP = re.compile(r"[0-9]+")
_NARROW = re.compile(r"[\s.\-_\u00ad\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff]{0,3}")
_IDENTIFIER = re.compile(
    r"(?<![0-9a-z])(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})"
    r"|(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.,][0-9]{1,9})?"
    r"(?:Z|[+-][0-2][0-9]:?[0-5][0-9])"
    r"|1[5-9](?:[0-9]{11}|[0-9]{14}|[0-9]{17})"
    r")(?![0-9a-z])",
    re.IGNORECASE,
)
_POSSIBLE = re.compile(r"[2-9][0-9]+|1[0-9]{14}")
_ISSUED = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"
    r"|5[1-5][0-9]{14}"
    r"|2[2-7][0-9]{14}"
    r"|3[47][0-9]{13}"
    r"|3[0689][0-9]{12}"
    r"|35[0-9]{14}"
    r"|(?:5[06-8]|6[0-9])[0-9]{14,17}"
)
_ISSUED_LENGTHS = (13, 14, 15, 16, 17, 18, 19)

_SECURITY_CODE_WORD = re.compile(r"cv[cdnv]2?|cav2?|cid|csc|pin|pinblock|track[12]")
_SECURITY_CODE_NAME = re.compile(r"cvv|cvc|securitycode|cardcode|cardverification|verificationvalue|trackdata")
_SECURITY_CODE_IN_TEXT = re.compile(
    r"(?:cv[cv]2?|(?<![a-z])(?:cid|csc|cav2?|cv[dn]2?)|security[\W_]?code|card[\W_]?code|verification[\W_]?value)"
    r"[\W_]{0,6}(?:(?:code|number|no|value|is)[\W_]{1,4}){0,2}"
    r"(?P<code>[0-9]{3,4})(?![0-9])",
    re.IGNORECASE,
)
_DOUBLED = {"0": 0, "1": 2, "2": 4, "3": 6, "4": 8, "5": 1, "6": 3, "7": 5, "8": 7, "9": 9}
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")


def in_tree(tree: object) -> bool:
    """Whether a parsed JSON value holds card data in any key, string or number, at any depth."""
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if any(names_security_code(key) or in_text(key) for key in value):
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, (str, Decimal)) and in_text(str(value)):
            return True
    return False


def in_text(text: str) -> bool:
    """Whether a text holds a card number, or a security code next to its name."""
    return next(_spans(text), None) is not None


def mask(text: str) -> str:
    """The text with each digit of card data replaced by an asterisk; its length stays."""
    masked = None
    for start, end in _spans(text):
        masked = masked or list(text)
        for place in range(start, end):
            if text[place].isdecimal():
                masked[place] = MASK
    return text if masked is None else "".join(masked)


def names_security_code(name: str) -> bool:
    """Whether a field of this name holds what must never be stored: a security code, a PIN, a magnetic track."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(map(_SECURITY_CODE_WORD.fullmatch, words)) or _SECURITY_CODE_NAME.search("".join(words)) is not None


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    doubled = sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def _spans(text: str) -> Iterator[tuple[int, int]]:
    text = _with_ascii_digits(text)
    for code in _SECURITY_CODE_IN_TEXT.finditer(text):
        yield code.span("code")
    searched = _IDENTIFIER.sub(lambda identifier: "x" * len(identifier[0]), text)
    for run in _DIGIT_RUN.finditer(searched):
        if run.end() - run.start() >= SHORTEST:
            yield from _spans_in_run(searched, run.start(), run.end())


def _spans_in_run(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    groups = [group.span() for group in _GROUP.finditer(text, start, end)]
    for first, (begin, _) in enumerate(groups):
        digits, is_narrow, last_end = "", True, begin
        for group_begin, group_end in groups[first:]:
            is_narrow = is_narrow and _NARROW.fullmatch(text, last_end, group_begin) is not None
            shape = _POSSIBLE if is_narrow else _ISSUED
            digits += text[group_begin:group_end]
            last_end = group_end
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST and shape.fullmatch(digits) and passes_luhn(digits):
                yield begin, group_end
    for begin, group_end in groups:
        if group_end - begin > SHORTEST:
            yield from _spans_in_number(text, begin, group_end)


def _spans_in_number(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for begin in range(start, end - SHORTEST + 1):
        for length in _ISSUED_LENGTHS:
            candidate = text[begin : begin + length]
            if begin + length <= end and _ISSUED.fullmatch(candidate) and passes_luhn(candidate):
                yield begin, begin + length


def _with_ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character)) if character.isdecimal() else character for character in text)
