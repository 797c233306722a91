"""A small world for the functions: fixed time, counted ids, logs in a list, and stores that fail when told to."""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import accounting
import alerts
import payment
from accounting import Booking, Entry
from payments_common.aws import AwsFailure
from payments_common.log import Log
from payments_common.message import PaymentMessage
from webhook import Webhook

TABLE = "payment-transactions-test"
QUEUE = "payment-processing-queue-test"
NOW = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
VISA, MASTERCARD, AMEX, DINERS, UNIONPAY = (
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "30569309025904",
    "6200000000000000003",
)
CARDS = (VISA, MASTERCARD, AMEX, DINERS, UNIONPAY)
WEBHOOK = {
    "transaction_id": "tx-1",
    "provider": "acme",
    "amount": "10.50",
    "currency": "EUR",
    "timestamp": "2026-11-22T10:00:00Z",
    "event_type": "payment.succeeded",
}
STAMP = "2026-11-22T10:00:00.000000Z"


class Atomic:
    """A client whose calls exclude each other, as DynamoDB's do for one item; moto's own look before they leap."""

    def __init__(self, client: Any):
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                return method(**arguments)

        return call


@dataclass
class Clock:
    """Seconds that pass only when told."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Lines:
    """What was logged, as text and as values."""

    texts: list[str] = field(default_factory=list)

    @property
    def log(self) -> Log:
        return Log({"service": "test", "environment": "test", "request_id": "request-1"}, self.texts.append)

    @property
    def values(self) -> list[dict]:
        return [json.loads(text) for text in self.texts]

    @property
    def events(self) -> list[str]:
        return [f"{line['event']} {line.get('error_code', '-')}" for line in self.values]


@dataclass
class Table:
    """The table as both functions see it: one dictionary by key."""

    items: dict[tuple[str, str], dict] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """Operations that fail, each once; a name that ends in `!` takes effect before it fails."""

    def add(self, received: Webhook, correlation_id: str, at: datetime) -> payment.Stored | None:
        key = (received.transaction_id, received.timestamp)
        with fault(self.faults, "add"):
            if key in self.items:
                item = self.items[key]
                return payment.Stored(item["fingerprint"], item["queued_at"] is not None)
            self.items[key] = {
                "webhook": received,
                "fingerprint": received.fingerprint,
                "queued_at": None,
                "bookings": [],
            }
        return None

    def mark_queued(self, received: Webhook, at: datetime) -> None:
        with fault(self.faults, "mark"):
            self.items[(received.transaction_id, received.timestamp)]["queued_at"] = at

    def book(self, paid: PaymentMessage, entry: Entry, message_id: str, at: datetime) -> Booking:
        with fault(self.faults, "book"):
            item = self.items.get((paid.transaction_id, paid.timestamp))
            if item is None:
                return Booking.MISSING
            stored = item["webhook"]
            if (stored.amount, stored.event_type) != (paid.amount, paid.event_type):
                return Booking.CONTRADICTED
            if item["bookings"]:
                return Booking.BOOKED_BEFORE
            item["bookings"].append(entry)
        return Booking.BOOKED


@dataclass
class Sent:
    """The queue: what was sent, in order."""

    messages: list[PaymentMessage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def send(self, message: PaymentMessage) -> None:
        with fault(self.faults, "send"):
            self.messages.append(message)


class fault:
    """Fails the operation it wraps if that is due: before it takes effect, or after."""

    def __init__(self, faults: list[str], operation: str):
        self.before = operation in faults
        self.after = f"{operation}!" in faults
        for due in (operation, f"{operation}!"):
            if due in faults:
                faults.remove(due)

    def __enter__(self) -> None:
        if self.before:
            raise AwsFailure("Fake", "ServiceUnavailable")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.after and kind is None:
            raise AwsFailure("Fake", "ReadTimeoutError")


def payment_services(
    lines: Lines, transactions: Any, queue: Any, seconds: Callable[[], float] | None = None
) -> payment.Services:
    ids = itertools.count(1)
    return payment.Services(
        transactions=transactions,
        queue=queue,
        log=lines.log,
        seconds=seconds or Clock(),
        now=lambda: NOW,
        new_id=lambda: f"new-id-{next(ids)}",
    )


def accounting_services(lines: Lines, ledger: Any, seconds_left: float = 30.0) -> accounting.Services:
    return accounting.Services(
        ledger=ledger, log=lines.log, seconds=Clock(), seconds_left=lambda: seconds_left, now=lambda: NOW
    )


def alert_services(lines: Lines, topic: Any, seconds_left: float = 30.0) -> alerts.Services:
    return alerts.Services(
        topic=topic, log=lines.log, environment="test", seconds=Clock(), seconds_left=lambda: seconds_left
    )


def request(body: object, headers: dict | None = None) -> dict:
    """API Gateway's event for a body, which is written as JSON unless it is a text already."""
    return {
        "body": body if isinstance(body, str) else json.dumps(body),
        "headers": headers,
        "isBase64Encoded": False,
        "requestContext": {"requestId": "gateway-request-1"},
    }


def webhook_with(**changes: object) -> dict:
    return {**WEBHOOK, **changes}


def message_with(**changes: object) -> PaymentMessage:
    values = {
        "transaction_id": "tx-1",
        "timestamp": STAMP,
        "provider": "acme",
        "event_type": "payment.succeeded",
        "amount": Decimal("10.5"),
        "currency": "EUR",
        "correlation_id": "correlation-1",
    }
    return PaymentMessage(**{**values, **changes})


def batch(*bodies: object) -> dict:
    """SQS's event for message bodies; each message's id is `m` and its place."""
    return {
        "Records": [
            {
                "messageId": f"m{place}",
                "body": body.body() if isinstance(body, PaymentMessage) else body,
                "attributes": {
                    "ApproximateReceiveCount": "4",
                    "SentTimestamp": "1795341600000",
                    "ApproximateFirstReceiveTimestamp": "1795341601500",
                },
            }
            for place, body in enumerate(bodies)
        ]
    }


def failures(answer: dict) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
