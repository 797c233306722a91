"""The functions against moto: the expressions, the shapes of items and messages, and the whole way through the queue."""

import importlib.util
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import botocore.loaders
import botocore.session
import pytest

import accounting
import alerts
import payment
import webhook
from ledger import Ledger
from payments_common import aws
from payments_common.aws import AwsFailure
from topic import Topic
from transactions import ProcessingQueue, Transactions
from world import (
    NOW,
    QUEUE,
    STAMP,
    TABLE,
    VISA,
    WEBHOOK,
    Lines,
    accounting_services,
    alert_services,
    batch,
    failures,
    message_with,
    payment_services,
    request,
    webhook_with,
)

HANDLERS = Path(__file__).parent.parent
BOTOCORES_OWN = botocore.loaders.create_loader()
"""Reads what botocore reads by itself, and remembers it."""


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def services(lines, dynamodb, sqs, queue_url):
    return payment_services(lines, Transactions(dynamodb, TABLE), ProcessingQueue(sqs, queue_url))


def post(services, body):
    return payment.handle(request(body), services)["statusCode"]


def items(dynamodb):
    return dynamodb.scan(TableName=TABLE)["Items"]


def received(sqs, queue_url):
    """The messages that wait, as Lambda hands them over."""
    records = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        records += [{"messageId": sent["MessageId"], "body": sent["Body"], "attributes": {}} for sent in messages]
    return records


def test_an_item_holds_the_payment_with_its_amount_as_a_number(services, dynamodb):
    post(services, webhook_with(customer_id="c-1", reference="Invoice 7", metadata={"shop": "north"}))
    (item,) = items(dynamodb)
    assert len(item.pop("fingerprint")["S"]) == 64
    assert item == {
        "transaction_id": {"S": "tx-1"},
        "timestamp": {"S": STAMP},
        "provider": {"S": "acme"},
        "event_type": {"S": "payment.succeeded"},
        "amount": {"N": "10.5"},
        "currency": {"S": "EUR"},
        "customer_id": {"S": "c-1"},
        "reference": {"S": "Invoice 7"},
        "metadata": {"M": {"shop": {"S": "north"}}},
        "correlation_id": {"S": "gateway-request-1"},
        "received_at": {"S": "2026-11-22T10:00:01.000000Z"},
        "queued_at": {"S": "2026-11-22T10:00:01.000000Z"},
    }


def test_the_same_webhook_twice_and_a_contradiction(services, dynamodb, sqs, queue_url):
    assert [post(services, WEBHOOK), post(services, WEBHOOK), post(services, webhook_with(amount="11"))] == [
        202,
        200,
        409,
    ]
    assert len(items(dynamodb)) == 1
    assert len(received(sqs, queue_url)) == 1


def test_the_same_webhook_many_times_at_once_is_stored_and_booked_once(services, lines, dynamodb, sqs, queue_url):
    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(lambda _: post(services, WEBHOOK), range(48)))
    assert set(statuses) <= {200, 202}
    (item,) = items(dynamodb)
    assert "queued_at" in item
    records = received(sqs, queue_url)
    assert len(records) == statuses.count(202)

    booked = Lines()
    ledger = accounting_services(booked, Ledger(dynamodb, TABLE))
    with ThreadPoolExecutor(8) as workers:
        answers = list(workers.map(lambda record: accounting.handle({"Records": [record] * 3}, ledger), records))
    assert all(answer == {"batchItemFailures": []} for answer in answers)
    assert booked.events.count("accounting_processed -") == 1
    assert len(booked.events) == 3 * len(records)
    (item,) = items(dynamodb)
    assert item["accounted_amount"] == {"N": "10.5"}


def test_many_payments_at_once_with_duplicates_are_each_stored_and_booked_once(services, dynamodb, sqs, queue_url):
    bodies = [webhook_with(transaction_id=f"tx-{place % 20}") for place in range(60)]
    with ThreadPoolExecutor(16) as senders:
        assert set(senders.map(lambda body: post(services, body), bodies)) <= {200, 202}
    lines = Lines()
    records = received(sqs, queue_url)
    assert accounting.handle({"Records": records}, accounting_services(lines, Ledger(dynamodb, TABLE))) == {
        "batchItemFailures": []
    }
    assert lines.events.count("accounting_processed -") == 20
    assert sum(float(item["accounted_amount"]["N"]) for item in items(dynamodb)) == 210


def test_a_send_that_fails_is_repaired_by_the_retry(lines, dynamodb, sqs, queue_url):
    table = Transactions(dynamodb, TABLE)
    broken = payment_services(lines, table, ProcessingQueue(sqs, queue_url + "-gone"))
    assert post(broken, WEBHOOK) == 503
    assert lines.values[0]["error_code"] == "queue_unavailable"
    (item,) = items(dynamodb)
    assert "queued_at" not in item
    assert post(payment_services(lines, table, ProcessingQueue(sqs, queue_url)), WEBHOOK) == 202
    assert len(received(sqs, queue_url)) == 1


def test_an_absent_table_is_unavailable(lines, dynamodb, sqs, queue_url):
    absent = payment_services(lines, Transactions(dynamodb, "absent"), ProcessingQueue(sqs, queue_url))
    assert post(absent, WEBHOOK) == 503
    assert lines.values[0]["aws_error_code"] == "ResourceNotFoundException"


def test_the_entry_lies_on_the_item_and_is_written_once(services, dynamodb, lines):
    post(services, webhook_with(event_type="payment.refunded"))
    books = accounting_services(lines, Ledger(dynamodb, TABLE))
    refund = message_with(event_type="payment.refunded")
    assert failures(accounting.handle(batch(refund, "poison", refund), books)) == ["m1"]
    (item,) = items(dynamodb)
    entry = {name: value for name, value in item.items() if name.startswith("account")}
    assert entry == {
        "accounted_at": {"S": "2026-11-22T10:00:01.000000Z"},
        "accounted_by": {"S": "m0"},
        "accounted_amount": {"N": "-10.5"},
        "accounting_entry": {"S": "debit"},
    }


def test_a_message_without_its_item_or_against_it_is_not_booked(services, dynamodb, lines):
    post(services, WEBHOOK)
    books = accounting_services(lines, Ledger(dynamodb, TABLE))
    strays = batch(message_with(transaction_id="tx-2"), message_with(currency="USD"))
    assert failures(accounting.handle(strays, books)) == ["m0", "m1"]
    assert [line["error_code"] for line in lines.values[1:]] == ["transaction_missing", "transaction_mismatch"]
    (item,) = items(dynamodb)
    assert "accounted_at" not in item


def test_alerts_reach_a_subscribed_queue_with_their_attributes(sns, sqs, queue_url, lines):
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-central-1:123456789012:{QUEUE}")
    services = alert_services(lines, Topic(sns, arn))
    letters = batch(*(message_with(transaction_id=f"tx-{place}") for place in range(11)), f"poison {VISA}")
    assert failures(alerts.handle(letters, services)) == []
    envelopes = [json.loads(record["body"]) for record in received(sqs, queue_url)]
    assert len(envelopes) == 12
    assert {envelope["MessageAttributes"]["provider"]["Value"] for envelope in envelopes} == {"acme", "unknown"}
    assert VISA not in json.dumps(envelopes)


def test_what_sns_refuses_of_a_batch_is_told_by_its_place():
    answer = {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}]}
    topic = Topic(SimpleNamespace(publish_batch=lambda **_: answer), "arn")
    published = [alerts.alert_for(record, "test") for record in batch("a", "b")["Records"]]
    assert topic.publish(published) == {1: "InternalError"}


def test_an_absent_topic_gives_the_letters_back(sns, lines):
    services = alert_services(lines, Topic(sns, "arn:aws:sns:eu-central-1:123456789012:absent"))
    assert failures(alerts.handle(batch(message_with()), services)) == ["m0"]
    assert lines.values[0]["aws_error_code"] == "NotFound"


def test_a_failure_of_aws_carries_nothing_of_what_was_sent(sqs):
    with pytest.raises(AwsFailure) as caught:
        aws.call(sqs.send_message, QueueUrl=f"https://sqs.eu-central-1.amazonaws.com/1/{VISA}", MessageBody=VISA)
    assert VISA not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_an_unreachable_endpoint_is_a_failure_like_any_other(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    (client,) = aws.clients("sqs")
    with pytest.raises(AwsFailure) as caught:
        aws.call(client.send_message, QueueUrl="http://127.0.0.1:1/1/queue", MessageBody=VISA)
    assert (caught.value.operation, caught.value.code) == ("send_message", "EndpointConnectionError")


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-9", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("variant", [None, "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
@pytest.mark.parametrize("service", ["dynamodb", "sqs", "sns"])
def test_a_client_calls_the_endpoint_that_botocore_by_itself_would_call(monkeypatch, region, variant, service):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    if variant:
        monkeypatch.setenv(variant, "true")
    (ours,) = aws.clients(service)
    plain = botocore.session.get_session()
    plain.register_component("data_loader", BOTOCORES_OWN)
    theirs = plain.create_client(service)
    assert called(ours, service) == called(theirs, service)


def called(client, service):
    """Where a call goes, and what its signature is made for."""
    calls = {
        "dynamodb": ("put_item", {"TableName": "t", "Item": {"id": {"S": "1"}}}),
        "sqs": ("send_message", {"QueueUrl": "https://sqs/1/queue", "MessageBody": "x"}),
        "sns": ("publish_batch", {"TopicArn": "arn:aws:sns:x:1:t", "PublishBatchRequestEntries": []}),
    }

    class Seen(Exception):
        pass

    def stop(request, **_):
        raise Seen(request.url, request.headers["Authorization"].decode().split("/", 2)[2].split(",")[0])

    client.meta.events.register("before-send", stop)
    operation, arguments = calls[service]
    with pytest.raises(Seen) as caught:
        getattr(client, operation)(**arguments)
    return client.meta.partition, caught.value.args


def test_marking_what_is_not_stored_stores_nothing(services, dynamodb):
    with pytest.raises(AwsFailure):
        services.transactions.mark_queued(webhook.parse(request(WEBHOOK)), NOW)
    assert items(dynamodb) == []


CONTEXT = SimpleNamespace(aws_request_id="lambda-request-1", get_remaining_time_in_millis=lambda: 30_000)


def load_entry_point(function, environment, monkeypatch):
    """The function's `index` as Lambda imports it; each has that name, so none stays in the table of modules."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    specification = importlib.util.spec_from_file_location(f"{function}_index", HANDLERS / function / "index.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_entry_points_carry_a_payment_from_the_webhook_to_the_alert(
    dynamodb, sqs, sns, queue_url, monkeypatch, capsys
):
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    environment = {
        "TRANSACTIONS_TABLE": TABLE,
        "PROCESSING_QUEUE_URL": queue_url,
        "NOTIFICATIONS_TOPIC_ARN": topic,
        "ENVIRONMENT": "test",
    }
    entry = {
        function: load_entry_point(function, environment, monkeypatch).handler
        for function in ("process_payment", "process_accounting", "notify_failures")
    }
    assert entry["process_payment"](request(WEBHOOK), CONTEXT)["statusCode"] == 202
    records = received(sqs, queue_url)
    assert entry["process_accounting"]({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    assert entry["notify_failures"]({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["service"], line["event"], line["request_id"]) for line in lines] == [
        ("process-payment", "payment_accepted", "lambda-request-1"),
        ("process-accounting", "accounting_processed", "lambda-request-1"),
        ("notify-failures", "failure_notified", "lambda-request-1"),
    ]


def test_no_two_functions_share_a_module_name_and_none_holds_tests():
    modules = [path.stem for path in HANDLERS.glob("*_*/*.py")]
    assert sorted(name for name in modules if modules.count(name) > 1) == ["index"] * 3
    assert sys.version_info >= (3, 11)
