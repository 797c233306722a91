"""Writes docs/load.md from what was measured last.

    scripts/load report [--check]

With `--check` it writes nothing, and ends with 1 where the page says something else than the measurements.
"""

import argparse
import sys

import measured
from emulated import FACTOR, SLACK, WINDOW_SECONDS

SCENARIOS = ("steady", "bursts", "bursts-reserved", "long-burst", "stopped", "failing")
PAGE = measured.FILE.parents[2] / "docs/load.md"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true")
    is_check = arguments.parse_args().check
    text = page(measured.load())
    if not is_check:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        print("`docs/load.md` is stale: run `scripts/load report`")
        return 1
    return 0


def page(found: dict) -> str:
    cost, run, simulation = found["cost"], found["run"], found["simulation"]
    checked = max((found[part] for part in ("run", "check") if "model" in found.get(part, {})), key=lambda one: one["at"])
    parts = [introduction(found), costs(cost), deployed(run), held_against(checked), simulated(simulation)]
    return "\n\n".join(parts) + "\n"


def introduction(found: dict) -> str:
    machine = found["cost"]["machine"]
    lines = [
        "# Under load",
        "",
        "What the payments system carries. Written by `scripts/load cost`, `run` and `simulate` from what each of them measured",
        "last; each can be run again, and ends with an error where a promise below does not hold.",
        "",
        "| shown | not shown |",
        "| --- | --- |",
        "| what the functions take by themselves, as separate processes with the layer on their path, and TLS to what they"
        " call | what they take on Lambda's own processors (arm64) |",
        f"| {run_minutes(found['run'])} minutes of real HTTP against the system that paystack deployed on an emulator: nothing"
        " accepted is lost or counted twice | AWS's own speed and throttles: the emulator has neither |",
        "| 10,000 webhooks a minute, bursts of ten times that and an outage, in a model of the whole path | the same against AWS:"
        " nothing here was run there |",
        "",
        f"All of it on one machine: {machine['system']}, {machine['cores']} cores ({machine['processor']}), Python"
        f" {machine['python']}, shared with other work. Times in the tables are longer than on a machine of one's own.",
    ]
    return "\n".join(lines)


def costs(cost: dict) -> str:
    functions = ("process_payment", "process_accounting", "notify_failures")
    lines = [
        "## What the functions take",
        "",
        f"Measured {cost['at']}, at a load average of {cost['machine']['load_average']}; DynamoDB, SQS and SNS were a stub that",
        "answers at once, over TLS. Milliseconds, median and 99th percentile. *Import* is a cold start until the handler is there,",
        "without the start of an execution environment; *first* the invocation after it, which connects to each service and reads",
        "the authorities' certificates for that. The code is with its bytecode (`bytecode = true`, as in `prod`).",
        "",
        "| function | import: processor | import: time | first: processor | warm, 1: processor | warm, 1: time |"
        " warm, 10: processor | warm, 10: time |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in functions:
        of = cost["bytecode"][name]
        cells = [of["start"]["cpu_ms"], of["start"]["wall_ms"], of["first"]["cpu_ms"]]
        for size in ("1", "10"):
            warm = of["warm"].get(size)
            cells += [warm["cpu_ms"], warm["wall_ms"]] if warm else [None, None]
        lines.append(f"| {name.replace('_', '-')} | " + " | ".join(both(cell) for cell in cells) + " |")
    source = cost["source"]["process_payment"]["start"]["cpu_ms"]["p50"]
    compiled = cost["bytecode"]["process_payment"]["start"]["cpu_ms"]["p50"]
    grown = (cost["layer_bytes"]["bytecode"] - cost["layer_bytes"]["source"]) / 1e6
    lines += [
        "",
        f"Without bytecode process-payment's import takes {source:.0f} ms of processor instead of {compiled:.0f}; with it the layer"
        f" is {grown:.1f} MB larger. API Gateway hands process-payment one webhook at a time: it has no batches.",
        "",
        "| budget | ms | measured | |",
        "| --- | --- | --- | --- |",
    ]
    for name, budget in cost["budgets"].items():
        lines.append(f"| {name} | {budget['may']} | {budget['is']} | {'kept' if budget['is_kept'] else '**broken**'} |")
    return "\n".join(lines)


def deployed(run: dict) -> str:
    requests = {name: one for name, one in run["requests"].items() if name != "Aggregated"}
    everything = run["requests"]["Aggregated"]
    lines = [
        "## The deployed system",
        "",
        f"Measured {run['at']} on {run['emulator']}, at a load average of {run['machine']['load_average']}:"
        f" {run_minutes(run)} minutes, {run['users']} providers with locust, {everything['rate']:.1f} requests a second, which is"
        " what the emulator carried. Messages that failed came again after"
        f" {run['hidden_seconds']} seconds instead of the template's 180.",
        "",
        "| request | number | unexpected answers | median (ms) | p99 (ms) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in requests.items():
        lines.append(f"| {name} | {one['number']} | {one['failed']} | {one['p50_ms']} | {one['p99_ms']} |")
    lines += [
        "",
        f"{run['accepted']} webhooks were accepted, {run['stored']} stored, {run['booked']} accounted for;"
        f" {run['poisoned']} poisoned messages, sent to the queue past the API, gave {run['alerts']} alerts. At most"
        f" {run['deepest_queue']} messages waited, and {run['drain_seconds']} seconds after the last request none.",
        "",
        "| promise | |",
        "| --- | --- |",
    ]
    lines += [f"| {text} | {'kept' if is_so else '**broken**'} |" for text, is_so in run["promises"].items()]
    return "\n".join(lines)


def held_against(run: dict) -> str:
    lines = [
        f"The model of the next section, with the emulator's one poller, beside what happened in {run['seconds']} seconds, measured"
        f" {run['at']}: {run['accepted']} webhooks, {run['requests']['Aggregated']['rate']:.1f} requests a second, at a load average"
        f" of {run['machine']['load_average']}. It was told when each message was"
        f" sent, and how long each step took in every other {WINDOW_SECONDS} seconds; what became of the queue it had to say itself,"
        f" within a factor of {FACTOR:g} (or {listed_slack()}, where numbers are small).",
        "",
        "| | model | emulator | |",
        "| --- | --- | --- | --- |",
    ]
    for name, one in run["model"].items():
        unit = f" ({one['unit']})" if one["unit"] else ""
        verdict = "agrees" if one["agrees"] else "**does not agree**"
        lines.append(f"| {name}{unit} | {one['model']:g} | {one['emulator']:g} | {verdict} |")
    return "\n".join(lines)


def simulated(simulation: dict) -> str:
    lines = [
        "## 10,000 a minute in AWS, simulated",
        "",
        f"Made {simulation['at']} (seed {simulation['seed']}). Each webhook and each message is an event of a discrete-event"
        " simulation (SimPy) of usage plan, functions with their cold starts and reservations, table, queue, event source"
        " mapping, visibility, retries, dead letters and alerts. One message in a thousand is poisoned. A provider sends what was"
        " refused again after 5, 10, 20 … seconds.",
        "",
        "| load | webhooks | answer p50, p99 (ms) | in bursts | refused at first (429; 5xx) | booked after p50, p99 (s) |"
        " most waiting | alerts |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in map(simulation["scenarios"].get, SCENARIOS):
        statuses, attempts = one["statuses"], one["attempts"]
        refused = f"{percent(statuses.get('429', 0), attempts)}; {percent(busy(one), attempts)}"
        booked = f"{one['booking_ms']['p50'] / 1000:.1f}, {one['booking_ms']['p99'] / 1000:.1f}"
        bursts = one["answer_in_bursts_ms"]
        lines.append(
            f"| {one['load']} | {one['webhooks']} | {both(one['answer_ms'])} | {both(bursts)} | {refused} | {booked} |"
            f" {one['deepest_queue']} | {one['alerted']} |"
        )
    scenarios = simulation["scenarios"]
    limits, stopped, failing = simulation["limits"], scenarios["stopped"], scenarios["failing"]
    lost = sum(one["webhooks"] - one["booked"] - one["alerted"] for one in scenarios.values())
    slowest = max(one["answer_ms"]["p99"] for one in scenarios.values())
    in_bursts = max(one["answer_in_bursts_ms"]["p99"] for one in scenarios.values() if one["answer_in_bursts_ms"])
    lines += [
        "",
        f"- Neither booked nor told of in an alert: {lost} webhooks. The 99th percentile of the function's answer was at most"
        f" {slowest:.0f} ms over a whole load, and {in_bursts:.0f} ms within its bursts; a second is what is asked for, and"
        " `scripts/load simulate` ends with an error where it is not kept. An answer that refuses (429, 5xx) is not in it.",
        f"- After 15 minutes in which accounting took nothing, {stopped['deepest_queue']} messages waited, and were taken within"
        f" {stopped['recovered_seconds']} seconds, while webhooks went on coming.",
        f"- When accounting *fails* for 15 minutes, each message is tried three times within nine minutes and is then a dead letter:"
        f" {failing['alerted']} alerts, and as many messages to queue again. Disable the event source mapping while the cause lasts, as"
        " the [runbook](operations.md) says: what is not received is not counted.",
        "- Above the usage plan's 1,000 a second and its burst of 2,000, a single key is refused with 429: a burst of 1,667 a second"
        " that comes with one key is more than `UsagePlanRateLimit` allows, and its rest comes with the provider's retries."
        " In its first second, when few environments are warm, those that start use up the reservation of 200: what comes"
        f" meanwhile is answered with 5xx ({busy(scenarios['bursts'])} of a short burst's), and sent again by its provider. A"
        f" reservation of 800 leaves {busy(scenarios['bursts-reserved'])} of them, where the account's concurrency has room for it:"
        " `-p ProcessPaymentReservedConcurrency=800`.",
        "",
        "What it stands on, beside the functions' measured cost: the template's and AWS's published limits"
        f" (`Limits` in `tests/load/simulate.py`): {listed(simulation['limits'])}. What AWS itself takes it publishes for none of"
        " these; assumed, in milliseconds, median and 99th percentile: "
        + "; ".join(
            f"{name} {value['p50'] * 1000:.0f}, {value['p99'] * 1000:.0f}" for name, value in simulation["latencies"].items()
        )
        + f". A function of {limits['accounting_mb']} MB is given {100 * limits['accounting_mb'] / limits['vcpu_mb']:.0f} % of a"
        f" processor and one of {limits['payment_mb']} MB a whole one, also while it starts, where AWS is known to give more. The"
        " machine's processor is taken for Lambda's.",
    ]
    return "\n".join(lines)


def busy(scenario: dict) -> int:
    """How many were answered with 5xx."""
    return sum(number for status, number in scenario["statuses"].items() if status.startswith("5"))


def both(quantiles: dict | None) -> str:
    return "" if quantiles is None else f"{quantiles['p50']:g}, {quantiles['p99']:g}"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def listed(values: dict) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in values.items())


def listed_slack() -> str:
    return ", ".join(f"{value} {unit}" for unit, value in SLACK.items())


def run_minutes(run: dict) -> int:
    return round(run["seconds"] / 60)


if __name__ == "__main__":
    sys.exit(main())
