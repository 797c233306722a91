"""What providers send: sound webhooks, the same again, contradictions, nonsense, without a key; and poison in the queue.

Run by `scripts/load run`, which tells it where by its environment. Every request is noted in a file with what it was
answered, so that afterwards each can be looked for in the system.
"""

import json
import os
import random
import time

import boto3
from locust import HttpUser, constant_throughput, events, task
from system import message, webhook

RATE = float(os.environ["LOAD_RATE"])
USERS = int(os.environ["LOAD_USERS"])
PROVIDERS = ("acme", "northpay", "swift-cards", "globex")
KINDS = ("payment.succeeded", "payment.succeeded", "payment.pending", "payment.failed", "payment.refunded")
KEY = os.environ["PAYMENTS_KEY"]
QUEUE = os.environ["PAYMENTS_QUEUE"]

MOST_ATTEMPTS = 5
"""Of a webhook that was not answered, or with 5xx: a provider sends it again."""

_notes = open(os.environ["LOAD_NOTES"], "w", buffering=1)
_sqs = boto3.client("sqs")


def note(kind: str, status: int, body: dict, began: float) -> None:
    about = {"kind": kind, "status": status, "body": body, "began": began, "ended": time.time()}
    _notes.write(json.dumps(about) + "\n")


class Provider(HttpUser):
    wait_time = constant_throughput(RATE / USERS)

    def on_start(self) -> None:
        self.provider = random.choice(PROVIDERS)
        self.sent: list[dict] = []

    @task(70)
    def new(self) -> None:
        body = webhook(
            provider=self.provider,
            amount=f"{random.randrange(1, 10**6) / 100:.2f}",
            currency=random.choice(("EUR", "USD", "JPY")),
            event_type=random.choice(KINDS),
            metadata={"shop": random.choice(("north", "south")), "order": str(random.randrange(1000))},
        )
        for _ in range(MOST_ATTEMPTS):
            status = self._post("new", body, (202, 200))
            if status in (200, 202):
                self.sent = [*self.sent[-200:], body]
            if status and status < 500:
                break

    @task(12)
    def again(self) -> None:
        if self.sent:
            self._post("again", random.choice(self.sent), (200, 202))

    @task(3)
    def contradiction(self) -> None:
        if self.sent:
            self._post("contradiction", {**random.choice(self.sent), "amount": "123456.78"}, (409,))

    @task(4)
    def against_the_model(self) -> None:
        self._post("against the model", webhook(event_type="payment.invented"), (400,))

    @task(4)
    def refused_by_the_function(self) -> None:
        self._post("refused by the function", webhook(amount="-1"), (400,))

    @task(2)
    def without_the_key(self) -> None:
        self._post("without the key", webhook(), (403,), key=None)

    @task(2)
    def with_a_wrong_key(self) -> None:
        self._post("with a wrong key", webhook(), (403,), key="wrong-key-0123456789")

    @task(1)
    def poison(self) -> None:
        """A message that nobody can book, past the API."""
        body = message() if random.random() < 0.5 else {"nonsense": True}
        began = time.time()
        sent = _sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps(body))
        note("poison", 200, {"message_id": sent["MessageId"]}, began)

    def _post(self, kind: str, body: dict, expected: tuple[int, ...], key: str | None = KEY) -> int:
        headers = {} if key is None else {"x-api-key": key}
        began = time.time()
        with self.client.post("", json=body, headers=headers, name=kind, catch_response=True) as answer:
            note(kind, answer.status_code, body, began)
            if answer.status_code in expected:
                answer.success()
            else:
                answer.failure(f"answered {answer.status_code}")
            return answer.status_code


@events.quitting.add_listener
def close(environment, **_: object) -> None:
    _notes.close()
