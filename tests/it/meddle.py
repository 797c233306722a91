"""Changes the live fields of controls of the deployed payments system, as somebody would by hand.

    python meddle.py CONTROL... < calls-that-put-things-back.json > calls-that-put-these-back.json

First puts back what was changed before. Without a control it does no more than that.
"""

import json
import sys

import boto3


def client(service):
    return boto3.client(service)


def call(service, operation, **arguments):
    answer = getattr(client(service), operation)(**arguments)
    if operation == "update_function_configuration":
        # Until it has ended, AWS refuses the next change of the function, and LocalStack may write the older one over it.
        named = {"FunctionName": arguments["FunctionName"]}
        client(service).get_waiter("function_updated_v2").wait(**named, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})
    return answer


ACCOUNT = call("sts", "get_caller_identity")["Account"]
SUFFIX = "dev"
FUNCTION = f"process-payment-{SUFFIX}"
TABLE = f"payment-transactions-{SUFFIX}"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:payment-notifications-{SUFFIX}"
LOGS = f"/aws/lambda/{FUNCTION}"
ALARM = f"process-payment-errors-{SUFFIX}"


def api():
    [found] = call("apigateway", "get_rest_apis")["items"]
    return found["id"]


def stage_arn():
    return f"arn:aws:apigateway:us-east-1::/restapis/{api()}/stages/{SUFFIX}"


def firewall():
    [found] = call("wafv2", "list_web_acls", Scope="REGIONAL")["WebACLs"]
    return {"Name": found["Name"], "Id": found["Id"], "Scope": "REGIONAL"}, found["ARN"]


def queue():
    return call("sqs", "get_queue_url", QueueName=f"payment-processing-queue-{SUFFIX}")["QueueUrl"]


def role():
    return call("lambda", "get_function_configuration", FunctionName=FUNCTION)["Role"].rsplit("/", 1)[1]


def patched(operation, path, now, before, **of):
    """A field of API Gateway is set; gives the call that sets it back."""
    patch = lambda value: [{"op": "replace", "path": path, "value": value}]
    call("apigateway", operation, **of, patchOperations=patch(now))
    return [["apigateway", operation, {**of, "patchOperations": patch(before)}]]


def method(path, now, before):
    resources = call("apigateway", "get_resources", restApiId=api())["items"]
    [resource] = [it["id"] for it in resources if "POST" in it.get("resourceMethods", {})]
    return patched("update_method", path, now, before, restApiId=api(), resourceId=resource, httpMethod="POST")


def stage(path, now, before):
    return patched("update_stage", path, now, before, restApiId=api(), stageName=SUFFIX)


def without_denials(document):
    document = json.loads(document)
    document["Statement"] = [it for it in document["Statement"] if it["Effect"] != "Deny"]
    return json.dumps(document)


def firewall_attached():
    _, arn = firewall()
    call("wafv2", "disassociate_web_acl", ResourceArn=stage_arn())
    return [["wafv2", "associate_web_acl", {"WebACLArn": arn, "ResourceArn": stage_arn()}]]


def firewall_rules():
    """Putting it back takes a token that is not known yet: `None` stands for it."""
    named, _ = firewall()
    found = call("wafv2", "get_web_acl", **named)
    acl = found["WebACL"]
    kept = {key: acl[key] for key in ["DefaultAction", "Description", "VisibilityConfig"] if key in acl}
    rules = [rule for rule in acl["Rules"] if rule["Name"] != "rate-per-address"]
    call("wafv2", "update_web_acl", **named, **kept, Rules=rules, LockToken=found["LockToken"])
    return [["wafv2", "update_web_acl", {**named, **kept, "Rules": acl["Rules"], "LockToken": None}]]


def firewall_redaction():
    _, arn = firewall()
    before = call("wafv2", "get_logging_configuration", ResourceArn=arn)["LoggingConfiguration"]
    now = {key: value for key, value in before.items() if key != "RedactedFields"}
    call("wafv2", "put_logging_configuration", LoggingConfiguration={**now, "RedactedFields": []})
    return [["wafv2", "put_logging_configuration", {"LoggingConfiguration": before}]]


def firewall_logs():
    """AWS takes no logging without a destination: it goes to another one."""
    _, arn = firewall()
    before = call("wafv2", "get_logging_configuration", ResourceArn=arn)["LoggingConfiguration"]
    call("logs", "create_log_group", logGroupName="aws-waf-logs-elsewhere")
    other = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:aws-waf-logs-elsewhere"
    call("wafv2", "put_logging_configuration", LoggingConfiguration={**before, "LogDestinationConfigs": [other]})
    return [
        ["wafv2", "put_logging_configuration", {"LoggingConfiguration": before}],
        ["logs", "delete_log_group", {"logGroupName": "aws-waf-logs-elsewhere"}],
    ]


def endpoint_type():
    path = "/endpointConfiguration/types/0"
    return patched("update_rest_api", path, "EDGE", "REGIONAL", restApiId=api())


def table_encryption():
    call("dynamodb", "update_table", TableName=TABLE, SSESpecification={"Enabled": False})
    return [["dynamodb", "update_table", {"TableName": TABLE, "SSESpecification": {"Enabled": True, "SSEType": "KMS"}}]]


def queue_attribute(name, now):
    answer = call("sqs", "get_queue_attributes", QueueUrl=queue(), AttributeNames=["All"])
    before = answer["Attributes"][name]
    call("sqs", "set_queue_attributes", QueueUrl=queue(), Attributes={name: now(before)})
    return [["sqs", "set_queue_attributes", {"QueueUrl": queue(), "Attributes": {name: before}}]]


def topic_attribute(name, now):
    before = call("sns", "get_topic_attributes", TopicArn=TOPIC)["Attributes"][name]
    call("sns", "set_topic_attributes", TopicArn=TOPIC, AttributeName=name, AttributeValue=now(before))
    return [["sns", "set_topic_attributes", {"TopicArn": TOPIC, "AttributeName": name, "AttributeValue": before}]]


def configuration(name, now):
    before = call("lambda", "get_function_configuration", FunctionName=FUNCTION)[name]
    call("lambda", "update_function_configuration", FunctionName=FUNCTION, **{name: now})
    return [["lambda", "update_function_configuration", {"FunctionName": FUNCTION, name: before}]]


def own_role():
    other = call("lambda", "get_function_configuration", FunctionName=f"notify-failures-{SUFFIX}")["Role"]
    return configuration("Role", other)


def least_privilege():
    named = {"RoleName": role()}
    named["PolicyName"] = call("iam", "list_role_policies", **named)["PolicyNames"][0]
    before = call("iam", "get_role_policy", **named)["PolicyDocument"]
    now = json.loads(json.dumps(before))
    now["Statement"][0]["Action"] = "dynamodb:*"
    call("iam", "put_role_policy", **named, PolicyDocument=json.dumps(now))
    return [["iam", "put_role_policy", {**named, "PolicyDocument": json.dumps(before)}]]


def managed_policies():
    attached = {"RoleName": role(), "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    call("iam", "attach_role_policy", **attached)
    return [["iam", "detach_role_policy", attached]]


def role_trust():
    before = call("iam", "get_role", RoleName=role())["Role"]["AssumeRolePolicyDocument"]
    now = json.loads(json.dumps(before))
    now["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::210987654321:root"}
    call("iam", "update_assume_role_policy", RoleName=role(), PolicyDocument=json.dumps(now))
    return [["iam", "update_assume_role_policy", {"RoleName": role(), "PolicyDocument": json.dumps(before)}]]


def invoke_permission():
    policy = json.loads(call("lambda", "get_policy", FunctionName=FUNCTION)["Policy"])
    [statement] = policy["Statement"]
    named = {"FunctionName": FUNCTION, "StatementId": statement["Sid"]}
    call("lambda", "remove_permission", **named)
    condition = statement["Condition"]
    source = {key.lower(): value for kind in condition.values() for key, value in kind.items()}["aws:sourcearn"]
    given = {"Action": statement["Action"], "Principal": statement["Principal"]["Service"], "SourceArn": source}
    return [["lambda", "add_permission", {**named, **given}]]


def access_logs():
    before = call("apigateway", "get_stage", restApiId=api(), stageName=SUFFIX)["accessLogSettings"]["format"]
    return stage("/accessLogSettings/format", "$context.requestId", before)


def log_retention():
    call("logs", "put_retention_policy", logGroupName=LOGS, retentionInDays=30)
    return [["logs", "put_retention_policy", {"logGroupName": LOGS, "retentionInDays": 400}]]


def alarms_tell():
    [alarm] = call("cloudwatch", "describe_alarms", AlarmNames=[ALARM])["MetricAlarms"]
    takes = client("cloudwatch").meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    before = {key: value for key, value in alarm.items() if key in takes}
    call("cloudwatch", "put_metric_alarm", **{**before, "AlarmActions": []})
    return [["cloudwatch", "put_metric_alarm", before]]


def alarms_enabled():
    call("cloudwatch", "disable_alarm_actions", AlarmNames=[ALARM])
    return [["cloudwatch", "enable_alarm_actions", {"AlarmNames": [ALARM]}]]


def request_validator():
    [found] = call("apigateway", "get_request_validators", restApiId=api())["items"]
    of = {"restApiId": api(), "requestValidatorId": found["id"]}
    return patched("update_request_validator", "/validateRequestBody", "false", "true", **of)


def method_validation():
    [found] = call("apigateway", "get_request_validators", restApiId=api())["items"]
    return method("/requestValidatorId", "", found["id"])


CONTROLS = {
    "access-logs": access_logs,
    "alarms-enabled": alarms_enabled,
    "alarms-tell": alarms_tell,
    "api-key": lambda: method("/apiKeyRequired", "false", "true"),
    "as-declared": lambda: queue_attribute("DelaySeconds", lambda _: "7"),
    "endpoint-type": endpoint_type,
    "firewall-attached": firewall_attached,
    "firewall-logs": firewall_logs,
    "firewall-redaction": firewall_redaction,
    "firewall-rules": firewall_rules,
    "invoke-permission": invoke_permission,
    "least-privilege": least_privilege,
    "log-retention": log_retention,
    "managed-policies": managed_policies,
    "method-validation": method_validation,
    "no-bodies-logged": lambda: stage("/*/*/logging/dataTrace", "true", "false"),
    "own-role": own_role,
    "queue-encryption": lambda: queue_attribute("SqsManagedSseEnabled", lambda _: "false"),
    "queue-tls": lambda: queue_attribute("Policy", without_denials),
    "request-validator": request_validator,
    "role-trust": role_trust,
    "runtime": lambda: configuration("Runtime", "python3.8"),
    "table-encryption": table_encryption,
    "topic-encryption": lambda: topic_attribute("KmsMasterKeyId", lambda _: ""),
    "topic-tls": lambda: topic_attribute("Policy", without_denials),
}

for service, operation, arguments in json.load(sys.stdin) or []:
    if arguments.get("LockToken", "") is None:
        named, _ = firewall()
        arguments["LockToken"] = call("wafv2", "get_web_acl", **named)["LockToken"]
    call(service, operation, **arguments)
changes = [CONTROLS[control]() for control in sys.argv[1:]]
# Two controls may look at one thing: what was changed last goes back first.
json.dump([back for backs in reversed(changes) for back in backs], sys.stdout, default=str)
