"""The table and the queue of process-payment, in the shapes of DynamoDB and SQS.

`timestamp` is a reserved word of DynamoDB's expressions; the ones here name only the other key.
"""

from datetime import datetime
from typing import Any

from payment import Stored
from payments_common import aws, fields
from payments_common.aws import AwsFailure
from payments_common.message import PaymentMessage
from webhook import Webhook


class Transactions:
    def __init__(self, client: Any, table: str):
        self.client = client
        self.table = table

    def add(self, received: Webhook, correlation_id: str, at: datetime) -> Stored | None:
        try:
            aws.call(
                self.client.put_item,
                TableName=self.table,
                Item=_item(received, correlation_id, at),
                ConditionExpression="attribute_not_exists(transaction_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AwsFailure as failure:
            if failure.is_condition and failure.item:
                fingerprint = failure.item.get("fingerprint", {}).get("S", "")
                return Stored(fingerprint, "queued_at" in failure.item)
            raise
        return None

    def mark_queued(self, received: Webhook, at: datetime) -> None:
        aws.call(
            self.client.update_item,
            TableName=self.table,
            Key={"transaction_id": {"S": received.transaction_id}, "timestamp": {"S": received.timestamp}},
            UpdateExpression="SET queued_at = if_not_exists(queued_at, :now)",
            ConditionExpression="attribute_exists(transaction_id)",
            ExpressionAttributeValues={":now": {"S": fields.instant(at)}},
        )


class ProcessingQueue:
    def __init__(self, client: Any, url: str):
        self.client = client
        self.url = url

    def send(self, message: PaymentMessage) -> None:
        aws.call(self.client.send_message, QueueUrl=self.url, MessageBody=message.body())


def _item(received: Webhook, correlation_id: str, at: datetime) -> dict[str, dict[str, Any]]:
    texts = {
        "transaction_id": received.transaction_id,
        "timestamp": received.timestamp,
        "provider": received.provider,
        "event_type": received.event_type,
        "currency": received.currency,
        "customer_id": received.customer_id,
        "reference": received.reference,
        "fingerprint": received.fingerprint,
        "correlation_id": correlation_id,
        "received_at": fields.instant(at),
    }
    item: dict[str, dict[str, Any]] = {name: {"S": text} for name, text in texts.items() if text is not None}
    item["amount"] = {"N": fields.plain(received.amount)}
    if received.metadata:
        item["metadata"] = {"M": {name: {"S": text} for name, text in received.metadata.items()}}
    return item
