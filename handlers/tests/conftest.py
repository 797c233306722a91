"""Fixed names, and no way out: a test that reaches for the real AWS fails on its credentials."""

import os

import pytest
from hypothesis import settings
from moto import mock_aws

from payments_common import aws
from world import QUEUE, TABLE, Atomic

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
os.environ.pop("AWS_ENDPOINT_URL", None)

# The same examples on each run and no time limit on one: a slow machine is not a failure.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture
def mocked_aws():
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(mocked_aws):
    (client,) = aws.clients("dynamodb")
    keys = {"transaction_id": "HASH", "timestamp": "RANGE"}
    client.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
    return Atomic(client)


@pytest.fixture
def sqs(mocked_aws):
    (client,) = aws.clients("sqs")
    client.create_queue(QueueName=QUEUE)
    return Atomic(client)


@pytest.fixture
def queue_url(sqs):
    return sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]


@pytest.fixture
def sns(mocked_aws):
    (client,) = aws.clients("sns")
    return Atomic(client)
