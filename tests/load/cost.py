"""What the functions take by themselves, in processor time and in time, cold and warm, against their budgets.

    scripts/load cost [--starts 10] [--invocations 200]

Ends with 1 where a budget is broken.
"""

import argparse
import itertools
import json
import statistics
import sys

import canned
import measured
import shape
from canned import Endpoint
from shape import Code, Environment, Spent

BATCHES = {"process_payment": (1,), "process_accounting": (1, 10), "notify_failures": (1, 10)}
WARM_UP = 20
BUDGETS = {
    "process_payment: an invocation, warm": 15,
    "process_payment: a cold start's import": 400,
    "process_accounting: a message of ten, warm": 5,
}
"""Milliseconds of processor time, the median."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--starts", type=int, default=10)
    arguments.add_argument("--invocations", type=int, default=200)
    wanted = arguments.parse_args()
    source = shape.as_source()
    compiled = shape.with_bytecode(source)
    with canned.endpoint() as endpoint:
        cost = {
            "source": {
                name: {"start": starts(source, name, endpoint, wanted.starts)["start"]} for name in shape.FUNCTIONS
            },
            "bytecode": {
                name: starts(compiled, name, endpoint, wanted.starts)
                | {"warm": warm(compiled, name, endpoint, wanted.invocations)}
                for name in shape.FUNCTIONS
            },
        }
    cost["layer_bytes"] = {"source": source.size(), "bytecode": compiled.size()}
    found = against_budgets(cost["bytecode"])
    measured.keep("cost", {**cost, "budgets": found, "machine": measured.machine()})
    print(json.dumps(cost, indent=2))
    for name, budget in found.items():
        print(f"{'ok      ' if budget['is_kept'] else 'BROKEN  '}{name}: {budget['is']} of {budget['may']} ms")
    return 0 if all(budget["is_kept"] for budget in found.values()) else 1


def starts(code: Code, function: str, endpoint: Endpoint, number: int) -> dict:
    """Cold starts: until the handler is imported, and the first invocation after it."""
    started, first = [], []
    for _ in range(number):
        environment = Environment(code, function, endpoint)
        started.append(environment.started)
        first.append(environment.invoke(event(function, 1))[0])
        environment.stop()
    return {"start": told(started), "first": told(first)}


def warm(code: Code, function: str, endpoint: Endpoint, number: int) -> dict:
    environment = Environment(code, function, endpoint)
    found = {}
    for size in BATCHES[function]:
        for _ in range(WARM_UP):
            environment.invoke(event(function, size))
        found[str(size)] = told([accepted(environment, function, size) for _ in range(number)])
    environment.stop()
    return found


def accepted(environment: Environment, function: str, size: int) -> Spent:
    """One invocation that does all that there is to do."""
    spent, answer = environment.invoke(event(function, size))
    is_done = answer.get("statusCode") == 202 if function == "process_payment" else answer == {"batchItemFailures": []}
    if not is_done:
        raise RuntimeError(f"{function} answered {answer}")
    return spent


def told(spent: list[Spent]) -> dict:
    def quantiles(values: list[float]) -> dict:
        values = sorted(values)
        return {
            "p50": round(statistics.median(values), 1),
            "p99": round(values[min(len(values) - 1, int(len(values) * 0.99))], 1),
        }

    return {
        "cpu_ms": quantiles([one.cpu_ms for one in spent]),
        "wall_ms": quantiles([one.wall_ms for one in spent]),
        "runs": len(spent),
    }


def against_budgets(cost: dict) -> dict:
    spent = {
        "process_payment: an invocation, warm": cost["process_payment"]["warm"]["1"]["cpu_ms"]["p50"],
        "process_payment: a cold start's import": cost["process_payment"]["start"]["cpu_ms"]["p50"],
        "process_accounting: a message of ten, warm": cost["process_accounting"]["warm"]["10"]["cpu_ms"]["p50"] / 10,
    }
    return {
        name: {"is": round(spent[name], 1), "may": may, "is_kept": spent[name] <= may} for name, may in BUDGETS.items()
    }


_numbers = itertools.count()


def event(function: str, size: int) -> dict:
    if function == "process_payment":
        return webhook_event()
    return {"Records": [record() for _ in range(size)]}


def webhook_event() -> dict:
    number = next(_numbers)
    body = payment(number) | {"customer_id": f"customer-{number}", "metadata": {"shop": "north", "order": f"o-{number}"}}
    return {
        "resource": "/webhooks",
        "path": "/webhooks",
        "httpMethod": "POST",
        "headers": {
            "Content-Type": "application/json",
            "Host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "User-Agent": "provider/1.0",
            "X-Amzn-Trace-Id": "Root=1-65f0a0a0-0123456789abcdef01234567",
            "X-Forwarded-For": "192.0.2.1",
            "x-api-key": "key",
        },
        "queryStringParameters": None,
        "requestContext": {"requestId": f"request-{number:08}", "stage": "load", "identity": {"sourceIp": "192.0.2.1"}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def record() -> dict:
    number = next(_numbers)
    body = payment(number) | {"correlation_id": f"correlation-{number}", "timestamp": "2026-11-22T10:00:00.000000Z"}
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795341600000",
            "ApproximateFirstReceiveTimestamp": "1795341601500",
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:processing",
    }


def payment(number: int) -> dict:
    return {
        "transaction_id": f"tx-{number}",
        "provider": "acme",
        "amount": "10.5",
        "currency": "EUR",
        "timestamp": "2026-11-22T10:00:00Z",
        "event_type": "payment.succeeded",
    }


if __name__ == "__main__":
    sys.exit(main())
