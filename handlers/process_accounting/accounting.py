"""Books each queued payment event once, on the event's own item, and reports by itself each message it could not book.

The entry is written under a condition: the item says what the message says, and has no entry yet. So a message that
comes twice, late, or beside its own copy changes nothing the second time. Events commute, since each has an item of
its own: a refund may be booked before the payment that it gives back.

Nothing is dropped here. A body that says no payment, an event without an item, one that contradicts its item, and every
failure of DynamoDB go back to the queue, which retries and then moves them to the dead-letter queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from payments_common import log, message
from payments_common.aws import LONGEST_CALL_SECONDS, AwsFailure
from payments_common.log import Level, Log
from payments_common.message import Malformed, PaymentMessage


class Booking(StrEnum):
    """What the ledger answered."""

    BOOKED = "booked"
    BOOKED_BEFORE = "booked before"
    MISSING = "missing"
    CONTRADICTED = "contradicted"


class Direction(StrEnum):
    CREDIT = "credit"
    DEBIT = "debit"
    NONE = "none"


_DIRECTIONS = {
    "payment.succeeded": Direction.CREDIT,
    "payment.refunded": Direction.DEBIT,
    "payment.failed": Direction.NONE,
    "payment.pending": Direction.NONE,
}


@dataclass(frozen=True)
class Entry:
    """What an event is worth to the books: the amount is signed, and zero when no money moved."""

    direction: Direction
    amount: Decimal


class PaymentLedger(Protocol):
    def book(self, payment: PaymentMessage, entry: Entry, message_id: str, at: datetime) -> Booking: ...


@dataclass(frozen=True)
class Services:
    ledger: PaymentLedger
    log: Log
    seconds: Callable[[], float]
    """A clock for durations."""
    seconds_left: Callable[[], float]
    """Until Lambda stops the function."""
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Outcome:
    level: Level
    event: str
    outcome: str
    message: str
    details: dict[str, object]

    @property
    def is_failure(self) -> bool:
        return self.outcome == "failed"


def handle(event: dict, services: Services) -> dict:
    """Takes a batch from SQS and answers with the messages that must come again."""
    failed = []
    for record in event["Records"]:
        started = services.seconds()
        try:
            outcome = _outcome(record, services)
        except Exception as error:
            outcome = _failed("internal_error", "failed unexpectedly", log.describe(error))
        if outcome.is_failure:
            failed.append({"itemIdentifier": record["messageId"]})
        services.log.line(
            outcome.level,
            outcome.event,
            outcome.message,
            outcome=outcome.outcome,
            message_id=record["messageId"],
            receive_count=message.receive_count(record),
            latency_ms=log.milliseconds(services.seconds() - started),
            **outcome.details,
        )
    return {"batchItemFailures": failed}


def entry_of(payment: PaymentMessage) -> Entry:
    direction = _DIRECTIONS[payment.event_type]
    match direction:
        case Direction.CREDIT:
            return Entry(direction, payment.amount)
        case Direction.DEBIT:
            return Entry(direction, -payment.amount)
        case Direction.NONE:
            return Entry(direction, Decimal(0))


def _outcome(record: dict, services: Services) -> Outcome:
    if services.seconds_left() < LONGEST_CALL_SECONDS:
        return _failed("deadline", "left for the next delivery, for want of time", {})
    try:
        payment = message.parse(record["body"])
    except Malformed as malformed:
        return _failed("malformed_message", "cannot read the message", {"rule": malformed.reason})
    about = {
        "correlation_id": payment.correlation_id,
        "provider": payment.provider,
        "transaction_id": payment.transaction_id,
        "event_type": payment.event_type,
    }
    try:
        booking = services.ledger.book(payment, entry_of(payment), record["messageId"], services.now())
    except AwsFailure as failure:
        cause = {"aws_operation": failure.operation, "aws_error_code": failure.code}
        return _failed("store_unavailable", "could not book the event", {**about, **cause})
    match booking:
        case Booking.BOOKED:
            return Outcome(Level.INFO, "accounting_processed", "processed", "booked the event", about)
        case Booking.BOOKED_BEFORE:
            return Outcome(Level.INFO, "accounting_duplicate", "duplicate", "the event was booked before", about)
        case Booking.MISSING:
            return _failed("transaction_missing", "no item is stored for the event", about)
        case Booking.CONTRADICTED:
            return _failed("transaction_mismatch", "the stored item says something else", about)


def _failed(code: str, text: str, details: dict[str, object]) -> Outcome:
    return Outcome(Level.ERROR, "accounting_failed", "failed", text, {**details, "error_code": code})
