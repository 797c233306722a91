"""DynamoDB and its streams, for which LocalStack downloads a Java program: moto, which comes along, answers instead."""

import uuid

from localstack.services.moto import _proxy_moto
from moto.dynamodb.models import dynamodb_backends

from gaps import answers, provide, refuse


def install():
    provide("dynamodb", otherwise=_proxy_moto)
    provide("dynamodbstreams", otherwise=_proxy_moto)


@answers("dynamodb", "DeleteTable")
def delete_table(context, request, ask):
    answer = ask()
    answer["TableDescription"]["TableStatus"] = "DELETING"
    return answer


@answers("dynamodb", "CreateTable", "UpdateTable")
def put_table(context, request, ask):
    if context.operation.name == "UpdateTable" and request.get("StreamSpecification", {}).get("StreamEnabled"):
        _forget_stream_that_is_off(_table(context, request))
    answer = ask()
    table = _table(context, request)
    table.told_class = request.get("TableClass") or getattr(table, "told_class", None)
    if "SSESpecification" in request and context.operation.name == "UpdateTable":
        table.sse_specification = _encryption(table, request["SSESpecification"])
        answer["TableDescription"].pop("SSEDescription", None)
    return {"TableDescription": _completed(table, answer["TableDescription"])}


@answers("dynamodb", "DescribeTable")
def describe_table(context, request, ask):
    answer = ask()
    return {"Table": _completed(_table(context, request), answer["Table"])}


@answers("dynamodbstreams", "DescribeStream")
def describe_stream(context, request, ask):
    """Of every other stream than a table's own moto says the same."""
    arn = request["StreamArn"]
    tables = dynamodb_backends[context.account_id][context.region].tables.values()
    if not any(arn == f"{table.table_arn}/stream/{table.latest_stream_label}" for table in tables):
        refuse("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
    return ask()


@answers("dynamodb", "DescribeTimeToLive")
def describe_time_to_live(context, request, ask):
    """The attribute is told only while it counts."""
    answer = ask()
    if answer["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        answer["TimeToLiveDescription"].pop("AttributeName", None)
    return answer


@answers("dynamodb", "DescribeContinuousBackups", "UpdateContinuousBackups")
def continuous_backups(context, request, ask):
    answer = ask()
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] == "ENABLED":
        asked = request.get("PointInTimeRecoverySpecification", {}).get("RecoveryPeriodInDays")
        table = _table(context, request)
        table.recovery_period_in_days = asked or getattr(table, "recovery_period_in_days", 35)
        recovery["RecoveryPeriodInDays"] = table.recovery_period_in_days
    return answer


def _table(context, request):
    return dynamodb_backends[context.account_id][context.region].get_table(request["TableName"].rpartition("/")[2])


def _forget_stream_that_is_off(table):
    """The label of a stream lingers after it was turned off; moto takes that for a stream that is on."""
    if not (table.stream_specification or {}).get("StreamEnabled"):
        table.latest_stream_label = None


def _encryption(table, specification):
    if not specification.get("Enabled"):
        return None
    key = specification.get("KMSMasterKeyId") or table._get_default_encryption_key(table.account_id, table.region_name)
    return {"Enabled": True, "KMSMasterKeyId": key}


def _completed(table, description):
    """What moto leaves out of a table's description."""
    table.told_id = getattr(table, "told_id", None) or str(uuid.uuid4())
    description["TableId"] = table.told_id
    if table.told_class:
        description["TableClassSummary"] = {"TableClass": table.told_class}
    for index in [*description.get("GlobalSecondaryIndexes", []), *description.get("LocalSecondaryIndexes", [])]:
        index["IndexArn"] = f"{description['TableArn']}/index/{index['IndexName']}"
    return description
