"""Lambda functions as child processes, where LocalStack starts containers. Python only.

Memory limits and architectures are recorded but not imposed. Layers, timeouts, environment variables, logs, reserved
concurrency and event source mappings work.
"""

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_ import provider
from localstack.services.lambda_.invocation import execution_environment, runtime_executor, version_manager
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.models import lambda_stores

from gaps import answers, refuse

WORKER = Path(__file__).with_name("function_worker.py")


def install(function_python):
    Process.python = function_python
    for module in (runtime_executor, execution_environment, version_manager, provider):
        module.get_runtime_executor = lambda: Process


def stop_all():
    """Ends the processes of all functions."""
    for environment in list(Process.running):
        environment.stop()


class Process(runtime_executor.RuntimeExecutor):
    """One execution environment: a process that answers one invocation after the other."""

    python = None
    running = set()

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.process = None
        self.init_error = None
        self.one_at_a_time = threading.Lock()

    def start(self, env_vars):
        self.environment = {key: str(value) for key, value in env_vars.items()}
        self.running.add(self)
        self._spawn()

    def stop(self):
        self.running.discard(self)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def invoke(self, payload):
        with self.one_at_a_time:
            if self.process.poll() is not None:
                self._spawn()
            if self.init_error:
                return self._failure(payload, self.init_error)
            return self._exchange(payload)

    def _spawn(self):
        self.process = subprocess.Popen(
            [self.python, str(WORKER)],
            env=self._process_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        exited = {"error": {"errorMessage": "the process ended while it loaded", "errorType": "Runtime.ExitError"}}
        line = self.process.stdout.readline()
        self.init_error = (json.loads(line) if line else exited)["error"]

    def _process_environment(self):
        code, layers = self._code_locations()
        return {
            "PATH": os.environ["PATH"],
            "HOME": tempfile.gettempdir(),
            "TMPDIR": tempfile.gettempdir(),
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.environment,
            "LAMBDA_TASK_ROOT": code,
            "PAYSTACK_FUNCTION_CODE": code,
            "PAYSTACK_FUNCTION_LAYERS": os.pathsep.join(layers),
        }

    def _code_locations(self):
        settings = self.function_version.config
        layers = []
        for layer in settings.layers or []:
            if layer.code:
                layer.code.prepare_for_execution()
                root = layer.code.get_unzipped_code_location()
                layers += [str(root / "python"), str(root / "python/lib" / settings.runtime / "site-packages")]
        return str(settings.code.get_unzipped_code_location()), layers

    def _exchange(self, payload):
        seconds = self.function_version.config.timeout
        timed_out = threading.Event()
        timer = threading.Timer(seconds, lambda: (timed_out.set(), self.process.kill()))
        timer.start()
        answer, logs = None, ""
        try:
            self.process.stdin.write(json.dumps(payload) + "\n")
            self.process.stdin.flush()
            while answer is None and (line := self.process.stdout.readline()):
                told = json.loads(line)
                if "log" in told:
                    logs += told["log"]
                else:
                    answer = told
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        if timed_out.is_set():
            now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            text = f"{now} {payload['invoke-id']} Task timed out after {seconds:.2f} seconds"
            return self._failure(payload, {"errorMessage": text, "errorType": "Sandbox.Timedout"}, logs)
        if answer is None:
            text = f"RequestId: {payload['invoke-id']} Error: Runtime exited"
            return self._failure(payload, {"errorMessage": text, "errorType": "Runtime.ExitError"}, logs)
        return InvocationResult(payload["invoke-id"], answer["payload"].encode(), answer["failed"], logs)

    def _failure(self, payload, error, logs=""):
        """What a run has logged before it ended stays."""
        request_id = payload["invoke-id"]
        text = json.dumps(error)
        logs = logs or f"START RequestId: {request_id}\n"
        logs += f"{text}\nEND RequestId: {request_id}\n"
        return InvocationResult(request_id, text.encode(), True, logs)

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/unused"

    def get_logs(self):
        return ""

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


@answers("lambda", "GetFunction")
def get_function(context, request, ask):
    """A reservation of zero is one too: the function never runs."""
    answer = ask()
    if _function(context, request).reserved_concurrent_executions == 0:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": 0}
    return answer


@answers("lambda", "PutRuntimeManagementConfig")
def put_runtime_management_config(context, request, ask):
    function = _function(context, request)
    if function.latest().config.state.state == "Pending":
        text = "The function is currently in the following state: 'Pending'"
        refuse("ResourceConflictException", f"The operation cannot be performed at this time. {text}", 409)
    wanted = {key: request.get(key) for key in ("UpdateRuntimeOn", "RuntimeVersionArn")}
    function.runtime_management = {"FunctionArn": function.latest().id.unqualified_arn()} | wanted
    return function.runtime_management


@answers("lambda", "GetRuntimeManagementConfig")
def get_runtime_management_config(context, request, ask):
    function = _function(context, request)
    unset = {"FunctionArn": function.latest().id.unqualified_arn(), "UpdateRuntimeOn": "Auto"}
    return getattr(function, "runtime_management", unset)


def _function(context, request):
    name = request["FunctionName"].rsplit("function:", 1)[-1].split(":")[0]
    function = lambda_stores[context.account_id][context.region].functions.get(name)
    if not function:
        arn = f"arn:aws:lambda:{context.region}:{context.account_id}:function:{name}"
        refuse("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return function


@answers("lambda", "ListLayers")
def list_layers(context, request, ask):
    """A layer whose versions are all deleted is not listed; LocalStack keeps its shell, and stumbles over it here."""
    layers = lambda_stores[context.account_id][context.region].layers
    shells = {name: layers.pop(name) for name in [name for name, layer in layers.items() if not layer.layer_versions]}
    try:
        return ask()
    finally:
        # The shell counts the versions, whose numbers are never used again.
        for name, shell in shells.items():
            layers.setdefault(name, shell)
