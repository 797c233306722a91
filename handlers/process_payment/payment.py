"""Takes one webhook: stores it, queues it, and only then says yes.

A webhook is one event of one payment, known by its transaction id and the instant at which the event happened: the key
of the table. The instant is the event's, not the delivery's, so every delivery of one event bears the same. A payment
has several events, each with an instant of its own and each an item of its own.

* The same key with the same content is the same webhook sent again: it is stored and accounted for once, and answered 200.
* The same key with other content (another amount, another event type) is a contradiction that nobody here can settle:
  409, and what is stored stays. A provider whose clock ticks in seconds has to add fractions when two events of one
  payment share a second.

The item learns `queued_at` after the send. A delivery that finds its item without it sends again, so the provider's
retry repairs whatever broke between the write and the send. What was queued twice that way is booked once, because
accounting is conditional on the item. Headers and query are never stored or logged, except a well-formed correlation id.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import webhook
from payments_common import card_data, fields, log
from payments_common.aws import LONGEST_CALL_SECONDS, AwsFailure
from payments_common.log import Level, Log
from payments_common.message import PaymentMessage
from webhook import Refusal, Webhook

ANSWER_WITHIN_SECONDS = 10.0
LATEST_START_SECONDS = ANSWER_WITHIN_SECONDS - LONGEST_CALL_SECONDS
"""A call that starts later could end after the answer is due, so it is not started."""


@dataclass(frozen=True)
class Stored:
    """What the table already holds under a webhook's key."""

    fingerprint: str
    is_queued: bool


class TransactionStore(Protocol):
    def add(self, received: Webhook, correlation_id: str, at: datetime) -> Stored | None:
        """Stores a webhook unless its key is taken; then says by what."""

    def mark_queued(self, received: Webhook, at: datetime) -> None: ...


class Queue(Protocol):
    def send(self, message: PaymentMessage) -> None: ...


@dataclass(frozen=True)
class Services:
    transactions: TransactionStore
    queue: Queue
    log: Log
    seconds: Callable[[], float]
    """A clock for durations."""
    now: Callable[[], datetime]
    new_id: Callable[[], str]


@dataclass(frozen=True)
class Outcome:
    """What became of a webhook, told once to the sender and once to the log."""

    status: int
    level: Level
    event: str
    outcome: str
    message: str
    answer: dict[str, object] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)


def handle(event: dict, services: Services) -> dict:
    """Answers API Gateway's proxy event; no exception leaves it, since Lambda would log its text."""
    started = services.seconds()
    correlation_id = _correlation_id(event, services)
    try:
        outcome = _outcome(event, correlation_id, started, services)
    except Exception as error:
        outcome = _failed("internal_error", "failed unexpectedly", log.describe(error))
    services.log.line(
        outcome.level,
        outcome.event,
        outcome.message,
        outcome=outcome.outcome,
        correlation_id=correlation_id,
        latency_ms=log.milliseconds(services.seconds() - started),
        **outcome.details,
    )
    return _answer(outcome, correlation_id)


def _outcome(event: dict, correlation_id: str, started: float, services: Services) -> Outcome:
    try:
        received = webhook.parse(event)
    except Refusal as refusal:
        return _refused(refusal)
    about = {
        "provider": received.provider,
        "transaction_id": received.transaction_id,
        "event_type": received.event_type,
    }
    try:
        stored = services.transactions.add(received, correlation_id, services.now())
    except AwsFailure as failure:
        return _failed("store_unavailable", "could not store the webhook", {**about, **_cause(failure)})
    if stored is not None and stored.fingerprint != received.fingerprint:
        return _contradicted(about)
    if stored is not None and stored.is_queued:
        return Outcome(
            200,
            Level.INFO,
            "payment_duplicate",
            "duplicate",
            "was stored and queued before",
            {"status": "duplicate"},
            about,
        )
    if services.seconds() - started > LATEST_START_SECONDS:
        return _failed("deadline", "stored the webhook, and has no time left to queue it", about)
    try:
        services.queue.send(received.message(correlation_id))
    except AwsFailure as failure:
        return _failed("queue_unavailable", "stored the webhook, and could not queue it", {**about, **_cause(failure)})
    about |= _mark_queued(received, started, services)
    return Outcome(
        202,
        Level.INFO,
        "payment_accepted",
        "accepted" if stored is None else "requeued",
        "stored and queued" if stored is None else "was stored before, and is queued now",
        {"status": "accepted"},
        about,
    )


def _mark_queued(received: Webhook, started: float, services: Services) -> dict[str, object]:
    """Marks a sent webhook's item; a missing mark only means that a retry sends once more, so no failure is one here."""
    if services.seconds() - started > LATEST_START_SECONDS:
        return {"error_code": "unmarked"}
    try:
        services.transactions.mark_queued(received, services.now())
    except AwsFailure as failure:
        return {"error_code": "unmarked", **_cause(failure)}
    return {}


def _refused(refusal: Refusal) -> Outcome:
    problems = [{"field": problem.field, "rule": problem.rule} for problem in refusal.problems]
    details = {
        "error_code": refusal.code,
        "field": ", ".join(problem.field for problem in refusal.problems),
        "provider": refusal.provider,
        "transaction_id": refusal.transaction_id,
    }
    answer = {"error": refusal.code, "problems": problems}
    return Outcome(400, Level.WARNING, "payment_rejected", "rejected", "refused an invalid webhook", answer, details)


def _contradicted(about: dict[str, object]) -> Outcome:
    rule = "were used for a webhook with other content; each event of a payment needs its own instant"
    answer = {"error": "conflict", "problems": [{"field": "transaction_id, timestamp", "rule": rule}]}
    details = {**about, "error_code": "conflict"}
    message = "refused a webhook that contradicts a stored one"
    return Outcome(409, Level.WARNING, "payment_rejected", "rejected", message, answer, details)


def _failed(code: str, message: str, details: dict[str, object]) -> Outcome:
    status = 500 if code == "internal_error" else 503
    answer = {"error": code, "problems": [], "retry": "send the same webhook again"}
    return Outcome(status, Level.ERROR, "payment_failed", "failed", message, answer, {**details, "error_code": code})


def _cause(failure: AwsFailure) -> dict[str, object]:
    return {"aws_operation": failure.operation, "aws_error_code": failure.code}


def _answer(outcome: Outcome, correlation_id: str) -> dict:
    headers = {"Content-Type": "application/json", "X-Correlation-Id": correlation_id}
    if outcome.status >= 500:
        headers["Retry-After"] = "5"
    body = json.dumps({**outcome.answer, "correlation_id": correlation_id})
    return {"statusCode": outcome.status, "headers": headers, "body": body, "isBase64Encoded": False}


def _correlation_id(event: dict, services: Services) -> str:
    """The sender's correlation id when it is well-formed, else API Gateway's request id, else a new one."""
    for candidate in (*_header(event, "x-correlation-id"), (event.get("requestContext") or {}).get("requestId")):
        try:
            correlation_id = fields.correlation_id(candidate)
        except fields.Broken:
            continue
        if not card_data.in_text(correlation_id):
            return correlation_id
    return services.new_id()


def _header(event: dict, name: str) -> list[str]:
    return [value for header, value in (event.get("headers") or {}).items() if header.lower() == name]
