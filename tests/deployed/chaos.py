"""process-accounting that breaks where a test wants it to: the entry point of a function whose code this is added to.

A message whose transaction id says so breaks the batch at its place, on its first receipt: `crash-…` ends the process,
`hang-…` stays until Lambda stops the function, `throttle-…` finds the table throttled.
"""

import os
import time

import index
from payments_common import aws

_call = aws.call


def handler(event, context):
    records = {record["messageId"]: record for record in event["Records"]}

    def call(method, **arguments):
        kind = arguments["Key"]["transaction_id"]["S"].partition("-")[0]
        values = arguments["ExpressionAttributeValues"]
        if records[values[":by"]["S"]]["attributes"]["ApproximateReceiveCount"] == "1":
            if kind == "crash":
                os._exit(1)
            if kind == "hang":
                time.sleep(3600)
            if kind == "throttle":
                raise aws.AwsFailure("UpdateItem", "ProvisionedThroughputExceededException")
        return _call(method, **arguments)

    aws.call = call
    return index.handler(event, context)
