"""Turns each dead letter into one alert that tells an operator what failed and what to do.

Lambda deletes a dead letter once its alert is published, so the alert carries what it takes to queue the message again.
A letter whose alert could not be published stays in the queue and comes again. An alert can come twice, never not at
all: SNS may have taken it before the answer was lost.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from payments_common import card_data, fields, log, message
from payments_common.aws import LONGEST_CALL_SECONDS, AwsFailure
from payments_common.log import Level, Log
from payments_common.message import Malformed, PaymentMessage

ALERTS_AT_ONCE = 10
UNKNOWN = "unknown"

_SEARCHED_CHARACTERS = 8192
_SHOWN_CHARACTERS = 1024
_LONGEST_SUBJECT = 100


@dataclass(frozen=True)
class Alert:
    message_id: str
    subject: str
    text: str
    attributes: dict[str, str]
    details: dict[str, object]
    """What the log says of it."""


class AlertTopic(Protocol):
    def publish(self, alerts: list[Alert]) -> dict[int, str]:
        """Answers with the places of the alerts that were refused, and the code of each."""


@dataclass(frozen=True)
class Services:
    topic: AlertTopic
    log: Log
    environment: str
    seconds: Callable[[], float]
    """A clock for durations."""
    seconds_left: Callable[[], float]
    """Until Lambda stops the function."""


def handle(event: dict, services: Services) -> dict:
    """Takes a batch from the dead-letter queue and answers with the letters that must come again."""
    failed = []
    records = iter(event["Records"])
    while batch := list(itertools.islice(records, ALERTS_AT_ONCE)):
        failed.extend(_notify(batch, services))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def alert_for(record: dict, environment: str) -> Alert:
    """The alert for one dead letter, which may hold anything at all."""
    attributes = record.get("attributes") or {}
    try:
        payment, reason = message.parse(record["body"]), "accounting_failed"
        told = _told_of(payment)
        way_out = _way_out_of_failure(record["messageId"], attributes.get("DeadLetterQueueSourceArn"))
        letter = payment.body()
    except Malformed as malformed:
        payment, reason = None, "malformed_message"
        told = {"Reason": f"malformed_message: {malformed.reason}"}
        way_out = _WAY_OUT_OF_NONSENSE
        letter = _shown(record["body"])
    provider = payment.provider if payment else UNKNOWN
    lines = {
        "Environment": environment,
        **told,
        "Message id": record["messageId"],
        "Times received": message.receive_count(record) or UNKNOWN,
        "Queued at": _instant(attributes.get("SentTimestamp")),
        "First received": _instant(attributes.get("ApproximateFirstReceiveTimestamp")),
    }
    text = "\n".join(
        [
            "A payment message could not be accounted for. It has left the dead-letter queue with this alert.",
            "",
            *(f"{name + ':':16}{value}" for name, value in lines.items()),
            "",
            "What to do:",
            way_out,
            "",
            "The message:",
            letter,
            "",
        ]
    )
    return Alert(
        message_id=record["messageId"],
        subject=_subject(environment, provider, payment),
        text=text,
        attributes={"environment": environment, "provider": provider, "reason": reason},
        details={
            "message_id": record["messageId"],
            "provider": provider,
            "transaction_id": payment.transaction_id if payment else None,
            "correlation_id": payment.correlation_id if payment else None,
            "receive_count": message.receive_count(record),
            "reason": reason,
        },
    )


def _notify(batch: list[dict], services: Services) -> list[str]:
    """Publishes one batch; answers with the ids of the letters that must come again."""
    started = services.seconds()
    alerts, failures = [], {}
    for record in batch:
        try:
            alerts.append(alert_for(record, services.environment))
        except Exception as error:
            failures[record["messageId"]] = log.describe(error)
    failures |= _publish(alerts, services)
    latency_ms = log.milliseconds(services.seconds() - started)
    details = {alert.message_id: alert.details for alert in alerts}
    for record in batch:
        message_id = record["messageId"]
        about = {"message_id": message_id, "latency_ms": latency_ms, **details.get(message_id, {})}
        if message_id in failures:
            _tell_failed(services.log, {**about, **failures[message_id]})
        else:
            _tell_notified(services.log, about)
    return list(failures)


def _publish(alerts: list[Alert], services: Services) -> dict[str, dict[str, object]]:
    """Publishes; answers with the message ids of the alerts that SNS did not take, and what the log says of each."""
    if services.seconds_left() < LONGEST_CALL_SECONDS:
        return {alert.message_id: {"error_code": "deadline"} for alert in alerts}
    try:
        refused = services.topic.publish(alerts) if alerts else {}
    except AwsFailure as failure:
        return {alert.message_id: {"aws_error_code": failure.code} for alert in alerts}
    except Exception as error:
        return {alert.message_id: log.describe(error) for alert in alerts}
    return {alerts[place].message_id: {"aws_error_code": code} for place, code in refused.items()}


def _tell_notified(to: Log, about: dict[str, object]) -> None:
    to.line(Level.WARNING, "failure_notified", "published an alert for a dead letter", outcome="notified", **about)


def _tell_failed(to: Log, about: dict[str, object]) -> None:
    about = {"error_code": "publish_failed", **about}
    to.line(Level.ERROR, "failure_notification_failed", "could not publish the alert", outcome="failed", **about)


def _subject(environment: str, provider: str, payment: PaymentMessage | None) -> str:
    """SNS takes up to 100 characters of printable ASCII; the fields that go in are of no other kind."""
    what = f"transaction {payment.transaction_id}" if payment else "unreadable message"
    return f"[{environment}] payment failure at {provider}: {what}"[:_LONGEST_SUBJECT]


def _told_of(payment: PaymentMessage) -> dict[str, str]:
    return {
        "Reason": "accounting_failed: the message is sound, and process-accounting failed on each try",
        "Transaction": payment.transaction_id,
        "Event": f"{payment.event_type} at {payment.timestamp}",
        "Amount": f"{fields.plain(payment.amount)} {payment.currency}",
        "Provider": payment.provider,
        "Correlation id": payment.correlation_id,
    }


_WAY_OUT_OF_NONSENSE = (
    "  1. process-payment never queues such a message: find out who else may send to the queue.\n"
    "  2. If it stands for a payment, correct it and queue it again; otherwise nothing is left to do."
)


def _way_out_of_failure(message_id: str, queue_arn: str | None) -> str:
    queue = queue_arn.rsplit(":", 1)[-1] if queue_arn else "the payment processing queue"
    return (
        f'  1. Look up the cause in the log of process-accounting: `message_id = "{message_id}"`, field `error_code`.\n'
        f"  2. Remove the cause, then send the message below to {queue} again. An event is booked only once,\n"
        "     however often its message comes. The provider's own retry does not help: its webhook counts as queued."
    )


def _shown(body: object) -> str:
    """The beginning of a body that nothing vouches for, masked before it is cut, so that no cut hides a number's length."""
    text = card_data.mask(str(body)[:_SEARCHED_CHARACTERS])[:_SHOWN_CHARACTERS]
    return "".join(character if character.isprintable() else " " for character in text)


def _instant(milliseconds: str | None) -> str:
    if milliseconds is None:
        return UNKNOWN
    return fields.instant(datetime.fromtimestamp(int(milliseconds) / 1000, UTC))
