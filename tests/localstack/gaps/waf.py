"""WAFv2, which only the paid edition has: web ACLs, IP sets, regex sets, associations and logging configurations.

Entities are kept as they were sent. Updates replace them whole and need the lock token of the last read.
"""

import uuid
from collections import defaultdict

from moto.apigateway.models import apigateway_backends

from gaps import answers, as_list, as_map, page, provide, refuse

# Capacity units of the managed rule groups, as AWS lists them.
MANAGED_RULE_GROUPS = {
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesWordPressRuleSet": 100,
}
STATEMENT_CAPACITY = {
    "AsnMatchStatement": 1,
    "ByteMatchStatement": 2,
    "GeoMatchStatement": 1,
    "IPSetReferenceStatement": 1,
    "LabelMatchStatement": 1,
    "RegexMatchStatement": 3,
    "RegexPatternSetReferenceStatement": 25,
    "SizeConstraintStatement": 1,
    "SqliMatchStatement": 20,
    "XssMatchStatement": 40,
}

# kind -> what its operations and members are called
NAMES = {"webacl": "WebACL", "ipset": "IPSet", "regexpatternset": "RegexPatternSet", "rulegroup": "RuleGroup"}


class Store:
    """What one account has in one region."""

    def __init__(self):
        self.entities = {}  # ARN -> entity
        self.locks = {}  # ARN -> lock token
        self.tags = {}  # ARN -> mapping
        self.associations = {}  # stage ARN -> (ARN of the web ACL, when the stage was made)
        self.logging = {}  # ARN of the web ACL -> logging configuration


_stores = defaultdict(Store)


def install():
    for kind, name in NAMES.items():
        for verb, function in VERBS.items():
            operation = f"{verb}{name}s" if verb == "List" else f"{verb}{name}"
            answers("wafv2", operation)(_for_kind(function, kind))
    provide("wafv2", otherwise=_not_provided)


def store_of(account, region):
    return _stores[account, region]


def web_acl_of_stage(account, region, stage_arn):
    """ARN of the web ACL in front of a stage, or `None`: an association dies with the stage that it was made for."""
    web_acl_arn, created = store_of(account, region).associations.get(stage_arn, (None, None))
    stage = _stage(account, region, stage_arn)
    return web_acl_arn if stage and stage.created_date == created else None


def _not_provided(context, request):
    raise NotImplementedError


def _for_kind(function, kind):
    return lambda context, request, ask: function(kind, store_of(context.account_id, context.region), context, request)


def _create(kind, store, context, request):
    if any(_is(store, arn, kind, request["Scope"], request["Name"]) for arn in store.entities):
        _refuse_duplicate()
    _check(request)
    id = str(uuid.uuid4())
    scope = "regional" if request["Scope"] == "REGIONAL" else "global"
    arn = f"arn:aws:wafv2:{context.region}:{context.account_id}:{scope}/{kind}/{request['Name']}/{id}"
    store.entities[arn] = {**_entity(kind, context, request), "Name": request["Name"], "Id": id, "ARN": arn}
    store.tags[arn] = as_map(request.get("Tags"))
    _relock(store, arn)
    return {"Summary": _summary(store, arn)}


def _get(kind, store, context, request):
    arn = request.get("ARN") or _find(kind, store, request)
    if arn not in store.entities:
        _refuse_missing()
    return {NAMES[kind]: store.entities[arn], "LockToken": store.locks[arn]}


def _update(kind, store, context, request):
    arn = _unlock(kind, store, request)
    _check(request)
    kept = {
        key: store.entities[arn][key] for key in ("Name", "Id", "ARN", "IPAddressVersion") if key in store.entities[arn]
    }
    if kind == "rulegroup":
        kept["Capacity"] = store.entities[arn]["Capacity"]
    store.entities[arn] = {**_entity(kind, context, {**request, "Name": kept["Name"]}), **kept}
    _relock(store, arn)
    return {"NextLockToken": store.locks[arn]}


def _delete(kind, store, context, request):
    arn = _unlock(kind, store, request)
    if kind == "webacl" and _associated_stages(store, context, arn) or _is_referenced(store, arn):
        refuse(
            "WAFAssociatedItemException",
            "AWS WAF couldn\u2019t perform the operation because your resource is being used by another resource or "
            "it\u2019s associated with another resource.",
        )
    for kept in (store.entities, store.locks, store.tags, store.logging):
        kept.pop(arn, None)
    return {}


def _list(kind, store, context, request):
    arns = sorted(arn for arn in store.entities if _is(store, arn, kind, request["Scope"]))
    arns, token = page(arns, request.get("NextMarker"), request.get("Limit", 100))
    return {f"{NAMES[kind]}s": [_summary(store, arn) for arn in arns], "NextMarker": token}


VERBS = {"Create": _create, "Get": _get, "Update": _update, "Delete": _delete, "List": _list}


@answers("wafv2", "AssociateWebACL")
def associate_web_acl(context, request, ask):
    store = store_of(context.account_id, context.region)
    stage = _stage(context.account_id, context.region, request["ResourceArn"])
    if request["WebACLArn"] not in store.entities or stage is None:
        _refuse_missing()
    store.associations[request["ResourceArn"]] = (request["WebACLArn"], stage.created_date)
    return {}


@answers("wafv2", "DisassociateWebACL")
def disassociate_web_acl(context, request, ask):
    store_of(context.account_id, context.region).associations.pop(request["ResourceArn"], None)
    return {}


@answers("wafv2", "GetWebACLForResource")
def get_web_acl_for_resource(context, request, ask):
    arn = web_acl_of_stage(context.account_id, context.region, request["ResourceArn"])
    if not arn:
        if _stage(context.account_id, context.region, request["ResourceArn"]) is None:
            _refuse_missing()
        return {}
    return {"WebACL": store_of(context.account_id, context.region).entities[arn]}


@answers("wafv2", "ListResourcesForWebACL")
def list_resources_for_web_acl(context, request, ask):
    store = store_of(context.account_id, context.region)
    if request["WebACLArn"] not in store.entities:
        _refuse_missing()
    if request.get("ResourceType", "API_GATEWAY") != "API_GATEWAY":
        return {"ResourceArns": []}
    return {"ResourceArns": _associated_stages(store, context, request["WebACLArn"])}


@answers("wafv2", "PutLoggingConfiguration")
def put_logging_configuration(context, request, ask):
    store = store_of(context.account_id, context.region)
    configuration = request["LoggingConfiguration"]
    if configuration["ResourceArn"] not in store.entities:
        _refuse_missing()
    for destination in configuration["LogDestinationConfigs"]:
        if (
            not destination.split(":")[6 if ":log-group:" in destination else 5]
            .split("/")[-1]
            .startswith("aws-waf-logs-")
        ):
            _refuse_parameter(
                "The ARN isn't valid. A valid ARN begins with arn: and includes other information", "LOG_DESTINATION"
            )
    stored = {**configuration, "ManagedByFirewallManager": False}
    store.logging[configuration["ResourceArn"]] = stored
    return {"LoggingConfiguration": stored}


@answers("wafv2", "GetLoggingConfiguration")
def get_logging_configuration(context, request, ask):
    configuration = store_of(context.account_id, context.region).logging.get(request["ResourceArn"])
    if not configuration:
        _refuse_missing()
    return {"LoggingConfiguration": configuration}


@answers("wafv2", "DeleteLoggingConfiguration")
def delete_logging_configuration(context, request, ask):
    if not store_of(context.account_id, context.region).logging.pop(request["ResourceArn"], None):
        _refuse_missing()
    return {}


@answers("wafv2", "ListLoggingConfigurations")
def list_logging_configurations(context, request, ask):
    part = ":regional/" if request["Scope"] == "REGIONAL" else ":global/"
    store = store_of(context.account_id, context.region)
    found = [configuration for arn, configuration in sorted(store.logging.items()) if part in arn]
    found, token = page(found, request.get("NextMarker"), request.get("Limit", 100))
    return {"LoggingConfigurations": found, "NextMarker": token}


@answers("wafv2", "TagResource")
def tag_resource(context, request, ask):
    _tags(context, request).update(as_map(request["Tags"]))
    return {}


@answers("wafv2", "UntagResource")
def untag_resource(context, request, ask):
    tags = _tags(context, request)
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


@answers("wafv2", "ListTagsForResource")
def list_tags_for_resource(context, request, ask):
    tags, token = page(as_list(_tags(context, request)), request.get("NextMarker"), request.get("Limit", 100))
    return {"TagInfoForResource": {"ResourceARN": request["ResourceARN"], "TagList": tags}, "NextMarker": token}


@answers("wafv2", "CheckCapacity")
def check_capacity(context, request, ask):
    return {"Capacity": _capacity(request["Rules"])}


@answers("wafv2", "ListAvailableManagedRuleGroups")
def list_available_managed_rule_groups(context, request, ask):
    groups = [{"VendorName": "AWS", "Name": name, "VersioningSupported": True} for name in MANAGED_RULE_GROUPS]
    groups, token = page(groups, request.get("NextMarker"), request.get("Limit", 100))
    return {"ManagedRuleGroups": groups, "NextMarker": token}


@answers("wafv2", "DescribeManagedRuleGroup")
def describe_managed_rule_group(context, request, ask):
    if request["Name"] not in MANAGED_RULE_GROUPS:
        _refuse_missing()
    return {
        "Capacity": MANAGED_RULE_GROUPS[request["Name"]],
        "Rules": [],
        "LabelNamespace": f"awswaf:managed:aws:{request['Name'].lower()}:",
        "AvailableLabels": [],
    }


def _entity(kind, context, request):
    entity = {key: value for key, value in request.items() if key not in ("Scope", "Tags", "LockToken")}
    if kind == "webacl":
        entity["Rules"] = [_with_defaults(rule) for rule in request.get("Rules", [])]
        entity["Capacity"] = _capacity(entity["Rules"])
        entity["ManagedByFirewallManager"] = False
        entity["LabelNamespace"] = f"awswaf:{context.account_id}:webacl:{request['Name']}:"
    if kind == "rulegroup":
        entity["LabelNamespace"] = f"awswaf:{context.account_id}:rulegroup:{request['Name']}:"
    return entity


def _with_defaults(rule):
    """AWS says the evaluation window of a rate-based rule even if nobody set it."""
    statement = rule["Statement"]
    if "RateBasedStatement" in statement:
        rated = {"EvaluationWindowSec": 300, **statement["RateBasedStatement"]}
        rule = {**rule, "Statement": {**statement, "RateBasedStatement": rated}}
    return rule


def _check(request):
    rules = request.get("Rules", [])
    if len({rule["Priority"] for rule in rules}) < len(rules):
        _refuse_parameter("You have used none or multiple values for a field that requires exactly one value", "RULE")
    for rule in rules:
        if not 10 <= rule["Statement"].get("RateBasedStatement", {}).get("Limit", 10) <= 2_000_000_000:
            _refuse_parameter("The value is outside of the allowed range", "RATE_BASED_STATEMENT")


def _capacity(rules):
    return sum(_statement_capacity(rule["Statement"]) for rule in rules)


def _statement_capacity(statement):
    total = 0
    for name, content in statement.items():
        match name:
            case "ManagedRuleGroupStatement":
                total += MANAGED_RULE_GROUPS.get(content["Name"], 100)
            case "RateBasedStatement":
                total += 2
            case "AndStatement" | "OrStatement":
                total += sum(_statement_capacity(inner) for inner in content["Statements"])
            case "NotStatement":
                total += _statement_capacity(content["Statement"])
            case _:
                total += STATEMENT_CAPACITY.get(name, 1)
        if "ScopeDownStatement" in content:
            total += _statement_capacity(content["ScopeDownStatement"])
    return total


def _summary(store, arn):
    entity = store.entities[arn]
    return {
        "Name": entity["Name"],
        "Id": entity["Id"],
        "Description": entity.get("Description", ""),
        "LockToken": store.locks[arn],
        "ARN": arn,
    }


def _is(store, arn, kind, scope, name=None):
    part = f":{'regional' if scope == 'REGIONAL' else 'global'}/{kind}/"
    return part in arn and name in (None, store.entities[arn]["Name"])


def _find(kind, store, request):
    for arn, entity in store.entities.items():
        if _is(store, arn, kind, request["Scope"], request["Name"]) and entity["Id"] == request["Id"]:
            return arn
    _refuse_missing()


def _unlock(kind, store, request):
    arn = _find(kind, store, request)
    if store.locks[arn] != request["LockToken"]:
        refuse(
            "WAFOptimisticLockException",
            "AWS WAF couldn\u2019t save your changes because someone changed the resource after you started to edit "
            "it. Reapply your changes.",
        )
    return arn


def _relock(store, arn):
    store.locks[arn] = str(uuid.uuid4())


def _associated_stages(store, context, web_acl_arn):
    return [
        stage
        for stage in sorted(store.associations)
        if web_acl_of_stage(context.account_id, context.region, stage) == web_acl_arn
    ]


def _is_referenced(store, arn):
    return any(f"'{arn}'" in str(entity.get("Rules")) for entity in store.entities.values())


def _stage(account, region, arn):
    """The stage behind an ARN that ends in `/restapis/ID/stages/NAME`, or `None`."""
    parts = arn.rpartition(":")[2].strip("/").split("/")
    if len(parts) != 4:
        return None
    api = apigateway_backends[account][region].apis.get(parts[1])
    return api.stages.get(parts[3]) if api else None


def _tags(context, request):
    tags = store_of(context.account_id, context.region).tags.get(request["ResourceARN"])
    if tags is None:
        _refuse_missing()
    return tags


def _refuse_missing():
    refuse(
        "WAFNonexistentItemException",
        "AWS WAF couldn\u2019t perform the operation because your resource doesn\u2019t exist.",
    )


def _refuse_duplicate():
    refuse(
        "WAFDuplicateItemException",
        "AWS WAF couldn\u2019t perform the operation because some resource in your request is a duplicate of an "
        "existing one.",
    )


def _refuse_parameter(reason, field):
    refuse("WAFInvalidParameterException", f"Error reason: {reason}, field: {field}, parameter: ")
