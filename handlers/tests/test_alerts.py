"""What notify-failures promises to an operator: an alert for each dead letter, enough to act on, no card data."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alerts
from payments_common import card_data
from payments_common.aws import AwsFailure
from world import CARDS, VISA, Lines, alert_services, batch, failures, message_with

ALERT = """\
A payment message could not be accounted for. It has left the dead-letter queue with this alert.

Environment:    test
Reason:         accounting_failed: the message is sound, and process-accounting failed on each try
Transaction:    tx-1
Event:          payment.succeeded at 2026-11-22T10:00:00.000000Z
Amount:         10.5 EUR
Provider:       acme
Correlation id: correlation-1
Message id:     m0
Times received: 4
Queued at:      2026-11-22T10:00:00.000000Z
First received: 2026-11-22T10:00:01.500000Z

What to do:
  1. Look up the cause in the log of process-accounting: `message_id = "m0"`, field `error_code`.
  2. Remove the cause, then send the message below to the payment processing queue again. An event is booked only once,
     however often its message comes. The provider's own retry does not help: its webhook counts as queued.

The message:
{"transaction_id": "tx-1", "timestamp": "2026-11-22T10:00:00.000000Z", "provider": "acme", \
"event_type": "payment.succeeded", "amount": "10.5", "currency": "EUR", "correlation_id": "correlation-1"}
"""


class Published:
    """The topic: what was published, and the refusals due, by transaction id in the subject."""

    def __init__(self, refused: str = "nothing", error: Exception | None = None):
        self.alerts, self.refused, self.error = [], refused, error

    def publish(self, published):
        if self.error:
            raise self.error
        places = {place: "Throttled" for place, alert in enumerate(published) if self.refused in alert.subject}
        self.alerts += [alert for place, alert in enumerate(published) if place not in places]
        return places


def notify(topic, *bodies, seconds_left=30.0):
    lines = Lines()
    answer = alerts.handle(batch(*bodies), alert_services(lines, topic, seconds_left))
    return failures(answer), lines


def test_an_alert_tells_what_failed_and_what_to_do():
    topic = Published()
    assert notify(topic, message_with())[0] == []
    (alert,) = topic.alerts
    assert alert.subject == "[test] payment failure at acme: transaction tx-1"
    assert alert.text == ALERT
    assert alert.attributes == {"environment": "test", "provider": "acme", "reason": "accounting_failed"}


def test_the_queue_to_send_to_again_is_named_when_sqs_names_it():
    event = batch(message_with())
    event["Records"][0]["attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-central-1:1:payments-dev"
    assert "send the message below to payments-dev again" in alerts.alert_for(event["Records"][0], "test").text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "the body is not JSON"),
        ("[]", "the body is not a JSON object"),
        ('{"transaction_id": "tx-1"}', "the body lacks `timestamp`, `provider`"),
        (message_with().body().replace("EUR", "eur"), "`currency` must be a code of ISO 4217"),
    ],
)
def test_an_unreadable_message_is_reported_with_its_reason(body, reason):
    topic = Published()
    assert notify(topic, body)[0] == []
    (alert,) = topic.alerts
    assert f"Reason:         malformed_message: {reason}" in alert.text
    assert alert.attributes == {"environment": "test", "provider": "unknown", "reason": "malformed_message"}
    assert body in alert.text


@pytest.mark.parametrize("card", [*CARDS, "4111 1111 1111 1111", "4111-1111-1111-1111"])
@pytest.mark.parametrize(
    "body", ["{}", "x" * 1015 + "{}", "x" * 8185 + "{}", '{{"number":"{}","cvv":"123"}}', "{{{}:cvv 123", '[["{}"]]']
)
def test_no_card_data_reaches_an_alert_or_a_log(card, body):
    topic = Published()
    _, lines = notify(topic, body.format(card))
    (alert,) = topic.alerts
    for text in (alert.text, alert.subject, *lines.texts):
        assert not card_data.in_text(text)
        assert card[-8:] not in text
        assert "123" not in text.replace("eu-central-1", "")


def test_a_refused_alert_comes_again_and_the_others_do_not():
    topic = Published(refused="tx-1")
    failed, lines = notify(topic, message_with(transaction_id="tx-0"), message_with(), "poison")
    assert failed == ["m1"]
    assert len(topic.alerts) == 2
    assert lines.events == [
        "failure_notified -",
        "failure_notification_failed publish_failed",
        "failure_notified -",
    ]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AwsFailure("PublishBatch", "Throttled"), "Throttled"),
        (RuntimeError(f"payload {VISA}"), "RuntimeError"),
    ],
)
def test_a_failing_topic_gives_every_letter_back(error, told):
    failed, lines = notify(Published(error=error), message_with(), "poison")
    assert failed == ["m0", "m1"]
    assert lines.events == ["failure_notification_failed publish_failed"] * 2
    assert all(told in text and "payload" not in text for text in lines.texts)


def test_letters_that_there_is_no_time_for_come_again():
    failed, lines = notify(Published(), message_with(), seconds_left=1.0)
    assert failed == ["m0"]
    assert lines.events == ["failure_notification_failed deadline"]


def test_more_letters_than_one_call_takes_are_all_published():
    topic = Published()
    assert notify(topic, *(message_with(transaction_id=f"tx-{place}") for place in range(25)))[0] == []
    assert len(topic.alerts) == 25


@given(st.text() | st.binary().map(repr) | st.recursive(st.text(), st.lists).map(json.dumps))
def test_any_body_at_all_makes_an_alert_that_sns_takes(body):
    alert = alerts.alert_for(batch(body)["Records"][0], "a-very-long-environment-name-" * 4)
    assert 0 < len(alert.subject) <= 100
    assert set(alert.subject) <= set(string.printable) - set("\r\n\t\x0b\x0c")
    assert all(value for value in alert.attributes.values())
    assert len(alert.text.encode()) < 25_000


def test_a_letter_without_attributes_makes_an_alert():
    assert "First received: unknown" in alerts.alert_for({"messageId": "m", "body": None}, "test").text
