"""The model at the emulator's speeds, beside what a run on the emulator saw.

The model is told when each message was sent, and how long each step took in every other quarter of a minute: a request, the
booking of a message, a poller's rest between two batches. From that it has to say what a queue makes of it: how many
messages wait, how long until each is booked, what becomes of poison, and when all is empty.
"""

import collections
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from statistics import median

from model import Latency
from simulate import Costs, Latencies, Limits, Load, System

WINDOW_SECONDS = 15
"""The model is told of one window, then has to do without one."""
FACTOR = 1.5
SLACK = {"messages": 10, "s": 3, "ms": 50}
"""What two small numbers may differ by whatever their quotient: a batch, two samples of the queue, a few polls."""


@dataclass(frozen=True)
class Step:
    """Something that took so many seconds, and when it ended, in seconds since the beginning."""

    ended: float
    seconds: float


@dataclass(frozen=True)
class Trace:
    """What a run saw, in seconds since its beginning."""

    seconds: float
    hidden_seconds: float
    requests: list[Step]
    """Those whose webhook was queued."""
    poisoned: list[float]
    bookings: list[Step]
    """How long accounting took for each message."""
    rests: list[Step]
    """How long its poller had no batch with the function, before each batch."""
    waits: list[float]
    """From each answer to the booking."""
    depths: list[tuple[float, int]]
    booked: int
    told_of: int
    emptied: float


class Told:
    """Durations as they were around a time; stands where a `Latency` does."""

    def __init__(self, steps: list[Step], now: Callable[[], float]):
        self.now, self.windows = now, collections.defaultdict(list)
        for step in steps:
            window = int(step.ended // WINDOW_SECONDS)
            if window % 2 == 0:
                self.windows[window].append(step.seconds)
        if not self.windows:
            raise ValueError("the run is too short to tell the model anything")

    def draw(self, randomness: random.Random) -> float:
        window = int(self.now() // WINDOW_SECONDS)
        return randomness.choice(self.windows[min(self.windows, key=lambda one: abs(one - window))])

    def times(self, _: float) -> "Told":
        return self


class Emulated(System):
    """The model, with one poller and the speeds of a trace."""

    def __init__(self, trace: Trace, seed: int):
        at_once, now = Latency(0, 0), lambda: self.environment.now
        self.trace = trace
        costs = Costs(
            payment=Told(trace.requests, now),
            message=Told(trace.bookings, now),
            letter=at_once,
            payment_start=at_once,
            accounting_start=at_once,
            notify_start=at_once,
        )
        limits = replace(Limits(), pollers_at_first=1, pollers_more_a_minute=0, visibility_seconds=trace.hidden_seconds)
        latencies = Latencies(*[at_once] * 7)
        super().__init__(Load(trace.seconds, poison=0), costs, seed, limits=limits, latencies=latencies)
        rests = Told(trace.rests, now)
        for mapping in (self.mapping, self.failures):
            mapping.rest = lambda: rests.draw(self.randomness)

    def _send(self) -> Generator:
        webhooks = [(step.ended - step.seconds, False) for step in self.trace.requests]
        for at, is_poison in sorted([*webhooks, *((at, True) for at in self.trace.poisoned)]):
            yield self.environment.timeout(max(0.0, at - self.environment.now))
            if is_poison:
                self.put_poison()
            else:
                self.environment.process(self._webhook())


def compare(trace: Trace, seed: int = 1) -> dict:
    """What the model says and what the emulator did, by name and unit; and whether they agree."""
    system = Emulated(trace, seed)
    seen = system.run(until=trace.seconds + 3600)
    held = [seen.held[min(int(at), len(seen.held) - 1)] for at, _ in trace.depths if at < trace.seconds]
    depths = [depth for at, depth in trace.depths if at < trace.seconds]
    waits, model_waits = sorted(trace.waits), sorted(seen.bookings)
    pairs = {
        ("booked", ""): (len(seen.bookings), trace.booked),
        ("told of", ""): (seen.alerted, trace.told_of),
        ("answer, median", "ms"): (median(seen.answers) * 1000, median(step.seconds for step in trace.requests) * 1000),
        ("in the queue, median", "messages"): (median(held), median(depths)),
        ("in the queue, most", "messages"): (max(held), max(depths)),
        ("from the answer to the booking, median", "s"): (median(model_waits), median(waits)),
        ("from the answer to the booking, p99", "s"): (percentile(model_waits, 99), percentile(waits, 99)),
        ("until all is empty", "s"): (seen.emptied - trace.seconds, trace.emptied - trace.seconds),
    }
    return {
        name: {"unit": unit, "model": round(model, 1), "emulator": round(real, 1), "agrees": agrees(model, real, unit)}
        for (name, unit), (model, real) in pairs.items()
    }


def agrees(model: float, emulator: float, unit: str) -> bool:
    if not unit:
        # Nothing is lost and nothing is told of twice, there as here.
        return model == emulator
    smaller, larger = sorted((model, emulator))
    return larger - smaller <= SLACK[unit] or larger <= FACTOR * smaller


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[int((len(ordered) - 1) * percent / 100)]
