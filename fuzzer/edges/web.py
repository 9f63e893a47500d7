"""A small HTTP/1.1 server for the API: whatever comes, it answers with one clear sentence and lives on."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from asyncio import StreamReader, StreamWriter
from http import HTTPStatus

from fuzzer.edges.address import Address
from fuzzer.edges.api import Api
from fuzzer.edges.http1 import Head, NotHttp, body_of, read_head
from fuzzer.edges.problems import Problem, bad_body

BODY_MOST_BYTES = 1024 * 1024
IDLE_S = 600.0
"""A connection on which nothing comes for so long is closed."""
LINGER_S = 2.0
READ_BYTES = 65_536


class Web:
    """Reads requests, writes what the API says."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def listen(self, address: Address) -> Address:
        """Listen; returns where.

        Raises:
            OSError: that is not possible.
        """
        listener, where = address.listen()
        self._server = await asyncio.start_server(self._serve, sock=listener)
        return where

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        data = bytearray()
        try:
            while await self._one(reader, writer, data):
                pass
            await _linger(reader, writer)
        except (OSError, TimeoutError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    async def _one(self, reader: StreamReader, writer: StreamWriter, data: bytearray) -> bool:
        """One request. Whether another may follow."""
        last, method = True, ""
        try:
            head = await _head(reader, data)
            if head is None:
                return False
            method = head.method
            body = await _body(reader, data, head)
            last = head.last
            if head.fields.get("user-agent", "").startswith("Mozilla/"):
                raise Problem(403, "User agent not allowed")  # a web page must not reach in here
            status, value = await self._reply(method, head.target, body)
        except NotHttp as error:
            status, value = 400, {"error": f"bad request: {error}", "status": 400}
        except Problem as problem:
            status, value = problem.status, {"error": problem.message, "status": problem.status}
        except (OSError, TimeoutError):
            raise
        except Exception as error:  # a mistake of ours must not take the proxies with it
            traceback.print_exc(file=sys.stderr)
            status, value = 500, {"error": f"internal error: {type(error).__name__}", "status": 500}
        writer.write(_answer(status, value, method, last=last))
        await writer.drain()
        return not last

    async def _reply(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        """What the API says; its own errors with sockets are none of the connection that asks."""
        try:
            return await self._api.reply(method, target, body)
        except (OSError, TimeoutError) as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error


async def _linger(reader: StreamReader, writer: StreamWriter) -> None:
    """Take what still comes: closing with bytes unread is a reset, which may overtake the answer."""
    writer.write_eof()
    async with asyncio.timeout(LINGER_S):
        while await reader.read(READ_BYTES):
            pass


async def _more(reader: StreamReader, data: bytearray) -> bool:
    async with asyncio.timeout(IDLE_S):
        got = await reader.read(READ_BYTES)
    data += got
    return bool(got)


async def _head(reader: StreamReader, data: bytearray) -> Head | None:
    while True:
        if data:
            head = read_head(data)
            if head and head.status:
                raise NotHttp("no request")
            if head:
                del data[: head.size]
                return head
        if not await _more(reader, data):
            return None


async def _body(reader: StreamReader, data: bytearray, head: Head) -> bytes:
    kept = bytearray()
    body = body_of(head, keep=kept.extend)
    while not body.ended:
        if len(kept) > BODY_MOST_BYTES:
            raise bad_body(f"more than {BODY_MOST_BYTES} bytes")
        if not data and not await _more(reader, data):
            raise bad_body("it ended too early")
        del data[: body.take(data)]
    return bytes(kept)


def _answer(status: int, value: object, method: str, *, last: bool) -> bytes:
    body = b"" if value is None else json.dumps(value).encode() + b"\n"
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json"]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    if last:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else body)
