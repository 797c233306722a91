"""What was measured last, one document for all parts, from which the report is written."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

FILE = Path(__file__).with_name("measured.json")


def keep(part: str, values: dict) -> None:
    """Takes the place of what was there of this part."""
    everything = load() | {part: {"at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **values}}
    FILE.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n")


def load() -> dict:
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def machine() -> dict:
    """The kind of machine, and how busy it is: another's work beside ours makes all times longer."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    said = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    names = [line.split(":", 1)[1].strip() for line in said.splitlines() if line.startswith("Model name")]
    return names[0] if names else platform.machine()
