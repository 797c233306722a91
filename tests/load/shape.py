"""The functions as Lambda has them: each a process of its own, its folder and the layer on the path, nothing else.

The layer holds the packages of its lock file for this machine's processor, since this machine has to run them.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from canned import Endpoint

ROOT = Path(__file__).parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "load"
HANDLERS = ROOT / "handlers"
WORKER = ROOT / "tests/localstack/gaps/function_worker.py"
PYTHON = sys._base_executable
"""The interpreter itself: an environment around it would add a start-up of its own."""

FUNCTIONS = ("process_payment", "process_accounting", "notify_failures")


@dataclass(frozen=True)
class Code:
    """Where functions and layer lie."""

    functions: Path
    layer: Path

    def size(self) -> int:
        return sum(file.stat().st_size for file in self.layer.rglob("*") if file.is_file())


def as_source() -> Code:
    """As `handlers` has them."""
    lock = HANDLERS / "layer/requirements.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    layer = TARGET / f"layer-{digest}"
    if not layer.exists():
        partial = TARGET / f"layer-{digest}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--require-hashes", "--no-deps", "--no-compile", "--requirement", str(lock), "--target", str(partial)]
        subprocess.run(install, check=True)
        partial.rename(layer)
    place = TARGET / "source"
    shutil.rmtree(place, ignore_errors=True)
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    for function in FUNCTIONS:
        shutil.copytree(HANDLERS / function, place / function, ignore=leave_out)
    shutil.copytree(layer, place / "layer", ignore=leave_out)
    shutil.copytree(HANDLERS / "layer/python", place / "layer", ignore=leave_out, dirs_exist_ok=True)
    return Code(place, place / "layer")


def with_bytecode(source: Code) -> Code:
    """The same, each module beside its bytecode, as an environment with `bytecode = true` is deployed."""
    place = TARGET / "bytecode"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source.functions, place)
    compile_all = [PYTHON, "-I", "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash", str(place)]
    subprocess.run(compile_all, check=False)
    return Code(place, place / "layer")


class Environment:
    """One execution environment of a function: starts with it, and answers one invocation after the other."""

    def __init__(self, code: Code, function: str, endpoint: Endpoint):
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [PYTHON, "-S", "-B", str(WORKER)],
            env=_variables(code, function, endpoint),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        error = json.loads(self.process.stdout.readline())["error"]
        if error:
            raise RuntimeError(f"{function} does not load: {error}")
        self.started = Spent(cpu_ms=self._cpu_ms(), wall_ms=(time.perf_counter() - started) * 1000)
        self._number = 0

    def invoke(self, event: dict) -> tuple["Spent", object]:
        """One invocation: what it took, and what it answered."""
        self._number += 1
        invocation = {"invoke-id": f"run-{self._number}", "invoked-function-arn": "arn", "payload": json.dumps(event)}
        cpu, started = self._cpu_ms(), time.perf_counter()
        self.process.stdin.write(json.dumps(invocation) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        spent = Spent(cpu_ms=self._cpu_ms() - cpu, wall_ms=(time.perf_counter() - started) * 1000)
        if answer["failed"]:
            raise RuntimeError(f"the invocation failed: {answer['payload']}")
        return spent, json.loads(answer["payload"])

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _cpu_ms(self) -> float:
        """Time on a processor so far; the handlers have one thread."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e6


@dataclass(frozen=True)
class Spent:
    cpu_ms: float
    wall_ms: float


def _variables(code: Code, function: str, endpoint: Endpoint) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TZ": "UTC",
        "_HANDLER": "index.handler",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_CA_BUNDLE": str(endpoint.authorities),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "ENVIRONMENT": "load",
        "TRANSACTIONS_TABLE": "transactions",
        "PROCESSING_QUEUE_URL": f"{endpoint.url}/123456789012/processing",
        "NOTIFICATIONS_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:notifications",
        "PAYSTACK_FUNCTION_CODE": str(code.functions / function),
        "PAYSTACK_FUNCTION_LAYERS": str(code.layer),
    }
