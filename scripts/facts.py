#!/usr/bin/env python3
"""Writes src/resource/facts/*.json: what CloudFormation publishes about each resource type, without the prose.

The source is the schemas that the PyPI package cfn-lint (MIT-0) bundles, for us-east-1, and its rules that are schemas
themselves. Run it in an environment of its own:

    python3 -m venv .venv && .venv/bin/pip install cfn-lint==1.58.0
    .venv/bin/python scripts/facts.py            write
    .venv/bin/python scripts/facts.py --check    compare only; exit 1 on a difference
    .venv/bin/python scripts/facts.py AWS::SQS::Queue ...   only these types

Adding a type is a line in TYPES. A schema keyword that the checker (src/resource/facts.rs) does not know is an error
here, so that no fact is lost in silence.
"""

import argparse
import copy
import json
import sys
from importlib import metadata, resources
from pathlib import Path

CFN_LINT = "1.58.0"
REGION = "us-east-1"
OUT = Path(__file__).resolve().parent.parent / "src" / "resource" / "facts"
RUNTIMES = "lambda-runtimes.json"

TYPES = [
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::ClientCertificate",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DocumentationPart",
    "AWS::ApiGateway::DocumentationVersion",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGateway::VpcLink",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CloudWatch::InsightRule",
    "AWS::CloudWatch::MetricStream",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::ServiceLinkedRole",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::UserToGroupAddition",
    "AWS::Lambda::Alias",
    "AWS::Lambda::CodeSigningConfig",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Lambda::Version",
    "AWS::Logs::AccountPolicy",
    "AWS::Logs::Destination",
    "AWS::Logs::LogAnomalyDetector",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::ResourcePolicy",
    "AWS::Logs::SubscriptionFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::WAFv2::IPSet",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::RegexPatternSet",
    "AWS::WAFv2::RuleGroup",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
]

# Where the published schema says less, or something else, than the service does: pointer, keywords to set (None removes).
CORRECTIONS = {
    "AWS::DynamoDB::GlobalTable": [
        # Published as untaggable, though its replicas take tags.
        ("", {"tagging": {"taggable": True, "tagProperty": "/properties/Replicas/items/Tags"}}),
        # Published on the list, where they say nothing.
        ("/definitions/KeySchema", {"properties": None}),
    ],
    "AWS::DynamoDB::Table": [
        # The alternative is an object with a `HashKeyElement`, a form from before sort keys that the API does not take.
        ("/properties/KeySchema", {"oneOf": None, "$ref": "#/definitions/KeySchema", "minItems": 1, "maxItems": 2}),
        # Published on the list, where they say nothing, instead of on its items.
        ("/definitions/KeySchema", {"properties": None}),
        ("/definitions/KeySchema/items/properties/KeyType", {"enum": ["HASH", "RANGE"]}),
        (
            "/definitions/GlobalSecondaryIndex/properties/KeySchema/items/properties/KeyType",
            {"enum": ["HASH", "RANGE"]},
        ),
    ],
    "AWS::Lambda::Function": [
        # The service stores text and nothing else.
        (
            "/definitions/Environment/properties/Variables/patternProperties/[a-zA-Z][a-zA-Z0-9_]+",
            {"type": "string"},
        ),
    ],
    # Only their fields are published as read-only: the lists are the service's to give as well.
    "AWS::WAFv2::RuleGroup": [("/properties", {"AvailableLabels": None, "ConsumedLabels": None})],
}

# Lists whose order means nothing to the service although the published schema does not say so.
SETS = {
    "AWS::ApiGateway::ApiKey": ["/properties/StageKeys"],
    "AWS::ApiGateway::DomainName": ["/definitions/EndpointConfiguration/properties/Types"],
    "AWS::ApiGateway::Method": [
        "/definitions/Integration/properties/CacheKeyParameters",
        "/definitions/Integration/properties/IntegrationResponses",
        "/properties/AuthorizationScopes",
        "/properties/MethodResponses",
    ],
    "AWS::ApiGateway::RestApi": [
        "/definitions/EndpointConfiguration/properties/VpcEndpointIds",
        "/properties/BinaryMediaTypes",
    ],
    "AWS::ApiGateway::UsagePlan": ["/properties/ApiStages"],
    "AWS::CloudWatch::Alarm": [
        "/properties/AlarmActions",
        "/properties/InsufficientDataActions",
        "/properties/Metrics",
        "/properties/OKActions",
    ],
    "AWS::CloudWatch::MetricStream": [
        "/definitions/MetricStreamFilter/properties/MetricNames",
        "/definitions/MetricStreamStatisticsConfiguration/properties/AdditionalStatistics",
        "/definitions/MetricStreamStatisticsConfiguration/properties/IncludeMetrics",
        "/properties/ExcludeFilters",
        "/properties/IncludeFilters",
        "/properties/StatisticsConfigurations",
    ],
    "AWS::DynamoDB::Table": [
        "/definitions/Projection/properties/NonKeyAttributes",
        "/properties/AttributeDefinitions",
        "/properties/GlobalSecondaryIndexes",
        "/properties/LocalSecondaryIndexes",
    ],
    "AWS::Lambda::EventSourceMapping": [
        "/definitions/FilterCriteria/properties/Filters",
        "/properties/FunctionResponseTypes",
        "/properties/SourceAccessConfigurations",
    ],
    "AWS::Lambda::Function": [
        "/definitions/VpcConfig/properties/SecurityGroupIds",
        "/definitions/VpcConfig/properties/SubnetIds",
    ],
    "AWS::WAFv2::IPSet": ["/properties/Addresses"],
    "AWS::WAFv2::RegexPatternSet": ["/properties/RegularExpressionList"],
    "AWS::WAFv2::RuleGroup": [
        "/definitions/GeoMatchStatement/properties/CountryCodes",
        "/definitions/Rule/properties/RuleLabels",
    ],
    "AWS::WAFv2::WebACL": [
        "/definitions/GeoMatchStatement/properties/CountryCodes",
        "/definitions/ManagedRuleGroupStatement/properties/RuleActionOverrides",
        "/definitions/Rule/properties/RuleLabels",
        "/definitions/RuleGroupReferenceStatement/properties/RuleActionOverrides",
        "/definitions/TokenDomains",
    ],
}

# cfn-lint's rules that are schemas: where they hold, the file among its extensions, and the reason people are told.
RULES = {
    "AWS::ApiGateway::RestApi": [
        ("", "aws_apigateway_restapi/openapi_properties", "an API without an OpenAPI `Body` has its name from `Name`"),
    ],
    "AWS::ApiGateway::Stage": [
        (
            "/definitions/MethodSetting",
            "aws_apigateway_stage/method_settings_resource_path",
            "the `ResourcePath` of a setting starts with `/`; `/*` stands for every path",
        ),
    ],
    "AWS::CloudWatch::Alarm": [
        ("", "aws_cloudwatch_alarm/period", "a period is 10, 30 or 60 seconds, or a multiple of 60"),
    ],
    "AWS::DynamoDB::Table": [
        (
            "",
            "aws_dynamodb_table/billingmode_exclusive",
            "`BillingMode: PAY_PER_REQUEST` leaves no capacity to provision",
        ),
        (
            "",
            "aws_dynamodb_table/billingmode_provisioned_dependent",
            "a table without `BillingMode: PAY_PER_REQUEST` has its capacity from `ProvisionedThroughput`",
        ),
    ],
    "AWS::Lambda::EventSourceMapping": [
        (
            "",
            "aws_lambda_eventsourcemapping/eventsourcearn_sqs_exclusive",
            "a queue has no position to start from: only streams do",
        ),
        (
            "",
            "aws_lambda_eventsourcemapping/eventsourcearn_stream_inclusive",
            "a stream is read from a `StartingPosition`: `LATEST` or `TRIM_HORIZON`",
        ),
    ],
    "AWS::Lambda::Function": [
        (
            "",
            "aws_lambda_function/capacity_provider_timeout",
            "a function runs for at most 900 seconds, unless on a capacity provider",
        ),
        (
            "/definitions/Environment/properties/Variables",
            "aws_lambda_function/environment_variable_keys",
            "Lambda sets this variable itself",
        ),
        (
            "",
            "aws_lambda_function/loglevel_logformat",
            "levels are filtered only where `LogFormat` is `JSON`",
        ),
        (
            "",
            "aws_lambda_function/packagetype_image_exclusions",
            "a container image brings its own runtime, handler and layers",
        ),
        (
            "",
            "aws_lambda_function/zipfile_runtime_enum",
            "inline code in `ZipFile` works for Node.js and Python only",
        ),
        ("", "aws_lambda_function/zipfile_runtime_exists", "inline code in `ZipFile` needs a `Runtime`"),
    ],
    "AWS::SQS::Queue": [
        (
            "",
            "aws_sqs_queue/properties",
            "a FIFO queue has `FifoQueue: true` and a name that ends in `.fifo`; the deduplication properties are its own",
        ),
    ],
}

# What `aws cloudformation package` replaces: a text there is a path on this machine.
PACKAGED = {
    "AWS::ApiGateway::RestApi": ["/properties/BodyS3Location"],
    "AWS::Lambda::Function": ["/properties/Code"],
    "AWS::Lambda::LayerVersion": ["/properties/Content"],
}

# `Fn::GetAtt` gives these too, although they are not read-only ("Return values" in the template reference).
MORE_ATTRIBUTES = {
    "AWS::SNS::Topic": ["TopicName"],
    "AWS::SQS::Queue": ["QueueName"],
}

PROSE = {"$comment", "$id", "$schema", "arrayType", "default", "description", "examples", "relationshipRef", "title"}
SUBSCHEMA = {"additionalProperties", "else", "if", "items", "not", "propertyNames", "then"}
SUBSCHEMA_LIST = {"allOf", "anyOf", "oneOf", "prefixItems"}
SUBSCHEMA_MAP = {"definitions", "patternProperties", "properties"}
PLAIN = {
    "because",
    "const",
    "dependentExcluded",
    "dependentRequired",
    "enum",
    "insertionOrder",
    "maxItems",
    "maxLength",
    "maxUniqueItems",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "packaged",
    "pattern",
    "required",
    "requiredXor",
    "type",
    "uniqueItems",
    "uniqueKeys",
}
# Keywords that say nothing with this value.
SILENT = {
    "additionalProperties": True,
    "insertionOrder": True,
    "minItems": 0,
    "minLength": 0,
    "uniqueItems": False,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("types", nargs="*", metavar="TYPE", help="only these types")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    arguments = parser.parse_args()

    found = installed()
    if found != CFN_LINT:
        print(f"needs cfn-lint {CFN_LINT}, found {found}: see the top of this script", file=sys.stderr)
        return 1

    files = {file_name(name): render(facts(name)) for name in arguments.types or TYPES}
    if arguments.types:
        stray = set()
    else:
        files[RUNTIMES] = render(runtimes())
        stray = {path.name for path in OUT.glob("*.json")} - files.keys()
    return compare(files, stray) if arguments.check else write(files, stray)


def installed() -> str | None:
    try:
        return metadata.version("cfn-lint")
    except metadata.PackageNotFoundError:
        return None


def write(files: dict[str, str], stray: set[str]) -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (OUT / name).write_text(text, encoding="utf-8")
    for name in stray:
        (OUT / name).unlink()
    return 0


def compare(files: dict[str, str], stray: set[str]) -> int:
    def differs(name: str) -> bool:
        path = OUT / name
        return not path.exists() or path.read_text(encoding="utf-8") != files[name]

    different = sorted(stray | {name for name in files if differs(name)})
    for name in different:
        print(f"src/resource/facts/{name} is not what scripts/facts.py writes", file=sys.stderr)
    return 1 if different else 0


def file_name(type_name: str) -> str:
    return type_name.lower().replace("::", "-") + ".json"


def facts(type_name: str) -> dict:
    """Everything that is kept of one type."""
    published = schema(type_name)
    for pointer, keywords in CORRECTIONS.get(type_name, []):
        node = at(published, pointer)
        for keyword, value in keywords.items():
            node.pop(keyword, None) if value is None else node.update({keyword: value})
    for pointer in SETS.get(type_name, []):
        at(published, pointer)["insertionOrder"] = False
    for pointer in PACKAGED.get(type_name, []):
        at(published, pointer)["packaged"] = True
    for pointer, rule, because in RULES.get(type_name, []):
        at(published, pointer).setdefault("allOf", []).append(extension(rule) | {"because": because})

    keywords = PLAIN | SUBSCHEMA | SUBSCHEMA_LIST | SUBSCHEMA_MAP
    root = pruned({keyword: value for keyword, value in published.items() if keyword in keywords})
    definitions = root.pop("definitions", {})
    read_only = names(published, "readOnlyProperties")
    kept = {
        "attributes": sorted({*leaves(read_only), *MORE_ATTRIBUTES.get(type_name, [])}),
        "conditionalCreateOnly": names(published, "conditionalCreateOnlyProperties"),
        "createOnly": names(published, "createOnlyProperties"),
        "definitions": reachable(root, definitions),
        "primaryIdentifier": [dotted(pointer) for pointer in published["primaryIdentifier"]],
        "readOnly": read_only,
        "schema": root,
        "typeName": type_name,
        "writeOnly": names(published, "writeOnlyProperties"),
    }
    tagging = published.get("tagging", {})
    if tagging.get("taggable", published.get("taggable", False)):
        kept["tagProperty"] = dotted(tagging.get("tagProperty", "/properties/Tags"))
    return {key: value for key, value in kept.items() if value}


def names(published: dict, key: str) -> list[str]:
    return sorted(dotted(pointer) for pointer in published.get(key, []))


def schema(type_name: str) -> dict:
    root = resources.files("cfnlint.data") / "schemas"
    providers = json.loads((root / "providers" / f"{REGION}.json").read_text(encoding="utf-8"))
    if type_name not in providers:
        raise SystemExit(f"cfn-lint has no schema for {type_name} in {REGION}")
    return json.loads((root / "resources" / f"{providers[type_name]}.json").read_text(encoding="utf-8"))


def extension(name: str) -> dict:
    root = resources.files("cfnlint.data") / "schemas" / "extensions"
    rule = json.loads((root / f"{name}.json").read_text(encoding="utf-8"))
    # A rule about a property that it also declares as `true` says nothing by that.
    return without_true(rule)


def without_true(node):
    if isinstance(node, dict):
        return {key: without_true(value) for key, value in node.items() if value is not True or key in PLAIN}
    if isinstance(node, list):
        return [without_true(item) for item in node]
    return node


def runtimes() -> dict:
    """When Lambda stops supporting, creating and updating functions of each runtime."""
    path = resources.files("cfnlint.data") / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    names = {
        "deprecated": "deprecated",
        "create-block": "createBlocked",
        "update-block": "updateBlocked",
        "successor": "successor",
    }
    return {
        runtime: {names[key]: value for key, value in dates.items() if value is not None}
        for runtime, dates in json.loads(path.read_text(encoding="utf-8")).items()
    }


def at(node: dict, pointer: str) -> dict:
    for step in pointer.split("/")[1:]:
        node = node[step]
    return node


def dotted(pointer: str) -> str:
    """`/properties/SnapStart/ApplyOn` as `SnapStart.ApplyOn`."""
    return ".".join(pointer.removeprefix("/properties/").replace("/items/", "/*/").split("/"))


def leaves(names: list[str]) -> list[str]:
    """Without those that are only the parents of others."""
    return [name for name in names if not any(other.startswith(f"{name}.") for other in names)]


def pruned(node):
    """A schema without its prose and without keywords that say nothing."""
    if isinstance(node, bool):
        return node
    kept = {}
    for keyword, value in node.items():
        if keyword in PROSE or (keyword == "format" and value != "json"):
            continue
        if keyword == "format":
            kept["json"] = True
        elif keyword in SUBSCHEMA:
            kept[keyword] = pruned(value)
        elif keyword in SUBSCHEMA_LIST:
            branches = [pruned(branch) for branch in value]
            # An alternative that allows everything makes the others mute.
            if keyword not in ("anyOf", "oneOf") or all(branches):
                kept[keyword] = branches
        elif keyword in SUBSCHEMA_MAP:
            kept[keyword] = {name: pruned(child) for name, child in value.items()}
        elif keyword == "$ref":
            kept["$ref"] = value.removeprefix("#/definitions/")
        elif keyword == "dependencies":
            kept["dependentRequired"] = copy.deepcopy(value)
        elif keyword in PLAIN:
            kept[keyword] = sorted(value) if keyword == "required" else copy.deepcopy(value)
        else:
            raise SystemExit(f"schema keyword `{keyword}` is new: teach src/resource/facts.rs and this script about it")
    return {
        keyword: value
        for keyword, value in kept.items()
        if not (keyword in SILENT and value is SILENT[keyword] or keyword in SUBSCHEMA_MAP and not value)
    }


def reachable(root: dict, definitions: dict) -> dict:
    """The definitions that something refers to."""
    wanted: set[str] = set()
    waiting = references(root)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting |= references(definitions[name])
    return {name: definitions[name] for name in wanted}


def references(node) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    return set()


def render(value) -> str:
    return layout(value, 0, 0) + "\n"


def layout(value, indent: int, used: int) -> str:
    """JSON with sorted keys, one line for what fits on one, so that a changed fact is a changed line."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(", ", ": "))
    if indent > 0 and indent + used + len(flat) <= 118 or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + layout(item, indent + 1, 0) for item in value) + "\n" + " " * indent + "]"
    lines = []
    for key in sorted(value):
        name = f"{json.dumps(key)}: "
        lines.append(pad + name + layout(value[key], indent + 1, len(name)))
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"


if __name__ == "__main__":
    sys.exit(main())
