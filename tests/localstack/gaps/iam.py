"""IAM: a policy within a role, a user or a group may be of the older version, that of a document which names none; a user's tags
stay its own under another path."""

import json
from urllib.parse import quote

from localstack.services.iam.models import iam_stores

from gaps import answers

OLDER = "2008-10-17"


@answers("iam", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy")
def put_inline_policy(context, request, ask):
    """LocalStack takes one version here, as IAM does for managed policies."""
    document = request["PolicyDocument"]
    try:
        read = json.loads(document)
    except ValueError:
        return ask()
    if not isinstance(read, dict) or read.get("Version", OLDER) != OLDER:
        return ask()
    answer = ask({**request, "PolicyDocument": json.dumps({**read, "Version": "2012-10-17"})})
    _entity(context, request).inline_policies[request["PolicyName"]] = quote(document)
    return answer


@answers("iam", "UpdateUser")
def update_user(context, request, ask):
    """LocalStack keeps tags by ARN, which changes with the path."""
    store = _store(context)
    user = store.USERS.get(request["UserName"])
    before = user and user.user["Arn"]
    ask()
    if user and user.user["Arn"] != before:
        store.TAGS.update_tags(user.user["Arn"], store.TAGS.get_tags(before))
        store.TAGS.delete_all_tags(before)


def _store(context):
    return iam_stores[context.account_id]["us-east-1"]


def _entity(context, request):
    store = _store(context)
    if name := request.get("RoleName"):
        return store.ROLES[name]
    if name := request.get("UserName"):
        return store.USERS[name]
    return store.GROUPS[request["GroupName"]]
