"""CloudWatch Logs: saved queries and keys of log groups, which are missing; tags, and lists in pages."""

import re
import time
import uuid
from collections import defaultdict

from moto.logs.models import logs_backends

from gaps import answers, logs_around, page, refuse

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
    """Gives those that are asked for by name or ARN; LocalStack gives all."""
    answer = ask()
    if named := request.get("logGroupIdentifiers"):
        names = {identifier.split(":log-group:")[-1] for identifier in named}
        answer["logGroups"] = [group for group in answer["logGroups"] if group["logGroupName"] in names]
    answer["logGroups"], answer["nextToken"] = page(
        answer["logGroups"], request.get("nextToken"), request.get("limit", 50)
    )
    for group in answer["logGroups"]:
        kept = _log_group(context, group)
        group["logGroupArn"] = group["arn"].removesuffix(":*")
        group["deletionProtectionEnabled"] = getattr(kept, "is_protected", False)
        group["bearerTokenAuthenticationEnabled"] = getattr(kept, "takes_bearer_tokens", False)
        if getattr(kept, "data_protection_policy", None):
            group["dataProtectionStatus"] = "ACTIVATED"
    return answer


@answers("logs", "PutMetricFilter")
def put_metric_filter(context, request, ask):
    """Replaces the filter of that name; LocalStack adds another one."""
    _log_group(context, request)
    filters = logs_backends[context.account_id][context.region].filters.metric_filters
    named = (request["logGroupName"], request["filterName"])
    filters[:] = [one for one in filters if (one["logGroupName"], one["filterName"]) != named]
    ask()
    for name in ("applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFieldDimensions"):
        if name in request:
            filters[-1][name] = request[name]
    return {}


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
    _tags(context, request).update(request["tags"])
    return {}


@answers("logs", "UntagResource")
def untag_resource(context, request, ask):
    tags = _tags(context, request)
    for key in request["tagKeys"]:
        tags.pop(key, None)
    return {}


@answers("logs", "ListTagsForResource")
def list_tags_for_resource(context, request, ask):
    return {"tags": _tags(context, request)}


@answers("logs", "PutIndexPolicy")
def put_index_policy(context, request, ask):
    group = _log_group(context, request)
    group.index_policy = {
        "logGroupIdentifier": group.arn.removesuffix(":*"),
        "lastUpdateTime": int(time.time() * 1000),
        "policyDocument": request["policyDocument"],
        "source": "LOG_GROUP",
    }
    return {"indexPolicy": group.index_policy}


@answers("logs", "DeleteIndexPolicy")
def delete_index_policy(context, request, ask):
    _log_group(context, request).index_policy = None
    return {}


@answers("logs", "DescribeIndexPolicies")
def describe_index_policies(context, request, ask):
    groups = [_log_group(context, {"logGroupName": name}) for name in request["logGroupIdentifiers"]]
    policies = [getattr(group, "index_policy", None) for group in groups]
    return {"indexPolicies": [policy for policy in policies if policy]}


@answers("logs", "PutDataProtectionPolicy")
def put_data_protection_policy(context, request, ask):
    group = _log_group(context, request)
    group.data_protection_policy = request["policyDocument"]
    return {"logGroupIdentifier": request["logGroupIdentifier"], "policyDocument": request["policyDocument"]}


@answers("logs", "GetDataProtectionPolicy")
def get_data_protection_policy(context, request, ask):
    policy = getattr(_log_group(context, request), "data_protection_policy", None)
    return {"logGroupIdentifier": request["logGroupIdentifier"], "policyDocument": policy}


@answers("logs", "DeleteDataProtectionPolicy")
def delete_data_protection_policy(context, request, ask):
    _log_group(context, request).data_protection_policy = None
    return {}


@answers("logs", "PutLogGroupDeletionProtection")
def put_log_group_deletion_protection(context, request, ask):
    _log_group(context, request).is_protected = request["deletionProtectionEnabled"]
    return {}


@answers("logs", "PutBearerTokenAuthentication")
def put_bearer_token_authentication(context, request, ask):
    _log_group(context, request).takes_bearer_tokens = request["bearerTokenAuthenticationEnabled"]
    return {}


def tags_of(group):
    """The tags of a log group, which go with it: LocalStack's outlive the group and are lost on a group without any."""
    return group.__dict__.setdefault("tags_until_deleted", {})


def _tags(context, request):
    around = logs_around.tags_of(context.account_id, context.region, request["resourceArn"])
    return tags_of(_log_group(context, request)) if around is None else around


def _log_group(context, request):
    arn = request.get("resourceIdentifier") or request.get("resourceArn", "")
    name = request.get("logGroupName") or request.get("logGroupIdentifier") or re.sub(r".*:log-group:([^:]+).*", r"\1", arn)
    group = logs_backends[context.account_id][context.region].groups.get(name)
    if not group:
        refuse("ResourceNotFoundException", "The specified log group does not exist.")
    return group
