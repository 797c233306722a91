"""CloudWatch Logs: saved queries and keys of log groups, which are missing; tags, and lists in pages."""

import re
import time
import uuid
from collections import defaultdict

from moto.logs.models import logs_backends

from gaps import answers, page, refuse

# (account, region) -> id -> query definition
_queries = defaultdict(dict)


@answers("logs", "PutQueryDefinition")
def put_query_definition(context, request, ask):
    queries = _queries[context.account_id, context.region]
    if not request.get("name") or not request.get("queryString"):
        refuse("InvalidParameterException", "name and queryString are required")
    id = request.get("queryDefinitionId")
    if id and id not in queries:
        refuse("ResourceNotFoundException", "The query definition specified does not exist.")
    # A client token makes the id, so that the same request sent twice makes one definition.
    id = id or str(uuid.uuid5(uuid.NAMESPACE_OID, request.get("clientToken") or str(uuid.uuid4())))
    queries[id] = {
        "queryLanguage": request.get("queryLanguage", "CWLI"),
        "queryDefinitionId": id,
        "name": request["name"],
        "queryString": request["queryString"],
        "lastModified": int(time.time() * 1000),
        "logGroupNames": request.get("logGroupNames", []),
    }
    return {"queryDefinitionId": id}


@answers("logs", "DescribeQueryDefinitions")
def describe_query_definitions(context, request, ask):
    prefix = request.get("queryDefinitionNamePrefix", "")
    language = request.get("queryLanguage")
    found = [
        query
        for query in _queries[context.account_id, context.region].values()
        if query["name"].startswith(prefix) and language in (None, query["queryLanguage"])
    ]
    found.sort(key=lambda query: (query["name"], query["queryDefinitionId"]))
    queries, token = page(found, request.get("nextToken"), request.get("maxResults", 1000))
    return {"queryDefinitions": queries, "nextToken": token}


@answers("logs", "DeleteQueryDefinition")
def delete_query_definition(context, request, ask):
    if not _queries[context.account_id, context.region].pop(request["queryDefinitionId"], None):
        refuse("ResourceNotFoundException", "The query definition specified does not exist.")
    return {"success": True}


@answers("logs", "AssociateKmsKey")
def associate_kms_key(context, request, ask):
    _log_group(context, request).kms_key_id = request["kmsKeyId"]


@answers("logs", "DisassociateKmsKey")
def disassociate_kms_key(context, request, ask):
    _log_group(context, request).kms_key_id = None


@answers("logs", "DescribeLogGroups")
def describe_log_groups(context, request, ask):
    answer = ask()
    answer["logGroups"], answer["nextToken"] = page(
        answer["logGroups"], request.get("nextToken"), request.get("limit", 50)
    )
    for group in answer["logGroups"]:
        group["logGroupArn"] = group["arn"].removesuffix(":*")
    return answer


@answers("logs", "DeleteMetricFilter")
def delete_metric_filter(context, request, ask):
    _log_group(context, request)
    filters = logs_backends[context.account_id][context.region].filters.metric_filters
    named = (request["logGroupName"], request["filterName"])
    if not any((one["logGroupName"], one["filterName"]) == named for one in filters):
        refuse("ResourceNotFoundException", "The specified metric filter does not exist.")
    return ask()


@answers("logs", "CreateLogGroup")
def create_log_group(context, request, ask):
    answer = ask()
    tags_of(_log_group(context, request)).update(request.get("tags") or {})
    return answer


@answers("logs", "TagResource")
def tag_resource(context, request, ask):
    tags_of(_log_group(context, request)).update(request["tags"])
    return {}


@answers("logs", "UntagResource")
def untag_resource(context, request, ask):
    tags = tags_of(_log_group(context, request))
    for key in request["tagKeys"]:
        tags.pop(key, None)
    return {}


@answers("logs", "ListTagsForResource")
def list_tags_for_resource(context, request, ask):
    return {"tags": tags_of(_log_group(context, request))}


def tags_of(group):
    """The tags of a log group, which go with it: LocalStack's outlive the group and are lost on a group without any."""
    return group.__dict__.setdefault("tags_until_deleted", {})


def _log_group(context, request):
    arn = request.get("resourceIdentifier") or request.get("resourceArn", "")
    name = request.get("logGroupName") or re.sub(r".*:log-group:([^:]+).*", r"\1", arn)
    group = logs_backends[context.account_id][context.region].groups.get(name)
    if not group:
        refuse("ResourceNotFoundException", "The specified log group does not exist.")
    return group
