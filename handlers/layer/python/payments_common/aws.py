"""Clients and calls with bounds: each call ends within `LONGEST_CALL_SECONDS`, whatever AWS does.

botocore by itself, not boto3: these functions need clients alone, and a third of the import is saved. What a client is
made of is read without three detours of botocore's that cost more than the rest of making it: see `_Models`.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import JSONFileLoader, Loader

CONNECT_SECONDS = 0.5
READ_SECONDS = 2.0
ATTEMPTS = 2
LONGEST_BACKOFF_SECONDS = 1.0
LONGEST_CALL_SECONDS = ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + LONGEST_BACKOFF_SECONDS

_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    tcp_keepalive=True,
)


class AwsFailure(Exception):
    """A call to AWS that failed. It carries no text of AWS's, which may quote what was sent."""

    def __init__(self, operation: str, code: str, item: dict[str, Any] | None = None):
        super().__init__(f"`{operation}` failed with `{code}`")
        self.operation = operation
        self.code = code
        self.item = item
        """What DynamoDB holds, when a condition failed and something is there."""

    @property
    def is_condition(self) -> bool:
        return self.code == "ConditionalCheckFailedException"


class _PlainFiles(JSONFileLoader):
    """Reads a model into plain dictionaries, which keep their order too and are made in half the time."""

    def load_file(self, file_path: str) -> Any:
        for suffix, open_file in ((".json", open), (".json.gz", gzip.open)):
            path = Path(file_path + suffix)
            if path.is_file():
                with open_file(path, "rb") as file:
                    return json.load(file)
        return None


class _Models(Loader):
    """botocore's models, found by name. botocore looks through the directories of all services before it opens one.

    Its table of every service's endpoints, a megabyte, is not read either: the services used here have endpoint rules of
    their own, and what else is taken from the table is known of each partition.
    """

    def __init__(self, services: tuple[str, ...]):
        super().__init__(file_loader=_PlainFiles())
        self._services = list(services)

    def list_available_services(self, type_name: str) -> list[str]:
        return self._services

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if name != "endpoints":
            return super().load_data_with_path(name)
        known, path = super().load_data_with_path("partitions")
        return {"partitions": [_without_services(partition) for partition in known["partitions"]]}, path


def _without_services(partition: dict[str, Any]) -> dict[str, Any]:
    """A partition as botocore's table of endpoints has it, with what holds for each service that it names nothing of."""
    suffix, dual_suffix = partition["outputs"]["dnsSuffix"], partition["outputs"]["dualStackDnsSuffix"]
    hosts = {("fips",): ("-fips", suffix), ("dualstack",): ("", dual_suffix), ("dualstack", "fips"): ("-fips", dual_suffix)}
    return {
        "partition": partition["id"],
        "dnsSuffix": suffix,
        "regions": partition["regions"],
        "regionRegex": partition["regionRegex"],
        "services": {},
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": [
                {"tags": list(tags), "hostname": f"{{service}}{more}.{{region}}.{{dnsSuffix}}", "dnsSuffix": end}
                for tags, (more, end) in hosts.items()
            ],
        },
    }


def clients(*services: str) -> list[Any]:
    """One client for each service, to be made once and kept for the life of the process."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _Models(services))
    return [session.create_client(service, config=_CONFIG) for service in services]


def call(method: Callable[..., Any], **arguments: Any) -> Any:
    """Calls a client's method; any failure comes out as an `AwsFailure` without cause or context."""
    try:
        return method(**arguments)
    except ClientError as error:
        failure = AwsFailure(error.operation_name, error.response["Error"]["Code"], error.response.get("Item"))
    except BotoCoreError as error:
        failure = AwsFailure(method.__name__, type(error).__name__)
    raise failure
