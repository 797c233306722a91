"""A model of the whole path, in simulated time: gateway, functions, table, queue, event source mapping, dead letters.

What it is made of: limits that AWS publishes and those of the template, by name in `Limits`; what the functions take,
measured by `scripts/load cost`; and latencies of AWS's own, which AWS does not publish and which are assumed in
`Latencies`. It knows nothing of what any of them is called in AWS.
"""

import collections
import math
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import simpy

Z99 = 2.326
"""The normal distribution's 99th percentile: what makes a log-normal of a median and a p99."""


@dataclass(frozen=True)
class Latency:
    """A duration in seconds, by its median and its 99th percentile."""

    p50: float
    p99: float

    def draw(self, randomness: random.Random) -> float:
        if self.p50 <= 0:
            return 0.0
        return self.p50 * math.exp(randomness.gauss(0, math.log(max(self.p99 / self.p50, 1.0001)) / Z99))

    def times(self, factor: float) -> "Latency":
        return Latency(self.p50 * factor, self.p99 * factor)

    def __add__(self, other: "Latency") -> "Latency":
        """One after the other. That both are at their 99th percentile at once is rarer: it errs on the long side."""
        return Latency(self.p50 + other.p50, self.p99 + other.p99)


class Bucket:
    """A token bucket: `rate` a second, and `burst` at once."""

    def __init__(self, environment: simpy.Environment, rate: float, burst: float):
        self.environment, self.rate, self.burst = environment, rate, burst
        self.tokens, self.at = burst, 0.0

    def take(self) -> bool:
        now = self.environment.now
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Function:
    """Execution environments: one invocation each at a time, started when all are busy, up to a reservation.

    The one used last is used next, so that those that are not needed are left idle, and go.
    """

    environment: simpy.Environment
    randomness: random.Random
    reserved: int
    starts: Bucket
    """How fast environments may be started."""
    cold_start: Latency
    idle_seconds: float
    busy: int = 0
    most: int = 0
    cold: int = 0
    idle: collections.deque[float] = field(default_factory=collections.deque)
    """Since when each idle one is, the longest first."""

    def take(self) -> float | None:
        """The start that the invocation has to wait for, or `None` when it is throttled."""
        while self.idle and self.environment.now - self.idle[0] > self.idle_seconds:
            self.idle.popleft()
        if self.busy >= self.reserved or not self.idle and not self.starts.take():
            return None
        self.busy += 1
        self.most = max(self.most, self.busy)
        if self.idle:
            self.idle.pop()
            return 0.0
        self.cold += 1
        return self.cold_start.draw(self.randomness)

    def give_back(self) -> None:
        self.busy -= 1
        self.idle.append(self.environment.now)


@dataclass
class Message:
    sent: float
    receives: int = 0
    is_poison: bool = False


class Queue:
    """Messages that wait, and what of them is out; what fails comes again after the visibility timeout."""

    def __init__(self, environment: simpy.Environment, visibility: float, most_receives: int | None, dead: "Queue | None"):
        self.environment, self.visibility, self.most_receives, self.dead = environment, visibility, most_receives, dead
        self.waiting: collections.deque[Message] = collections.deque()
        self.in_flight = 0
        self.arrived = environment.event()

    def send(self, message: Message) -> None:
        self.waiting.append(message)
        if not self.arrived.triggered:
            self.arrived.succeed()

    def receive(self, most: int) -> list[Message]:
        batch = []
        while self.waiting and len(batch) < most:
            message = self.waiting.popleft()
            if self.most_receives is not None and message.receives >= self.most_receives:
                self.dead.send(Message(message.sent, is_poison=message.is_poison))
                continue
            message.receives += 1
            batch.append(message)
        self.in_flight += len(batch)
        return batch

    def delete(self, number: int) -> None:
        self.in_flight -= number

    def come_again(self, batch: list[Message], received: float) -> None:
        """Makes a failed batch visible when its timeout, which began with the receipt, is over."""

        def later() -> Generator:
            yield self.environment.timeout(max(0.0, received + self.visibility - self.environment.now))
            self.in_flight -= len(batch)
            for message in batch:
                self.send(message)

        if batch:
            self.environment.process(later())

    def anything(self) -> simpy.Event:
        """Comes when something waits."""
        if self.waiting:
            return self.environment.timeout(0)
        if self.arrived.triggered:
            self.arrived = self.environment.event()
        return self.arrived


@dataclass
class Mapping:
    """Takes batches from a queue to a function, in more and more processes while there is a backlog."""

    environment: simpy.Environment
    queue: Queue
    batch_size: int
    at_first: int
    more_each_second: float
    most: int
    handle: Callable[[list[Message]], Generator]
    """Takes a batch; gives those that failed."""
    rest: Callable[[], float] = lambda: 0.0
    """How long a poller waits after a batch, in seconds."""
    is_enabled: bool = True
    pollers: int = field(default=0, init=False)
    resumed: simpy.Event | None = field(default=None, init=False)

    def start(self) -> None:
        for _ in range(min(self.at_first, self.most)):
            self._add()
        self.environment.process(self._grow())

    def enable(self) -> None:
        self.is_enabled = True
        if self.resumed is not None:
            self.resumed.succeed()
            self.resumed = None

    def disable(self) -> None:
        self.is_enabled = False

    def _add(self) -> None:
        self.pollers += 1
        self.environment.process(self._poll())

    def _grow(self) -> Generator:
        while True:
            yield self.environment.timeout(1 / self.more_each_second if self.more_each_second else math.inf)
            if self.is_enabled and self.pollers < self.most and len(self.queue.waiting) > self.batch_size:
                self._add()

    def _poll(self) -> Generator:
        while True:
            if not self.is_enabled:
                self.resumed = self.resumed or self.environment.event()
                yield self.resumed
            yield self.queue.anything()
            batch = self.queue.receive(self.batch_size) if self.is_enabled else []
            if not batch:
                continue
            received = self.environment.now
            failed = yield from self.handle(batch)
            self.queue.delete(len(batch) - len(failed))
            self.queue.come_again(failed, received)
            if (rest := self.rest()) > 0:
                yield self.environment.timeout(rest)
