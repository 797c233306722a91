"""Lambda: tags of code signing configurations, and what is so without being asked for."""

from localstack.services.lambda_.invocation.models import lambda_stores

from gaps import answers, refuse


@answers("lambda", "CreateCodeSigningConfig")
def create_code_signing_config(context, request, ask):
    policies = request.get("CodeSigningPolicies") or {"UntrustedArtifactOnDeployment": "Warn"}
    answer = ask({**request, "CodeSigningPolicies": policies})
    arn = answer["CodeSigningConfig"]["CodeSigningConfigArn"]
    _store(context).tags.update_tags(arn, request.get("Tags") or {})
    return answer


@answers("lambda", "DeleteCodeSigningConfig")
def delete_code_signing_config(context, request, ask):
    arn = request["CodeSigningConfigArn"]
    functions = _store(context).functions.values()
    if any(function.code_signing_config_arn == arn for function in functions):
        refuse("ResourceConflictException", "The code signing configuration is attached to a function.", 409)
    answer = ask()
    _store(context).tags.delete_all_tags(arn)
    return answer


@answers("lambda", "ListTags")
def list_tags(context, request, ask):
    if not _is_one(context, request):
        return ask()
    return {"Tags": dict(_store(context).tags.get_tags(request["Resource"]))}


@answers("lambda", "TagResource")
def tag_resource(context, request, ask):
    if not _is_one(context, request):
        return ask()
    _store(context).tags.update_tags(request["Resource"], request["Tags"])
    return {}


@answers("lambda", "UntagResource")
def untag_resource(context, request, ask):
    if not _is_one(context, request):
        return ask()
    _store(context).tags.delete_tags(request["Resource"], request["TagKeys"])
    return {}


def _is_one(context, request):
    """Whether the request is about a code signing configuration, which has to be there."""
    arn = request["Resource"]
    if ":code-signing-config:" not in arn:
        return False
    if arn not in _store(context).code_signing_configs:
        refuse("ResourceNotFoundException", f"The Lambda code signing configuration {arn} can not be found.", 404)
    return True


def _store(context):
    return lambda_stores[context.account_id][context.region]
