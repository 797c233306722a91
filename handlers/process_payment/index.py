"""Entry point of process-payment: makes the clients once, and hands each webhook to `payment.handle`."""

import os
import time
import uuid
from datetime import UTC, datetime

import payment
from payments_common import aws
from payments_common.log import Log
from transactions import ProcessingQueue, Transactions

_dynamodb, _sqs = aws.clients("dynamodb", "sqs")
_transactions = Transactions(_dynamodb, os.environ["TRANSACTIONS_TABLE"])
_queue = ProcessingQueue(_sqs, os.environ["PROCESSING_QUEUE_URL"])
_log = Log({"service": "process-payment", "environment": os.environ["ENVIRONMENT"]})


def handler(event, context):
    services = payment.Services(
        transactions=_transactions,
        queue=_queue,
        log=_log.bound(request_id=context.aws_request_id),
        seconds=time.monotonic,
        now=lambda: datetime.now(UTC),
        new_id=lambda: str(uuid.uuid4()),
    )
    return payment.handle(event, services)
