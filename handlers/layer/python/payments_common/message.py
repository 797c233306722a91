"""The message that process-payment queues, process-accounting books and notify-failures reads when neither could."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from payments_common import card_data, fields

LONGEST_BODY_CHARACTERS = 4096
"""Ten times what a payment takes; a foreign body beyond it is not worth the search for card data."""

_CHECKS = {
    "transaction_id": fields.transaction_id,
    "timestamp": fields.timestamp,
    "provider": fields.provider,
    "event_type": fields.event_type,
    "amount": fields.amount,
    "currency": fields.currency,
    "correlation_id": fields.correlation_id,
}


class Malformed(Exception):
    """A message body that says no payment; `reason` names the field and the rule, never the value."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PaymentMessage:
    transaction_id: str
    timestamp: str
    provider: str
    event_type: str
    amount: Decimal
    currency: str
    correlation_id: str

    def body(self) -> str:
        return json.dumps({**vars(self), "amount": fields.plain(self.amount)})


def parse(body: object) -> PaymentMessage:
    """Reads a message's body; fields beyond the known ones are left alone, so that the sender may be newer."""
    if isinstance(body, str) and len(body) > LONGEST_BODY_CHARACTERS:
        raise Malformed(f"the body is longer than {LONGEST_BODY_CHARACTERS} characters")
    try:
        values = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (TypeError, ValueError, RecursionError, InvalidOperation):
        raise Malformed("the body is not JSON") from None
    if not isinstance(values, dict):
        raise Malformed("the body is not a JSON object")
    if card_data.in_tree(values):
        raise Malformed("the body holds card data")
    missing = [f"`{name}`" for name in _CHECKS if name not in values]
    if missing:
        raise Malformed(f"the body lacks {', '.join(missing)}")
    checked = {}
    for name, check in _CHECKS.items():
        try:
            checked[name] = check(values[name])
        except fields.Broken as broken:
            raise Malformed(f"`{name}` {broken.rule}") from None
    return PaymentMessage(**checked)


def receive_count(record: dict) -> int | None:
    """How often SQS has handed a message out, if it says so."""
    count = (record.get("attributes") or {}).get("ApproximateReceiveCount")
    return None if count is None else int(count)
