"""An AWS that says yes at once: what DynamoDB, SQS and SNS answer where all goes well, and nothing behind it.

It is a process of its own, so that what it takes is not counted as a function's. It speaks TLS, as AWS does, under a
certificate of its own that it adds to the authorities which a function knows anyway.
"""

import asyncio
import hashlib
import json
import multiprocessing
import re
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import certifi


@dataclass(frozen=True)
class Endpoint:
    url: str
    authorities: Path
    """The certificates that a client has to know."""


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """One that runs as long as the block."""
    here, there = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as place:
        certificate, authorities = _certificate(Path(place)), Path(place) / "authorities.pem"
        authorities.write_text(Path(certifi.where()).read_text() + certificate.read_text())
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, certificate), daemon=True)
        process.start()
        try:
            yield Endpoint(f"https://127.0.0.1:{here.recv()}", authorities)
        finally:
            process.terminate()
            process.join()


def _certificate(place: Path) -> Path:
    """A new certificate of this machine's, and its key in the same file."""
    file = place / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(place / "key.pem"), "-out", str(file)]
    subprocess.run(make, check=True, capture_output=True)
    file.write_text(file.read_text() + (place / "key.pem").read_text())
    return file


def _run(told, certificate: Path) -> None:
    asyncio.run(_serve(told, certificate))


async def _serve(told, certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    server = await asyncio.start_server(_talk, "127.0.0.1", 0, ssl=tls)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = re.search(r"\ncontent-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            kind, answer = _answer(head, body)
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _answer(head: str, body: bytes) -> tuple[str, bytes]:
    if "amazonsqs.sendmessage" in head:
        sent = json.loads(body)["MessageBody"]
        answer = {"MessageId": "m-1", "MD5OfMessageBody": hashlib.md5(sent.encode()).hexdigest()}
        return "application/x-amz-json-1.0", json.dumps(answer).encode()
    if b"Action=PublishBatch" in body:
        return "text/xml", b"<PublishBatchResponse><PublishBatchResult/></PublishBatchResponse>"
    return "application/x-amz-json-1.0", b"{}"
