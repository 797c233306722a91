"""What a run hands to the model is what its notes and the functions' logs say."""

import json

import pytest

from emulated import Step
from run import traced


class Logged:
    """A system of which there is nothing but the log of process-accounting."""

    def __init__(self, *batches: tuple[float, list[tuple[str, str, float]]]):
        self.batches = batches

    def stamped(self, group: str) -> list[tuple[float, str]]:
        assert group == "/aws/lambda/process-accounting-dev"
        return [
            line
            for ended, lines in self.batches
            for line in [
                (ended, "START"),
                *((ended, json.dumps(booked(name, event, took) | {"request_id": f"r{ended}"})) for name, event, took in lines),
            ]
        ]


def booked(name: str, event: str, milliseconds: float) -> dict:
    return {"transaction_id": name, "event": event, "latency_ms": milliseconds}


def note(name: str, status: int, began: float, ended: float, kind: str = "new") -> dict:
    return {"kind": kind, "status": status, "body": {"transaction_id": name}, "began": began, "ended": ended}


def test_each_message_is_told_of_once_with_what_it_took_and_how_long_it_waited():
    notes = [
        note("a", 202, 100.0, 100.5),
        note("a", 200, 101.0, 101.1, kind="again"),
        note("b", 503, 101.0, 103.0),
        note("b", 202, 103.0, 103.5),
        # Sent to the queue, though the answer says that it was not.
        note("c", 503, 103.5, 105.5),
        note("d", 503, 104.0, 104.5),
        {"kind": "poison", "status": 200, "body": {"message_id": "m"}, "began": 105.0, "ended": 105.1},
    ]
    done = "accounting_processed"
    system = Logged(
        (110.0, [("a", done, 500), ("b", done, 250)]),
        (112.0, [("c", done, 500), ("b", "accounting_duplicate", 100)]),
        (140.0, [("e", "accounting_failed", 1)]),
    )
    trace = traced(system, notes, alerts=1, depths=[(105.0, 3)], emptied=141.0)
    assert trace.seconds == 5.5
    assert trace.requests == [Step(0.5, 0.5), Step(3.5, 0.5), Step(5.5, 2.0)]
    assert trace.poisoned == [pytest.approx(5.1)]
    assert trace.waits == [pytest.approx(wait) for wait in (110 - 0.25 - 100.5, 110 - 103.5, 112 - 0.1 - 105.5)]
    assert trace.rests == [Step(12.0, pytest.approx(2 - 0.6))], "before the last batch there was nothing to take"
    assert [step.seconds for step in trace.bookings] == [0.5, 0.25, 0.5, 0.1, 0.001]
    assert (trace.booked, trace.told_of, trace.depths, trace.emptied) == (3, 1, [(5.0, 3)], 41.0)
