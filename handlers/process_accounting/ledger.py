"""The ledger as it lies in DynamoDB: an entry is a few attributes on the event's own item.

Names that are reserved words of DynamoDB's expressions, `timestamp` among them, come in as `#name`; so do all others
that a message and an item share, which keeps one shape for the lot.
"""

from datetime import datetime
from typing import Any

from accounting import Booking, Entry
from payments_common import aws, fields
from payments_common.aws import AwsFailure
from payments_common.message import PaymentMessage


class Ledger:
    def __init__(self, client: Any, table: str):
        self.client = client
        self.table = table

    def book(self, payment: PaymentMessage, entry: Entry, message_id: str, at: datetime) -> Booking:
        said = _said(payment)
        agrees = " AND ".join(f"#{name} = :{name}" for name in said)
        try:
            aws.call(
                self.client.update_item,
                TableName=self.table,
                Key={"transaction_id": {"S": payment.transaction_id}, "timestamp": {"S": payment.timestamp}},
                UpdateExpression="SET accounted_at = :at, accounted_by = :by, accounted_amount = :worth, accounting_entry = :entry",
                ConditionExpression=f"{agrees} AND attribute_not_exists(accounted_at)",
                ExpressionAttributeNames={f"#{name}": name for name in said},
                ExpressionAttributeValues={
                    **{f":{name}": value for name, value in said.items()},
                    ":at": {"S": fields.instant(at)},
                    ":by": {"S": message_id},
                    ":worth": {"N": fields.plain(entry.amount)},
                    ":entry": {"S": entry.direction},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AwsFailure as failure:
            if failure.is_condition:
                return _why_not(failure.item, payment)
            raise
        return Booking.BOOKED


def _said(payment: PaymentMessage) -> dict[str, dict[str, str]]:
    return {
        "provider": {"S": payment.provider},
        "event_type": {"S": payment.event_type},
        "currency": {"S": payment.currency},
        "amount": {"N": fields.plain(payment.amount)},
    }


def _why_not(item: dict[str, Any] | None, payment: PaymentMessage) -> Booking:
    if not item:
        return Booking.MISSING
    if any(item.get(name) != value for name, value in _said(payment).items()):
        return Booking.CONTRADICTED
    return Booking.BOOKED_BEFORE
