"""Clients and calls with bounds: each call ends within `LONGEST_CALL_SECONDS`, whatever AWS does.

botocore by itself, not boto3: these functions need clients alone, and a third of the import is saved.
"""

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

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


def clients(*services: str) -> list[Any]:
    """One client for each service, to be made once and kept for the life of the process."""
    session = botocore.session.get_session()
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
