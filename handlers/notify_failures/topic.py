"""The alert topic, in the shapes of SNS."""

from typing import Any

from alerts import Alert
from payments_common import aws

LARGEST_BATCH = 10


class Topic:
    def __init__(self, client: Any, arn: str):
        self.client = client
        self.arn = arn

    def publish(self, alerts: list[Alert]) -> dict[int, str]:
        """Publishes up to `LARGEST_BATCH` alerts; answers with the places of those refused, and SNS's code for each."""
        answer = aws.call(
            self.client.publish_batch,
            TopicArn=self.arn,
            PublishBatchRequestEntries=[_entry(place, alert) for place, alert in enumerate(alerts)],
        )
        return {int(failed["Id"]): failed["Code"] for failed in answer.get("Failed", [])}


def _entry(place: int, alert: Alert) -> dict[str, Any]:
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()}
    return {"Id": str(place), "Subject": alert.subject, "Message": alert.text, "MessageAttributes": attributes}
