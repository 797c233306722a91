"""Lists everything that an account has in the services that paystack writes to, as one sorted JSON document.

    AWS_ENDPOINT_URL=… AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=… python census.py

The view of a third party: made from list calls alone, it knows nothing of templates, ledgers or tags of ours. What AWS
invents (times, revisions, lock tokens) is left out, and so is what a new account has by itself.
"""

import json
import sys
from urllib.parse import unquote

import boto3
from botocore.exceptions import ClientError

# Members whose values are different each time.
INVENTED = {
    "ApplicationIntegrationURL",
    "CreateDate",
    "CreationDateTime",
    "LastDecreaseDateTime",
    "LastIncreaseDateTime",
    "LastModified",
    "LastUpdateToPayPerRequestDateTime",
    "LatestStreamLabel",
    "LockToken",
    "ResponseMetadata",
    "RevisionId",
    "RoleLastUsed",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
    "createdDate",
    "creationTime",
    "lastModified",
    "lastModifiedTime",
    "lastUpdatedDate",
    "lastUpdatedTime",
}
VOLATILE_QUEUE_ATTRIBUTES = {
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
}
DEFAULT_MODELS = {"Empty", "Error"}


def census(session):
    client = session.client
    return {
        "account_policies": account_policies(client("logs")),
        "alarms": alarms(client("cloudwatch")),
        "anomaly_detectors": everything(client("cloudwatch"), "describe_anomaly_detectors", "AnomalyDetectors"),
        "api_keys": api_keys(client("apigateway")),
        "api_logging_role": client("apigateway").get_account().get("cloudwatchRoleArn", ""),
        "client_certificates": everything(client("apigateway"), "get_client_certificates", "items"),
        "code_signing_configs": everything(client("lambda"), "list_code_signing_configs", "CodeSigningConfigs"),
        "dashboards": dashboards(client("cloudwatch")),
        "domain_names": domain_names(client("apigateway")),
        "event_source_mappings": event_source_mappings(client("lambda")),
        "functions": functions(client("lambda")),
        "groups": groups(client("iam")),
        "instance_profiles": instance_profiles(client("iam")),
        "insight_rules": everything(client("cloudwatch"), "describe_insight_rules", "InsightRules"),
        "ip_sets": waf_entities(client("wafv2"), "ip_set", "IPSet"),
        "layers": layers(client("lambda")),
        "log_anomaly_detectors": everything(client("logs"), "list_log_anomaly_detectors", "anomalyDetectors"),
        "log_destinations": everything(client("logs"), "describe_destinations", "destinations"),
        "log_groups": log_groups(client("logs")),
        "log_resource_policies": log_resource_policies(client("logs")),
        "managed_policies": managed_policies(client("iam")),
        "metric_streams": everything(client("cloudwatch"), "list_metric_streams", "Entries"),
        "query_definitions": query_definitions(client("logs")),
        "queues": queues(client("sqs")),
        "regex_pattern_sets": waf_entities(client("wafv2"), "regex_pattern_set", "RegexPatternSet"),
        "rest_apis": rest_apis(client("apigateway")),
        "roles": roles(client("iam")),
        "rule_groups": waf_entities(client("wafv2"), "rule_group", "RuleGroup"),
        "subscriptions": subscriptions(client("sns")),
        "tables": tables(client("dynamodb")),
        "topics": topics(client("sns")),
        "usage_plans": usage_plans(client("apigateway")),
        "users": users(client("iam")),
        "vpc_links": everything(client("apigateway"), "get_vpc_links", "items"),
        "web_acls": web_acls(client("wafv2")),
    }


def alarms(cloudwatch):
    found = {}
    kinds = ["MetricAlarm", "CompositeAlarm"]
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=kinds):
        for alarm in page["MetricAlarms"] + page["CompositeAlarms"]:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            found[alarm["AlarmName"]] = {**alarm, "Tags": as_map(tags)}
    return found


def account_policies(logs):
    found = []
    for kind in ["FIELD_INDEX_POLICY", "DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY"]:
        found += everything(logs, "describe_account_policies", "accountPolicies", policyType=kind)
    return found


def domain_names(apigateway):
    domains = everything(apigateway, "get_domain_names", "items")
    for domain in domains:
        mappings = everything(apigateway, "get_base_path_mappings", "items", domainName=domain["domainName"])
        domain["mappings"] = by("basePath", mappings)
    return by("domainName", domains)


def dashboards(cloudwatch):
    found = {}
    for page in cloudwatch.get_paginator("list_dashboards").paginate():
        for dashboard in page["DashboardEntries"]:
            got = cloudwatch.get_dashboard(DashboardName=dashboard["DashboardName"])
            tags = cloudwatch.list_tags_for_resource(ResourceARN=got["DashboardArn"])["Tags"]
            found[got["DashboardName"]] = {"Body": json.loads(got["DashboardBody"]), "Tags": as_map(tags)}
    return found


def api_keys(apigateway):
    return everything(apigateway, "get_api_keys", "items")


def usage_plans(apigateway):
    plans = everything(apigateway, "get_usage_plans", "items")
    for plan in plans:
        keys = everything(apigateway, "get_usage_plan_keys", "items", usagePlanId=plan["id"])
        plan["keys"] = sorted(key["id"] for key in keys)
    return plans


def rest_apis(apigateway):
    apis = everything(apigateway, "get_rest_apis", "items")
    for api in apis:
        of_api = {"restApiId": api["id"]}
        responses = apigateway.get_gateway_responses(**of_api, limit=500)["items"]
        models = everything(apigateway, "get_models", "items", **of_api)
        api |= {
            "resources": by("path", everything(apigateway, "get_resources", "items", **of_api, embed=["methods"])),
            "models": by("name", [model for model in models if model["name"] not in DEFAULT_MODELS]),
            "request_validators": apigateway.get_request_validators(**of_api, limit=500)["items"],
            "gateway_responses": by("responseType", [one for one in responses if not one["defaultResponse"]]),
            "deployments": everything(apigateway, "get_deployments", "items", **of_api),
            "stages": by("stageName", apigateway.get_stages(**of_api)["item"]),
        }
    return apis


def functions(client):
    found = {}
    for function in everything(client, "list_functions", "Functions"):
        named = {"FunctionName": function["FunctionName"]}
        got = client.get_function(**named)
        versions = everything(client, "list_versions_by_function", "Versions", **named)
        found[function["FunctionName"]] = {
            **got["Configuration"],
            "Concurrency": got.get("Concurrency"),
            "Tags": got.get("Tags", {}),
            "Aliases": by("Name", everything(client, "list_aliases", "Aliases", **named)),
            "Versions": [version["Version"] for version in versions],
            "Policy": or_none(lambda: json.loads(client.get_policy(**named)["Policy"]), "ResourceNotFoundException"),
        }
    return found


def layers(client):
    found = {}
    for layer in everything(client, "list_layers", "Layers"):
        versions = everything(client, "list_layer_versions", "LayerVersions", LayerName=layer["LayerName"])
        if versions:
            found[layer["LayerName"]] = by("Version", versions)
    return found


def event_source_mappings(client):
    mappings = everything(client, "list_event_source_mappings", "EventSourceMappings")
    for mapping in mappings:
        mapping["Tags"] = client.list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
    return mappings


def log_groups(logs):
    found = {}
    for group in everything(logs, "describe_log_groups", "logGroups"):
        filters = everything(logs, "describe_metric_filters", "metricFilters", logGroupName=group["logGroupName"])
        group["tags"] = logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
        group["metric_filters"] = by("filterName", filters)
        group.pop("storedBytes", None)
        found[group["logGroupName"]] = group
    return found


def log_resource_policies(logs):
    policies = everything(logs, "describe_resource_policies", "resourcePolicies")
    return {policy["policyName"]: json.loads(policy["policyDocument"]) for policy in policies}


def query_definitions(logs):
    found, token = [], {}
    while True:
        page = logs.describe_query_definitions(**token)
        found += page["queryDefinitions"]
        if not page.get("nextToken"):
            return sorted(found, key=lambda query: (query["name"], query["queryDefinitionId"]))
        token = {"nextToken": page["nextToken"]}


def roles(iam):
    found = {}
    for role in everything(iam, "list_roles", "Roles"):
        named = {"RoleName": role["RoleName"]}
        attached = everything(iam, "list_attached_role_policies", "AttachedPolicies", **named)
        inline = everything(iam, "list_role_policies", "PolicyNames", **named)
        found[role["RoleName"]] = {
            **iam.get_role(**named)["Role"],
            "Tags": as_map(everything(iam, "list_role_tags", "Tags", **named)),
            "attached": sorted(policy["PolicyArn"] for policy in attached),
            "inline": {name: document(iam.get_role_policy(**named, PolicyName=name)) for name in inline},
        }
    return found


def groups(iam):
    found = everything(iam, "list_groups", "Groups")
    return {group["GroupName"]: inline_and_attached(iam, "group", group) for group in found}


def users(iam):
    found = {}
    for user in everything(iam, "list_users", "Users"):
        memberships = everything(iam, "list_groups_for_user", "Groups", UserName=user["UserName"])
        groups = sorted(group["GroupName"] for group in memberships)
        found[user["UserName"]] = {**inline_and_attached(iam, "user", user), "groups": groups}
    return found


def inline_and_attached(iam, kind, it):
    """A user or a group with its policies."""
    named = {f"{kind.title()}Name": it[f"{kind.title()}Name"]}
    attached = everything(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **named)
    names = everything(iam, f"list_{kind}_policies", "PolicyNames", **named)
    get = getattr(iam, f"get_{kind}_policy")
    return {
        **it,
        "attached": sorted(policy["PolicyArn"] for policy in attached),
        "inline": {name: document(get(**named, PolicyName=name)) for name in names},
    }


def instance_profiles(iam):
    profiles = everything(iam, "list_instance_profiles", "InstanceProfiles")
    return {it["InstanceProfileName"]: sorted(role["RoleName"] for role in it["Roles"]) for it in profiles}


def managed_policies(iam):
    found = {}
    for policy in everything(iam, "list_policies", "Policies", Scope="Local"):
        arn = {"PolicyArn": policy["Arn"]}
        version = iam.get_policy_version(**arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        found[policy["Arn"]] = {
            "document": parsed(version["Document"]),
            "Description": policy.get("Description", ""),
            "versions": len(iam.list_policy_versions(**arn)["Versions"]),
        }
    return found


def queues(sqs):
    found = {}
    for url in everything(sqs, "list_queues", "QueueUrls"):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        told = {name: value for name, value in attributes.items() if name not in VOLATILE_QUEUE_ATTRIBUTES}
        for name in {"Policy", "RedrivePolicy", "RedriveAllowPolicy"} & told.keys():
            told[name] = json.loads(told[name])
        found[url.rpartition("/")[2]] = {**told, "Tags": sqs.list_queue_tags(QueueUrl=url).get("Tags", {})}
    return found


def topics(sns):
    found = {}
    for topic in everything(sns, "list_topics", "Topics"):
        attributes = sns.get_topic_attributes(**topic)["Attributes"]
        attributes["Policy"] = json.loads(attributes["Policy"])
        attributes.pop("EffectiveDeliveryPolicy", None)
        tags = sns.list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"]
        found[topic["TopicArn"].rpartition(":")[2]] = {**attributes, "Tags": as_map(tags)}
    return found


def subscriptions(sns):
    found = everything(sns, "list_subscriptions", "Subscriptions")
    for subscription in found:
        if subscription["SubscriptionArn"].startswith("arn:"):
            arn = subscription["SubscriptionArn"]
            subscription["attributes"] = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return sorted(found, key=lambda one: (one["TopicArn"], one["Protocol"], one["Endpoint"]))


def tables(dynamodb):
    found = {}
    for name in everything(dynamodb, "list_tables", "TableNames"):
        table = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        found[name] = {
            **table,
            "Tags": as_map(everything(dynamodb, "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"])),
            "TimeToLive": dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
            "PointInTimeRecovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        }
    return found


def web_acls(wafv2):
    found = waf_entities(wafv2, "web_acl", "WebACL")
    for acl in found.values():
        arn = {"ResourceArn": acl["ARN"]}
        acl["associations"] = wafv2.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"]
        acl["logging"] = or_none(
            lambda arn=arn: wafv2.get_logging_configuration(**arn)["LoggingConfiguration"],
            "WAFNonexistentItemException",
        )
    return found


def waf_entities(wafv2, call, name):
    found, marker = {}, {}
    while True:
        page = getattr(wafv2, f"list_{call}s")(Scope="REGIONAL", **marker)
        for summary in page[f"{name}s"]:
            got = getattr(wafv2, f"get_{call}")(Scope="REGIONAL", Name=summary["Name"], Id=summary["Id"])[name]
            tags = wafv2.list_tags_for_resource(ResourceARN=summary["ARN"])["TagInfoForResource"]["TagList"]
            found[summary["Name"]] = {**got, "Tags": as_map(tags)}
        if not page.get("NextMarker"):
            return found
        marker = {"NextMarker": page["NextMarker"]}


def everything(client, call, member, **arguments):
    """All pages of a list, as one list."""
    if not client.can_paginate(call):
        return getattr(client, call)(**arguments).get(member, [])
    return [item for page in client.get_paginator(call).paginate(**arguments) for item in page.get(member, [])]


def or_none(ask, code):
    """What `ask` gives, or `None` where AWS answers that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return None


def by(member, items):
    return {str(item[member]): item for item in items}


def as_map(tags):
    return {tag["Key"]: tag["Value"] for tag in tags}


def document(answer):
    return parsed(answer["PolicyDocument"])


def parsed(policy):
    return json.loads(unquote(policy)) if isinstance(policy, str) else policy


def told(value):
    """A value without what is invented each time."""
    if isinstance(value, dict):
        return {key: told(item) for key, item in value.items() if key not in INVENTED}
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    return value


if __name__ == "__main__":
    json.dump(told(census(boto3.session.Session())), sys.stdout, indent=2, sort_keys=True, default=str)
