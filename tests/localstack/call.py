"""Makes one call, as the AWS command line would: `python call.py sqs get_queue_url < arguments.json`.

Prints the answer as JSON, or `{"Error": …}` where AWS refuses.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

service, operation = sys.argv[1:]
arguments = json.load(sys.stdin)
try:
    answer = getattr(boto3.client(service), operation)(**arguments)
    answer.pop("ResponseMetadata", None)
except ClientError as error:
    answer = {"Error": error.response["Error"]}
json.dump(answer, sys.stdout, default=str)
