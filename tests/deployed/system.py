"""A deployed payments system, as its users and its operators see it: real HTTP in front, AWS's lists behind.

Knows the names that the template gives, and nothing of how it was deployed.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3

SUFFIX = "dev"
TABLE = f"payment-transactions-{SUFFIX}"
FUNCTIONS = ("process-payment", "process-accounting", "notify-failures")


@dataclass
class Answer:
    status: int
    body: dict


@dataclass
class System:
    url: str
    key: str
    session: boto3.Session = field(default_factory=boto3.Session)

    def __post_init__(self):
        names = ("apigateway", "dynamodb", "lambda", "logs", "sns", "sqs")
        self.clients = {name: self.session.client(name) for name in names}
        self.sqs, self.logs = self.clients["sqs"], self.clients["logs"]
        self.queue = self.sqs.get_queue_url(QueueName=f"payment-processing-queue-{SUFFIX}")["QueueUrl"]
        self.dead_letters = self.sqs.get_queue_url(QueueName=f"payment-processing-dlq-{SUFFIX}")["QueueUrl"]
        self.alerts: list[dict] = []
        self._inbox = None

    def subscribe(self) -> None:
        """A queue of its own that hears every alert from now on."""
        (topic,) = [
            one["TopicArn"]
            for one in self.clients["sns"].list_topics()["Topics"]
            if one["TopicArn"].endswith(f":payment-notifications-{SUFFIX}")
        ]
        self._inbox = self.sqs.create_queue(QueueName="alerts-inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.clients["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def post(self, body: object, key: str | None = "", headers: dict | None = None, query: str = "") -> Answer:
        """Posts a webhook; a body that is no text goes as JSON, and no `key` is the right one."""
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["x-api-key"] = key or self.key
        request = urllib.request.Request(self.url + query, text.encode("utf-8", "surrogatepass"), sent, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.loads(error.read() or b"{}"))

    def send(self, body: object) -> str:
        """Puts a message into the processing queue, past the API; its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.sqs.send_message(QueueUrl=self.queue, MessageBody=text)["MessageId"]

    def items(self) -> list[dict]:
        pages = self.clients["dynamodb"].get_paginator("scan").paginate(TableName=TABLE)
        return [item for page in pages for item in page["Items"]]

    def items_of(self, transaction_id: str) -> list[dict]:
        answer = self.clients["dynamodb"].query(
            TableName=TABLE,
            KeyConditionExpression="transaction_id = :id",
            ExpressionAttributeValues={":id": {"S": transaction_id}},
        )
        return answer["Items"]

    def is_booked(self, transaction_id: str) -> bool:
        items = self.items_of(transaction_id)
        return bool(items) and all("accounted_at" in item for item in items)

    def lines(self, function: str) -> list[dict]:
        """What a function has logged of its own, each line as values."""
        texts = [text for text in self.texts(f"/aws/lambda/{function}-{SUFFIX}") if text.startswith("{")]
        # Lambda writes a document too, when it had to end a run.
        return [values for values in map(json.loads, texts) if "event" in values]

    def texts(self, group: str) -> list[str]:
        return [line for _, line in self.stamped(group)]

    def stamped(self, group: str) -> list[tuple[float, str]]:
        """Each line of a group with its time, in seconds since 1970."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return [(event["timestamp"] / 1000, line) for event in events for line in event["message"].splitlines()]

    def groups(self) -> list[str]:
        pages = self.logs.get_paginator("describe_log_groups").paginate()
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def waiting(self, queue: str) -> int:
        """Messages that wait or are out."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def peek(self, queue: str) -> str:
        """The messages that wait in a queue, as text; they come again."""
        # At once and for long enough to see each once: at its third receipt a message would be a dead letter.
        how = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 0, "VisibilityTimeout": 5}
        told = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        seen = []
        while messages := self.sqs.receive_message(QueueUrl=queue, **how, **told).get("Messages"):
            seen += messages
        return json.dumps(seen)

    def hear(self) -> list[dict]:
        """All alerts that have come so far, each with its `Subject` and `Message`."""
        while True:
            messages = self.sqs.receive_message(QueueUrl=self._inbox, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                return self.alerts
            for message in messages:
                self.alerts.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self._inbox, ReceiptHandle=message["ReceiptHandle"])

    def alerts_of(self, message_id: str) -> list[dict]:
        return [alert for alert in self.hear() if f"Message id:     {message_id}" in alert["Message"]]

    def configure(self, function: str, **variables: str) -> None:
        """Changes environment variables of a function, and waits until they count."""
        client, name = self.clients["lambda"], f"{function}-{SUFFIX}"
        had = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {**had, **variables}})
        client.get_waiter("function_updated_v2").wait(FunctionName=name)


def webhook(**changes: object) -> dict:
    """A webhook that is like no other."""
    return {
        "transaction_id": f"tx-{unique()}",
        "provider": "acme",
        "amount": "10.50",
        "currency": "EUR",
        "timestamp": datetime.now(UTC).isoformat(),
        "event_type": "payment.succeeded",
        **changes,
    }


def message(**changes: object) -> dict:
    """What process-payment would queue for a webhook."""
    return {**webhook(), "timestamp": "2026-11-22T10:00:00.000000Z", "correlation_id": f"trace-{unique()}", **changes}


def unique() -> str:
    """Letters only: many digits could by chance be a card's number."""
    return uuid.uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))[:20]


def eventually(what: str, is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.5)
