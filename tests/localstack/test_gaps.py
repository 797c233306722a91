"""What a client finds when it talks to the emulator as if it were AWS.

PAYSTACK_TEST_ENDPOINT=http://127.0.0.1:4566 python -m unittest test_gaps
"""

import base64
import io
import json
import os
import random
import time
import unittest
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TAGS = {"Environment": "dev", "paystack:stack": "payments-dev"}
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return content.getvalue()


class Account(unittest.TestCase):
    """Every test has an account of its own."""

    def setUp(self):
        self.account = str(random.randrange(10**11, 10**12))
        self.clients = {}

    def __getattr__(self, service):
        name = {"lambda_": "lambda", "tagging": "resourcegroupstaggingapi"}.get(service, service)
        if name not in boto3.session.Session().get_available_services():
            raise AttributeError(service)
        if name not in self.clients:
            self.clients[name] = boto3.client(
                name,
                endpoint_url=os.environ["PAYSTACK_TEST_ENDPOINT"],
                region_name="us-east-1",
                aws_access_key_id=self.account,
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}),
            )
        return self.clients[name]

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertLess(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 500)

    def role(self, name="worker"):
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=TAG_LIST)["Role"]["Arn"]

    def function(self, name="worker", code="def handler(event, context):\n    return event\n", **more):
        role = more.pop("Role", None) or self.role(name)
        arn = self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": zipped(app=code)},
            **more,
        )["FunctionArn"]
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
        return arn

    def api(self):
        """A REST API with one method, deployed to the stage `live`."""
        api = self.apigateway.create_rest_api(name="webhooks", tags=TAGS, endpointConfiguration={"types": ["REGIONAL"]})
        resource = self.apigateway.create_resource(
            restApiId=api["id"], parentId=api["rootResourceId"], pathPart="webhooks"
        )["id"]
        method = {"restApiId": api["id"], "resourceId": resource, "httpMethod": "POST"}
        self.apigateway.put_method(**method, authorizationType="NONE", apiKeyRequired=True)
        self.apigateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": "{}"})
        deployment = self.apigateway.create_deployment(restApiId=api["id"])["id"]
        self.apigateway.create_stage(restApiId=api["id"], stageName="live", deploymentId=deployment, tags=TAGS)
        return api["id"], method, deployment

    def web_acl(self, name="guard"):
        visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
        self.acl = {
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": visibility,
            "Rules": [
                {
                    "Name": "rate",
                    "Priority": 0,
                    "Action": {"Block": {}},
                    "VisibilityConfig": visibility,
                    "Statement": {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}},
                },
                {
                    "Name": "common",
                    "Priority": 1,
                    "OverrideAction": {"None": {}},
                    "VisibilityConfig": visibility,
                    "Statement": {
                        "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
                    },
                },
            ],
        }
        summary = self.wafv2.create_web_acl(
            Name=name, Scope="REGIONAL", Tags=TAG_LIST, Description="of tests", **self.acl
        )
        return summary["Summary"]


class Tagging(Account):
    def everything(self):
        expected = set()
        table = self.dynamodb.create_table(
            TableName="t",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=TAG_LIST,
        )
        expected.add(table["TableDescription"]["TableArn"])
        queue = self.sqs.create_queue(QueueName="q", tags=TAGS)["QueueUrl"]
        queue_arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["QueueArn"]
        expected.add(queue_arn)
        expected.add(self.sns.create_topic(Name="t", Tags=TAG_LIST)["TopicArn"])
        function = self.function(Tags=TAGS)
        expected.add(function)
        mapping = self.lambda_.create_event_source_mapping(FunctionName="worker", EventSourceArn=queue_arn, Tags=TAGS)
        expected.add(mapping["EventSourceMappingArn"])
        self.addCleanup(self.lambda_.delete_event_source_mapping, UUID=mapping["UUID"])
        self.logs.create_log_group(logGroupName="/a/b", tags=TAGS)
        expected.add(f"arn:aws:logs:us-east-1:{self.account}:log-group:/a/b")
        self.cloudwatch.put_metric_alarm(
            AlarmName="a",
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            Threshold=1,
            MetricName="m",
            Namespace="n",
            Period=60,
            Statistic="Sum",
            Tags=TAG_LIST,
        )
        expected.add(f"arn:aws:cloudwatch:us-east-1:{self.account}:alarm:a")
        api, _, _ = self.api()
        prefix = "arn:aws:apigateway:us-east-1::"
        expected |= {f"{prefix}/restapis/{api}", f"{prefix}/restapis/{api}/stages/live"}
        expected.add(f"{prefix}/apikeys/" + self.apigateway.create_api_key(name="k", tags=TAGS)["id"])
        expected.add(f"{prefix}/usageplans/" + self.apigateway.create_usage_plan(name="p", tags=TAGS)["id"])
        expected.add(self.web_acl()["ARN"])
        addresses = self.wafv2.create_ip_set(
            Name="s", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["10.0.0.0/8"], Tags=TAG_LIST
        )
        expected.add(addresses["Summary"]["ARN"])
        return expected

    def test_finds_everything_tagged_but_roles(self):
        expected = self.everything()
        self.sqs.create_queue(QueueName="untagged")
        found, token = set(), ""
        while True:
            page = self.tagging.get_resources(
                PaginationToken=token,
                ResourcesPerPage=5,
                TagFilters=[{"Key": "paystack:stack", "Values": ["payments-dev"]}],
            )
            found |= {one["ResourceARN"] for one in page["ResourceTagMappingList"]}
            self.assertTrue(
                all({tag["Key"]: tag["Value"] for tag in one["Tags"]} == TAGS for one in page["ResourceTagMappingList"])
            )
            token = page["PaginationToken"]
            if not token:
                break
        self.assertEqual(found, expected)

    def test_filters_by_type(self):
        self.everything()
        for wanted, count in {
            "dynamodb:table": 1,
            "sqs": 1,
            "lambda:function": 1,
            "apigateway": 4,
            "apigateway:restapis": 2,
            "wafv2": 2,
            "wafv2:regional/webacl": 1,
            "cloudwatch:alarm": 1,
            "logs:log-group": 1,
        }.items():
            found = self.tagging.get_resources(ResourceTypeFilters=[wanted])["ResourceTagMappingList"]
            self.assertEqual(len(found), count, (wanted, found))
        self.assertEqual(
            self.tagging.get_resources(TagFilters=[{"Key": "Environment", "Values": ["x"]}])["ResourceTagMappingList"],
            [],
        )


class ApiGateway(Account):
    def test_tags_of_every_taggable_thing_can_be_changed(self):
        api, _, _ = self.api()
        key = self.apigateway.create_api_key(name="k", tags=TAGS)["id"]
        plan = self.apigateway.create_usage_plan(name="p", tags=TAGS)["id"]
        for path in (f"restapis/{api}", f"restapis/{api}/stages/live", f"apikeys/{key}", f"usageplans/{plan}"):
            arn = f"arn:aws:apigateway:us-east-1::/{path}"
            self.assertEqual(self.apigateway.get_tags(resourceArn=arn)["tags"], TAGS, path)
            self.apigateway.tag_resource(resourceArn=arn, tags={"Owner": "me", "Environment": "prod"})
            self.apigateway.untag_resource(resourceArn=arn, tagKeys=["paystack:stack"])
            expected = {"Environment": "prod", "Owner": "me"}
            self.assertEqual(self.apigateway.get_tags(resourceArn=arn)["tags"], expected, path)
        self.assertEqual(self.apigateway.get_rest_api(restApiId=api)["tags"], expected)
        self.assertEqual(self.apigateway.get_rest_apis()["items"][0]["tags"], expected)
        self.assertEqual(self.apigateway.get_stage(restApiId=api, stageName="live")["tags"], expected)
        self.assertEqual(self.apigateway.get_api_key(apiKey=key)["tags"], expected)
        self.assertEqual(self.apigateway.get_api_keys()["items"][0]["tags"], expected)
        self.assertEqual(self.apigateway.get_usage_plan(usagePlanId=plan)["tags"], expected)
        self.assertEqual(self.apigateway.get_usage_plans()["items"][0]["tags"], expected)

    def patch_stage(self, api, *patches):
        operations = [dict(zip(("op", "path", "value"), patch)) for patch in patches]
        return self.apigateway.update_stage(restApiId=api, stageName="live", patchOperations=operations)

    def test_an_export_is_of_the_snapshot_that_the_stage_serves(self):
        api, method, _ = self.api()
        self.apigateway.put_integration(**method, type="HTTP", integrationHttpMethod="GET", uri="https://example.com")

        def exported():
            arguments = {"exportType": "oas30", "parameters": {"extensions": "integrations"}}
            export = self.apigateway.get_export(restApiId=api, stageName="live", **arguments)
            return json.loads(export["body"].read())["paths"]["/webhooks"]["post"]

        self.assertEqual(exported()["security"], [{"api_key": []}])
        self.assertEqual(exported()["x-amazon-apigateway-integration"]["type"], "mock")
        self.apigateway.create_deployment(restApiId=api, stageName="live")
        self.assertEqual(exported()["x-amazon-apigateway-integration"]["type"], "http")

    def test_method_settings_of_a_stage(self):
        api, _, _ = self.api()
        stage = self.patch_stage(
            api,
            ("replace", "/*/*/throttling/rateLimit", "1000"),
            ("replace", "/*/*/throttling/burstLimit", "2000"),
            ("replace", "/webhooks/POST/logging/loglevel", "ERROR"),
            ("replace", "/tracingEnabled", "true"),
            ("replace", "/description", "live"),
            ("add", "/variables/colour", "blue"),
        )
        self.assertEqual(
            stage, {**stage, "tracingEnabled": True, "description": "live", "variables": {"colour": "blue"}}
        )
        every = stage["methodSettings"]["*/*"]
        self.assertEqual((every["throttlingRateLimit"], every["throttlingBurstLimit"]), (1000.0, 2000))
        self.assertEqual((every["cachingEnabled"], every["cacheTtlInSeconds"]), (True, 300))
        self.assertEqual(stage["methodSettings"]["webhooks/POST"]["loggingLevel"], "ERROR")
        stage = self.patch_stage(api, ("remove", "/*/*"), ("replace", "/*/*/metrics/enabled", "true"))
        self.assertEqual(stage["methodSettings"]["*/*"]["throttlingRateLimit"], 10000.0)
        self.assertTrue(stage["methodSettings"]["*/*"]["metricsEnabled"])
        self.patch_stage(api, ("remove", "/webhooks/POST"), ("remove", "/*/*"))
        stage = self.apigateway.get_stage(restApiId=api, stageName="live")
        self.assertEqual(stage["methodSettings"], {})
        with self.assertRaises(ClientError):
            self.patch_stage(api, ("remove", "/*/*"))

    def test_access_logs_of_a_stage(self):
        api, _, _ = self.api()
        arn = f"arn:aws:logs:us-east-1:{self.account}:log-group:/access"
        stage = self.patch_stage(
            api,
            ("replace", "/accessLogSettings/destinationArn", arn),
            ("replace", "/accessLogSettings/format", "$context.requestId"),
        )
        self.assertEqual(stage["accessLogSettings"], {"destinationArn": arn, "format": "$context.requestId"})
        self.patch_stage(api, ("remove", "/accessLogSettings"))
        self.assertNotIn("accessLogSettings", self.apigateway.get_stage(restApiId=api, stageName="live"))

    def test_deployments(self):
        api, _, first = self.api()
        self.refused("BadRequestException", self.apigateway.delete_deployment, restApiId=api, deploymentId=first)
        second = self.apigateway.create_deployment(restApiId=api, description="sha")["id"]
        self.patch_stage(api, ("replace", "/deploymentId", second))
        self.assertEqual(self.apigateway.get_stage(restApiId=api, stageName="live")["deploymentId"], second)
        self.apigateway.delete_deployment(restApiId=api, deploymentId=first)
        self.refused("NotFoundException", self.apigateway.get_deployment, restApiId=api, deploymentId=first)
        self.assertEqual(self.apigateway.get_deployment(restApiId=api, deploymentId=second)["description"], "sha")
        self.apigateway.update_deployment(
            restApiId=api,
            deploymentId=second,
            patchOperations=[{"op": "replace", "path": "/description", "value": "x"}],
        )
        found = self.apigateway.get_deployments(restApiId=api)["items"]
        self.assertEqual([(one["id"], one["description"]) for one in found], [(second, "x")])
        self.apigateway.delete_stage(restApiId=api, stageName="live")
        self.refused("NotFoundException", self.apigateway.get_stage, restApiId=api, stageName="live")
        self.apigateway.delete_deployment(restApiId=api, deploymentId=second)
        self.refused("NotFoundException", self.apigateway.delete_deployment, restApiId=api, deploymentId=second)

    def test_an_empty_api_cannot_be_deployed(self):
        api = self.apigateway.create_rest_api(name="empty")["id"]
        self.refused("BadRequestException", self.apigateway.create_deployment, restApiId=api)

    def test_methods_come_with_their_integration(self):
        api, method, _ = self.api()
        self.apigateway.put_method_response(**method, statusCode="200", responseModels={"application/json": "Empty"})
        self.apigateway.put_integration_response(**method, statusCode="200", selectionPattern="")
        validator = self.apigateway.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
        self.apigateway.create_model(restApiId=api, name="Event", contentType="application/json", schema="{}")
        self.apigateway.update_method(
            **method,
            patchOperations=[
                {"op": "replace", "path": "/apiKeyRequired", "value": "false"},
                {"op": "replace", "path": "/requestValidatorId", "value": validator},
                {"op": "add", "path": "/requestModels/application~1json", "value": "Event"},
                {"op": "add", "path": "/requestParameters/method.request.header.X", "value": "true"},
            ],
        )
        self.apigateway.update_integration(
            **method,
            patchOperations=[
                {"op": "replace", "path": "/timeoutInMillis", "value": "15000"},
                {"op": "replace", "path": "/passthroughBehavior", "value": "NEVER"},
            ],
        )
        resources = self.apigateway.get_resources(restApiId=api, embed=["methods"])["items"]
        found = next(one for one in resources if one["path"] == "/webhooks")["resourceMethods"]["POST"]
        self.assertEqual(found["apiKeyRequired"], False)
        self.assertEqual(found["requestValidatorId"], validator)
        self.assertEqual(found["requestModels"], {"application/json": "Event"})
        self.assertEqual(found["requestParameters"], {"method.request.header.X": True})
        self.assertEqual(found["methodIntegration"]["timeoutInMillis"], 15000)
        self.assertEqual(found["methodIntegration"]["passthroughBehavior"], "NEVER")
        self.assertIn("200", found["methodResponses"])
        self.assertIn("200", found["methodIntegration"]["integrationResponses"])
        got = self.apigateway.get_method(**method)
        del got["ResponseMetadata"]
        self.assertEqual(got, found)
        self.apigateway.update_method(
            **method,
            patchOperations=[
                {"op": "replace", "path": "/requestValidatorId"},
                {"op": "remove", "path": "/requestModels/application~1json"},
                {"op": "remove", "path": "/requestParameters/method.request.header.X"},
            ],
        )
        got = self.apigateway.get_method(**method)
        self.assertFalse(got.get("requestValidatorId"))
        self.assertFalse(got.get("requestModels"))
        self.assertFalse(got.get("requestParameters"))
        without = self.apigateway.get_resources(restApiId=api)["items"]
        self.assertEqual(next(one for one in without if one["path"] == "/webhooks")["resourceMethods"], {"POST": {}})
        self.apigateway.delete_method(**method)
        self.refused("NotFoundException", self.apigateway.get_method, **method)

    def test_an_integration_that_is_put_again_is_replaced(self):
        api, method, _ = self.api()
        self.apigateway.put_integration(
            **method, type="HTTP_PROXY", integrationHttpMethod="POST", uri="https://example.com", timeoutInMillis=5000
        )
        self.apigateway.put_integration(
            **method, type="HTTP_PROXY", integrationHttpMethod="POST", uri="https://example.org"
        )
        got = self.apigateway.get_integration(**method)
        self.assertEqual((got["uri"], got["timeoutInMillis"]), ("https://example.org", 29000))
        self.assertFalse(got.get("requestTemplates"))

    def test_models_validators_and_gateway_responses(self):
        api, _, _ = self.api()
        self.apigateway.create_model(
            restApiId=api, name="Event", contentType="application/json", schema='{"type":"object"}'
        )
        self.apigateway.update_model(
            restApiId=api,
            modelName="Event",
            patchOperations=[
                {"op": "replace", "path": "/schema", "value": '{"type":"array"}'},
                {"op": "replace", "path": "/description", "value": "list"},
            ],
        )
        model = self.apigateway.get_model(restApiId=api, modelName="Event")
        self.assertEqual((model["schema"], model["description"]), ('{"type":"array"}', "list"))
        self.assertEqual(len(self.apigateway.get_models(restApiId=api)["items"]), 3)
        validator = self.apigateway.create_request_validator(restApiId=api, name="v")["id"]
        self.apigateway.update_request_validator(
            restApiId=api,
            requestValidatorId=validator,
            patchOperations=[{"op": "replace", "path": "/validateRequestBody", "value": "true"}],
        )
        found = self.apigateway.get_request_validators(restApiId=api)["items"]
        self.assertEqual([(one["name"], one["validateRequestBody"]) for one in found], [("v", True)])
        self.apigateway.put_gateway_response(
            restApiId=api, responseType="DEFAULT_5XX", responseTemplates={"application/json": '{"message":"error"}'}
        )
        got = self.apigateway.get_gateway_response(restApiId=api, responseType="DEFAULT_5XX")
        self.assertEqual(
            (got["defaultResponse"], got["responseTemplates"]), (False, {"application/json": '{"message":"error"}'})
        )
        found = self.apigateway.get_gateway_responses(restApiId=api, limit=500)["items"]
        self.assertEqual([one["responseType"] for one in found if not one["defaultResponse"]], ["DEFAULT_5XX"])
        self.assertGreaterEqual(len(found), 20)
        self.apigateway.delete_gateway_response(restApiId=api, responseType="DEFAULT_5XX")
        self.assertTrue(
            self.apigateway.get_gateway_response(restApiId=api, responseType="DEFAULT_5XX")["defaultResponse"]
        )

    def test_usage_plans_and_keys(self):
        api, _, _ = self.api()
        key = self.apigateway.create_api_key(name="k", enabled=True)
        plan = self.apigateway.create_usage_plan(
            name="p",
            throttle={"rateLimit": 1000.0, "burstLimit": 2000},
            quota={"limit": 10, "period": "DAY"},
            apiStages=[{"apiId": api, "stage": "live"}],
        )["id"]
        pair = {"usagePlanId": plan, "keyId": key["id"]}
        self.apigateway.create_usage_plan_key(**pair, keyType="API_KEY")
        self.refused("ConflictException", self.apigateway.create_usage_plan_key, **pair, keyType="API_KEY")
        self.assertEqual(self.apigateway.get_usage_plan_key(**pair)["id"], key["id"])
        self.refused("NotFoundException", self.apigateway.get_usage_plan_key, usagePlanId=plan, keyId="missing")
        self.assertEqual(self.apigateway.get_usage_plan_keys(usagePlanId="missing")["items"], [])
        self.assertNotIn("value", self.apigateway.get_api_key(apiKey=key["id"]))
        self.assertEqual(self.apigateway.get_api_key(apiKey=key["id"], includeValue=True)["value"], key["value"])
        self.assertNotIn("value", self.apigateway.get_api_keys()["items"][0])
        self.apigateway.update_api_key(
            apiKey=key["id"],
            patchOperations=[
                {"op": "replace", "path": "/enabled", "value": "false"},
                {"op": "replace", "path": "/description", "value": "d"},
            ],
        )
        got = self.apigateway.get_api_key(apiKey=key["id"])
        self.assertEqual((got["enabled"], got["description"]), (False, "d"))
        self.refused("BadRequestException", self.apigateway.delete_usage_plan, usagePlanId=plan)
        self.apigateway.update_usage_plan(
            usagePlanId=plan,
            patchOperations=[
                {"op": "replace", "path": "/throttle/rateLimit", "value": "500"},
                {"op": "replace", "path": "/quota/limit", "value": "20"},
                {"op": "replace", "path": "/description", "value": "d"},
            ],
        )
        got = self.apigateway.get_usage_plan(usagePlanId=plan)
        self.assertEqual(got["throttle"], {"rateLimit": 500.0, "burstLimit": 2000})
        self.assertEqual((got["quota"]["limit"], got["description"]), (20, "d"))
        self.apigateway.update_usage_plan(
            usagePlanId=plan,
            patchOperations=[
                {"op": "remove", "path": "/throttle"},
                {"op": "remove", "path": "/quota"},
                {"op": "remove", "path": "/apiStages", "value": f"{api}:live"},
            ],
        )
        got = self.apigateway.get_usage_plan(usagePlanId=plan)
        self.assertEqual([got.get("throttle"), got.get("quota"), got["apiStages"]], [None, None, []])
        self.apigateway.update_usage_plan(
            usagePlanId=plan,
            patchOperations=[
                {"op": "replace", "path": "/throttle/rateLimit", "value": "7.5"},
                {"op": "replace", "path": "/throttle/burstLimit", "value": "7"},
                {"op": "add", "path": "/apiStages", "value": f"{api}:live"},
                {"op": "replace", "path": f"/apiStages/{api}:live/throttle/~1webhooks/POST/rateLimit", "value": "3"},
                {"op": "replace", "path": f"/apiStages/{api}:live/throttle/~1webhooks/POST/burstLimit", "value": "4"},
            ],
        )
        got = self.apigateway.get_usage_plan(usagePlanId=plan)
        self.assertEqual(got["throttle"], {"rateLimit": 7.5, "burstLimit": 7})
        self.assertEqual(
            got["apiStages"],
            [{"apiId": api, "stage": "live", "throttle": {"/webhooks/POST": {"rateLimit": 3.0, "burstLimit": 4}}}],
        )
        self.apigateway.update_usage_plan(
            usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{api}:live"}]
        )
        self.apigateway.delete_usage_plan_key(**pair)
        self.apigateway.delete_usage_plan(usagePlanId=plan)
        self.refused("NotFoundException", self.apigateway.get_usage_plan, usagePlanId=plan)
        self.apigateway.delete_api_key(apiKey=key["id"])
        self.refused("NotFoundException", self.apigateway.get_api_key, apiKey=key["id"])

    def test_rest_api_updates(self):
        api, _, _ = self.api()
        self.apigateway.update_rest_api(
            restApiId=api,
            patchOperations=[
                {"op": "replace", "path": "/name", "value": "renamed"},
                {"op": "replace", "path": "/description", "value": "d"},
                {"op": "add", "path": "/binaryMediaTypes/image~1png"},
                {"op": "replace", "path": "/minimumCompressionSize", "value": "1024"},
                {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"},
                {"op": "replace", "path": "/endpointConfiguration/types/0", "value": "EDGE"},
            ],
        )
        got = self.apigateway.get_rest_api(restApiId=api)
        self.assertEqual((got["name"], got["description"], got["binaryMediaTypes"]), ("renamed", "d", ["image/png"]))
        self.assertEqual((got["minimumCompressionSize"], got["disableExecuteApiEndpoint"]), (1024, True))
        self.assertEqual(got["endpointConfiguration"]["types"], ["EDGE"])
        self.apigateway.update_rest_api(
            restApiId=api,
            patchOperations=[
                {"op": "remove", "path": "/description"},
                {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
                {"op": "replace", "path": "/minimumCompressionSize"},
            ],
        )
        got = self.apigateway.get_rest_api(restApiId=api)
        self.assertEqual(
            [got.get(key) for key in ("description", "binaryMediaTypes", "minimumCompressionSize")], [None] * 3
        )
        self.apigateway.delete_rest_api(restApiId=api)
        self.refused("NotFoundException", self.apigateway.get_rest_api, restApiId=api)
        self.refused("NotFoundException", self.apigateway.delete_rest_api, restApiId=api)

    def test_an_account_role_has_to_exist(self):
        arn = f"arn:aws:iam::{self.account}:role/logs"
        patch = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}]
        self.refused("BadRequestException", self.apigateway.update_account, patchOperations=patch)
        self.role("logs")
        self.assertEqual(self.apigateway.update_account(patchOperations=patch)["cloudwatchRoleArn"], arn)
        self.apigateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}])
        self.assertFalse(self.apigateway.get_account().get("cloudwatchRoleArn"))

    def test_a_new_account_has_no_role(self):
        self.assertFalse(self.apigateway.get_account().get("cloudwatchRoleArn"))


    def test_a_document_says_whom_an_integration_acts_as(self):
        api = self.apigateway.create_rest_api(name="orders")["id"]
        role = self.role()
        integration = {"type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q"}
        paths = {"/orders": {"post": {"x-amazon-apigateway-integration": {**integration, "credentials": role}}}}
        document = {"openapi": "3.0.1", "info": {"title": "orders", "version": "1"}, "paths": paths}
        self.apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document).encode())
        resources = self.apigateway.get_resources(restApiId=api, embed=["methods"])["items"]
        (methods,) = [one["resourceMethods"] for one in resources if one["path"] == "/orders"]
        self.assertEqual(methods["POST"]["methodIntegration"]["credentials"], role)

    def test_domains_move_between_endpoints(self):
        named = {"domainName": "api.example.com"}
        certificate = "arn:aws:acm:us-east-1:123456789012:certificate/one"
        self.refused("BadRequestException", self.apigateway.create_domain_name, **named)
        domain = self.apigateway.create_domain_name(**named, certificateArn=certificate, tags=TAGS)
        self.assertIn("distributionDomainName", domain)
        self.refused("ConflictException", self.apigateway.create_domain_name, **named, certificateArn=certificate)
        kinds = "/endpointConfiguration/types"
        comes = [
            {"op": "add", "path": kinds, "value": "REGIONAL"},
            {"op": "add", "path": "/regionalCertificateArn", "value": certificate},
        ]
        goes = [
            {"op": "remove", "path": kinds, "value": "EDGE"},
            {"op": "remove", "path": "/certificateArn"},
        ]
        update = self.apigateway.update_domain_name
        self.refused("BadRequestException", update, **named, patchOperations=comes + goes)
        update(**named, patchOperations=comes)
        domain = update(**named, patchOperations=goes)
        self.assertEqual(domain["endpointConfiguration"]["types"], ["REGIONAL"])
        self.assertNotIn("distributionDomainName", domain)
        self.assertEqual(self.apigateway.get_domain_names()["items"][0]["tags"], TAGS)
        self.apigateway.delete_domain_name(**named)
        self.refused("NotFoundException", self.apigateway.get_domain_name, **named)

    def test_client_certificates_and_vpc_links_keep_their_tags(self):
        certificate = self.apigateway.generate_client_certificate(description="one", tags=TAGS)["clientCertificateId"]
        target = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/orders/0123456789abcdef"
        link = self.apigateway.create_vpc_link(name="orders", targetArns=[target], tags=TAGS)["id"]
        for path in (f"/clientcertificates/{certificate}", f"/vpclinks/{link}"):
            arn = f"arn:aws:apigateway:us-east-1::{path}"
            self.apigateway.untag_resource(resourceArn=arn, tagKeys=["Environment"])
            self.assertEqual(self.apigateway.get_tags(resourceArn=arn)["tags"], {"paystack:stack": "payments-dev"})
        got = self.apigateway.get_vpc_links()["items"][0]
        self.assertEqual((got["status"], got["tags"]), ("AVAILABLE", {"paystack:stack": "payments-dev"}))
        self.apigateway.delete_client_certificate(clientCertificateId=certificate)
        self.refused(
            "NotFoundException", self.apigateway.delete_client_certificate, clientCertificateId=certificate
        )


class Waf(Account):
    def test_web_acls_are_replaced_whole_with_a_lock_token(self):
        summary = self.web_acl()
        where = {"Name": "guard", "Scope": "REGIONAL", "Id": summary["Id"]}
        self.refused("WAFDuplicateItemException", self.web_acl)
        got = self.wafv2.get_web_acl(**where)
        self.assertEqual(got["WebACL"]["Capacity"], 702)
        self.assertEqual(got["WebACL"]["Description"], "of tests")
        self.assertEqual(got["WebACL"]["Rules"][0]["Statement"]["RateBasedStatement"]["EvaluationWindowSec"], 300)
        self.acl["Rules"].pop()
        self.wafv2.update_web_acl(**where, LockToken=got["LockToken"], **self.acl)
        self.refused(
            "WAFOptimisticLockException", self.wafv2.update_web_acl, **where, LockToken=got["LockToken"], **self.acl
        )
        got = self.wafv2.get_web_acl(**where)
        self.assertEqual(len(got["WebACL"]["Rules"]), 1)
        self.assertNotIn("Description", got["WebACL"])
        self.assertEqual(self.wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"][0]["Name"], "guard")
        self.wafv2.tag_resource(ResourceARN=summary["ARN"], Tags=[{"Key": "Owner", "Value": "me"}])
        self.wafv2.untag_resource(ResourceARN=summary["ARN"], TagKeys=["Environment"])
        tags = self.wafv2.list_tags_for_resource(ResourceARN=summary["ARN"])["TagInfoForResource"]["TagList"]
        self.assertEqual({tag["Key"] for tag in tags}, {"Owner", "paystack:stack"})
        self.wafv2.delete_web_acl(**where, LockToken=got["LockToken"])
        self.refused("WAFNonexistentItemException", self.wafv2.get_web_acl, **where)
        self.assertEqual(self.wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"], [])

    def test_an_association_lives_as_long_as_its_stage(self):
        api, _, deployment = self.api()
        summary = self.web_acl()
        stage = f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/live"
        self.refused(
            "WAFNonexistentItemException",
            self.wafv2.associate_web_acl,
            WebACLArn=summary["ARN"],
            ResourceArn=stage + "x",
        )
        self.assertNotIn("WebACL", self.wafv2.get_web_acl_for_resource(ResourceArn=stage))
        self.wafv2.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=stage)
        self.assertEqual(self.wafv2.get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["ARN"], summary["ARN"])
        self.assertEqual(self.wafv2.list_resources_for_web_acl(WebACLArn=summary["ARN"])["ResourceArns"], [stage])
        patch = [{"op": "replace", "path": "/description", "value": "d"}]
        self.apigateway.update_stage(restApiId=api, stageName="live", patchOperations=patch)
        self.assertEqual(self.apigateway.get_stage(restApiId=api, stageName="live")["webAclArn"], summary["ARN"])
        delete = {"Name": "guard", "Scope": "REGIONAL", "Id": summary["Id"], "LockToken": summary["LockToken"]}
        self.refused("WAFAssociatedItemException", self.wafv2.delete_web_acl, **delete)
        self.apigateway.delete_stage(restApiId=api, stageName="live")
        self.apigateway.create_stage(restApiId=api, stageName="live", deploymentId=deployment)
        self.assertNotIn("webAclArn", self.apigateway.get_stage(restApiId=api, stageName="live"))
        self.wafv2.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=stage)
        self.wafv2.disassociate_web_acl(ResourceArn=stage)
        self.wafv2.delete_web_acl(**delete)

    def test_ip_sets(self):
        summary = self.wafv2.create_ip_set(
            Name="s", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["10.0.0.0/8"], Description="d"
        )["Summary"]
        where = {"Name": "s", "Scope": "REGIONAL", "Id": summary["Id"]}
        token = self.wafv2.update_ip_set(**where, Addresses=["10.1.0.0/16"], LockToken=summary["LockToken"])[
            "NextLockToken"
        ]
        got = self.wafv2.get_ip_set(**where)["IPSet"]
        self.assertEqual((got["Addresses"], got["IPAddressVersion"]), (["10.1.0.0/16"], "IPV4"))
        self.assertEqual(len(self.wafv2.list_ip_sets(Scope="REGIONAL")["IPSets"]), 1)
        self.wafv2.delete_ip_set(**where, LockToken=token)

    def test_logging(self):
        summary = self.web_acl()
        group = f"arn:aws:logs:us-east-1:{self.account}:log-group:aws-waf-logs-x"
        configuration = {"ResourceArn": summary["ARN"], "LogDestinationConfigs": [group]}
        wrong = {**configuration, "LogDestinationConfigs": [group.replace("aws-waf-logs-", "")]}
        self.refused("WAFInvalidParameterException", self.wafv2.put_logging_configuration, LoggingConfiguration=wrong)
        self.wafv2.put_logging_configuration(LoggingConfiguration=configuration)
        got = self.wafv2.get_logging_configuration(ResourceArn=summary["ARN"])["LoggingConfiguration"]
        self.assertEqual(got["LogDestinationConfigs"], [group])
        self.assertEqual(len(self.wafv2.list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"]), 1)
        self.wafv2.delete_logging_configuration(ResourceArn=summary["ARN"])
        self.refused("WAFNonexistentItemException", self.wafv2.get_logging_configuration, ResourceArn=summary["ARN"])

    def test_capacity(self):
        self.web_acl()
        self.assertEqual(self.wafv2.check_capacity(Scope="REGIONAL", Rules=self.acl["Rules"])["Capacity"], 702)


class Logs(Account):
    def test_query_definitions(self):
        put = {"name": "failures", "queryString": "fields @message", "logGroupNames": ["a"], "clientToken": "t" * 36}
        id = self.logs.put_query_definition(**put)["queryDefinitionId"]
        self.assertEqual(self.logs.put_query_definition(**put)["queryDefinitionId"], id)
        self.logs.put_query_definition(queryDefinitionId=id, name="failures", queryString="stats count()")
        found = self.logs.describe_query_definitions(queryDefinitionNamePrefix="fail")["queryDefinitions"]
        self.assertEqual([(one["queryString"], one["logGroupNames"]) for one in found], [("stats count()", [])])
        self.assertTrue(self.logs.delete_query_definition(queryDefinitionId=id)["success"])
        self.refused("ResourceNotFoundException", self.logs.delete_query_definition, queryDefinitionId=id)

    def test_log_groups_come_in_pages(self):
        for number in range(7):
            self.logs.create_log_group(logGroupName=f"/a/{number}")
        first = self.logs.describe_log_groups(logGroupNamePrefix="/a/", limit=5)
        second = self.logs.describe_log_groups(logGroupNamePrefix="/a/", limit=5, nextToken=first["nextToken"])
        self.assertEqual((len(first["logGroups"]), len(second["logGroups"])), (5, 2))
        self.assertNotIn("nextToken", second)
        group = second["logGroups"][0]
        self.assertEqual(group["arn"], group["logGroupArn"] + ":*")

    def test_tags_go_with_the_group(self):
        arn = f"arn:aws:logs:us-east-1:{self.account}:log-group:/a"
        self.logs.create_log_group(logGroupName="/a")
        self.logs.tag_resource(resourceArn=arn, tags=TAGS)
        self.logs.untag_resource(resourceArn=arn, tagKeys=["Environment"])
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=arn)["tags"], {"paystack:stack": "payments-dev"})
        self.logs.delete_log_group(logGroupName="/a")
        self.refused("ResourceNotFoundException", self.logs.list_tags_for_resource, resourceArn=arn)
        self.logs.create_log_group(logGroupName="/a", tags={"Owner": "me"})
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=arn)["tags"], {"Owner": "me"})

    def test_log_groups_that_are_asked_for_by_name_or_arn(self):
        for name in ("/a", "/b", "/c"):
            self.logs.create_log_group(logGroupName=name)
        arn = self.logs.describe_log_groups(logGroupNamePrefix="/c")["logGroups"][0]["logGroupArn"]
        described = self.logs.describe_log_groups(logGroupIdentifiers=["/a", arn])["logGroups"]
        self.assertEqual([group["logGroupName"] for group in described], ["/a", "/c"])

    def test_policies_and_switches_of_a_log_group(self):
        self.logs.create_log_group(logGroupName="/a")
        described = self.logs.describe_log_groups()["logGroups"][0]
        self.assertNotIn("dataProtectionStatus", described)
        self.assertFalse(described["deletionProtectionEnabled"])
        policy = json.dumps({"Fields": ["requestId"]})
        self.logs.put_index_policy(logGroupIdentifier="/a", policyDocument=policy)
        indexed = self.logs.describe_index_policies(logGroupIdentifiers=["/a"])["indexPolicies"]
        self.assertEqual([(one["policyDocument"], one["source"]) for one in indexed], [(policy, "LOG_GROUP")])
        self.logs.delete_index_policy(logGroupIdentifier="/a")
        self.assertEqual(self.logs.describe_index_policies(logGroupIdentifiers=["/a"])["indexPolicies"], [])
        self.logs.put_data_protection_policy(logGroupIdentifier="/a", policyDocument="{}")
        self.logs.put_log_group_deletion_protection(logGroupIdentifier="/a", deletionProtectionEnabled=True)
        described = self.logs.describe_log_groups()["logGroups"][0]
        self.assertEqual(described["dataProtectionStatus"], "ACTIVATED")
        self.assertTrue(described["deletionProtectionEnabled"])
        self.assertEqual(self.logs.get_data_protection_policy(logGroupIdentifier="/a")["policyDocument"], "{}")
        self.logs.delete_data_protection_policy(logGroupIdentifier="/a")
        self.assertNotIn("dataProtectionStatus", self.logs.describe_log_groups()["logGroups"][0])
        self.refused("ResourceNotFoundException", self.logs.describe_index_policies, logGroupIdentifiers=["/b"])

    def test_retention_key_and_filters(self):
        self.logs.create_log_group(logGroupName="/a")
        self.logs.put_retention_policy(logGroupName="/a", retentionInDays=30)
        key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.logs.associate_kms_key(logGroupName="/a", kmsKeyId=key)
        group = self.logs.describe_log_groups()["logGroups"][0]
        self.assertEqual((group["retentionInDays"], group["kmsKeyId"], group["logGroupClass"]), (30, key, "STANDARD"))
        self.logs.delete_retention_policy(logGroupName="/a")
        self.logs.disassociate_kms_key(logGroupName="/a")
        group = self.logs.describe_log_groups()["logGroups"][0]
        self.assertEqual((group.get("retentionInDays"), group.get("kmsKeyId")), (None, None))
        transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "defaultValue": 0.0}
        self.logs.put_metric_filter(
            logGroupName="/a", filterName="f", filterPattern="ERROR", metricTransformations=[transformation]
        )
        self.logs.put_metric_filter(
            logGroupName="/a", filterName="f", filterPattern="", metricTransformations=[transformation]
        )
        found = self.logs.describe_metric_filters(logGroupName="/a", filterNamePrefix="f")["metricFilters"]
        self.assertEqual([one["filterPattern"] for one in found], [""])
        self.assertEqual(found[0]["metricTransformations"], [transformation])
        self.logs.delete_metric_filter(logGroupName="/a", filterName="f")
        self.assertEqual(self.logs.describe_metric_filters(logGroupName="/a")["metricFilters"], [])
        self.refused("ResourceNotFoundException", self.logs.delete_metric_filter, logGroupName="/a", filterName="f")
        self.refused("ResourceAlreadyExistsException", self.logs.create_log_group, logGroupName="/a")
        self.logs.delete_log_group(logGroupName="/a")
        self.refused("ResourceNotFoundException", self.logs.delete_log_group, logGroupName="/a")

    def test_resource_policies(self):
        document = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.logs.put_resource_policy(policyName="p", policyDocument=document)
        found = self.logs.describe_resource_policies()["resourcePolicies"]
        self.assertEqual([(one["policyName"], one["policyDocument"]) for one in found], [("p", document)])
        self.logs.delete_resource_policy(policyName="p")
        self.refused("ResourceNotFoundException", self.logs.delete_resource_policy, policyName="p")


    def test_destinations(self):
        named = {"destinationName": "orders"}
        arns = {"targetArn": "arn:aws:kinesis:us-east-1:123456789012:stream/one", "roleArn": self.role()}
        self.logs.put_destination(**named, **arns, tags=TAGS)
        again = self.logs.put_destination(**named, **arns, tags={"Owner": "me"})["destination"]
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=again["arn"])["tags"], TAGS)
        found = self.logs.describe_destinations(DestinationNamePrefix="ord")["destinations"]
        self.assertEqual([one["destinationName"] for one in found], ["orders"])
        self.assertNotIn("accessPolicy", found[0])
        self.logs.delete_destination(**named)
        self.refused("ResourceNotFoundException", self.logs.delete_destination, **named)

    def test_account_policies(self):
        named = {"policyName": "orders", "policyType": "FIELD_INDEX_POLICY"}
        self.logs.put_account_policy(**named, policyDocument='{"Fields": ["id"]}')
        found = self.logs.describe_account_policies(policyType="FIELD_INDEX_POLICY")["accountPolicies"]
        self.assertEqual([(one["policyName"], one["scope"]) for one in found], [("orders", "ALL")])
        other = self.logs.describe_account_policies(policyType="SUBSCRIPTION_FILTER_POLICY")["accountPolicies"]
        self.assertEqual(other, [])
        self.logs.delete_account_policy(**named)
        self.refused("ResourceNotFoundException", self.logs.delete_account_policy, **named)

    def test_anomaly_detectors(self):
        self.logs.create_log_group(logGroupName="g")
        group = self.logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
        create = self.logs.create_log_anomaly_detector
        self.refused("ResourceNotFoundException", create, logGroupArnList=[f"{group}-2"])
        detector = {"anomalyDetectorArn": create(logGroupArnList=[group], tags=TAGS)["anomalyDetectorArn"]}
        self.logs.update_log_anomaly_detector(**detector, enabled=True, filterPattern="error")
        got = self.logs.get_log_anomaly_detector(**detector)
        self.assertEqual((got["filterPattern"], got["anomalyVisibilityTime"]), ("error", 21))
        listed = self.logs.list_log_anomaly_detectors(filterLogGroupArn=group)["anomalyDetectors"]
        self.assertEqual([one["anomalyDetectorArn"] for one in listed], list(detector.values()))
        self.logs.delete_log_anomaly_detector(**detector)
        self.refused("ResourceNotFoundException", self.logs.get_log_anomaly_detector, **detector)


class CloudWatch(Account):
    def test_anomaly_detectors(self):
        older = {"Namespace": "Orders", "MetricName": "Taken", "Stat": "Sum"}
        self.cloudwatch.put_anomaly_detector(**older)
        self.cloudwatch.put_anomaly_detector(SingleMetricAnomalyDetector=older, Configuration={"MetricTimezone": "UTC"})
        (got,) = self.cloudwatch.describe_anomaly_detectors(Namespace="Orders")["AnomalyDetectors"]
        self.assertEqual(got["SingleMetricAnomalyDetector"], older)
        self.assertEqual(got["Configuration"]["MetricTimezone"], "UTC")
        math = self.cloudwatch.describe_anomaly_detectors(AnomalyDetectorTypes=["METRIC_MATH"])["AnomalyDetectors"]
        self.assertEqual(math, [])
        self.cloudwatch.delete_anomaly_detector(**older)
        self.refused("ResourceNotFoundException", self.cloudwatch.delete_anomaly_detector, **older)

    def test_insight_rules_and_metric_streams(self):
        definition = json.dumps({"Schema": {"Name": "CloudWatchLogRule", "Version": 1}})
        self.cloudwatch.put_insight_rule(RuleName="r", RuleDefinition=definition, Tags=TAG_LIST)
        (rule,) = self.cloudwatch.describe_insight_rules()["InsightRules"]
        self.assertEqual((rule["State"], rule["Definition"]), ("ENABLED", definition))
        self.assertEqual(self.cloudwatch.delete_insight_rules(RuleNames=["r", "none"])["Failures"], [])
        built_in = "DynamoDBContributorInsights-PKC-orders"
        (failure,) = self.cloudwatch.delete_insight_rules(RuleNames=[built_in])["Failures"]
        self.assertEqual(failure["FailureResource"], built_in)
        stream = {
            "Name": "s",
            "FirehoseArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/s",
            "RoleArn": self.role(),
            "OutputFormat": "json",
        }
        arn = self.cloudwatch.put_metric_stream(**stream, Tags=TAG_LIST)["Arn"]
        self.cloudwatch.put_metric_stream(**stream, Tags=[{"Key": "Owner", "Value": "me"}])
        tags = self.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
        self.assertEqual({tag["Key"]: tag["Value"] for tag in tags}, TAGS)
        both = {"IncludeFilters": [{"Namespace": "A"}], "ExcludeFilters": [{"Namespace": "B"}]}
        self.refused("InvalidParameterCombination", self.cloudwatch.put_metric_stream, **stream, **both)
        self.assertEqual(self.cloudwatch.get_metric_stream(Name="s")["State"], "running")
        self.cloudwatch.delete_metric_stream(Name="s")
        self.cloudwatch.delete_metric_stream(Name="s")
        self.refused("ResourceNotFoundException", self.cloudwatch.get_metric_stream, Name="s")

    math = {
        "AlarmName": "errors",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1.0,
        "TreatMissingData": "notBreaching",
        "Metrics": [
            {"Id": "rate", "Expression": "100 * errors / calls", "ReturnData": True},
            {
                "Id": "errors",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors"},
                    "Period": 300,
                    "Stat": "Sum",
                },
            },
        ],
    }

    def test_alarms(self):
        self.cloudwatch.put_metric_alarm(**self.math, Tags=TAG_LIST)
        self.cloudwatch.put_metric_alarm(**{**self.math, "Threshold": 2.0}, Tags=[{"Key": "Owner", "Value": "me"}])
        found = self.cloudwatch.describe_alarms(AlarmNames=["errors"], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        alarm = found["MetricAlarms"][0]
        self.assertEqual((alarm["Threshold"], len(alarm["Metrics"])), (2.0, 2))
        arn = alarm["AlarmArn"]
        self.assertEqual(
            {tag["Key"] for tag in self.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}, set(TAGS)
        )
        self.cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "Owner", "Value": "me"}])
        self.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=list(TAGS))
        self.assertEqual(
            self.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "Owner", "Value": "me"}]
        )
        self.cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("errors")', Tags=TAG_LIST)
        self.assertEqual(self.cloudwatch.describe_alarms(AlarmNames=["any"])["MetricAlarms"], [])
        found = self.cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        self.assertEqual([one["AlarmName"] for one in found], ["any"])
        self.cloudwatch.delete_alarms(AlarmNames=["any"])
        self.cloudwatch.delete_alarms(AlarmNames=["errors"])
        self.assertEqual(self.cloudwatch.describe_alarms()["MetricAlarms"], [])
        self.assertEqual(self.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"], [])

    def test_dashboards(self):
        body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "x"}}]})
        self.cloudwatch.put_dashboard(DashboardName="d", DashboardBody=body)
        got = self.cloudwatch.get_dashboard(DashboardName="d")
        self.assertEqual(json.loads(got["DashboardBody"]), json.loads(body))
        self.assertEqual(got["DashboardArn"], f"arn:aws:cloudwatch::{self.account}:dashboard/d")
        self.cloudwatch.tag_resource(ResourceARN=got["DashboardArn"], Tags=TAG_LIST)
        self.assertEqual(len(self.cloudwatch.list_tags_for_resource(ResourceARN=got["DashboardArn"])["Tags"]), 2)
        self.cloudwatch.delete_dashboards(DashboardNames=["d"])
        self.refused("ResourceNotFound", self.cloudwatch.get_dashboard, DashboardName="d")
        self.refused("ResourceNotFound", self.cloudwatch.delete_dashboards, DashboardNames=["d"])
        self.assertEqual(self.cloudwatch.list_dashboards()["DashboardEntries"], [])


class Messaging(Account):
    def attributes(self, queue):
        return self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    def test_queue_encryption(self):
        queue = self.sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})["QueueUrl"]
        got = self.attributes(queue)
        self.assertEqual((got["SqsManagedSseEnabled"], got["KmsDataKeyReusePeriodSeconds"]), ("false", "300"))
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"})
        got = self.attributes(queue)
        self.assertEqual((got["SqsManagedSseEnabled"], got.get("KmsMasterKeyId")), ("true", None))
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
        self.assertEqual(self.attributes(queue)["SqsManagedSseEnabled"], "false")

    def test_queues(self):
        dead = self.sqs.create_queue(QueueName="dead", tags=TAGS)["QueueUrl"]
        arn = self.attributes(dead)["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        queue = self.sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "45"})
        queue = queue["QueueUrl"]
        self.sqs.set_queue_attributes(
            QueueUrl=dead,
            Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "allowAll"}), "Policy": policy},
        )
        got = self.attributes(queue)
        self.assertEqual(
            (json.loads(got["RedrivePolicy"])["deadLetterTargetArn"], got["VisibilityTimeout"]), (arn, "45")
        )
        self.assertEqual(got["MaximumMessageSize"], "1048576")
        self.assertEqual(self.attributes(dead)["Policy"], policy)
        self.sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": "", "Policy": ""})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
        self.assertEqual(
            {"Policy", "RedriveAllowPolicy", "RedrivePolicy"} & {*self.attributes(queue), *self.attributes(dead)}, set()
        )
        self.sqs.tag_queue(QueueUrl=dead, Tags={"Owner": "me"})
        self.sqs.untag_queue(QueueUrl=dead, TagKeys=["Environment"])
        self.assertEqual(set(self.sqs.list_queue_tags(QueueUrl=dead)["Tags"]), {"Owner", "paystack:stack"})
        self.assertEqual(self.sqs.get_queue_url(QueueName="dead")["QueueUrl"], dead)
        self.sqs.delete_queue(QueueUrl=dead)
        self.refused("AWS.SimpleQueueService.NonExistentQueue", self.sqs.get_queue_url, QueueName="dead")
        self.refused("AWS.SimpleQueueService.NonExistentQueue", self.sqs.get_queue_attributes, QueueUrl=dead)

    def test_an_email_subscription_waits_for_its_person(self):
        topic = self.sns.create_topic(Name="t")["TopicArn"]
        subscribe = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
        self.assertEqual(self.sns.subscribe(**subscribe)["SubscriptionArn"], "pending confirmation")
        arn = self.sns.subscribe(**subscribe, ReturnSubscriptionArn=True)["SubscriptionArn"]
        self.assertTrue(arn.startswith(topic + ":"))
        self.assertEqual(
            self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"], "true"
        )
        lists = [self.sns.list_subscriptions_by_topic(TopicArn=topic) for _ in range(2)]
        for found in (*lists, self.sns.list_subscriptions()):
            self.assertEqual([one["SubscriptionArn"] for one in found["Subscriptions"]], ["PendingConfirmation"])
        counts = self.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        self.assertEqual((counts["SubscriptionsPending"], counts["SubscriptionsConfirmed"]), ("1", "0"))
        self.refused("InvalidParameter", self.sns.unsubscribe, SubscriptionArn=arn)
        self.sns.delete_topic(TopicArn=topic)
        self.assertEqual(self.sns.list_subscriptions()["Subscriptions"], [])

    def test_an_empty_policy_takes_that_of_a_subscription_away(self):
        topic = self.sns.create_topic(Name="t")["TopicArn"]
        queue = "arn:aws:sqs:us-east-1:123456789012:q"
        policies = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue}), "FilterPolicy": '{"a": ["b"]}'}
        arn = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=policies)["SubscriptionArn"]
        self.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue="")
        self.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
        attributes = self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        self.assertEqual(policies.keys() & attributes.keys(), set())

    def test_topics_and_subscriptions(self):
        topic = self.sns.create_topic(Name="t", Tags=TAG_LIST)["TopicArn"]
        policy = self.sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        self.assertEqual(json.loads(policy)["Id"], "__default_policy_ID")
        for name, value in {"DisplayName": "x", "KmsMasterKeyId": "alias/aws/sns", "TracingConfig": "Active"}.items():
            self.sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
            self.assertEqual(self.sns.get_topic_attributes(TopicArn=topic)["Attributes"][name], value)
        self.sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
        self.assertFalse(self.sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("KmsMasterKeyId"))
        queue = self.sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = self.sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=self.attributes(queue)["QueueArn"],
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["a"]}'},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        for name, value in {"RawMessageDelivery": "false", "FilterPolicy": "{}"}.items():
            self.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
        got = self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        self.assertEqual(got["RawMessageDelivery"], "false")
        self.assertIn(got.get("FilterPolicy", "{}"), ("{}", ""))
        self.sns.unsubscribe(SubscriptionArn=arn)
        self.refused("NotFound", self.sns.get_subscription_attributes, SubscriptionArn=arn)
        self.sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "Owner", "Value": "me"}])
        self.sns.untag_resource(ResourceArn=topic, TagKeys=["Environment"])
        tags = self.sns.list_tags_for_resource(ResourceArn=topic)["Tags"]
        self.assertEqual({tag["Key"] for tag in tags}, {"Owner", "paystack:stack"})
        self.sns.delete_topic(TopicArn=topic)
        self.sns.delete_topic(TopicArn=topic)
        self.refused("NotFound", self.sns.get_topic_attributes, TopicArn=topic)


class Functions(Account):
    def test_a_function_runs_with_its_layer(self):
        layer = self.lambda_.publish_layer_version(
            LayerName="shared",
            Description="digest",
            CompatibleRuntimes=["python3.11"],
            CompatibleArchitectures=["arm64"],
            Content={"ZipFile": zipped(python__shared="WORD = 'hello'\n")},
        )
        code = (
            "import os, shared\n"
            "def handler(event, context):\n"
            "    print('said')\n"
            "    return [shared.WORD, os.environ['WHO'], context.function_name]\n"
        )
        self.function(
            code=code,
            Layers=[layer["LayerVersionArn"]],
            Environment={"Variables": {"WHO": "you"}},
            Architectures=["arm64"],
            Timeout=5,
            TracingConfig={"Mode": "Active"},
        )
        answer = self.lambda_.invoke(FunctionName="worker", LogType="Tail")
        self.assertEqual(json.loads(answer["Payload"].read()), ["hello", "you", "worker"])
        self.assertIn("said", base64.b64decode(answer["LogResult"]).decode())
        found = self.lambda_.list_layer_versions(LayerName="shared")["LayerVersions"]
        self.assertEqual([(one["Version"], one["Description"]) for one in found], [(1, "digest")])
        self.lambda_.delete_layer_version(LayerName="shared", VersionNumber=1)
        self.assertEqual(self.lambda_.list_layer_versions(LayerName="shared")["LayerVersions"], [])
        self.refused("ResourceNotFoundException", self.lambda_.get_layer_version, LayerName="shared", VersionNumber=1)

    def test_failures_and_timeouts_are_reported(self):
        self.function(
            code="import time\ndef handler(event, context):\n    time.sleep(event)\n    return 1 / 0\n", Timeout=1
        )
        answer = self.lambda_.invoke(FunctionName="worker", Payload="0")
        self.assertEqual(json.loads(answer["Payload"].read())["errorType"], "ZeroDivisionError")
        answer = self.lambda_.invoke(FunctionName="worker", Payload="5")
        self.assertIn("Task timed out", json.loads(answer["Payload"].read())["errorMessage"])
        self.assertEqual(answer["FunctionError"], "Unhandled")

    def test_what_a_run_has_logged_stays_when_its_process_ends(self):
        self.function(
            code="import os, time\ndef handler(event, context):\n    print('booked')\n    time.sleep(event)\n    os._exit(1)\n",
            Timeout=1,
        )
        for seconds, error in (("0", "Runtime exited"), ("5", "Task timed out")):
            answer = self.lambda_.invoke(FunctionName="worker", Payload=seconds, LogType="Tail")
            log = base64.b64decode(answer["LogResult"]).decode()
            self.assertLess(log.index("booked\n"), log.index(error))
            self.assertEqual(log.count("START RequestId"), 1)

    def test_configuration_updates(self):
        self.function(Tags=TAGS, Description="d", Environment={"Variables": {"A": "1"}})
        self.lambda_.update_function_configuration(
            FunctionName="worker", Description="", Timeout=9, MemorySize=256, Environment={"Variables": {}}, Layers=[]
        )
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName="worker", WaiterConfig={"Delay": 0.1})
        self.lambda_.update_function_code(FunctionName="worker", ZipFile=zipped(app="x = 1"), Architectures=["arm64"])
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName="worker", WaiterConfig={"Delay": 0.1})
        self.lambda_.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=5)
        got = self.lambda_.get_function(FunctionName="worker")
        configuration = got["Configuration"]
        self.assertEqual(
            (configuration["Timeout"], configuration["MemorySize"], configuration["Description"]), (9, 256, "")
        )
        self.assertEqual(
            (configuration["Architectures"], got["Concurrency"]["ReservedConcurrentExecutions"]), (["arm64"], 5)
        )
        self.assertEqual(got["Tags"], TAGS)
        self.lambda_.delete_function_concurrency(FunctionName="worker")
        self.assertNotIn("Concurrency", self.lambda_.get_function(FunctionName="worker"))
        self.lambda_.delete_function(FunctionName="worker")
        self.refused("ResourceNotFoundException", self.lambda_.get_function, FunctionName="worker")

    def test_permissions(self):
        self.function()
        self.refused("ResourceNotFoundException", self.lambda_.get_policy, FunctionName="worker")
        self.lambda_.add_permission(
            FunctionName="worker",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:{self.account}:x/*/POST/webhooks",
        )
        statement = json.loads(self.lambda_.get_policy(FunctionName="worker")["Policy"])["Statement"][0]
        self.assertIn("AWS:SourceArn", statement["Condition"]["ArnLike"])
        self.lambda_.remove_permission(FunctionName="worker", StatementId="api")
        self.refused("ResourceNotFoundException", self.lambda_.get_policy, FunctionName="worker")
        self.refused(
            "ResourceNotFoundException", self.lambda_.remove_permission, FunctionName="worker", StatementId="api"
        )

    def test_event_source_mappings(self):
        self.function()
        queue = self.sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        create = {"FunctionName": "worker", "EventSourceArn": arn}
        mapping = self.lambda_.create_event_source_mapping(
            **create,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 5},
            BatchSize=5,
            Tags=TAGS,
        )
        id = mapping["UUID"]
        self.refused("ResourceConflictException", self.lambda_.create_event_source_mapping, **create)
        self.wait_for_mapping(id, "Enabled")
        self.lambda_.update_event_source_mapping(UUID=id, BatchSize=7, ScalingConfig={}, FunctionResponseTypes=[])
        self.wait_for_mapping(id, "Enabled")
        got = self.lambda_.get_event_source_mapping(UUID=id)
        self.assertEqual((got["BatchSize"], got.get("ScalingConfig") or {}, got["FunctionResponseTypes"]), (7, {}, []))
        tagged = mapping["EventSourceMappingArn"]
        self.lambda_.tag_resource(Resource=tagged, Tags={"Owner": "me"})
        self.lambda_.untag_resource(Resource=tagged, TagKeys=["Environment"])
        self.assertEqual(set(self.lambda_.list_tags(Resource=tagged)["Tags"]), {"Owner", "paystack:stack"})
        self.lambda_.delete_event_source_mapping(UUID=id)
        self.wait_for_mapping(id, None)

    def wait_for_mapping(self, id, state):
        for _ in range(200):
            try:
                if self.lambda_.get_event_source_mapping(UUID=id)["State"] == state:
                    return
            except ClientError:
                if state is None:
                    return
            time.sleep(0.1)
        self.fail(f"the mapping does not become {state}")


    def test_code_signing_configs_have_tags(self):
        publishers = {
            "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/a1b2c3d4e5"]
        }
        made = self.lambda_.create_code_signing_config(AllowedPublishers=publishers, Tags=TAGS)["CodeSigningConfig"]
        self.assertEqual(made["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Warn"})
        arn = made["CodeSigningConfigArn"]
        self.lambda_.untag_resource(Resource=arn, TagKeys=["Environment"])
        self.assertEqual(self.lambda_.list_tags(Resource=arn)["Tags"], {"paystack:stack": "payments-dev"})
        self.lambda_.delete_code_signing_config(CodeSigningConfigArn=arn)
        self.refused("ResourceNotFoundException", self.lambda_.list_tags, Resource=arn)


class Iam(Account):
    def test_a_users_tags_stay_its_own_under_another_path(self):
        self.iam.create_user(UserName="jo", Path="/people/", Tags=TAG_LIST)
        self.iam.update_user(UserName="jo", NewPath="/staff/")
        got = self.iam.get_user(UserName="jo")["User"]
        self.assertEqual((got["Path"], len(got["Tags"])), ("/staff/", len(TAG_LIST)))
        self.iam.create_user(UserName="other", Path="/people/")
        self.assertNotIn("Tags", self.iam.get_user(UserName="other")["User"])

    def test_inline_policies_need_no_version(self):
        self.role()
        older = {name: value for name, value in json.loads(POLICY).items() if name != "Version"}
        document = {"PolicyName": "p", "PolicyDocument": json.dumps(older)}
        self.iam.put_role_policy(RoleName="worker", **document)
        self.assertEqual(self.iam.get_role_policy(RoleName="worker", PolicyName="p")["PolicyDocument"], older)
        self.refused("MalformedPolicyDocument", self.iam.create_policy, **document)

    def test_roles(self):
        self.role("r")
        self.iam.update_role(RoleName="r", Description="d", MaxSessionDuration=7200)
        self.iam.update_assume_role_policy(RoleName="r", PolicyDocument=TRUST)
        self.iam.tag_role(RoleName="r", Tags=[{"Key": "Owner", "Value": "me"}])
        self.iam.untag_role(RoleName="r", TagKeys=["Environment"])
        got = self.iam.get_role(RoleName="r")["Role"]
        self.assertEqual((got["Description"], got["MaxSessionDuration"]), ("d", 7200))
        self.assertEqual(
            {tag["Key"] for tag in self.iam.list_role_tags(RoleName="r")["Tags"]}, {"Owner", "paystack:stack"}
        )
        self.assertNotIn("Tags", self.iam.list_roles()["Roles"][0])
        self.iam.update_role(RoleName="r", Description="")
        self.assertFalse(self.iam.get_role(RoleName="r")["Role"].get("Description"))
        self.iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=POLICY)
        self.assertEqual(
            self.iam.get_role_policy(RoleName="r", PolicyName="inline")["PolicyDocument"], json.loads(POLICY)
        )
        boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
        self.iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=boundary)
        got = self.iam.get_role(RoleName="r")["Role"]["PermissionsBoundary"]
        self.assertEqual(got["PermissionsBoundaryArn"], boundary)
        self.iam.delete_role_permissions_boundary(RoleName="r")
        aws = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        self.iam.attach_role_policy(RoleName="r", PolicyArn=aws)
        self.refused("DeleteConflict", self.iam.delete_role, RoleName="r")
        self.iam.detach_role_policy(RoleName="r", PolicyArn=aws)
        self.refused("NoSuchEntity", self.iam.detach_role_policy, RoleName="r", PolicyArn=aws)
        self.refused("DeleteConflict", self.iam.delete_role, RoleName="r")
        self.iam.delete_role_policy(RoleName="r", PolicyName="inline")
        self.assertEqual(self.iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"], [])
        self.iam.delete_role(RoleName="r")
        self.refused("NoSuchEntity", self.iam.get_role, RoleName="r")

    def test_managed_policies(self):
        arn = self.iam.create_policy(PolicyName="p", PolicyDocument=POLICY, Tags=TAG_LIST)["Policy"]["Arn"]
        for number in range(4):
            self.iam.create_policy_version(
                PolicyArn=arn, PolicyDocument=POLICY.replace("Get", f"Get{number}"), SetAsDefault=True
            )
        self.refused(
            "LimitExceeded", self.iam.create_policy_version, PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True
        )
        self.assertEqual(self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v5")
        self.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
        self.role("r")
        self.iam.attach_role_policy(RoleName="r", PolicyArn=arn)
        self.assertEqual(self.iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"], "r")
        self.iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "Owner", "Value": "me"}])
        self.iam.untag_policy(PolicyArn=arn, TagKeys=["Environment"])
        self.refused("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
        self.iam.detach_role_policy(RoleName="r", PolicyArn=arn)
        for version in self.iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        self.iam.delete_policy(PolicyArn=arn)
        self.refused("NoSuchEntity", self.iam.get_policy, PolicyArn=arn)


class DynamoDb(Account):
    def table(self, **more):
        return self.dynamodb.create_table(
            **{
                "TableName": "t",
                "AttributeDefinitions": [
                    {"AttributeName": "id", "AttributeType": "S"},
                    {"AttributeName": "day", "AttributeType": "S"},
                ],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-day",
                        "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                "Tags": TAG_LIST,
                "SSESpecification": {"Enabled": True},
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                **more,
            }
        )["TableDescription"]

    def test_tables(self):
        arn = self.table()["TableArn"]
        got = self.dynamodb.describe_table(TableName="t")["Table"]
        self.assertEqual((got["TableStatus"], got["SSEDescription"]["Status"]), ("ACTIVE", "ENABLED"))
        self.assertEqual(got["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(got["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES")
        self.assertEqual(got["GlobalSecondaryIndexes"][0]["IndexArn"], arn + "/index/by-day")
        self.assertIn("TableId", got)
        self.refused("ResourceInUseException", self.table)
        self.dynamodb.update_time_to_live(
            TableName="t", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
        got = self.dynamodb.describe_time_to_live(TableName="t")["TimeToLiveDescription"]
        self.assertEqual(got, {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"})
        self.dynamodb.update_time_to_live(
            TableName="t", TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"}
        )
        got = self.dynamodb.describe_time_to_live(TableName="t")["TimeToLiveDescription"]
        self.assertEqual(got, {"TimeToLiveStatus": "DISABLED"})
        backups = self.dynamodb.describe_continuous_backups(TableName="t")["ContinuousBackupsDescription"]
        self.assertEqual(backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "DISABLED")
        self.dynamodb.update_continuous_backups(
            TableName="t",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7},
        )
        backups = self.dynamodb.describe_continuous_backups(TableName="t")["ContinuousBackupsDescription"]
        self.assertEqual(backups["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"], 7)
        self.dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "Owner", "Value": "me"}])
        self.dynamodb.untag_resource(ResourceArn=arn, TagKeys=["Environment"])
        tags = self.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]
        self.assertEqual({tag["Key"] for tag in tags}, {"Owner", "paystack:stack"})
        self.assertEqual(self.dynamodb.delete_table(TableName="t")["TableDescription"]["TableStatus"], "DELETING")
        self.refused("ResourceNotFoundException", self.dynamodb.describe_table, TableName="t")
        self.refused("TableNotFoundException", self.dynamodb.describe_continuous_backups, TableName="t")
        self.refused("ResourceNotFoundException", self.dynamodb.delete_table, TableName="t")

    def test_a_stream_is_there_to_be_read(self):
        stream = self.table()["LatestStreamArn"]
        described = self.dynamodbstreams.describe_stream(StreamArn=stream)["StreamDescription"]
        self.assertEqual(described["StreamStatus"], "ENABLED")
        other = stream.rpartition("/")[0] + "/2020-01-01T00:00:00.000"
        self.refused("ResourceNotFoundException", self.dynamodbstreams.describe_stream, StreamArn=other)
        self.function()
        reads = {"FunctionName": "worker", "StartingPosition": "TRIM_HORIZON"}
        create = self.lambda_.create_event_source_mapping
        self.refused("InvalidParameterValueException", create, **reads, EventSourceArn=other)
        mapping = create(**reads, EventSourceArn=stream)
        self.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])

    def test_table_updates(self):
        self.table()
        update = {"TableName": "t"}
        self.dynamodb.update_table(**update, StreamSpecification={"StreamEnabled": False})
        self.dynamodb.update_table(**update, DeletionProtectionEnabled=True)
        self.refused("ValidationException", self.dynamodb.delete_table, TableName="t")
        self.dynamodb.update_table(**update, DeletionProtectionEnabled=False)
        self.dynamodb.update_table(**update, SSESpecification={"Enabled": False})
        self.dynamodb.update_table(**update, SSESpecification={"Enabled": True})
        self.assertIn("SSEDescription", self.dynamodb.describe_table(TableName="t")["Table"])
        self.dynamodb.update_table(**update, SSESpecification={"Enabled": False})
        self.dynamodb.update_table(**update, TableClass="STANDARD_INFREQUENT_ACCESS")
        self.dynamodb.update_table(**update, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-day"}}])
        units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        self.dynamodb.update_table(**update, BillingMode="PROVISIONED", ProvisionedThroughput=units)
        got = self.dynamodb.describe_table(TableName="t")["Table"]
        self.assertFalse(got.get("StreamSpecification", {}).get("StreamEnabled"))
        self.assertFalse(got.get("GlobalSecondaryIndexes"))
        self.assertEqual(got["TableClassSummary"]["TableClass"], "STANDARD_INFREQUENT_ACCESS")
        self.assertEqual(got["ProvisionedThroughput"]["ReadCapacityUnits"], 1)
        self.assertIn(got.get("SSEDescription", {}).get("Status"), (None, "DISABLED"))
        self.assertFalse(got["DeletionProtectionEnabled"])


if __name__ == "__main__":
    unittest.main()
