"""Load on the deployed system: locust sends, then every request is looked for in what the system has stored and logged.

    scripts/load run [--seconds 600] [--rate 10] [--users 6]

Ends with 1 where an accepted webhook is lost or counted twice, where a dead letter is missing or one too many, and where
the model of `simulate`, told of the emulator's speeds, says something else than what happened.
"""

import argparse
import collections
import csv
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import deployment
import emulated
import measured
import shape
from emulated import Step, Trace

HERE = Path(__file__).parent
HIDDEN_SECONDS = 20
FUNCTION_SECONDS = 20
BOOKED = ("accounting_processed", "accounting_duplicate")
"""What accounting says of an event that is booked; of one whose booking was not answered in time, only that it was before."""
LARGEST_BATCH = 10
LONGEST_REST_SECONDS = 5
"""Of the emulator's poller, which looks once a second."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=600)
    arguments.add_argument("--rate", type=float, default=10, help="requests a second, of all users together")
    arguments.add_argument("--users", type=int, default=6)
    arguments.add_argument("--part", default="run", choices=("run", "check"), help="`check`: only to hold the model against")
    arguments.add_argument("--drain-seconds", type=int, default=900, help="how long to wait until the queues are empty")
    wanted = arguments.parse_args()
    place = shape.TARGET / "run"
    place.mkdir(parents=True, exist_ok=True)
    with deployment.deployed(HIDDEN_SECONDS, FUNCTION_SECONDS) as system:
        system.subscribe()
        with Depths(system) as depths:
            statistics = send(system, wanted, place)
            emptied = drain(system, wanted.drain_seconds)
        notes = [json.loads(line) for line in (place / "notes.jsonl").read_text().splitlines()]
        found = look_for(system, notes)
        trace = traced(system, notes, found["alerts"], depths.seen, emptied or time.time())
        (place / "trace.json").write_text(json.dumps(asdict(trace)))
        emulator = deployment.version(os.environ["AWS_ENDPOINT_URL"])
    values = {
        "seconds": wanted.seconds,
        "rate": wanted.rate,
        "users": wanted.users,
        "hidden_seconds": HIDDEN_SECONDS,
        "emulator": f"LocalStack community {emulator}",
        "machine": measured.machine(),
        "requests": statistics,
        "deepest_queue": max(depth for _, depth in trace.depths),
        "drained": emptied is not None,
        "drain_seconds": round(trace.emptied - trace.seconds),
        "model": emulated.compare(trace),
        **found,
    }
    measured.keep(wanted.part, values)
    print(json.dumps(values, indent=1))
    broken = [text for text, is_so in found["promises"].items() if not is_so]
    broken += [f"the model says otherwise: {name}" for name, one in values["model"].items() if not one["agrees"]]
    for text in broken:
        print(f"BROKEN  {text}")
    return 1 if broken or emptied is None else 0


def send(system, wanted: argparse.Namespace, place: Path) -> dict:
    """Runs locust to its end; gives its statistics by kind of request."""
    variables = {
        "LOAD_RATE": str(wanted.rate),
        "LOAD_USERS": str(wanted.users),
        "LOAD_NOTES": str(place / "notes.jsonl"),
        "PAYMENTS_KEY": system.key,
        "PAYMENTS_QUEUE": system.queue,
        "PYTHONPATH": str(HERE.parent / "deployed"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    locust = [sys.executable, "-m", "locust", "--locustfile", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
    locust += ["--users", str(wanted.users), "--spawn-rate", str(wanted.users), "--run-time", f"{wanted.seconds}s"]
    locust += ["--host", system.url, "--csv", str(place / "locust"), "--stop-timeout", "30", "--exit-code-on-error", "0"]
    subprocess.run(locust, check=True, env={**os.environ, **variables}, stdout=sys.stderr)
    with (place / "locust_stats.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {
        row["Name"]: {
            "number": int(row["Request Count"]),
            "failed": int(row["Failure Count"]),
            "p50_ms": round(float(row["50%"])),
            "p99_ms": round(float(row["99%"])),
            "rate": round(float(row["Requests/s"]), 2),
        }
        for row in rows
    }


def drain(system, seconds: int) -> float | None:
    """Waits until nothing waits in either queue; since when, in seconds since 1970."""
    deadline = time.time() + seconds
    empty_since = None
    while time.time() < deadline:
        if system.waiting(system.queue) + system.waiting(system.dead_letters):
            empty_since = None
        elif empty_since is None:
            empty_since = time.time()
        elif time.time() - empty_since > 5:
            return empty_since
        time.sleep(1)
    return None


def traced(system, notes: list[dict], alerts: int, depths: list[tuple[float, int]], emptied: float) -> Trace:
    """What the model is told of the run, and what it has to say itself."""
    start = min(one["began"] for one in notes)
    # The last answer counts; what was queued without one, and never accepted, is booked all the same.
    sent = {one["body"]["transaction_id"]: one for one in notes if one["kind"] == "new"}
    queued = {name for name, one in sent.items() if one["status"] in (200, 202)}
    batches: dict[str, list[tuple[float, dict]]] = {}
    for at, text in system.stamped("/aws/lambda/process-accounting-dev"):
        if text.startswith("{") and "latency_ms" in (line := json.loads(text)):
            batches.setdefault(line["request_id"], []).append((at, line))
    booked = {line["transaction_id"] for batch in batches.values() for _, line in batch if line["event"] in BOOKED}
    bookings, rests, waits, before, was_full = [], [], [], None, False
    for batch in sorted(batches.values(), key=lambda batch: batch[0][0]):
        # All lines of one run bear the time of its end.
        ended = batch[0][0]
        took = [line["latency_ms"] / 1000 for _, line in batch]
        for place, (_, line) in enumerate(batch):
            bookings.append(Step(ended - start, took[place]))
            if line["event"] == "accounting_processed" and line["transaction_id"] in sent:
                queued.add(line["transaction_id"])
                waits.append(max(0.0, ended - sum(took[place + 1 :]) - sent[line["transaction_id"]]["ended"]))
        # A longer one is one in which there was nothing to take, unless the batch before left something.
        rest = 0.0 if before is None else max(0.0, ended - sum(took) - before)
        if before is not None and (was_full or rest <= LONGEST_REST_SECONDS):
            rests.append(Step(ended - start, rest))
        before, was_full = ended, len(batch) == LARGEST_BATCH
    return Trace(
        seconds=max(one["ended"] for one in notes) - start,
        hidden_seconds=HIDDEN_SECONDS,
        requests=[Step(sent[name]["ended"] - start, sent[name]["ended"] - sent[name]["began"]) for name in sorted(queued)],
        poisoned=[one["ended"] - start for one in notes if one["kind"] == "poison"],
        bookings=bookings,
        rests=rests,
        waits=waits,
        depths=[(at - start, depth) for at, depth in depths],
        booked=len(booked),
        told_of=alerts,
        emptied=emptied - start,
    )


def look_for(system, notes: list[dict]) -> dict:
    """What became of each request."""
    accepted = {key(one["body"]): one["body"] for one in notes if one["kind"] != "poison" and one["status"] in (200, 202)}
    unsure = {key(one["body"]) for one in notes if one["kind"] == "new" and (one["status"] >= 500 or not one["status"])}
    poison = collections.Counter(one["body"]["message_id"] for one in notes if one["kind"] == "poison")
    items = {(item["transaction_id"]["S"], same_instant(item["timestamp"]["S"])): item for item in system.items()}
    lines = system.lines("process-accounting")
    booked = collections.Counter(
        (line["transaction_id"], line["event_type"]) for line in lines if line["event"] == "accounting_processed"
    )
    said = {(line["transaction_id"], line["event_type"]) for line in lines if line["event"] in BOOKED}
    events = collections.Counter(line["event"] for line in system.lines("process-payment"))
    alerted = collections.Counter(re.search(r"Message id: +(\S+)", one["Message"])[1] for one in system.hear())
    amounts = {name: body["amount"].rstrip("0").rstrip(".") for name, body in accepted.items()}
    promises = {
        "every accepted webhook is stored": accepted.keys() <= items.keys(),
        "nothing else is stored": items.keys() <= accepted.keys() | unsure,
        "each as it was sent": all(amounts[name] == items[name]["amount"]["N"] for name in accepted if name in items),
        "every accepted webhook is accounted for": all("accounted_at" in items.get(name, {}) for name in accepted),
        "none is accounted for twice": not booked or max(booked.values()) == 1,
        "as many are accounted for as are stored": len(said) == sum("accounted_at" in it for it in items.values()),
        "every poisoned message is told of, and nothing else": alerted.keys() == poison.keys(),
        "the dead-letter queue is empty": system.waiting(system.dead_letters) == 0,
    }
    return {
        "sent": collections.Counter(f"{one['kind']}: {one['status']}" for one in notes),
        "accepted": len(accepted),
        "stored": len(items),
        "booked": len(said),
        "poisoned": len(poison),
        "alerts": sum(alerted.values()),
        "logged": events,
        "accounting_ms": quantiles([line["latency_ms"] for line in lines if line["event"] == "accounting_processed"]),
        "promises": promises,
    }


def key(body: dict) -> tuple[str, str]:
    return body["transaction_id"], same_instant(body["timestamp"])


def same_instant(text: str) -> str:
    """All are sent in UTC: the digits tell them apart, however the zone is written."""
    return text.removesuffix("Z").removesuffix("+00:00")


def quantiles(values: list[float]) -> dict:
    ordered = sorted(values)
    return {f"p{percent}": ordered[int(len(ordered) * percent / 100)] for percent in (50, 99)}


class Depths:
    """How much waits in the processing queue, every five seconds of the block."""

    def __init__(self, system):
        self.system, self.is_over = system, threading.Event()
        self.seen: list[tuple[float, int]] = []
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Depths":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.is_over.wait(5):
            self.seen.append((time.time(), self.system.waiting(self.system.queue)))


if __name__ == "__main__":
    sys.exit(main())
