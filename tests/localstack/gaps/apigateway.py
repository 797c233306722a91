"""API Gateway: tags, patches that LocalStack does not know, and refusals that it leaves out."""

import json

from localstack.services.apigateway.helpers import get_apigateway_store, get_moto_rest_api
from localstack.services.iam.models import iam_stores
from moto.apigateway.models import apigateway_backends

from gaps import answers, apigateway_around, refuse
from gaps.waf import web_acl_of_stage

# What AWS fills in as soon as anything is set for a method.
METHOD_SETTING_DEFAULTS = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": True,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
# end of a patch's path -> member of a method setting, and how its value is read
METHOD_SETTING_PATHS = {
    "metrics/enabled": ("metricsEnabled", "true".__eq__),
    "logging/loglevel": ("loggingLevel", str),
    "logging/dataTrace": ("dataTraceEnabled", "true".__eq__),
    "throttling/burstLimit": ("throttlingBurstLimit", int),
    "throttling/rateLimit": ("throttlingRateLimit", float),
    "caching/enabled": ("cachingEnabled", "true".__eq__),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", int),
    "caching/dataEncrypted": ("cacheDataEncrypted", "true".__eq__),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", "true".__eq__),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", str),
}
# path of a usage plan's patch -> how its value is read
USAGE_PLAN_NUMBERS = {
    "throttle/rateLimit": float,
    "throttle/burstLimit": int,
    "quota/limit": int,
    "quota/offset": int,
    "quota/period": str,
}
USAGE_PLAN_TEXTS = {"/name": "name", "/description": "description", "/productCode": "product_code"}
# members of an integration that an export has
EXPORTED = (
    "type",
    "httpMethod",
    "uri",
    "credentials",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
)
OTHER_STAGE_PATHS = ("accessLogSettings", "canarySettings", "variables")


def tags_of(account, region, arn):
    """The tags of an API, of what is in it or around it, as one mapping that can be changed, or `None`."""
    backend = apigateway_backends[account][region]
    match arn.rpartition(":")[2].strip("/").split("/"):
        case ["clientcertificates" | "domainnames" | "vpclinks" as kind, id]:
            return apigateway_around.tags_of(account, region, kind, id)
        case ["restapis", api]:
            owner = backend.apis.get(api)
        case ["restapis", api, "stages", stage] if api in backend.apis:
            owner = backend.apis[api].stages.get(stage)
        case ["apikeys", key]:
            owner = backend.keys.get(key)
        case ["usageplans", plan]:
            owner = backend.usage_plans.get(plan)
        case _:
            owner = None
    if owner is None:
        return None
    if owner.tags is None:
        owner.tags = {}
    return owner.tags


@answers("apigateway", "GetTags")
def get_tags(context, request, ask):
    return {"tags": dict(_existing_tags(context, request))}


@answers("apigateway", "TagResource")
def tag_resource(context, request, ask):
    _existing_tags(context, request).update(request["tags"])
    return {}


@answers("apigateway", "UntagResource")
def untag_resource(context, request, ask):
    tags = _existing_tags(context, request)
    for key in request["tagKeys"]:
        tags.pop(key, None)
    return {}


@answers("apigateway", "UpdateStage")
def update_stage(context, request, ask):
    """Patches of method settings are applied here, in their order; LocalStack is handed the others."""
    stage = _stage(context, request)
    settings = {key: dict(setting) for key, setting in stage.method_settings.items()}
    others = [patch for patch in request.get("patchOperations", []) if not _patch_method_setting(settings, patch)]
    if others:
        # A variable that is new is added or replaced: both mean the same.
        for patch in others:
            if patch["op"] == "add":
                patch["op"] = "replace"
        ask({**request, "patchOperations": others})
        stage = _stage(context, request)
    stage.method_settings = settings
    canary = getattr(stage, "canary_settings", None)
    if canary and isinstance(canary.get("useStageCache"), str):
        canary["useStageCache"] = canary["useStageCache"] == "true"
    return _stage_answer(context, request, ask)


@answers("apigateway", "GetStage")
def get_stage(context, request, ask):
    return _with_web_acl(context, request["restApiId"], ask())


@answers("apigateway", "GetStages")
def get_stages(context, request, ask):
    answer = ask()
    answer["item"] = [_with_web_acl(context, request["restApiId"], stage) for stage in answer["item"]]
    return answer


@answers("apigateway", "GetResource", "GetResources")
def get_resources(context, request, ask):
    """Methods are told only when they are asked for."""
    answer = ask()
    if "methods" not in request.get("embed", []):
        for resource in answer.get("items", [answer]):
            if methods := resource.get("resourceMethods"):
                resource["resourceMethods"] = {verb: {} for verb in methods}
    return answer


@answers("apigateway", "GetDeployment")
def get_deployment(context, request, ask):
    if request["deploymentId"] not in get_moto_rest_api(context, request["restApiId"]).deployments:
        refuse("NotFoundException", "Invalid Deployment identifier specified", 404)
    return ask()


@answers("apigateway", "DeleteDeployment")
def delete_deployment(context, request, ask):
    stages = get_moto_rest_api(context, request["restApiId"]).stages.values()
    if any(stage.deployment_id == request["deploymentId"] for stage in stages):
        refuse("BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
    return ask()


@answers("apigateway", "GetExport")
def get_export(context, request, ask):
    """What the stage serves: LocalStack exports what the methods are by now. In OpenAPI 3, with integrations."""
    stage = _stage(context, request)
    if request["exportType"] != "oas30":
        return ask()
    snapshots = get_apigateway_store(context).internal_deployments.get(request["restApiId"].lower(), {})
    paths = {}
    for resource in snapshots[stage.deployment_id].rest_api.resources.values():
        methods = resource["resourceMethods"].items()
        paths[resource["path"]] = {_operation_name(verb): _operation(method) for verb, method in methods}
    key = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    document = {
        "openapi": "3.0.1",
        "info": {"title": get_moto_rest_api(context, request["restApiId"]).name, "version": "1"},
        "paths": {path: operations for path, operations in sorted(paths.items()) if operations},
        "components": {"securitySchemes": {"api_key": key}},
    }
    return {"body": json.dumps(document).encode(), "contentType": "application/octet-stream"}


@answers("apigateway", "CreateUsagePlanKey")
def create_usage_plan_key(context, request, ask):
    keys = apigateway_backends[context.account_id][context.region].usage_plan_keys
    if request["keyId"] in keys.get(request["usagePlanId"], {}):
        refuse("ConflictException", "API Key is already part of the Usage Plan", 409)
    return ask()


@answers("apigateway", "DeleteUsagePlanKey")
def delete_usage_plan_key(context, request, ask):
    keys = apigateway_backends[context.account_id][context.region].usage_plan_keys
    if request["keyId"] not in keys.get(request["usagePlanId"], {}):
        refuse("NotFoundException", "Invalid API Key identifier specified", 404)
    return ask()


@answers("apigateway", "UpdateIntegration")
def update_integration(context, request, ask):
    for patch in request.get("patchOperations", []):
        if patch["path"] == "/passthroughBehavior":
            # The member that LocalStack looks for has another spelling.
            patch["path"] = "/passthroughBehaviour"
    return ask()


@answers("apigateway", "UpdateUsagePlan")
def update_usage_plan(context, request, ask):
    """Wholly ours: LocalStack reads limits as whole numbers, and knows none of single methods."""
    plan = apigateway_backends[context.account_id][context.region].usage_plans.get(request["usagePlanId"])
    if not plan:
        refuse("NotFoundException", "Invalid Usage Plan ID specified", 404)
    for patch in request.get("patchOperations", []):
        if patch["path"] == "/apiStages":
            _patch_api_stages(context, plan, patch)
        elif patch["path"] in USAGE_PLAN_TEXTS:
            setattr(plan, USAGE_PLAN_TEXTS[patch["path"]], patch.get("value"))
        else:
            _patch_limits(plan, patch)
    return {name: value for name, value in plan.to_json().items() if value is not None}


@answers("apigateway", "DeleteUsagePlan")
def delete_usage_plan(context, request, ask):
    backend = apigateway_backends[context.account_id][context.region]
    plan = backend.usage_plans.get(request["usagePlanId"])
    if not plan:
        refuse("NotFoundException", "Invalid Usage Plan ID specified", 404)
    if plan.api_stages:
        refuse(
            "BadRequestException",
            f"Cannot delete Usage Plan {plan.id} because there are API Stages associated with it",
        )
    return ask()


@answers("apigateway", "GetAccount")
def get_account(context, request, ask):
    _begin_account(context)
    return ask()


@answers("apigateway", "UpdateAccount")
def update_account(context, request, ask):
    _begin_account(context)
    for patch in request.get("patchOperations", []):
        role = patch.get("value", "").rpartition("/")[2]
        if patch["path"] == "/cloudwatchRoleArn" and role:
            if role not in iam_stores[context.account_id]["us-east-1"].ROLES:
                refuse("BadRequestException", "The role ARN does not have required permissions set to API Gateway")
    return ask()


def _operation_name(verb):
    return "x-amazon-apigateway-any-method" if verb == "ANY" else verb.lower()


def _operation(method):
    """A method of a snapshot as an export writes it; what is as usual is left out."""
    statuses = method.get("methodResponses") or {}
    operation = {"responses": {status: {"description": f"{status} response"} for status in statuses}}
    if method.get("apiKeyRequired"):
        operation["security"] = [{"api_key": []}]
    if integration := method.get("methodIntegration"):
        written = {name: integration[name] for name in EXPORTED if integration.get(name)}
        written |= {name: written[name].lower() for name in ("type", "passthroughBehavior") if name in written}
        operation["x-amazon-apigateway-integration"] = written
    return operation


def _patch_method_setting(settings, patch):
    """Applies a patch if it is about a method setting; says whether it was."""
    key, path = _method_setting_path(patch["path"])
    if key is None:
        return False
    if patch["op"] == "remove":
        if path or key not in settings:
            refuse(
                "BadRequestException",
                f"Cannot remove method setting {key} because there is no method setting for this method ",
            )
        del settings[key]
        return True
    if path not in METHOD_SETTING_PATHS:
        refuse("BadRequestException", f"Invalid method setting path: {patch['path']}")
    member, read = METHOD_SETTING_PATHS[path]
    settings.setdefault(key, dict(METHOD_SETTING_DEFAULTS))[member] = read(patch["value"])
    return True


def _method_setting_path(path):
    """Splits `/orders/GET/metrics/enabled` into `orders/GET` and `metrics/enabled`."""
    parts = path.strip("/").split("/")
    if parts[0] in OTHER_STAGE_PATHS or len(parts) not in (2, 4):
        return None, None
    return "/".join(parts[:2]), "/".join(parts[2:])


def _patch_api_stages(context, plan, patch):
    api, _, stage = patch["value"].partition(":")
    others = [one for one in plan.api_stages if (one["apiId"], one["stage"]) != (api, stage)]
    if patch["op"] == "remove":
        plan.api_stages = others
        return
    known = apigateway_backends[context.account_id][context.region].apis.get(api)
    if not known or stage not in known.stages:
        text = f"Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan.id}"
        refuse("NotFoundException", text, 404)
    plan.api_stages = [*others, {"apiId": api, "stage": stage}]


def _patch_limits(plan, patch):
    """Applies a patch of the plan's own limits, or of `/apiStages/API:STAGE/throttle/PATH/VERB/rateLimit`."""
    parts = patch["path"].strip("/").split("/")
    if parts[0] == "apiStages":
        stage = next(one for one in plan.api_stages if f"{one['apiId']}:{one['stage']}" == parts[1])
        throttle = stage.setdefault("throttle", {})
        method = "/".join(parts[3:5]).replace("~1", "/")
        if patch["op"] == "remove":
            throttle.pop(method, None) if method else throttle.clear()
            return
        read = USAGE_PLAN_NUMBERS[f"throttle/{parts[5]}"]
        throttle.setdefault(method, {})[parts[5]] = read(patch["value"])
    elif patch["op"] == "remove" and parts[0] in ("throttle", "quota"):
        limits = getattr(plan, parts[0])
        limits.pop(parts[1], None) if len(parts) > 1 else limits.clear()
    elif "/".join(parts) in USAGE_PLAN_NUMBERS:
        getattr(plan, parts[0])[parts[1]] = USAGE_PLAN_NUMBERS["/".join(parts)](patch["value"])
    else:
        refuse("BadRequestException", f"Invalid patch path {patch['path']}")


def _begin_account(context):
    """A new account has no role for logs; LocalStack makes one up."""
    account = get_apigateway_store(context)._account
    if not account:
        account.update(
            {
                "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
                "features": ["UsagePlans"],
                "apiKeyVersion": "4",
            }
        )


def _stage(context, request):
    stage = get_moto_rest_api(context, request["restApiId"]).stages.get(request["stageName"])
    if not stage:
        refuse("NotFoundException", "Invalid stage identifier specified", 404)
    return stage


def _stage_answer(context, request, ask):
    return _with_web_acl(context, request["restApiId"], ask({**request, "patchOperations": []}))


def _with_web_acl(context, api, stage):
    arn = f"arn:aws:apigateway:{context.region}::/restapis/{api}/stages/{stage['stageName']}"
    stage.pop("webAclArn", None)
    if web_acl := web_acl_of_stage(context.account_id, context.region, arn):
        stage["webAclArn"] = web_acl
    return stage


def _existing_tags(context, request):
    tags = tags_of(context.account_id, context.region, request["resourceArn"])
    if tags is None:
        refuse("NotFoundException", "Invalid resource identifier specified", 404)
    return tags
