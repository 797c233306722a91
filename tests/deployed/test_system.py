"""The deployed payments system, end to end, over real HTTP: every way a webhook can go, and every way it can break.

    PAYMENTS_URL=… PAYMENTS_KEY=… AWS_…=… python -m unittest test_system

It takes the system for its own: it changes functions, and counts what is in its table and logs.
"""

import io
import json
import os
import re
import unittest
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from system import FUNCTIONS, SUFFIX, System, eventually, message, unique, webhook

HANDLERS = Path(__file__).parents[2] / "handlers"
VISA, AMEX = "4111111111111111", "378282246310005"


def setUpModule():
    global system
    system = System(os.environ["PAYMENTS_URL"], os.environ["PAYMENTS_KEY"])
    system.subscribe()


class AWebhook(unittest.TestCase):
    def test_is_taken_with_the_key_alone(self):
        for key in (None, "wrong-key-0123456789"):
            body = webhook()
            self.assertEqual(system.post(body, key=key).status, 403)
            self.assertEqual(system.items_of(body["transaction_id"]), [])
        self.assertEqual(system.post(webhook()).status, 202)

    def test_that_is_against_the_model_reaches_no_function(self):
        refused, taken = ({"X-Correlation-Id": f"trace-{unique()}"} for _ in range(2))
        for body in ("{", "[]", webhook(event_type="payment.invented"), webhook(surprise=1), webhook(amount=None)):
            self.assertEqual(system.post(body, headers=refused).status, 400, body)
        self.assertEqual(system.post(webhook(), headers=taken).status, 202)
        # What a run logs shows when it has ended: a later one's line says that those before it would be there.
        traces = lambda: {line.get("correlation_id") for line in system.lines("process-payment")}
        eventually("the run that there was is logged", lambda: taken["X-Correlation-Id"] in traces())
        self.assertNotIn(refused["X-Correlation-Id"], traces())

    def test_that_only_the_function_can_refuse_is_told_why(self):
        answer = system.post(webhook(amount="-1"))
        self.assertEqual((answer.status, answer.body["error"]), (400, "invalid_field"))
        self.assertEqual([problem["field"] for problem in answer.body["problems"]], ["amount"])

    def test_is_stored_as_it_was_sent_and_booked(self):
        body = webhook(customer_id="c-1", reference="Invoice 7", metadata={"shop": "north"})
        trace = f"trace-{unique()}"
        answer = system.post(body, headers={"X-Correlation-Id": trace})
        self.assertEqual((answer.status, answer.body), (202, {"status": "accepted", "correlation_id": trace}))
        eventually("the webhook is booked", lambda: system.is_booked(body["transaction_id"]))
        (item,) = system.items_of(body["transaction_id"])
        self.assertEqual(item["amount"], {"N": "10.5"})
        self.assertEqual(item["accounted_amount"], {"N": "10.5"})
        self.assertEqual(item["accounting_entry"], {"S": "credit"})
        self.assertEqual(item["metadata"], {"M": {"shop": {"S": "north"}}})
        self.assertIn("queued_at", item)

    def test_twice_at_once_and_later_is_one(self):
        body = webhook()
        with ThreadPoolExecutor(6) as senders:
            answers = list(senders.map(system.post, [body] * 6))
        statuses = [answer.status for answer in answers]
        self.assertLessEqual(set(statuses), {200, 202})
        self.assertIn(202, statuses)
        eventually("the webhook is booked", lambda: system.is_booked(body["transaction_id"]))
        self.assertEqual(system.post(body).status, 200)
        self.assertEqual(len(system.items_of(body["transaction_id"])), 1)
        self.assertEqual(logged_bookings(body["transaction_id"], 1), 1)

    def test_that_contradicts_a_stored_one_is_refused(self):
        body = webhook()
        self.assertEqual(system.post(body).status, 202)
        self.assertEqual(system.post({**body, "amount": "11"}).status, 409)

    def test_that_was_stored_and_not_queued_is_queued_by_the_providers_retry(self):
        body = webhook(transaction_id=f"requeued-{unique()}")
        system.configure("process-payment", PROCESSING_QUEUE_URL=f"{system.queue}-that-is-not-there")
        try:
            answer = system.post(body)
        finally:
            system.configure("process-payment", PROCESSING_QUEUE_URL=system.queue)
        self.assertEqual((answer.status, answer.body["error"]), (503, "queue_unavailable"))
        (item,) = system.items_of(body["transaction_id"])
        self.assertNotIn("queued_at", item)
        self.assertEqual([system.post(body).status, system.post(body).status], [202, 200])
        eventually("the retry is booked", lambda: system.is_booked(body["transaction_id"]))
        self.assertEqual(logged_bookings(body["transaction_id"], 1), 1)


class WhatBreaks(unittest.TestCase):
    """All at once, because each takes as long as messages stay hidden."""

    def test_loses_no_payment_and_books_none_twice(self):
        add_chaos("process-accounting", "chaos")
        add_chaos("process-payment", "payment_chaos")
        kinds = ("crash", "hang", "throttle", "sound", "sound", "sound")
        payments = [webhook(transaction_id=f"{kind}-{unique()}") for kind in kinds]
        refunds = [
            webhook(transaction_id=one["transaction_id"], event_type="payment.refunded", amount="1") for one in payments
        ]
        topic = system.clients["lambda"].get_function_configuration(FunctionName=f"notify-failures-{SUFFIX}")
        topic = topic["Environment"]["Variables"]["NOTIFICATIONS_TOPIC_ARN"]
        self.addCleanup(system.configure, "notify-failures", NOTIFICATIONS_TOPIC_ARN=topic)
        system.configure("notify-failures", NOTIFICATIONS_TOPIC_ARN=f"{topic}-that-is-not-there")

        # Refunds before what they give back, each webhook twice, poison between them, and one message delivered twice.
        poison = [system.send(text) for text in ("not json", json.dumps({"amount": "1"}))]
        unknown = message()
        poison.append(system.send(unknown))
        refused = {body["transaction_id"]: sent_until_taken(body) for body in [*refunds, *payments]}
        for name, statuses in refused.items():
            broken = {"crash": {502}, "throttle": {503}}.get(name.partition("-")[0], set())
            self.assertEqual(set(statuses), broken, name)
        for body in payments:
            self.assertEqual(system.post(body).status, 200)
        copy = message(**{name: payments[-1][name] for name in ("transaction_id", "provider", "amount", "currency")})
        (item,) = [
            one for one in system.items_of(payments[-1]["transaction_id"]) if one["event_type"]["S"].endswith("succeeded")
        ]
        copy |= {"timestamp": item["timestamp"]["S"], "amount": "10.5", "event_type": "payment.succeeded"}
        system.send(copy)
        contradicting = system.send({**copy, "amount": "99"})

        told = lambda: sum(one["event"] == "failure_notification_failed" for one in system.lines("notify-failures"))
        eventually("an alert fails", lambda: told() > 0, 240)
        system.configure("notify-failures", NOTIFICATIONS_TOPIC_ARN=topic)
        for body in payments:
            eventually(f"{body['transaction_id']} is booked", lambda: system.is_booked(body["transaction_id"]), 240)
            self.assertEqual(len(system.items_of(body["transaction_id"])), 2)
            self.assertEqual(logged_bookings(body["transaction_id"], 2), 2, body["transaction_id"])
        for message_id in [*poison, contradicting]:
            eventually(f"{message_id} is told of", lambda: system.alerts_of(message_id), 240)
            self.assertEqual(len(system.alerts_of(message_id)), 1)
        (alert,) = system.alerts_of(poison[2])
        self.assertIn(unknown["transaction_id"], alert["Subject"])
        self.assertIn(json.dumps(unknown["correlation_id"]), alert["Message"])
        eventually("both queues are empty", lambda: not system.waiting(system.queue) + system.waiting(system.dead_letters))
        told_of = {re.search(r"Message id: +(\S+)", alert["Message"])[1] for alert in system.hear()}
        self.assertEqual(told_of, {*poison, contradicting}, "the dead letters, and nothing else")


class XCardData(unittest.TestCase):
    """Comes after the others, so that it searches what they have left as well."""

    def test_goes_nowhere_whatever_it_hides_in(self):
        secrets = [VISA, "4111 1111 1111 1111", "3782-822463-10005", AMEX, "cvv 937"]
        nestings = [lambda it: it, lambda it: [it], lambda it: {"a": {"b": [it]}}, lambda it: {it: "a"}, lambda it: f"to {it}."]
        # Each secret in each field and in each nesting, and all of the nestings in each field.
        bodies = [
            webhook(**{name: nesting(secrets[(field + place) % len(secrets)])})
            for field, name in enumerate((*webhook(), "customer_id", "reference", "metadata", "surprise"))
            for place, nesting in enumerate(nestings)
        ]
        bodies += [webhook(metadata={"cvv": "937"}), webhook(reference="cvv 937"), webhook(metadata={VISA: "a"})]
        bodies += [f"card={VISA}&cvv=937", json.dumps(webhook()) + VISA, '{"' + VISA]
        plain = {"Content-Type": "text/plain"}
        with ThreadPoolExecutor(4) as senders:
            # As JSON they end at the model. As text the function sees them: in AWS all, in the emulator what the model lets by.
            answers = list(senders.map(lambda body: system.post(body, headers=plain), bodies))
            answers += senders.map(system.post, bodies[::7])
        self.assertEqual({answer.status for answer in answers}, {400})
        self.assertNotIn(VISA, repr(answers))

        names = ("X-Correlation-Id", "User-Agent", "Referer", "Origin", "Authorization", "X-Card", "X-Amzn-Trace-Id")
        headers = {name: secrets[place % 4] for place, name in enumerate(names)}
        headers |= {"Cookie": f"card={VISA}; cvv=937", f"X-{VISA}": "a", "X-Cvv": "937", "Accept-Language": "cvv 937"}
        carrier = webhook(transaction_id=f"carrier-{unique()}")
        with accounting_stopped():
            self.assertEqual(system.post(carrier, headers=headers, query=f"?pan={VISA}&cvv=937").status, 202)
            queued = system.peek(system.queue)
        self.assertIn(carrier["transaction_id"], queued)
        self.assertEqual(system.post(webhook(), key=VISA, headers=headers).status, 403)
        self.assertIn(system.post(webhook(), headers=headers, query=f"/{VISA}").status, (403, 404))
        poison = [
            system.send({"card": VISA, "cvv": "937"}),
            system.send(f"nonsense {VISA} cvv 937"),
            system.send(message(transaction_id=VISA)),
            system.send(message(customer=[{"pan": "4111-1111-1111-1111"}])),
        ]
        eventually("the carrier is booked", lambda: system.is_booked(carrier["transaction_id"]))
        for message_id in poison:
            eventually(f"{message_id} is told of", lambda: system.alerts_of(message_id), 240)

        # A webhook has to have been refused for its card before the search says anything.
        refused = [line for line in system.lines("process-payment") if line.get("error_code") == "card_data"]
        self.assertGreater(len(refused), 10)
        places = {group: "\n".join(system.texts(group)) for group in system.groups()}
        places["the table"] = repr(system.items())
        places["the alerts"] = repr(system.hear())
        places["the queue"] = queued
        self.assertGreaterEqual(len(system.groups()), 5)
        for place, text in places.items():
            digits = re.sub(r"[ \-]", "", text)
            for secret in (VISA, AMEX):
                self.assertNotIn(secret, digits, place)
            self.assertNotRegex(text, r"(?i)cvv\W{0,4}937", place)
        eventually("both queues are empty", lambda: not system.waiting(system.queue) + system.waiting(system.dead_letters))


class YDeclaredQueries(unittest.TestCase):
    """Comes last: what the others did is what the queries have to find."""

    def test_find_what_they_ask_for_in_the_logs_of_their_groups(self):
        definitions = system.logs.describe_query_definitions()["queryDefinitions"]
        self.assertEqual(len(definitions), 5)
        for definition in definitions:
            with self.subTest(definition["name"]):
                functions = [
                    name for name in FUNCTIONS if f"/aws/lambda/{name}-{SUFFIX}" in definition["logGroupNames"]
                ]
                self.assertEqual(len(functions), len(definition["logGroupNames"]))
                lines = [line for name in functions for line in system.lines(name)]
                for wanted, found in asked(definition["queryString"], lines):
                    self.assertTrue(found, f"no line has {wanted}")


def asked(query: str, lines: list[dict]) -> list[tuple[str, bool]]:
    """What a query filters and groups by, and whether any line has all of it."""
    events = re.search(r"event in \[(.*?)\]", query)
    events = re.findall(r'"(\w+)"', events[1]) if events else []
    named = re.findall(r"ispresent\((\w+)\)|pct\((\w+)|\bby ([\w, ]+)|fields ([@\w, ]+)|filter (\w+) =", query)
    fields = {name for group in named for text in group for name in re.findall(r"(?<!@)\b[a-z_]+\b", text)}
    fields -= {"bin", "as", "timestamp", "period", "minute"}
    of_events = [line for line in lines if not events or line["event"] in events]
    found = [(f"the event {event}", any(line["event"] == event for line in lines)) for event in events]
    return [*found, *((f"the field {name}", any(name in line for line in of_events)) for name in sorted(fields))]


@contextmanager
def accounting_stopped():
    """Nothing takes from the queue within the block."""
    client = system.clients["lambda"]
    (mapping,) = client.list_event_source_mappings(FunctionName=f"process-accounting-{SUFFIX}")["EventSourceMappings"]

    def turn(is_enabled: bool) -> None:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=is_enabled)
        wanted = "Enabled" if is_enabled else "Disabled"
        state = lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"]
        eventually(f"the mapping is {wanted}", lambda: state() == wanted)

    turn(False)
    try:
        yield
    finally:
        turn(True)


def bookings(transaction_id: str) -> int:
    """How often accounting says that it has booked one."""
    lines = system.lines("process-accounting")
    booked = [line for line in lines if line.get("transaction_id") == transaction_id]
    return sum(line["event"] == "accounting_processed" for line in booked)


def logged_bookings(transaction_id: str, wanted: int) -> int:
    """The same, as soon as there are so many: a booking is there before its run has logged it."""
    eventually(f"{wanted} bookings of {transaction_id} are logged", lambda: bookings(transaction_id) >= wanted, 240)
    return bookings(transaction_id)


def sent_until_taken(body: dict) -> list[int]:
    """Sends a webhook as its provider does, again until it is taken; what was answered before that."""
    refused = []
    while (status := system.post(body).status) not in (200, 202):
        refused.append(status)
        assert len(refused) < 20, refused
    return refused


def add_chaos(function: str, module: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        for file in (*(HANDLERS / function.replace("-", "_")).glob("*.py"), Path(__file__).with_name(f"{module}.py")):
            code.write(file, file.name)
    client, name = system.clients["lambda"], {"FunctionName": f"{function}-{SUFFIX}"}
    client.update_function_code(ZipFile=archive.getvalue(), Architectures=["arm64"], **name)
    client.get_waiter("function_updated_v2").wait(**name)
    client.update_function_configuration(Handler=f"{module}.handler", **name)
    client.get_waiter("function_updated_v2").wait(**name)


if __name__ == "__main__":
    unittest.main()
