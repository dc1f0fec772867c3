"""A TCP proxy between the workers and a broker, which knows enough of Kafka's protocol to break it on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

END_TXN = 26
"""The api key of the request that commits or aborts a transaction (Kafka protocol guide)."""
_INIT_PRODUCER_ID = 22
_PENDING = 64


class Proxy:
    """Forwards 127.0.0.1:``port`` to 127.0.0.1:``upstream`` frame by frame, on its own thread.

    Each fault is a method that any thread may call; ``heal`` ends all faults. Frames are held back, never reordered.
    ``seen`` counts requests by api key, ``cuts`` the responses that ``cut`` has removed; ``transactional_ids`` are
    those that producers have asked for.
    """

    def __init__(self, upstream: int, port: int = 0) -> None:
        self._upstream = upstream
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.seen: dict[int, int] = {}
        self.cut_at: list[float] = []
        """When each of the ``cuts`` happened, in seconds since the epoch."""
        self.transactional_ids: set[str] = set()
        self._latency = 0.0
        self._deaf = False
        self._cut: dict[int, int] = {}
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._gate = asyncio.Event()
        self._gate.set()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    @property
    def cuts(self) -> int:
        return len(self.cut_at)

    def reset(self) -> None:
        """Reset every connection, once."""
        self._do(self._reset)

    def black_hole(self, on: bool) -> None:
        """Forward nothing while ``on``; connections are accepted and stay open."""
        self._do(self._gate.clear if on else self._gate.set)

    def latency(self, seconds: float) -> None:
        """Delay every frame by ``seconds``, in both directions."""
        self._do(lambda: setattr(self, "_latency", seconds))

    def deafen(self, on: bool) -> None:
        """Drop all responses while ``on``; requests still arrive. Affected connections are reset when it ends."""
        self._do(lambda: self._deafen(on))

    def cut(self, api_key: int, times: int) -> None:
        """Let the broker carry out the next ``times`` requests of a kind, but cut off its answers with a reset."""
        self._do(lambda: self._cut.update({api_key: times}))

    def heal(self) -> None:
        self.latency(0.0)
        self.deafen(False)
        self.cut(END_TXN, 0)
        self.black_hole(False)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def _do(self, change: Callable[[], Any]) -> None:
        """Run ``change`` on the proxy's thread and wait for it."""
        done: Future[None] = Future()

        def run() -> None:
            change()
            done.set_result(None)

        self._loop.call_soon_threadsafe(run)
        done.result(30)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, sock=self._socket)
        await self._stopping.wait()
        server.close()
        self._reset()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:  # tasks whose connections are gone end by themselves
            _, tasks = await asyncio.wait(tasks, timeout=1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, onward = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:  # the broker is down, so act like it
            _abort(writer)
            return
        link = _Link(writer, onward)
        self._links.add(link)
        pumps = [
            asyncio.ensure_future(self._pump(link, reader, onward, self._on_request)),
            asyncio.ensure_future(self._pump(link, back, writer, self._on_response)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            link.abort()
            self._links.discard(link)

    async def _pump(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Callable[..., bool]
    ) -> None:
        """Read frames from ``reader`` and send those that ``look`` accepts to ``writer`` when they are due."""
        frames: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PENDING)
        sender = asyncio.ensure_future(self._send(frames, writer))
        try:
            while not sender.done():
                head = await reader.readexactly(4)
                frame = head + await reader.readexactly(struct.unpack(">i", head)[0])
                if look(link, frame):
                    await frames.put((self._loop.time() + self._latency, frame))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one end is gone; the reset tells the other
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, frames: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, frame = await frames.get()
            if (wait := due - self._loop.time()) > 0:
                await asyncio.sleep(wait)
            await self._gate.wait()
            writer.write(frame)
            await writer.drain()

    def _on_request(self, link: _Link, frame: bytes) -> bool:
        api_key, _, correlation = struct.unpack_from(">hhi", frame, 4)
        self.seen[api_key] = self.seen.get(api_key, 0) + 1
        if api_key == _INIT_PRODUCER_ID and (name := transactional_id(frame)):
            self.transactional_ids.add(name)
        if self._cut.get(api_key, 0) > 0:
            self._cut[api_key] -= 1
            link.doomed.add(correlation)
        return True

    def _on_response(self, link: _Link, frame: bytes) -> bool:
        (correlation,) = struct.unpack_from(">i", frame, 4)
        if correlation in link.doomed:  # the broker has carried it out, but its answer is lost
            self.cut_at.append(time.time())
            link.abort()
            return False
        link.missed = link.missed or self._deaf
        return not self._deaf

    def _deafen(self, on: bool) -> None:
        self._deaf = on
        for link in [link for link in self._links if link.missed and not on]:
            link.abort()

    def _reset(self) -> None:
        for link in list(self._links):
            link.abort()


class _Link:
    """A client's connection to the proxy and the proxy's connection to the broker."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.doomed: set[int] = set()
        self.missed = False

    def abort(self) -> None:
        for writer in self._writers:
            _abort(writer)


def transactional_id(frame: bytes) -> str | None:
    """Return the id in an InitProducerId request (with its length in front); for names below 127 bytes."""
    (version,) = struct.unpack_from(">h", frame, 6)
    (client,) = struct.unpack_from(">h", frame, 12)
    at = 14 + max(client, 0)
    if version < 2:
        (length,) = struct.unpack_from(">h", frame, at)
        at += 2
    else:  # the flexible encoding: no tagged fields, then the length plus one as a varint
        length = frame[at + 1] - 1
        at += 2
    return frame[at : at + length].decode() if length > 0 else None


def _abort(writer: asyncio.StreamWriter) -> None:
    """End the connection with a reset, as a broken network does, not with an orderly close."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
