"""An AWS that says yes at once: what DynamoDB, SQS and SNS answer where all goes well, and nothing behind it.

It is a process of its own, so that what it takes is not counted as a function's.
"""

import asyncio
import hashlib
import json
import multiprocessing
import re
from contextlib import contextmanager


@contextmanager
def endpoint():
    """The address of one that runs as long as the block."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def _run(told) -> None:
    asyncio.run(_serve(told))


async def _serve(told) -> None:
    server = await asyncio.start_server(_talk, "127.0.0.1", 0)
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
