"""What process-accounting promises to the books: each event once, none lost, each failure by itself."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accounting
import webhook
from accounting import Direction, Entry
from world import (
    NOW,
    VISA,
    WEBHOOK,
    Lines,
    Table,
    accounting_services,
    batch,
    failures,
    message_with,
    request,
    webhook_with,
)


class Books:
    """process-accounting over a table of stored events."""

    def __init__(self, *stored: dict):
        self.table, self.lines = Table(), Lines()
        for body in stored:
            self.table.add(webhook.parse(request(body)), "correlation-1", NOW)
        self.services = accounting_services(self.lines, self.table)

    def process(self, *bodies: object) -> list[str]:
        return failures(accounting.handle(batch(*bodies), self.services))

    @property
    def bookings(self) -> list[list[Entry]]:
        return [item["bookings"] for item in self.table.items.values()]


def test_an_event_is_booked_once_however_often_its_message_comes():
    books = Books(WEBHOOK)
    assert books.process(message_with(), message_with()) == []
    assert books.process(message_with()) == []
    assert books.bookings == [[Entry(Direction.CREDIT, Decimal("10.5"))]]
    assert books.lines.events == ["accounting_processed -", "accounting_duplicate -", "accounting_duplicate -"]


@pytest.mark.parametrize(
    ("event_type", "entry"),
    [
        ("payment.succeeded", Entry(Direction.CREDIT, Decimal("10.5"))),
        ("payment.refunded", Entry(Direction.DEBIT, Decimal("-10.5"))),
        ("payment.failed", Entry(Direction.NONE, Decimal(0))),
        ("payment.pending", Entry(Direction.NONE, Decimal(0))),
    ],
)
def test_each_kind_of_event_has_its_entry(event_type, entry):
    assert accounting.entry_of(message_with(event_type=event_type)) == entry


@pytest.mark.parametrize(
    "poison",
    [
        "",
        "not json",
        "[]",
        "{}",
        "null",
        None,
        "[" * 3_000,
        "x" * 250_000,
        '{"amount": 1e999999999}',
        json.dumps({"card": VISA}),
        message_with(transaction_id=VISA).body(),
    ],
)
def test_poison_in_the_middle_of_a_batch_fails_alone(poison):
    books = Books(WEBHOOK, webhook_with(transaction_id="tx-2"))
    assert books.process(message_with(), poison, message_with(transaction_id="tx-2")) == ["m1"]
    assert [len(bookings) for bookings in books.bookings] == [1, 1]
    assert books.lines.events[1] == "accounting_failed malformed_message"
    assert VISA not in "".join(books.lines.texts)


def test_an_event_without_an_item_and_one_that_contradicts_it_fail():
    books = Books(WEBHOOK)
    assert books.process(message_with(transaction_id="tx-9"), message_with(amount=Decimal(11))) == ["m0", "m1"]
    assert books.bookings == [[]]
    assert books.lines.events == [
        "accounting_failed transaction_missing",
        "accounting_failed transaction_mismatch",
    ]


def test_a_failing_store_gives_back_the_one_message_that_it_failed():
    books = Books(WEBHOOK, webhook_with(transaction_id="tx-2"))
    books.table.faults.append("book")
    assert books.process(message_with(), message_with(transaction_id="tx-2")) == ["m0"]
    assert books.lines.events == ["accounting_failed store_unavailable", "accounting_processed -"]
    assert books.process(message_with()) == []
    assert [len(bookings) for bookings in books.bookings] == [1, 1]


def test_what_there_is_no_time_for_is_left_for_the_next_delivery():
    books = Books(WEBHOOK)
    books.services = accounting_services(books.lines, books.table, seconds_left=5.9)
    assert books.process(message_with()) == ["m0"]
    assert books.lines.events == ["accounting_failed deadline"]
    assert books.bookings == [[]]


def test_an_unexpected_error_fails_one_message_and_its_text_stays_out_of_the_log():
    books = Books(WEBHOOK, webhook_with(transaction_id="tx-2"))
    book = books.table.book

    def fragile(paid, *arguments):
        if paid.transaction_id == "tx-1":
            raise RuntimeError(f"payload {VISA}")
        return book(paid, *arguments)

    books.table.book = fragile
    assert books.process(message_with(), message_with(transaction_id="tx-2")) == ["m0"]
    assert books.lines.values[0]["error_type"] == "RuntimeError"
    assert "payload" not in "".join(books.lines.texts)


def test_a_line_tells_the_trail_of_one_message():
    books = Books(WEBHOOK)
    books.process(message_with())
    assert books.lines.values == [
        {
            "level": "INFO",
            "event": "accounting_processed",
            "message": "booked the event",
            "service": "test",
            "environment": "test",
            "request_id": "request-1",
            "outcome": "processed",
            "message_id": "m0",
            "receive_count": 4,
            "latency_ms": 0.0,
            "correlation_id": "correlation-1",
            "provider": "acme",
            "transaction_id": "tx-1",
            "event_type": "payment.succeeded",
        }
    ]


@given(
    deliveries=st.lists(
        st.lists(st.sampled_from(["tx-1", "tx-2", "tx-3", "poison"]), min_size=1, max_size=10), max_size=8
    ),
    faults=st.lists(st.sampled_from(["book", "book!"]), unique=True),
)
def test_in_any_order_with_any_copies_and_failures_each_event_is_booked_exactly_once(deliveries, faults):
    ids = ["tx-1", "tx-2", "tx-3"]
    books = Books(*(webhook_with(transaction_id=name) for name in ids))
    books.table.faults = list(faults)
    unbooked = set(ids)
    for delivery in [*deliveries, ids, ids, ids]:
        bodies = [name if name == "poison" else message_with(transaction_id=name) for name in delivery]
        failed = books.process(*bodies)
        assert {f"m{place}" for place, name in enumerate(delivery) if name == "poison"} <= set(failed)
        unbooked -= {name for place, name in enumerate(delivery) if f"m{place}" not in failed}
        assert all(
            books.table.items[(name, stamp)]["bookings"] for name, stamp in books.table.items if name not in unbooked
        )
    assert [len(bookings) for bookings in books.bookings] == [1, 1, 1]
