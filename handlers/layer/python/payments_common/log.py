"""Log lines: one JSON object each, with the fields that the declared Logs Insights queries read.

Every text passes the card mask on its way out. That is the second net: nothing that writes a line hands over a payload,
a header or an exception's message in the first place.
"""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from payments_common import card_data


class Level(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def to_stdout(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True)
class Log:
    """Writes lines that share the fields it is bound to."""

    fields: Mapping[str, object] = field(default_factory=dict)
    write: Callable[[str], None] = to_stdout

    def bound(self, **fields: object) -> "Log":
        """The same log with more fields on every line."""
        return replace(self, fields={**self.fields, **fields})

    def line(self, level: Level, event: str, message: str, **fields: object) -> None:
        """Writes one line; a field that is `None` is left out."""
        everything = {"level": level, "event": event, "message": message, **self.fields, **fields}
        self.write(json.dumps({name: _masked(value) for name, value in everything.items() if value is not None}))


def milliseconds(seconds: float) -> float:
    """A duration as `latency_ms` shows it: milliseconds with one decimal."""
    return round(seconds * 1000, 1)


def describe(error: BaseException) -> dict[str, str]:
    """What a log line may say of an unexpected error: its type and its place, never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else None
    return {"error_type": type(error).__name__, "error_place": place}


def _masked(value: object) -> object:
    if isinstance(value, (int, float)):
        return value
    return card_data.mask(str(value))
