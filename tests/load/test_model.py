"""The model does what AWS documents of queues, reservations and limits."""

import random
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import simpy

import measured
from model import Bucket, Function, Latency, Mapping, Message, Queue
from emulated import Step, Trace, compare
from simulate import SCENARIOS, Limits, broken


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
    starts = Bucket(environment, rate=1, burst=100)
    function = Function(environment, random.Random(1), 2, starts, cold_start=Latency(1, 1), idle_seconds=10)
    assert function.take() > 0.9
    assert function.take() > 0.9
    assert function.take() is None
    function.give_back()
    environment.run(9)
    assert function.take() == 0
    function.give_back()
    environment.run(30)
    assert function.take() > 0.9


def test_a_function_starts_no_more_environments_at_once_than_may_be_started():
    environment = simpy.Environment()
    function = Function(environment, random.Random(1), 100, Bucket(environment, 1, 3), Latency(1, 1), idle_seconds=10)
    assert [function.take() is None for _ in range(4)] == [False, False, False, True]
    function.give_back()
    assert function.take() == 0, "one that is warm need not be started"


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


def test_the_model_works_out_what_a_queue_makes_of_the_speeds_that_it_is_told():
    """Six a second come, and a poller that rests a second takes ten in two seconds: one a second stays, and goes afterwards."""
    at = [place / 6 for place in range(1, 1801)]
    trace = Trace(
        seconds=300,
        hidden_seconds=20,
        requests=[Step(moment, 0.05) for moment in at],
        poisoned=[],
        bookings=[Step(float(moment), 0.1) for moment in range(300)],
        rests=[Step(float(moment), 1.0) for moment in range(300)],
        waits=[place / 30 for place in range(1800)],
        depths=[(float(moment), moment) for moment in range(0, 300, 5)],
        booked=1800,
        told_of=0,
        emptied=360,
    )
    told = compare(trace)
    assert [name for name, one in told.items() if not one["agrees"]] == []
    assert told["in the queue, most"]["model"] == pytest.approx(300, abs=15)
    assert told["until all is empty"]["model"] == pytest.approx(60, abs=5)
    wrong = compare(replace(trace, emptied=330, booked=1799))
    assert [name for name, one in wrong.items() if not one["agrees"]] == ["booked", "until all is empty"]


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


def test_what_was_simulated_last_is_of_this_template_and_keeps_the_promises():
    simulation = measured.load()["simulation"]
    assert simulation["limits"] == asdict(Limits()), "run `scripts/load simulate` again"
    assert simulation["scenarios"].keys() == SCENARIOS.keys()
    for name, told in simulation["scenarios"].items():
        assert broken(name, told) == []


def test_a_slow_answer_and_a_lost_webhook_break_a_promise():
    kept = {"answer_ms": {"p99": 90}, "answer_in_bursts_ms": None, "webhooks": 3, "booked": 2, "alerted": 1}
    assert broken("calm", kept) == []
    assert broken("calm", {**kept, "answer_in_bursts_ms": {"p99": 1000}}) == [
        "calm: the 99th percentile of the answer is not below a second"
    ]
    assert broken("calm", {**kept, "booked": 1}) == ["calm: not every webhook was booked or told of"]


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
        ("payment_mb", "ProcessPayment", "MemorySize"),
        ("accounting_mb", "ProcessAccounting", "MemorySize"),
        ("notify_mb", "NotifyFailures", "MemorySize"),
    ],
)
def test_what_is_called_the_templates_is_what_the_template_says(limit: str, within: str, name: str):
    template = (Path(__file__).resolve().parents[2] / "examples/payments/template.yaml").read_text()
    (block,) = re.findall(rf"^  {within}:\n((?:    .*\n|\n)+)", template, re.MULTILINE)
    (value,) = re.findall(rf"^ +{name}: (\d+)$", block, re.MULTILINE)
    assert getattr(Limits(), limit) == int(value)
