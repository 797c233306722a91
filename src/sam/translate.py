"""Expands a SAM template with AWS's own translator: from a file of JSON into another. No call leaves the machine.

Code stays local: the translator takes S3 locations only, so that each local path stands in a bucket of ours while it works.
"""

import json
import socket
import sys

packages, input_path, output_path = sys.argv[1:4]
sys.path.insert(0, packages)


def refuse(*_arguments, **_options):
    raise OSError("the translator may not use the network")


socket.socket.connect = refuse
socket.socket.connect_ex = refuse

from samtranslator.internal.managed_policies import get_bundled_managed_policy_map  # noqa: E402
from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402

BUCKET = "paystack-local-code"

# Where SAM names code that `sam package` would upload, by type.
CODE = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
# What it uploads besides.
DEFINITIONS = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::StateMachine")


class Policies:
    """The managed policies' ARNs, from the list that comes with the translator."""

    def __init__(self, partition):
        self.partition = partition

    def load(self):
        return get_bundled_managed_policy_map(self.partition) or {}


def is_local(uri):
    return isinstance(uri, str) and not uri.startswith("s3://")


def hide(properties, name):
    if is_local(properties.get(name)):
        properties[name] = {"Bucket": BUCKET, "Key": properties[name]}


def hide_local_code(template):
    """Puts local paths into the bucket."""
    functions = (template.get("Globals") or {}).get("Function") or {}
    hide(functions, "CodeUri")
    for resource in (template.get("Resources") or {}).values():
        if not isinstance(resource, dict):
            continue
        kind = resource.get("Type")
        if kind not in CODE and kind not in DEFINITIONS:
            continue
        properties = resource.setdefault("Properties", {})
        if not isinstance(properties, dict):
            continue
        if kind in CODE:
            hide(properties, CODE[kind])
            has_code = {"CodeUri", "InlineCode", "ImageUri"} & (properties.keys() | functions.keys())
            if kind == "AWS::Serverless::Function" and not has_code and properties.get("PackageType") != "Image":
                # Where `sam build` looks for it.
                properties["CodeUri"] = {"Bucket": BUCKET, "Key": "."}
        if kind in DEFINITIONS:
            hide(properties, "DefinitionUri")


def show_local_code(value):
    """Takes local paths out of the bucket again."""
    if isinstance(value, list):
        return [show_local_code(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("S3Bucket") == BUCKET:
        return value["S3Key"]
    if value.get("Bucket") == BUCKET:
        return value["Key"]
    return {key: show_local_code(item) for key, item in value.items()}


def told(error):
    """One error for each cause."""
    causes = getattr(error, "causes", None) or [error]
    for cause in causes:
        yield {
            "logical_id": getattr(cause, "_logical_id", None),
            "message": getattr(cause, "message", None) or str(cause),
        }


def main():
    with open(input_path, encoding="utf-8") as file:
        given = json.load(file)
    template = given["template"]
    hide_local_code(template)
    try:
        made = transform(template, given["parameters"], Policies(given["partition"]))
        answer = {"template": show_local_code(made)}
    except InvalidDocumentException as error:
        answer = {"errors": list(told(error))}
    with open(output_path, "w", encoding="utf-8") as file:
        json.dump(answer, file)


main()
