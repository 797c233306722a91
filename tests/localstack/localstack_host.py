"""LocalStack's community edition as a plain process: no Docker, no download, reachable from this machine only.

    python localstack_host.py --port 4566 --home DIRECTORY [--idle-seconds 600] [--fingerprint TEXT]

What host mode lacks or answers otherwise than AWS is filled in by the modules of `gaps`, one a subject.
"""

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path


def main():
    arguments = parse_arguments()
    forget_credentials()
    tempfile.tempdir = make_directory(arguments.home.resolve() / "tmp")
    os.environ.update(settings(arguments))
    install_gaps(arguments)

    from localstack.runtime.main import main as run_until_stopped

    run_until_stopped()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=4566, help="port on the loopback interface")
    parser.add_argument("--home", type=Path, required=True, help="directory that all its files go to")
    parser.add_argument("--function-python", default=sys.executable, help="interpreter that runs Lambda functions")
    parser.add_argument("--idle-seconds", type=int, help="leave when nobody has called for so long (default: stay)")
    parser.add_argument("--fingerprint", default="", help="said back by the health page, so that it can be recognised")
    return parser.parse_args()


def forget_credentials():
    """Credentials and endpoints of whoever started it are none of the emulator's business."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def make_directory(directory):
    directory.mkdir(parents=True, exist_ok=True)
    return str(directory)


def settings(arguments):
    """LocalStack reads its settings from the environment, and when it is imported."""
    home = arguments.home.resolve()
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{arguments.port}",
        "LOCALSTACK_HOST": f"localhost:{arguments.port}",
        "LOCALSTACK_VOLUME_DIR": str(home / "volume"),
        "FILESYSTEM_ROOT": str(home),
        "OVERRIDE_IN_DOCKER": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "LS_LOG": os.environ.get("LS_LOG", "warn"),
        # As on AWS, the path of a queue's URL is its account and its name: Terraform takes no other.
        "SQS_ENDPOINT_STRATEGY": "off",
        "LAMBDA_KEEPALIVE_MS": "60000",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def install_gaps(arguments):
    supply_deprecated()

    import gaps
    from gaps import dynamodb, functions, lifetime, loopback, waf

    # Importing these registers what they answer.
    from gaps import apigateway, cloudwatch, code_signing, iam, logs, messaging, metrics, tagging  # noqa: F401

    gaps.install()
    dynamodb.install()
    waf.install()
    functions.install(arguments.function_python)
    loopback.install()
    lifetime.install(arguments.fingerprint, arguments.idle_seconds)


def supply_deprecated():
    """LocalStack imports `warnings.deprecated`, which Python has from 3.13 on."""
    if not hasattr(warnings, "deprecated"):
        from typing_extensions import deprecated

        warnings.deprecated = deprecated


if __name__ == "__main__":
    main()
