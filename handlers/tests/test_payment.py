"""What process-payment promises to the sender, on stores in memory that fail when told to."""

import base64
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import payment
from payments_common import fields, message
from world import (
    AMEX,
    STAMP,
    VISA,
    WEBHOOK,
    Clock,
    Lines,
    Sent,
    Table,
    message_with,
    payment_services,
    request,
    webhook_with,
)


class Receiver:
    """process-payment with its stores, as a provider sees it."""

    def __init__(self):
        self.table, self.queue, self.lines, self.clock = Table(), Sent(), Lines(), Clock()
        self.services = payment_services(self.lines, self.table, self.queue, self.clock)

    def post(self, body: object, headers: dict | None = None) -> tuple[int, dict]:
        answer = payment.handle(request(body, headers), self.services)
        return answer["statusCode"], json.loads(answer["body"])

    def problems(self, body: object) -> list[str]:
        status, answer = self.post(body)
        assert status == 400
        assert not self.table.items
        assert not self.queue.messages
        return [f"{problem['field']} {problem['rule']}" for problem in answer["problems"]]


@pytest.fixture
def receiver():
    return Receiver()


def test_a_webhook_is_accepted_once_it_is_stored_and_queued(receiver):
    assert receiver.post(WEBHOOK) == (202, {"status": "accepted", "correlation_id": "gateway-request-1"})
    assert list(receiver.table.items) == [("tx-1", STAMP)]
    assert receiver.queue.messages == [message_with(correlation_id="gateway-request-1")]
    assert receiver.lines.values == [
        {
            "level": "INFO",
            "event": "payment_accepted",
            "message": "stored and queued",
            "service": "test",
            "environment": "test",
            "request_id": "request-1",
            "outcome": "accepted",
            "correlation_id": "gateway-request-1",
            "latency_ms": 0.0,
            "provider": "acme",
            "transaction_id": "tx-1",
            "event_type": "payment.succeeded",
        }
    ]


def test_the_same_webhook_again_is_a_duplicate_however_it_is_written(receiver):
    receiver.post(WEBHOOK)
    same = webhook_with(amount=10.5, timestamp="2026-11-22T11:00:00.000+01:00")
    assert receiver.post(dict(reversed(same.items()))) == (
        200,
        {"status": "duplicate", "correlation_id": "gateway-request-1"},
    )
    assert len(receiver.queue.messages) == 1
    assert receiver.lines.events == ["payment_accepted -", "payment_duplicate -"]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "10.51"},
        {"currency": "USD"},
        {"provider": "other"},
        {"event_type": "payment.refunded"},
        {"reference": "r"},
        {"metadata": {"a": "b"}},
    ],
)
def test_other_content_under_the_same_key_is_refused_and_leaves_no_trace(receiver, change):
    receiver.post(WEBHOOK)
    stored = dict(receiver.table.items)
    status, answer = receiver.post(webhook_with(**change))
    assert (status, answer["error"]) == (409, "conflict")
    assert receiver.table.items == stored
    assert len(receiver.queue.messages) == 1
    assert receiver.lines.events[-1] == "payment_rejected conflict"


def test_each_event_of_a_payment_is_taken_by_itself(receiver):
    receiver.post(webhook_with(event_type="payment.pending"))
    receiver.post(webhook_with(timestamp="2026-11-22T10:00:00.5Z"))
    receiver.post(webhook_with(timestamp="2026-11-22T10:00:01Z", event_type="payment.refunded"))
    assert [stamp for _, stamp in receiver.table.items] == sorted(stamp for _, stamp in receiver.table.items)
    assert len(receiver.queue.messages) == 3


@pytest.mark.parametrize(
    ("faults", "codes", "sends"),
    [
        ("add", "store_unavailable", 1),
        ("add!", "store_unavailable", 1),
        ("send", "queue_unavailable", 1),
        ("send!", "queue_unavailable", 2),
    ],
)
def test_a_failure_is_told_and_repaired_by_the_retry(receiver, faults, codes, sends):
    receiver.table.faults.append(faults)
    receiver.queue.faults.append(faults)
    status, answer = receiver.post(WEBHOOK)
    assert (status, answer["error"]) == (503, codes)
    assert receiver.post(WEBHOOK)[0] == 202
    assert receiver.post(WEBHOOK)[0] == 200
    assert len(receiver.table.items) == 1
    assert receiver.queue.messages == [message_with(correlation_id="gateway-request-1")] * sends


def test_a_webhook_whose_mark_failed_is_accepted_and_queued_again_by_a_retry(receiver):
    receiver.table.faults.append("mark")
    assert receiver.post(WEBHOOK)[0] == 202
    assert receiver.lines.events == ["payment_accepted unmarked"]
    assert receiver.post(WEBHOOK)[0] == 202
    assert len(receiver.queue.messages) == 2


@given(st.lists(st.sampled_from(["add", "add!", "send", "send!", "mark", "mark!"]), unique=True))
def test_whatever_fails_on_the_way_an_accepted_webhook_is_stored_and_queued(faults):
    receiver = Receiver()
    receiver.table.faults = list(faults)
    receiver.queue.faults = receiver.table.faults
    for _ in range(8):
        status, _ = receiver.post(WEBHOOK)
        if status < 300:
            assert receiver.table.items
            assert receiver.queue.messages
    assert receiver.post(WEBHOOK)[0] == 200
    assert len(receiver.table.items) == 1


def test_a_slow_store_leaves_no_time_to_queue_and_the_answer_comes_in_time(receiver):
    add = receiver.table.add

    def slow_add(*arguments):
        receiver.clock.time += payment.LATEST_START_SECONDS + 0.1
        return add(*arguments)

    receiver.table.add = slow_add
    assert receiver.post(WEBHOOK)[0] == 503
    assert receiver.lines.events == ["payment_failed deadline"]
    receiver.table.add = add
    assert receiver.post(WEBHOOK)[0] == 202


def test_a_slow_queue_costs_the_mark_alone(receiver):
    send = receiver.queue.send

    def slow_send(sent):
        receiver.clock.time += payment.LATEST_START_SECONDS + 0.1
        send(sent)

    receiver.queue.send = slow_send
    assert receiver.post(WEBHOOK)[0] == 202
    assert receiver.lines.events == ["payment_accepted unmarked"]


def test_everything_wrong_is_said_at_once_by_field_and_rule(receiver):
    body = webhook_with(amount="-1", currency="euro", provider="ACME", surprise="secret")
    del body["timestamp"]
    assert receiver.problems(body) == [
        "timestamp is required",
        "(body) may hold only transaction_id, provider, amount, currency, timestamp, event_type, customer_id, reference, metadata",
        "provider must be 2 to 32 of [a-z0-9_-], a letter first",
        "amount must be a decimal above 0, with at most 12 digits in all and 4 after the point",
        "currency must be a code of ISO 4217: three upper-case letters",
    ]
    (line,) = receiver.lines.values
    assert (line["error_code"], line["field"]) == (
        "missing_field",
        "timestamp, (body), provider, amount, currency",
    )
    assert "secret" not in receiver.lines.texts[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction_id", ""),
        ("transaction_id", "a" * 65),
        ("transaction_id", "tx 1"),
        ("transaction_id", "tx-1\n"),
        ("transaction_id", 1),
        ("provider", "1acme"),
        ("provider", None),
        ("amount", 0),
        ("amount", "0.00"),
        ("amount", -1),
        ("amount", "1e3"),
        ("amount", "01"),
        ("amount", "1."),
        ("amount", "+1"),
        ("amount", "1.00001"),
        ("amount", 1.00001),
        ("amount", "1234567890123"),
        ("amount", True),
        ("amount", None),
        ("amount", [1]),
        ("currency", "EURO"),
        ("timestamp", "2026-11-22"),
        ("timestamp", "2026-11-22T10:00:00"),
        ("timestamp", "2026-13-22T10:00:00Z"),
        ("timestamp", "2026-11-22T10:00:00+99:00"),
        ("timestamp", "0001-01-01T00:00:00+01:00"),
        ("timestamp", 1795341600),
        ("event_type", "payment.invented"),
        ("event_type", []),
        ("customer_id", ""),
        ("reference", "a\u0000b"),
        ("reference", "\ud800"),
        ("reference", "r" * 141),
        ("metadata", []),
        ("metadata", {"a": 1}),
        ("metadata", {"a": {"b": "c"}}),
        ("metadata", {"a b": "c"}),
        ("metadata", {"a": "b" * 257}),
        ("metadata", {f"k{place}": "" for place in range(21)}),
    ],
)
def test_a_field_that_breaks_its_rule_is_refused_by_name(receiver, field, value):
    (problem,) = receiver.problems(webhook_with(**{field: value}))
    assert problem.startswith(f"{field} must be")
    assert receiver.lines.events == ["payment_rejected invalid_field"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "1",
        "\ufeff{}",
        "\ud800",
        "[" * 30_000,
        '{"a":' * 6_000,
        '{"amount": NaN}',
        '{"amount": 1, "amount": 2}',
        "1" * 5_000,
        "1e99999999999999999999",
        json.dumps(WEBHOOK)[:-1],
    ],
)
def test_what_is_no_json_object_is_refused(receiver, body):
    (problem,) = receiver.problems(body)
    assert problem.startswith("(body) must be ")
    assert receiver.lines.events == ["payment_rejected invalid_json"]


def test_a_missing_body_and_undecodable_bytes_are_refused(receiver):
    for event in (
        {"body": None},
        {},
        {"body": "%%%", "isBase64Encoded": True},
        {"body": "/w==", "isBase64Encoded": True},
    ):
        assert payment.handle(event, receiver.services)["statusCode"] == 400


def test_a_body_in_base64_is_read(receiver):
    event = {"body": base64.b64encode(json.dumps(WEBHOOK).encode()).decode(), "isBase64Encoded": True}
    assert payment.handle(event, receiver.services)["statusCode"] == 202


def test_a_body_that_is_too_large_is_refused(receiver):
    assert receiver.problems(json.dumps(WEBHOOK) + " " * 40_000) == ["(body) must be at most 32768 bytes"]


@pytest.mark.parametrize("number", ["1e999999999", "1E-999999999", "9" * 400, "0." + "1" * 400])
def test_an_amount_of_absurd_size_is_refused_without_being_written_out(receiver, number):
    body = json.dumps(WEBHOOK).replace('"10.50"', number)
    assert payment.handle(request(body), receiver.services)["statusCode"] == 400


@given(st.decimals(min_value=0, max_value=99_999_999, places=4).filter(lambda amount: amount > 0))
def test_an_amount_stays_the_decimal_it_was_as_a_text_and_as_a_number(amount):
    for written in (f'"{amount}"', str(amount)):
        receiver = Receiver()
        receiver.post(json.dumps(WEBHOOK).replace('"10.50"', written))
        ((_, item),) = receiver.table.items.items()
        assert item["webhook"].amount == amount
        assert isinstance(item["webhook"].amount, Decimal)
        assert message.parse(receiver.queue.messages[0].body()).amount == amount


def test_amounts_that_a_float_would_spoil_are_exact(receiver):
    receiver.post(json.dumps(WEBHOOK).replace('"10.50"', "99999999.9999"))
    assert receiver.queue.messages[0].body().count('"amount": "99999999.9999"') == 1


@pytest.mark.parametrize("card", [VISA, "4111 1111 1111 1111", "3782-822463-10005", "4111.1111.1111.1111"])
@pytest.mark.parametrize("field", [*WEBHOOK, "customer_id", "reference", "metadata", "surprise"])
@pytest.mark.parametrize(
    "nesting", [lambda it: it, lambda it: [it], lambda it: {"a": it}, lambda it: {it: "a"}, lambda it: f"to {it}."]
)
def test_a_card_number_in_any_field_is_refused_and_leaves_no_trace(receiver, card, field, nesting):
    problems = receiver.problems(webhook_with(**{field: nesting(card)}))
    assert problems == [f"{'(body)' if field == 'surprise' else field} must not hold a card number or a security code"]
    assert_silent(receiver, card)


def test_a_card_number_as_a_number_as_a_name_and_beside_broken_json_leaves_no_trace(receiver):
    text = json.dumps(WEBHOOK)
    for body in (
        text.replace('"10.50"', VISA),
        text.replace('"10.50"', "4.111111111111111e15"),
        text.replace('"provider"', f'"{VISA}"'),
        text.replace("tx-1", VISA) + "}",
        f"card={VISA}&cvv=123",
    ):
        receiver.problems(body)
    assert_silent(receiver, VISA)


@pytest.mark.parametrize("extra", [{"cvv": "123"}, {"metadata": {"cvc": "123"}}, {"metadata": {"note": "cvv 123"}}])
def test_a_security_code_is_refused_and_leaves_no_trace(receiver, extra):
    receiver.problems(webhook_with(**extra))
    assert receiver.lines.events == ["payment_rejected card_data"]
    assert_silent(receiver, "123")


@pytest.mark.parametrize("header", ["X-Correlation-Id", "x-correlation-id", "User-Agent", "Authorization", VISA])
@pytest.mark.parametrize("card", [VISA, f"card-{AMEX}", "4111-1111-1111-1111", "cvv-1234"])
def test_a_card_number_in_a_header_goes_nowhere(receiver, header, card):
    answer = payment.handle(request(WEBHOOK, {header: card, "X-Other": card}), receiver.services)
    assert answer["statusCode"] == 202
    assert card not in json.dumps(answer)
    assert card not in repr(receiver.table.items)
    assert card not in repr(receiver.queue.messages)
    assert card not in "".join(receiver.lines.texts)


def test_a_senders_correlation_id_goes_all_the_way(receiver):
    _, answer = receiver.post(WEBHOOK, {"x-correlation-ID": "their-trace-0001"})
    assert answer["correlation_id"] == "their-trace-0001"
    assert receiver.queue.messages[0].correlation_id == "their-trace-0001"
    assert receiver.lines.values[0]["correlation_id"] == "their-trace-0001"


@pytest.mark.parametrize("bad", ["short", "with space in it", "x" * 65, "", None])
def test_an_ill_formed_correlation_id_is_replaced(receiver, bad):
    assert receiver.post(WEBHOOK, {"X-Correlation-Id": bad})[1]["correlation_id"] == "gateway-request-1"
    answer = payment.handle({"body": json.dumps(WEBHOOK)}, receiver.services)
    assert answer["headers"]["X-Correlation-Id"] == "new-id-1"


def test_an_unexpected_error_is_answered_and_its_text_stays_out_of_the_log(receiver):
    def add(*_):
        raise RuntimeError(f"payload {VISA} tx-1")

    receiver.table.add = add
    status, answer = receiver.post(WEBHOOK)
    assert (status, answer["error"]) == (500, "internal_error")
    (line,) = receiver.lines.values
    assert (line["event"], line["error_type"]) == ("payment_failed", "RuntimeError")
    assert "payload" not in receiver.lines.texts[0]
    assert_silent(receiver, VISA)


@given(
    st.fixed_dictionaries(
        {
            "transaction_id": st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
            "provider": st.from_regex(r"[a-z][a-z0-9_-]{1,31}", fullmatch=True),
            "amount": st.from_regex(r"[1-9][0-9]{0,7}(\.[0-9]{1,4})?", fullmatch=True),
            "currency": st.from_regex(r"[A-Z]{3}", fullmatch=True),
            "timestamp": st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
            "event_type": st.sampled_from(fields.EVENT_TYPES),
        }
    )
)
def test_whatever_is_accepted_accounting_can_read(body):
    receiver = Receiver()
    status, _ = receiver.post(body)
    assert status in (202, 400)
    for sent in receiver.queue.messages:
        assert message.parse(sent.body()) == sent


def assert_silent(receiver: Receiver, secret: str) -> None:
    """No line, item or message holds the secret; each test that calls this has seen the answer refuse it by rule."""
    assert secret not in "".join(receiver.lines.texts)
    assert secret not in repr(receiver.table.items) + repr(receiver.queue.messages)
