"""Reads a webhook's body and says everything that is wrong with it, without repeating any of it.

Checked by hand rather than with a JSON Schema: a schema's errors quote the refused values, its numbers are floats, and
importing the library costs a third of what importing botocore does. The layer ships it for whoever needs it.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from payments_common import card_data, fields
from payments_common.message import PaymentMessage

LONGEST_BODY_BYTES = 32 * 1024
WHOLE_BODY = "(body)"

_REQUIRED = {
    "transaction_id": fields.transaction_id,
    "provider": fields.provider,
    "amount": fields.amount,
    "currency": fields.currency,
    "timestamp": fields.timestamp,
    "event_type": fields.event_type,
}
_OPTIONAL = {"customer_id": fields.customer_id, "reference": fields.reference, "metadata": fields.metadata}
_CHECKS = _REQUIRED | _OPTIONAL


@dataclass(frozen=True)
class Problem:
    """A rule that a field breaks; the field is a name of ours or the whole body, never a name that was sent."""

    field: str
    rule: str


class Refusal(Exception):
    """A body that is no webhook, with a code for the log and every problem for the sender."""

    def __init__(
        self, code: str, problems: list[Problem], provider: str | None = None, transaction_id: str | None = None
    ):
        super().__init__(code)
        self.code = code
        self.problems = problems
        self.provider = provider
        self.transaction_id = transaction_id


@dataclass(frozen=True)
class Webhook:
    transaction_id: str
    provider: str
    amount: Decimal
    currency: str
    timestamp: str
    event_type: str
    customer_id: str | None = None
    reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What tells the same webhook from another one under the same key; the order and spelling of JSON do not."""
        content = json.dumps({**vars(self), "amount": fields.plain(self.amount)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def message(self, correlation_id: str) -> PaymentMessage:
        return PaymentMessage(
            transaction_id=self.transaction_id,
            timestamp=self.timestamp,
            provider=self.provider,
            event_type=self.event_type,
            amount=self.amount,
            currency=self.currency,
            correlation_id=correlation_id,
        )


def parse(event: dict) -> Webhook:
    """The webhook in API Gateway's event, or a `Refusal`."""
    values = _object(_text(event))
    _refuse_card_data(values)
    return _checked(values)


def _text(event: dict) -> str:
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise Refusal("invalid_json", [Problem(WHOLE_BODY, "must be a JSON object")])
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except ValueError:
        raise Refusal("invalid_json", [Problem(WHOLE_BODY, "must be text in UTF-8")]) from None
    if len(content) > LONGEST_BODY_BYTES:
        raise Refusal("body_too_large", [Problem(WHOLE_BODY, f"must be at most {LONGEST_BODY_BYTES} bytes")])
    return text


def _object(text: str) -> dict[str, object]:
    try:
        values = json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_without_repetition,
        )
    except (ValueError, InvalidOperation, RecursionError):
        raise Refusal(
            "invalid_json", [Problem(WHOLE_BODY, "must be valid JSON, each name once in an object")]
        ) from None
    if not isinstance(values, dict):
        raise Refusal("invalid_json", [Problem(WHOLE_BODY, "must be a JSON object")])
    return values


def _no_number(_: str) -> None:
    raise ValueError("JSON has no NaN and no infinities")


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("readers disagree on which of two equal names counts")
    return values


def _refuse_card_data(values: dict[str, object]) -> None:
    if not card_data.in_tree(values):
        return
    guilty = [name for name in _CHECKS if name in values and card_data.in_tree({name: values[name]})]
    rule = "must not hold a card number or a security code"
    raise Refusal("card_data", [Problem(name, rule) for name in guilty or [WHOLE_BODY]])


def _checked(values: dict[str, object]) -> Webhook:
    problems: dict[str, list[Problem]] = {"missing_field": [], "unknown_field": [], "invalid_field": []}
    if values.keys() - _CHECKS.keys():
        problems["unknown_field"].append(Problem(WHOLE_BODY, f"may hold only {', '.join(_CHECKS)}"))
    checked = {}
    for name, check in _CHECKS.items():
        if name not in values:
            if name in _REQUIRED:
                problems["missing_field"].append(Problem(name, "is required"))
            continue
        try:
            checked[name] = check(values[name])
        except fields.Broken as broken:
            problems["invalid_field"].append(Problem(name, broken.rule))
    found = [problem for kind in problems.values() for problem in kind]
    if found:
        code = next(code for code, kind in problems.items() if kind)
        raise Refusal(code, found, checked.get("provider"), checked.get("transaction_id"))
    return Webhook(**checked)
