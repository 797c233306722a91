"""The three functions and what lies between them, under any faults in any order: nothing accepted is lost or booked twice.

The queue delivers as SQS does: in no order, sometimes twice, again when it was not told that all is well, and to the
dead letters after three times. A crash ends a function in the middle of a batch, so that nobody learns what it did.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import accounting
import alerts
import payment
from payments_common import message
from payments_common.aws import AwsFailure
from world import (
    VISA,
    Lines,
    Sent,
    Table,
    accounting_services,
    alert_services,
    failures,
    payment_services,
    request,
    webhook_with,
)

MOST_RECEIVES = 3
IDS = [f"tx-{letter}" for letter in "abcde"]
FAULTS = st.sets(st.sampled_from(["add", "add!", "send", "send!", "mark", "mark!", "book", "book!"]), max_size=3)
POISON = ("not json", '{"amount": "1"}', f'{{"card": "{VISA}"}}')


class Crash(BaseException):
    """The process ends: no handler's `except Exception` sees it."""


@dataclass
class Letter:
    message_id: str
    body: str
    receives: int = 0

    def record(self) -> dict:
        return {
            "messageId": self.message_id,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
        }


@dataclass
class Topic:
    """Takes alerts, unless it is down, or refuses some of them, or the process ends once it has taken them."""

    published: list[str] = field(default_factory=list)
    is_down: bool = False
    refuses: bool = False
    crashes: bool = False

    def publish(self, sent: list[alerts.Alert]) -> dict[int, str]:
        if self.is_down:
            raise AwsFailure("PublishBatch", "InternalError")
        refused = {0: "Throttled"} if self.refuses else {}
        self.published += [alert.message_id for place, alert in enumerate(sent) if place not in refused]
        if self.crashes:
            raise Crash
        return refused


class Fragile:
    """A store at one of whose operations the process ends: before it takes effect, or after it (`!`)."""

    def __init__(self, store: object, crash_at: str | None):
        self._store = store
        self._operation, self._is_after = (crash_at or "").rstrip("!"), (crash_at or "").endswith("!")

    def __getattr__(self, name: str) -> object:
        operation = getattr(self._store, name)
        if {"mark": "mark_queued"}.get(self._operation, self._operation) != name:
            return operation

        def crash(*arguments: object) -> None:
            if self._is_after:
                operation(*arguments)
            raise Crash

        return crash


class WholePath(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.table, self.sent, self.topic, self.lines = Table(), Sent(), Topic(), Lines()
        self.sent.faults = self.table.faults
        self.queue: list[Letter] = []
        self.dead: list[Letter] = []
        self.accepted: set[tuple[str, str]] = set()
        self.told: set[str] = set()
        self.number = 0
        self.bodies: dict[str, str] = {}

    @rule(
        name=st.sampled_from(IDS),
        kind=st.sampled_from(["succeeded", "refunded"]),
        faults=FAULTS,
        crash_at=st.none() | st.sampled_from(["add", "add!", "send", "send!", "mark", "mark!"]),
    )
    def provider_sends(self, name: str, kind: str, faults: set[str], crash_at: str | None) -> None:
        """Each event of a payment has its own instant, so that sending it again is the same webhook.

        Where the process ends, the provider has no answer; before the call at which it does, or after it (`!`).
        """
        self.table.faults[:] = sorted(faults - {"book", "book!"})
        stamp = "2026-11-22T10:00:00Z" if kind == "succeeded" else "2026-11-22T11:00:00Z"
        body = webhook_with(transaction_id=name, event_type=f"payment.{kind}", timestamp=stamp)
        services = payment_services(self.lines, Fragile(self.table, crash_at), Fragile(self.sent, crash_at))
        try:
            status = payment.handle(request(body), services)["statusCode"]
        except Crash:
            status = None
        self.table.faults.clear()
        assert status in (None, 200, 202, 503)
        if status in (200, 202):
            self.accepted.add((name, stamp.replace("Z", ".000000Z")))
        for queued in self.sent.messages:
            self._put(queued.body())
        self.sent.messages.clear()

    @rule(body=st.sampled_from(POISON))
    def somebody_poisons(self, body: str) -> None:
        self._put(body)

    @rule(randomness=st.randoms(use_true_random=False))
    def queue_delivers_twice(self, randomness) -> None:
        if self.queue:
            self.queue.append(randomness.choice(self.queue))

    @rule(
        size=st.integers(1, 10),
        crash_at=st.none() | st.integers(0, 9),
        faults=FAULTS,
        randomness=st.randoms(use_true_random=False),
    )
    def accounting_runs(self, size: int, crash_at: int | None, faults: set[str], randomness) -> None:
        randomness.shuffle(self.queue)
        batch, self.queue = self.queue[:size], self.queue[size:]
        for letter in batch:
            letter.receives += 1
        self.table.faults[:] = sorted(faults & {"book", "book!"})
        failed = self._account(batch, crash_at)
        self.table.faults.clear()
        for letter in batch:
            if letter.message_id in failed:
                (self.dead if letter.receives >= MOST_RECEIVES else self.queue).append(letter)

    @rule(size=st.integers(1, 10), is_down=st.booleans(), refuses=st.booleans(), crashes=st.booleans())
    def failures_are_told(self, size: int, is_down: bool, refuses: bool, crashes: bool) -> None:
        self.topic.is_down, self.topic.refuses, self.topic.crashes = is_down, refuses, crashes
        batch, self.dead = self.dead[:size], self.dead[size:]
        event = {"Records": [letter.record() for letter in batch]}
        try:
            failed = failures(alerts.handle(event, alert_services(self.lines, self.topic))) if batch else []
        except Crash:
            failed = [letter.message_id for letter in batch]
        self.told |= {letter.message_id for letter in batch} - set(failed)
        self.dead += [letter for letter in batch if letter.message_id in failed]

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        """The handler says of each event at most once that it was booked; one whose answer was lost it never says it of."""
        said = [line for line in self.lines.values if line["event"] == "accounting_processed"]
        assert len({(line["transaction_id"], line["event_type"]) for line in said}) == len(said)

    @invariant()
    def nothing_accepted_is_lost(self) -> None:
        """It is booked, or on its way, or somebody was told of it."""
        under_way = {self._known(letter.body) for letter in [*self.queue, *self.dead]}
        for key in self.accepted:
            booked = self.table.items[key]["bookings"]
            assert booked or key in under_way or self._was_told(key)

    @invariant()
    def no_card_number_is_anywhere(self) -> None:
        assert VISA not in "".join(self.lines.texts)

    def teardown(self) -> None:
        """When all works again, what waits is booked or told of, and nothing is left."""
        if not hasattr(self, "table"):
            return
        for _ in range(MOST_RECEIVES):
            waiting, self.queue = self.queue, []
            for letter in waiting:
                letter.receives += 1
                if self._account([letter], None):
                    (self.dead if letter.receives >= MOST_RECEIVES else self.queue).append(letter)
        while self.dead:
            self.failures_are_told(size=10, is_down=False, refuses=False, crashes=False)
        assert self.queue == []
        for key in self.accepted:
            assert self.table.items[key]["bookings"] or self._was_told(key)
        assert self.told == set(self.topic.published)

    def _put(self, body: str) -> None:
        self.number += 1
        self.queue.append(Letter(f"m{self.number}", body))
        self.bodies[f"m{self.number}"] = body

    def _account(self, batch: list[Letter], crash_at: int | None) -> set[str]:
        """The messages that come again: those that failed, and all of a batch in which the process ended."""
        if not batch:
            return set()
        book, places = self.table.book, iter(range(len(batch)))

        def fragile(*arguments: object) -> accounting.Booking:
            if next(places, None) == crash_at:
                raise Crash
            return book(*arguments)

        services = accounting_services(self.lines, self.table)
        self.table.book = fragile
        try:
            return set(failures(accounting.handle({"Records": [letter.record() for letter in batch]}, services)))
        except Crash:
            return {letter.message_id for letter in batch}
        finally:
            self.table.book = book

    @staticmethod
    def _known(body: str) -> tuple[str, str] | None:
        try:
            known = message.parse(body)
        except message.Malformed:
            return None
        return known.transaction_id, known.timestamp

    def _was_told(self, key: tuple[str, str]) -> bool:
        return any(self._known(self.bodies[message_id]) == key for message_id in self.told)


WholePath.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestWholePath = WholePath.TestCase
