"""Entry point of process-accounting: makes the client once, and hands each batch to `accounting.handle`."""

import os
import time
from datetime import UTC, datetime

import accounting
from ledger import Ledger
from payments_common import aws
from payments_common.log import Log

(_dynamodb,) = aws.clients("dynamodb")
_ledger = Ledger(_dynamodb, os.environ["TRANSACTIONS_TABLE"])
_log = Log({"service": "process-accounting", "environment": os.environ["ENVIRONMENT"]})


def handler(event, context):
    services = accounting.Services(
        ledger=_ledger,
        log=_log.bound(request_id=context.aws_request_id),
        seconds=time.monotonic,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        now=lambda: datetime.now(UTC),
    )
    return accounting.handle(event, services)
