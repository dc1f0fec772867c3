"""Serves ``/metrics``, ``/livez`` and ``/readyz`` over HTTP, by default on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import threading
import time
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST

from schemas.pipeline.config import Pipeline
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats
from workers.web.address import Address, address_of

log = logging.getLogger("glossator")

_TEXT = "text/plain; charset=utf-8"
_MOST = 64
"""Connections at a time; one more closes the oldest."""
_AT_ONCE = 16
"""Connections accepted before those already accepted are read: fewer than ``_MOST``, so that none is closed unread."""
_BACKLOG = 128
"""Connections that the kernel keeps until they are accepted."""
_HEAD_BYTES = 16 * 1024
"""Bytes of a request line and its headers."""
_HEAD_SECONDS = 5.0
"""Seconds in which a request line and all headers must have arrived."""
_REQUEST_SECONDS = 10.0
"""Seconds in which the answer, too, must have been taken."""


class ProbeServer:
    """Answers GET and HEAD requests, one for each connection. One daemon thread serves all connections.

    The number of connections is bounded, and so are the size and the time of a request. When there are too many
    connections, the oldest is closed: a probe, which sends its request at once, is answered despite any number of
    clients that do not.

    Attributes:
        address: Host and port it listens on.
    """

    def __init__(self, listener: socket.socket, stats: Stats, exposition: Exposition, patience: float) -> None:
        """Start to serve. ``patience``: seconds after which a poll loop that has not turned is no longer alive."""
        self.address: tuple[str, int] = listener.getsockname()[:2]
        self._listener, self._stats, self._exposition, self._patience = listener, stats, exposition, patience
        self._open: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._closing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port. Not for the server's own thread."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _run(self) -> None:
        with self._listener, contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve_until_closed())

    async def _serve_until_closed(self) -> None:
        await asyncio.start_server(self._serve, sock=self._listener, backlog=_AT_ONCE, limit=_HEAD_BYTES)
        self._listener.listen(_BACKLOG)  # the argument above bounds what is accepted at once, too
        await self._closing.wait()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection, whatever happens."""
        connection = asyncio.current_task()
        assert connection is not None
        if len(self._open) >= _MOST:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.cancel()
        self._open[connection] = None
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                try:
                    async with asyncio.timeout(_HEAD_SECONDS):
                        method, target = await _head(reader)
                    answer = self._answer(method, target)
                except ValueError:
                    answer = _response(HTTPStatus.BAD_REQUEST, b"this is not a request\n", _TEXT)
                writer.transport.set_write_buffer_limits(0)  # drain waits until everything is written
                writer.write(answer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the client is gone, too slow, or one connection too many
        finally:
            self._open.pop(connection, None)
            writer.transport.abort()

    def _answer(self, method: str, target: str) -> bytes:
        """Return the answer to a request, with its head. Raises ValueError if ``target`` is no URL."""
        if method not in {"GET", "HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"GET, HEAD\n", _TEXT, "Allow: GET, HEAD\r\n")
        answer = _response(*self._resource(target))
        return answer[: answer.index(b"\r\n\r\n") + 4] if method == "HEAD" else answer

    def _resource(self, target: str) -> tuple[HTTPStatus, bytes, str]:
        """Return the status, body and content type of what ``target``, a path with or without a query, names."""
        path, query = urlsplit(target)[2:4]
        if path == "/metrics":
            names = parse_qs(query, max_num_fields=1000).get("name[]", [])
            return HTTPStatus.OK, self._exposition.text(names), CONTENT_TYPE_LATEST
        if path in {"/livez", "/readyz"}:
            reasons = _against(self._stats, self._patience, ready=path == "/readyz")
            status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
            return status, ("\n".join(reasons) or "ok").encode() + b"\n", _TEXT
        return HTTPStatus.NOT_FOUND, b"/metrics, /livez, /readyz\n", _TEXT


def serve(pipeline: Pipeline, stats: Stats, slot: int, address: Address | None = None) -> ProbeServer | None:
    """Start a server of ``stats`` on a daemon thread and return it.

    It listens at ``address``, or else where the pipeline file says for ``slot``.

    - ``/metrics``: the text format of Prometheus; with ``?name[]=...``, once or more often, only samples so named.
    - ``/livez``: 200 while the poll loop turns within ``max.poll.interval.ms``, otherwise 503.
    - ``/readyz``: 200 while the worker is alive, has partitions, and nothing is stuck; otherwise 503 and the reasons.

    Returns None if the pipeline file turns telemetry off, or if the port cannot be opened, which is logged.
    """
    address = address or address_of(pipeline, slot)
    if address is None:
        return None
    host, port = address
    try:
        if port > 65_535:
            raise OverflowError  # create_server would raise it, too, and leave a socket open
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        log.error("no metrics and no probes: cannot listen on %s: %s", address, _reason(error))
        return None
    patience = float(pipeline.kafka.get("max.poll.interval.ms", 300_000)) / 1000
    server = ProbeServer(listener, stats, Exposition(stats, pipeline.pipeline, slot), patience)
    log.info("metrics on http://%s/metrics", Address(host, server.address[1]))
    return server


def _reason(error: OSError | OverflowError) -> str:
    """Describe why a port cannot be opened."""
    if isinstance(error, OverflowError):
        return "telemetry.port plus the slot is more than 65535"
    if error.errno == errno.EADDRINUSE:
        return (
            "the port is taken. Probes and scrapes of this worker reach the process that has it, and tell nothing "
            "about this one. Change telemetry.port, or the slot, which is added to it"
        )
    return os.strerror(error.errno) if error.errno and error.errno > 0 else "telemetry.host has no address"


def _response(status: HTTPStatus, body: bytes, kind: str, headers: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nServer: glossator\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{headers}Connection: close\r\n\r\n"
    )
    return head.encode() + body


async def _head(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Read the head of a request; return its method and target. Raises ValueError if it is too long or not HTTP."""
    first = await reader.readline()
    size, line = len(first), first
    while line.strip():  # until the empty line, or the end
        line = await reader.readline()
        size += len(line)
        if size > _HEAD_BYTES:
            raise ValueError("the head is too long")
    method, target, version = first.decode("ascii").split()
    if not version.startswith("HTTP/1."):
        raise ValueError("not HTTP/1")
    return method, target


def _against(stats: Stats, patience: float, ready: bool) -> list[str]:
    """Return the reasons why the worker is not alive or, with ``ready``, not ready."""
    if not stats.turned:
        return ["the worker has not started polling"] if ready else []
    idle = time.monotonic() - stats.turned
    reasons = [f"the poll loop has not turned for {idle:.0f} s"] if idle > patience else []
    if ready:
        reasons += [f"{what}: {why}" for what, why in list(stats.stuck.items())]
        reasons += [f"{what}: {why}" for what, why in list(stats.away.items())]
        if not stats.partitions:
            reasons.append("no partition is assigned")
    return reasons
