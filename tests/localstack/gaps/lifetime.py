"""Who this emulator is, and when it leaves: the health page names it, and an unused one ends by itself."""

import os
import threading
import time

from localstack.aws.skeleton import Skeleton
from localstack.runtime.runtime import LocalstackRuntime
from localstack.services.internal import HealthResource

from gaps import functions


def install(fingerprint, idle_seconds):
    LocalstackRuntime.exit = leave
    name_on_health_page(fingerprint)
    if idle_seconds:
        leave_when_idle(idle_seconds)


def name_on_health_page(fingerprint):
    health = HealthResource.on_get

    def health_with_name(self, request):
        return {**health(self, request), "paystack": {"fingerprint": fingerprint, "pid": os.getpid()}}

    HealthResource.on_get = health_with_name


def leave(runtime=None, code=0):
    """Ends at once: nothing is kept, and LocalStack's own way of stopping takes ten seconds."""
    functions.stop_all()
    os._exit(code)


def leave_when_idle(idle_seconds):
    invoke = Skeleton.invoke
    last_call = time.monotonic()

    def invoke_and_remember(self, context):
        nonlocal last_call
        # The pollers of event source mappings call for ever: only callers from outside keep the emulator up.
        if not context.is_internal_call:
            last_call = time.monotonic()
        return invoke(self, context)

    def watch():
        while time.monotonic() - last_call < idle_seconds:
            time.sleep(min(idle_seconds, 5))
        leave()

    Skeleton.invoke = invoke_and_remember
    threading.Thread(target=watch, name="leave-when-idle", daemon=True).start()
