"""Entry point of notify-failures: makes the client once, and hands each batch of dead letters to `alerts.handle`."""

import os
import time

import alerts
from payments_common import aws
from payments_common.log import Log
from topic import Topic

(_sns,) = aws.clients("sns")
_topic = Topic(_sns, os.environ["NOTIFICATIONS_TOPIC_ARN"])
_log = Log({"service": "notify-failures", "environment": os.environ["ENVIRONMENT"]})


def handler(event, context):
    services = alerts.Services(
        topic=_topic,
        log=_log.bound(request_id=context.aws_request_id),
        environment=os.environ["ENVIRONMENT"],
        seconds=time.monotonic,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return alerts.handle(event, services)
