"""The model does what AWS documents of queues, reservations and limits."""

import random
import re
from pathlib import Path

import pytest
import simpy

from model import Bucket, Function, Latency, Mapping, Message, Queue
from simulate import Limits


def test_a_bucket_takes_its_burst_and_then_its_rate():
    environment = simpy.Environment()
    bucket = Bucket(environment, rate=10, burst=5)
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    environment.run(1)
    assert sum(bucket.take() for _ in range(20)) == 5, "it never holds more than its burst"
    environment.run(1.25)
    assert sum(bucket.take() for _ in range(20)) == 2


def test_a_function_starts_what_it_needs_up_to_its_reservation_and_keeps_it_warm_for_a_while():
    environment = simpy.Environment()
    function = Function(environment, random.Random(1), reserved=2, cold_start=Latency(1, 1), idle_seconds=10)
    assert function.take() > 0.9
    assert function.take() > 0.9
    assert function.take() is None
    function.give_back()
    environment.run(9)
    assert function.take() == 0
    function.give_back()
    environment.run(30)
    assert function.take() > 0.9


def test_a_message_that_fails_three_times_is_a_dead_letter_once_it_would_be_seen_again():
    environment = simpy.Environment()
    dead = Queue(environment, 30, None, None)
    queue = Queue(environment, 30, 3, dead)
    received = []

    def fail(batch):
        received.append(environment.now)
        yield environment.timeout(1)
        return batch

    mapping = Mapping(environment, queue, 10, at_first=1, more_each_second=0, most=1, handle=fail)
    mapping.start()
    queue.send(Message(0))
    environment.run(200)
    assert received == [0, 30, 60]
    assert (len(dead.waiting), len(queue.waiting), queue.in_flight) == (1, 0, 0)


def test_what_fails_of_a_batch_comes_again_alone():
    environment = simpy.Environment()
    queue = Queue(environment, 30, 3, Queue(environment, 30, None, None))
    batches = []

    def fail_first_time(batch):
        batches.append(len(batch))
        yield environment.timeout(1)
        return [message for message in batch if message.is_poison and message.receives == 1]

    for place in range(10):
        queue.send(Message(0, is_poison=place == 4))
    Mapping(environment, queue, 10, at_first=1, more_each_second=0, most=1, handle=fail_first_time).start()
    environment.run(100)
    assert batches == [10, 1]
    assert queue.in_flight == 0


def test_a_mapping_that_is_disabled_takes_nothing_and_goes_on_later():
    environment = simpy.Environment()
    queue = Queue(environment, 30, 3, Queue(environment, 30, None, None))
    taken = []

    def take(batch):
        taken.append(environment.now)
        yield environment.timeout(0.1)
        return []

    mapping = Mapping(environment, queue, 10, at_first=2, more_each_second=0, most=2, handle=take)
    mapping.start()
    mapping.disable()
    queue.send(Message(0))
    environment.run(50)
    assert taken == []
    mapping.enable()
    queue.send(Message(50))
    environment.run(60)
    assert len(queue.waiting) == 0


@pytest.mark.parametrize(
    ("limit", "within", "name"),
    [
        ("plan_rate", "UsagePlanRateLimit", "Default"),
        ("plan_burst", "UsagePlanBurstLimit", "Default"),
        ("payment_concurrency", "ProcessPaymentReservedConcurrency", "Default"),
        ("accounting_concurrency", "ProcessAccountingMaximumConcurrency", "Default"),
        ("notify_concurrency", "NotifyFailuresMaximumConcurrency", "Default"),
        ("batch_size", "AccountingSource", "BatchSize"),
        ("visibility_seconds", "ProcessingQueue", "VisibilityTimeout"),
        ("most_receives", "ProcessingQueue", "maxReceiveCount"),
        ("function_mb", "ProcessPayment", "MemorySize"),
        ("function_mb", "ProcessAccounting", "MemorySize"),
        ("notify_mb", "NotifyFailures", "MemorySize"),
    ],
)
def test_what_is_called_the_templates_is_what_the_template_says(limit: str, within: str, name: str):
    template = (Path(__file__).resolve().parents[2] / "examples/payments/template.yaml").read_text()
    (block,) = re.findall(rf"^  {within}:\n((?:    .*\n|\n)+)", template, re.MULTILINE)
    (value,) = re.findall(rf"^ +{name}: (\d+)$", block, re.MULTILINE)
    assert getattr(Limits(), limit) == int(value)
