"""Load on the deployed system: locust sends, then every request is looked for in what the system has stored and logged.

    scripts/load run [--seconds 600] [--rate 10] [--users 6]

Ends with 1 where an accepted webhook is lost or counted twice, or a dead letter is missing or one too many.
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
from pathlib import Path

import deployment
import measured
import shape

HERE = Path(__file__).parent
HIDDEN_SECONDS = 20
FUNCTION_SECONDS = 20


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=600)
    arguments.add_argument("--rate", type=float, default=10, help="requests a second, of all users together")
    arguments.add_argument("--users", type=int, default=6)
    arguments.add_argument("--part", default="run", choices=("run", "calibration"), help="what the result is kept as")
    arguments.add_argument("--drain-seconds", type=int, default=900, help="how long to wait until the queues are empty")
    wanted = arguments.parse_args()
    place = shape.TARGET / "run"
    place.mkdir(parents=True, exist_ok=True)
    with deployment.deployed(HIDDEN_SECONDS, FUNCTION_SECONDS) as system:
        system.subscribe()
        with Depths(system) as depths:
            statistics = send(system, wanted, place)
            began = time.monotonic()
            drained = drain(system, wanted.drain_seconds)
            drain_seconds = round(time.monotonic() - began)
        notes = [json.loads(line) for line in (place / "notes.jsonl").read_text().splitlines()]
        found = look_for(system, notes)
        emulator = deployment.version(os.environ["AWS_ENDPOINT_URL"])
    values = {
        "seconds": wanted.seconds,
        "rate": wanted.rate,
        "users": wanted.users,
        "hidden_seconds": HIDDEN_SECONDS,
        "emulator": f"LocalStack community {emulator}",
        "machine": measured.machine(),
        "requests": statistics,
        "depths": depths.seen,
        "drained": drained,
        "drain_seconds": drain_seconds,
        **found,
    }
    measured.keep(wanted.part, values)
    print(json.dumps({name: value for name, value in values.items() if name != "depths"}, indent=1))
    broken = [text for text, is_so in found["promises"].items() if not is_so]
    for text in broken:
        print(f"BROKEN  {text}")
    return 1 if broken or not drained else 0


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


def drain(system, seconds: int) -> bool:
    """Waits until nothing waits in either queue."""
    deadline = time.monotonic() + seconds
    empty_since = None
    while time.monotonic() < deadline:
        if system.waiting(system.queue) + system.waiting(system.dead_letters):
            empty_since = None
        elif empty_since is None:
            empty_since = time.monotonic()
        elif time.monotonic() - empty_since > 5:
            return True
        time.sleep(1)
    return False


def look_for(system, notes: list[dict]) -> dict:
    """What became of each request."""
    accepted = {key(one["body"]): one["body"] for one in notes if one["kind"] != "poison" and one["status"] in (200, 202)}
    unsure = {key(one["body"]) for one in notes if one["kind"] == "new" and one["status"] >= 500 or not one["status"]}
    poison = collections.Counter(one["body"]["message_id"] for one in notes if one["kind"] == "poison")
    items = {(item["transaction_id"]["S"], same_instant(item["timestamp"]["S"])): item for item in system.items()}
    lines = system.lines("process-accounting")
    booked = collections.Counter(
        (line["transaction_id"], line["event_type"]) for line in lines if line["event"] == "accounting_processed"
    )
    events = collections.Counter(line["event"] for line in system.lines("process-payment"))
    alerted = collections.Counter(re.search(r"Message id: +(\S+)", one["Message"])[1] for one in system.hear())
    amounts = {name: body["amount"].rstrip("0").rstrip(".") for name, body in accepted.items()}
    promises = {
        "every accepted webhook is stored": accepted.keys() <= items.keys(),
        "nothing else is stored": items.keys() <= accepted.keys() | unsure,
        "each as it was sent": all(amounts[name] == items[name]["amount"]["N"] for name in accepted if name in items),
        "every accepted webhook is accounted for": all("accounted_at" in items.get(name, {}) for name in accepted),
        "none is accounted for twice": not booked or max(booked.values()) == 1,
        "as many are accounted for as are stored": sum(booked.values()) == sum("accounted_at" in it for it in items.values()),
        "every poisoned message is told of, and nothing else": alerted.keys() == poison.keys(),
        "the dead-letter queue is empty": system.waiting(system.dead_letters) == 0,
    }
    return {
        "sent": collections.Counter(f"{one['kind']}: {one['status']}" for one in notes),
        "accepted": len(accepted),
        "stored": len(items),
        "booked": sum(booked.values()),
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
        self.system, self.seen, self.is_over = system, [], threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Depths":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.is_over.wait(5):
            self.seen.append(self.system.waiting(self.system.queue))


if __name__ == "__main__":
    sys.exit(main())
