"""The Resource Groups Tagging API: finds what is tagged in every service but IAM, whose roles AWS leaves out too."""

from localstack.services.cloudwatch.models import cloudwatch_stores
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.apigateway.models import apigateway_backends
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends

from gaps import apigateway, apigateway_around, logs, logs_around, metrics, waf
from gaps import answers, as_list, as_map, page, refuse


@answers("resourcegroupstaggingapi", "GetResources")
def get_resources(context, request, ask):
    arns = request.get("ResourceARNList")
    found = [
        {"ResourceARN": arn, "Tags": as_list(tags)}
        for arn, tags in sorted(_tagged(context.account_id, context.region))
        if _has_type(arn, request.get("ResourceTypeFilters"))
        and _has_tags(tags, request.get("TagFilters"))
        and (not arns or arn in arns)
    ]
    found, token = page(found, request.get("PaginationToken"), request.get("ResourcesPerPage") or 50)
    return {"ResourceTagMappingList": found, "PaginationToken": token or ""}


@answers("resourcegroupstaggingapi", "GetTagKeys")
def get_tag_keys(context, request, ask):
    keys = {key for _, tags in _tagged(context.account_id, context.region) for key in tags}
    return {"TagKeys": sorted(keys), "PaginationToken": ""}


@answers("resourcegroupstaggingapi", "GetTagValues")
def get_tag_values(context, request, ask):
    tagged = [tags for _, tags in _tagged(context.account_id, context.region)]
    values = {tags[request["Key"]] for tags in tagged if request["Key"] in tags}
    return {"TagValues": sorted(values), "PaginationToken": ""}


@answers("resourcegroupstaggingapi", "TagResources", "UntagResources")
def change_tags(context, request, ask):
    refuse("InvalidParameterException", "the emulator changes tags through each service's own calls only")


def _tagged(account, region):
    """Every resource with tags, as its ARN and its tags."""
    for arn, tags in _with_or_without_tags(account, region):
        if tags:
            yield arn, dict(tags)


def _with_or_without_tags(account, region):
    dynamodb = dynamodb_backends[account][region]
    for table in dynamodb.tables.values():
        yield table.table_arn, as_map(table.tags)

    sqs = sqs_stores[account][region]
    for queue in sqs.queues.values():
        yield queue.arn, sqs.tags.get_tags(queue.arn)

    sns = sns_stores[account][region]
    for arn in sns.topics:
        yield arn, sns.tags.get_tags(arn)

    functions = lambda_stores[account][region]
    for name in functions.functions:
        arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        yield arn, functions.tags.get_tags(arn)
    for id in functions.event_source_mappings:
        arn = f"arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"
        yield arn, functions.tags.get_tags(arn)

    for arn in functions.code_signing_configs:
        yield arn, functions.tags.get_tags(arn)

    for arn in logs_around.arns(account, region):
        yield arn, logs_around.tags_of(account, region, arn)
    for group in logs_backends[account][region].groups.values():
        yield f"arn:aws:logs:{region}:{account}:log-group:{group.name}", logs.tags_of(group)

    cloudwatch = cloudwatch_stores[account][region]
    dashboards = (dashboard.dashboard_arn for dashboard in cloudwatch.dashboards.values())
    for arn in [*cloudwatch.alarms, *dashboards, *metrics.arns(account, region)]:
        yield arn, cloudwatch.tags.get_tags(arn)

    for arn in _api_gateway_arns(account, region):
        yield arn, apigateway.tags_of(account, region, arn)

    yield from waf.store_of(account, region).tags.items()

    keys = kms_backends[account][region]
    for key in keys.keys.values():
        yield (
            key.arn,
            as_map(
                {"Key": tag["TagKey"], "Value": tag["TagValue"]}
                for tag in keys.tagger.list_tags_for_resource(key.arn)["Tags"]
            ),
        )


def _api_gateway_arns(account, region):
    backend = apigateway_backends[account][region]
    prefix = f"arn:aws:apigateway:{region}::"
    for api in backend.apis.values():
        yield f"{prefix}/restapis/{api.id}"
        for stage in api.stages:
            yield f"{prefix}/restapis/{api.id}/stages/{stage}"
    for key in backend.keys:
        yield f"{prefix}/apikeys/{key}"
    for plan in backend.usage_plans:
        yield f"{prefix}/usageplans/{plan}"
    yield from apigateway_around.arns(account, region)


def _has_type(arn, filters):
    """A filter is a service, or a service and the first word of the resource: `sqs`, `dynamodb:table`."""
    _, _, service, _, _, resource = arn.split(":", 5)
    kind = resource.strip("/").replace("/", ":").split(":")[0]
    if service == "wafv2":
        kind = resource
    return not filters or any(
        wanted in (service, f"{service}:{kind}") or service == "wafv2" and wanted == "wafv2:" + _waf_kind(resource)
        for wanted in filters
    )


def _waf_kind(resource):
    return "/".join(resource.split("/")[:2])


def _has_tags(tags, filters):
    """Every filter has to hold; one without values asks for the key alone."""
    return all(
        filter["Key"] in tags and (not filter.get("Values") or tags[filter["Key"]] in filter["Values"])
        for filter in filters or []
    )
