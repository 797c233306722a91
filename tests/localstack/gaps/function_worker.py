"""The process behind one Lambda execution environment: one JSON document a line, in and out. What a run logs goes out as it comes.

Runs under the interpreter of the functions, with nothing but the standard library.
"""

import contextlib
import importlib
import importlib.machinery
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path


def main():
    answers = take_over_stdout()
    layers = [path for path in os.environ.pop("PAYSTACK_FUNCTION_LAYERS").split(os.pathsep) if path]
    code = os.environ.pop("PAYSTACK_FUNCTION_CODE")
    sys.meta_path.insert(0, NativeSubstitutes(layers, list(sys.path[1:])))
    sys.path[:1] = [code, *layers]
    os.chdir(code)
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except BaseException as error:
        answers.write(json.dumps({"error": described(error, "Runtime.")}) + "\n")
        return
    answers.write('{"error": null}\n')
    for line in sys.stdin:
        answers.write(json.dumps(invoke(handler, json.loads(line), Log(answers))) + "\n")


def take_over_stdout():
    """Keeps the real output for answers: whatever else writes to it ends up among the errors."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


class NativeSubstitutes:
    """Takes packages of the host for those of a layer that were compiled for another machine.

    A layer for arm64 carries extension modules that this machine may not load; the interpreter that runs the functions
    has the same packages installed for itself.
    """

    def __init__(self, layers, host_path):
        self.host_path = host_path
        self.foreign = {package for layer in layers for package in foreign_packages(Path(layer))}

    def find_spec(self, name, path=None, target=None):
        if path is None and name in self.foreign:
            return importlib.machinery.PathFinder.find_spec(name, self.host_path)
        return None


def foreign_packages(root):
    """Names of the packages under a directory with extension modules that this interpreter cannot load."""
    ours = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    for module in root.glob("**/*.so"):
        stem = module.name.split(".")[0]
        if not any(module.name == stem + suffix for suffix in ours):
            yield module.relative_to(root).parts[0].split(".")[0]


def load_handler(name):
    module, function = name.rsplit(".", 1)
    return getattr(importlib.import_module(module.replace("/", ".")), function)


class Log(io.TextIOBase):
    """Tells at once what is written, so that it stays when the process is ended."""

    def __init__(self, answers):
        self.answers = answers

    def write(self, text):
        self.answers.write(json.dumps({"log": text}) + "\n")
        return len(text)


def invoke(handler, invocation, log):
    os.environ["_X_AMZN_TRACE_ID"] = invocation.get("trace-id") or ""
    context = Context(invocation)
    log.write(f"START RequestId: {context.aws_request_id} Version: {context.function_version}\n")
    started = time.perf_counter()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            payload, failed = json.dumps(handler(json.loads(invocation["payload"]), context)), False
        except BaseException as error:
            log.write(traceback.format_exc())
            payload, failed = json.dumps({**described(error), "requestId": context.aws_request_id}), True
    milliseconds = (time.perf_counter() - started) * 1000
    log.write(
        f"END RequestId: {context.aws_request_id}\n"
        f"REPORT RequestId: {context.aws_request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {context.memory_limit_in_mb} MB\t"
        f"Max Memory Used: {context.memory_limit_in_mb} MB\n"
    )
    return {"payload": payload, "failed": failed}


def described(error, prefix=""):
    return {
        "errorMessage": str(error),
        "errorType": prefix + type(error).__name__,
        "stackTrace": traceback.format_exc().splitlines(),
    }


class Context:
    """What Lambda hands a handler beside the event."""

    def __init__(self, invocation):
        self.aws_request_id = invocation["invoke-id"]
        self.invoked_function_arn = invocation["invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._end = time.monotonic() + float(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])

    def get_remaining_time_in_millis(self):
        return max(0, int((self._end - time.monotonic()) * 1000))


if __name__ == "__main__":
    main()
