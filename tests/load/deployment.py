"""The payments system of this tree, deployed by paystack on an emulator of its own and destroyed again."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import shape

sys.path.append(str(shape.ROOT / "tests/deployed"))

OWN_ACCOUNT = ["-p", "ManageApiGatewayAccount=true"]


@contextmanager
def deployed(hidden_seconds: int, function_seconds: int):
    """The system's `System`, in an account of its own, as long as the block.

    A message that failed comes again after `hidden_seconds`, where the template says 180, so that a run need not last
    for hours.
    """
    from system import System

    # Each command of it runs in a place of its own.
    paystack = os.environ.get("PAYSTACK", str(shape.ROOT / "target/debug/paystack"))
    paystack = os.path.abspath(shutil.which(paystack) or paystack)
    with tempfile.TemporaryDirectory() as place, _endpoint(paystack) as endpoint:
        for path in ("paystack.toml", "examples/payments", "handlers"):
            source = shape.ROOT / path
            copy = shutil.copytree if source.is_dir() else shutil.copy
            (Path(place) / path).parent.mkdir(parents=True, exist_ok=True)
            copy(source, Path(place) / path)
        template, project = Path(place) / "examples/payments/template.yaml", Path(place) / "paystack.toml"
        _replace(template, "VisibilityTimeout: 180", f"VisibilityTimeout: {hidden_seconds}")
        _replace(template, "Timeout: 30", f"Timeout: {function_seconds}")
        # Six times the function's timeout would be hidden for too long.
        _replace(project, "[policy.tags]", "[policy.levels]\nsource-visibility = 'advisory'\n\n[policy.tags]")
        os.environ |= {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": str(random.randrange(10**11, 10**12)),
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

        def run(*arguments: str) -> str:
            command = [paystack, *arguments, *OWN_ACCOUNT]
            return subprocess.run(command, cwd=place, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

        run("apply", "--auto-approve")
        try:
            api = run("output", "ApiUrl").removeprefix("https://").split(".")[0]
            key = run("output", "ApiKeyId")
            import boto3

            value = boto3.client("apigateway").get_api_key(apiKey=key, includeValue=True)["value"]
            yield System(f"{endpoint}/_aws/execute-api/{api}/dev/webhooks", value)
        finally:
            run("destroy", "--auto-approve")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has no `{old}`"
    path.write_text(text.replace(old, new))


@contextmanager
def _endpoint(paystack: str):
    """The emulator that runs already, or one for this block."""
    if named := os.environ.get("PAYSTACK_TEST_ENDPOINT"):
        yield named
        return
    subprocess.run([paystack, "local", "start", "--port", "4577"], check=True, stdout=sys.stderr)
    try:
        yield "http://127.0.0.1:4577"
    finally:
        subprocess.run([paystack, "local", "stop"], check=True, stdout=sys.stderr)


def version(endpoint: str) -> str:
    with urllib.request.urlopen(f"{endpoint}/_localstack/health") as health:
        return json.load(health)["version"]
