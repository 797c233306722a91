"""process-payment that breaks where a test wants it to: the entry point of a function whose code this is added to.

A webhook whose transaction id says so breaks it: `crash-…` ends the process between the write of what is new and its send,
`throttle-…` finds the table throttled when this process sees it first.
"""

import json
import os

import index
from payments_common import aws

_call = aws.call
_throttled = set()


def handler(event, context):
    kind, name = _name(event)
    stored = []

    def call(method, **arguments):
        if method.__name__ == "put_item" and kind == "throttle" and name not in _throttled:
            _throttled.add(name)
            raise aws.AwsFailure("PutItem", "ThrottlingException")
        if method.__name__ == "send_message" and kind == "crash" and stored:
            os._exit(1)
        answer = _call(method, **arguments)
        if method.__name__ == "put_item":
            stored.append(name)
        return answer

    aws.call = call
    return index.handler(event, context)


def _name(event):
    """The transaction id, and what is before its first hyphen."""
    try:
        name = str(json.loads(event["body"])["transaction_id"])
    except (ValueError, TypeError, LookupError):
        return "", ""
    return name.partition("-")[0], name
