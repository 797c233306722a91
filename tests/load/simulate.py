"""10,000 webhooks a minute and bursts of ten times that, through a model of the whole path in AWS.

    scripts/load simulate [--seed 1] [SCENARIO...]

All scenarios take some minutes; those that are not named stay as they were told last. Needs `scripts/load cost` before it:
the functions' own share is measured, not assumed. Ends with 1 where a promise is broken: the 99th percentile of the answer
below a second, over each whole load and within its bursts, and every webhook booked or told of.
"""

import argparse
import json
import random
import sys
from collections.abc import Generator
from dataclasses import asdict, dataclass, field

import simpy

import measured
from model import Bucket, Function, Latency, Mapping, Message, Queue

STEADY = 10_000 / 60


@dataclass(frozen=True)
class Limits:
    """What bounds the system: the template's own, else AWS's, with the title of the page that publishes them."""

    plan_rate: float = 1000  # the template's UsagePlanRateLimit
    plan_burst: float = 2000  # the template's UsagePlanBurstLimit
    payment_concurrency: int = 200  # the template's ProcessPaymentReservedConcurrency
    accounting_concurrency: int = 50  # the template's ProcessAccountingMaximumConcurrency
    batch_size: int = 10  # the template's AccountingSource
    visibility_seconds: float = 180  # the template's ProcessingQueue
    most_receives: int = 3  # the template's ProcessingQueue
    notify_concurrency: int = 2  # the template's NotifyFailuresMaximumConcurrency
    payment_mb: int = 1769  # the template's
    accounting_mb: int = 512  # the template's
    notify_mb: int = 256  # the template's
    vcpu_mb: float = 1769  # "Configure Lambda function memory": one vCPU
    pollers_at_first: int = 5  # "Configuring scaling behavior for SQS event source mappings"
    pollers_more_a_minute: float = 300  # the same page
    starts_at_once: int = 1000  # "Understanding Lambda function scaling": environments of one function in 10 seconds
    starts_a_second: float = 100  # the same page
    idle_seconds: float = 120  # after which an idle environment goes: not published, and in AWS rather minutes more
    table_writes: float = 4000  # "DynamoDB on-demand capacity mode": what a new table takes; it doubles with its peaks

    def cpu(self, megabytes: int) -> float:
        """By how much longer a second of processor takes in a function of this memory."""
        return max(1.0, self.vcpu_mb / megabytes)


@dataclass(frozen=True)
class Latencies:
    """Seconds that AWS takes by itself. It publishes none of them: these are assumed, on the high side."""

    gateway: Latency = Latency(0.015, 0.060)  # API Gateway with WAF and its call of Lambda
    environment: Latency = Latency(0.250, 0.600)  # a new execution environment, before anything is imported
    dynamodb: Latency = Latency(0.005, 0.020)
    sqs: Latency = Latency(0.010, 0.040)
    sns: Latency = Latency(0.025, 0.100)
    connection: Latency = Latency(0.010, 0.040)  # TCP and TLS to a service, whose processor time is measured
    receive: Latency = Latency(0.015, 0.060)  # from the queue to the function


@dataclass(frozen=True)
class Costs:
    """Processor seconds of the functions, as measured."""

    payment: Latency
    message: Latency
    letter: Latency
    payment_start: Latency
    """Of a cold start: the import, and by how much the first invocation takes more than one that follows."""
    accounting_start: Latency
    notify_start: Latency

    @classmethod
    def measured(cls) -> "Costs":
        cost = measured.load()["cost"]["bytecode"]

        def of(cpu: dict, share: float = 1.0) -> Latency:
            return Latency(cpu["p50"] / 1000 * share, max(cpu["p99"], cpu["p50"] * 1.05) / 1000 * share)

        def start(function: str) -> Latency:
            first, warm = cost[function]["first"]["cpu_ms"], cost[function]["warm"]["1"]["cpu_ms"]
            return of(cost[function]["start"]["cpu_ms"]) + of({name: first[name] - warm["p50"] for name in first})

        return cls(
            payment=of(cost["process_payment"]["warm"]["1"]["cpu_ms"]),
            message=of(cost["process_accounting"]["warm"]["10"]["cpu_ms"], 0.1),
            letter=of(cost["notify_failures"]["warm"]["10"]["cpu_ms"], 0.1),
            payment_start=start("process_payment"),
            accounting_start=start("process_accounting"),
            notify_start=start("notify_failures"),
        )


@dataclass(frozen=True)
class Load:
    """What comes: so much a second, with bursts, and a share of messages that nobody can book."""

    seconds: float
    rate: float = STEADY
    burst_rate: float = 0.0
    burst_seconds: float = 0.0
    burst_every: float = 0.0
    poison: float = 0.001

    def at(self, now: float) -> float:
        is_burst = self.burst_every and now % self.burst_every >= self.burst_every - self.burst_seconds
        return self.burst_rate if is_burst else self.rate


@dataclass(frozen=True)
class Outage:
    """Accounting does not work: it takes nothing, or takes everything and fails."""

    start: float
    end: float
    is_failing: bool


@dataclass
class Seen:
    webhooks: int = 0
    answers: list[float] = field(default_factory=list)
    """Seconds until an answer of the function's."""
    answers_in_bursts: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    bookings: list[float] = field(default_factory=list)
    """Seconds from the queue's yes to the booking."""
    accepted: int = 0
    alerted: int = 0
    depths: list[int] = field(default_factory=list)
    """Messages that wait, each second."""
    held: list[int] = field(default_factory=list)
    """Messages that wait or are out, each second."""
    emptied: float = 0.0
    """When both queues were empty for the last time that they became so."""
    recovered: float | None = None
    """When next to nothing waited any more after an outage, in seconds from its end."""

    def answered(self, status: str) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1


class System:
    def __init__(
        self,
        load: Load,
        costs: Costs,
        seed: int,
        outage: Outage | None = None,
        limits: Limits = Limits(),
        latencies: Latencies = Latencies(),
    ):
        self.load, self.costs, self.outage, self.limits, self.latencies = load, costs, outage, limits, latencies
        self.randomness, self.environment, self.seen = random.Random(seed), simpy.Environment(), Seen()
        now, limits = self.environment, self.limits
        self.plan = Bucket(now, limits.plan_rate, limits.plan_burst)
        self.table = Bucket(now, limits.table_writes, limits.table_writes)
        # process-payment connects to the table and to the queue, the others to one service each.
        self.payment = self._function(limits.payment_concurrency, costs.payment_start, limits.payment_mb, connections=2)
        self.accounting = self._function(limits.accounting_concurrency, costs.accounting_start, limits.accounting_mb)
        self.notify = self._function(limits.notify_concurrency, costs.notify_start, limits.notify_mb)
        self.dead = Queue(now, limits.visibility_seconds, None, None)
        self.queue = Queue(now, limits.visibility_seconds, limits.most_receives, self.dead)
        self.mapping = self._mapping(self.queue, limits.accounting_concurrency, self._account)
        self.failures = self._mapping(self.dead, limits.notify_concurrency, self._notify)

    def run(self, until: float | None = None) -> Seen:
        for process in (self._send(), self._watch()):
            self.environment.process(process)
        if self.outage:
            self.environment.process(self._break())
        self.mapping.start()
        self.failures.start()
        # Three receipts of the last poison, and time to answer.
        self.environment.run(until or self.load.seconds + 3 * self.limits.visibility_seconds + 120)
        return self.seen

    def _function(self, reserved: int, start: Latency, megabytes: int, connections: int = 1) -> Function:
        now, limits, latencies = self.environment, self.limits, self.latencies
        cold = latencies.environment + start.times(limits.cpu(megabytes)) + latencies.connection.times(connections)
        starts = Bucket(now, limits.starts_a_second, limits.starts_at_once)
        return Function(now, self.randomness, reserved, starts, cold, limits.idle_seconds)

    def _mapping(self, queue: Queue, most: int, handle) -> Mapping:
        limits = self.limits
        more = limits.pollers_more_a_minute / 60
        return Mapping(self.environment, queue, limits.batch_size, limits.pollers_at_first, more, most, handle)

    def _send(self) -> Generator:
        while self.environment.now < self.load.seconds:
            yield self.environment.timeout(self.randomness.expovariate(self.load.at(self.environment.now)))
            self.seen.webhooks += 1
            self.environment.process(self._webhook())

    def _webhook(self) -> Generator:
        """One webhook with the provider's retries, which come after 5, 10, 20 … seconds, none of them exactly."""
        pause = 5.0
        while (yield from self._attempt()) >= 300:
            yield self.environment.timeout(pause * self.randomness.uniform(0.5, 1.5))
            pause = min(pause * 2, 600)
        self.seen.accepted += 1

    def _attempt(self) -> Generator:
        sent = self.environment.now
        yield self.environment.timeout(self._draw(self.latencies.gateway))
        if not self.plan.take():
            self.seen.answered("429")
            return 429
        start = self.payment.take()
        if start is None:
            self.seen.answered("5xx, no concurrency left")
            return 500
        try:
            if start:
                yield self.environment.timeout(start)
            status = yield from self._pay()
        finally:
            self.payment.give_back()
        self.seen.answers.append(self.environment.now - sent)
        if self.load.at(sent) > self.load.rate:
            self.seen.answers_in_bursts.append(self.environment.now - sent)
        self.seen.answered("202" if status == 202 else "503, table throttled")
        return status

    def _pay(self) -> Generator:
        """The function: stores, queues, marks; a throttled write is tried once more, as the client does."""
        cpu = self.costs.payment.times(self.limits.cpu(self.limits.payment_mb))
        yield self.environment.timeout(self._draw(cpu))
        if not (yield from self._write()):
            return 503
        yield self.environment.timeout(self._draw(self.latencies.sqs))
        self.queue.send(Message(self.environment.now, is_poison=self.randomness.random() < self.load.poison))
        yield from self._write()
        return 202

    def put_poison(self) -> None:
        """A message that nobody can book, sent to the queue past the API."""
        self.queue.send(Message(self.environment.now, is_poison=True))

    def _write(self) -> Generator:
        for attempt in range(2):
            yield self.environment.timeout(self._draw(self.latencies.dynamodb))
            if self.table.take():
                return True
            if attempt == 0:
                yield self.environment.timeout(self.randomness.uniform(0, 1))
        return False

    def _account(self, batch: list[Message]) -> Generator:
        """A batch: one after the other, each a write of its own."""
        yield self.environment.timeout(self._draw(self.latencies.receive))
        start = self.accounting.take()
        if start is None:
            return batch
        try:
            if start:
                yield self.environment.timeout(start)
            failed = []
            cpu = self.costs.message.times(self.limits.cpu(self.limits.accounting_mb))
            for message in batch:
                yield self.environment.timeout(self._draw(cpu))
                if self._is_failing() or message.is_poison or not (yield from self._write()):
                    failed.append(message)
                else:
                    self.seen.bookings.append(self.environment.now - message.sent)
        finally:
            self.accounting.give_back()
        return failed

    def _notify(self, batch: list[Message]) -> Generator:
        yield self.environment.timeout(self._draw(self.latencies.receive))
        start = self.notify.take()
        if start is None:
            return batch
        try:
            cpu = self.costs.letter.times(self.limits.cpu(self.limits.notify_mb) * len(batch))
            yield self.environment.timeout(start + self._draw(cpu) + self._draw(self.latencies.sns))
        finally:
            self.notify.give_back()
        self.seen.alerted += len(batch)
        return []

    def _is_failing(self) -> bool:
        outage = self.outage
        return bool(outage and outage.is_failing and outage.start <= self.environment.now < outage.end)

    def _break(self) -> Generator:
        yield self.environment.timeout(self.outage.start)
        if not self.outage.is_failing:
            self.mapping.disable()
        yield self.environment.timeout(self.outage.end - self.outage.start)
        self.mapping.enable()
        while len(self.queue.waiting) > 100:
            yield self.environment.timeout(1)
        self.seen.recovered = self.environment.now - self.outage.end

    def _watch(self) -> Generator:
        while True:
            yield self.environment.timeout(1)
            self.seen.depths.append(len(self.queue.waiting))
            self.seen.held.append(len(self.queue.waiting) + self.queue.in_flight)
            if len(self.dead.waiting) + self.dead.in_flight + self.seen.held[-1]:
                self.seen.emptied = self.environment.now

    def _draw(self, latency: Latency) -> float:
        return latency.draw(self.randomness)


@dataclass(frozen=True)
class Scenario:
    text: str
    load: Load
    outage: Outage | None = None
    limits: Limits = Limits()


SHORT_BURSTS = Load(330, burst_rate=10 * STEADY, burst_seconds=10, burst_every=300)
SCENARIOS = {
    "steady": Scenario("10,000 a minute", Load(300)),
    "bursts": Scenario("the same, and 100,000 a minute for ten seconds", SHORT_BURSTS),
    "bursts-reserved": Scenario(
        "the same burst, with `ProcessPaymentReservedConcurrency` at 800",
        SHORT_BURSTS,
        limits=Limits(payment_concurrency=800),
    ),
    "long-burst": Scenario(
        "10,000 a minute, and 100,000 a minute for a whole minute",
        Load(330, burst_rate=10 * STEADY, burst_seconds=60, burst_every=300),
    ),
    "stopped": Scenario(
        "10,000 a minute, while accounting takes nothing for 15 minutes",
        Load(1020),
        Outage(60, 960, is_failing=False),
    ),
    "failing": Scenario(
        "10,000 a minute, while accounting fails each message for 15 minutes",
        Load(1020),
        Outage(60, 960, is_failing=True),
    ),
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("scenarios", nargs="*", help=", ".join(SCENARIOS))
    wanted = arguments.parse_args()
    seed, costs = wanted.seed, Costs.measured()
    told = measured.load().get("simulation", {}).get("scenarios", {})
    for name in wanted.scenarios or SCENARIOS:
        told[name] = simulated(SCENARIOS[name], costs, seed)
    values = {"scenarios": told, "seed": seed, "limits": asdict(Limits()), "latencies": asdict(Latencies())}
    measured.keep("simulation", values)
    print(json.dumps(values, indent=1))
    problems = [problem for name, one in told.items() for problem in broken(name, one)]
    for problem in problems:
        print(f"BROKEN  {problem}")
    return 1 if problems else 0


def broken(name: str, one: dict) -> list[str]:
    """What a scenario does not keep of the promises."""
    problems = []
    if max(answers(one)) >= 1000:
        problems.append(f"{name}: the 99th percentile of the answer is not below a second")
    if one["booked"] + one["alerted"] != one["webhooks"]:
        problems.append(f"{name}: not every webhook was booked or told of")
    return problems


def answers(one: dict) -> list[float]:
    """The 99th percentiles of a scenario's answers, in milliseconds: of all, and of those within its bursts."""
    return [one[name]["p99"] for name in ("answer_ms", "answer_in_bursts_ms") if one[name]]


def simulated(scenario: Scenario, costs: Costs, seed: int) -> dict:
    system = System(scenario.load, costs, seed, scenario.outage, scenario.limits)
    seen = system.run()
    attempts = sum(seen.statuses.values())
    refused = attempts - seen.statuses.get("202", 0)
    return {
        "load": scenario.text,
        "webhooks": seen.webhooks,
        "accepted": seen.accepted,
        "booked": len(seen.bookings),
        "alerted": seen.alerted,
        "attempts": attempts,
        "statuses": seen.statuses,
        "refused_percent": round(100 * refused / attempts, 2),
        "answer_ms": quantiles(seen.answers),
        "answer_in_bursts_ms": quantiles(seen.answers_in_bursts) if seen.answers_in_bursts else None,
        "booking_ms": quantiles(seen.bookings),
        "cold_starts": system.payment.cold,
        "payment_environments": system.payment.most,
        "accounting_environments": system.accounting.most,
        "deepest_queue": max(seen.depths),
        "recovered_seconds": None if seen.recovered is None else round(seen.recovered),
    }


def quantiles(seconds: list[float]) -> dict:
    ordered = sorted(seconds)
    return {f"p{percent}": round(1000 * ordered[int(len(ordered) * percent / 100)]) for percent in (50, 99)}


if __name__ == "__main__":
    sys.exit(main())
