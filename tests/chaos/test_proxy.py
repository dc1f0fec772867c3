"""The proxy breaks connections as documented, and only so. The broker is a server that echoes correlation ids."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import END_TXN, Proxy, transactional_id

METADATA = 3


class Echo:
    """A broker that answers each request with its correlation id, and keeps the requests."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.asked: list[tuple[int, int]] = []
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self.socket, *self._clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                self._clients.append(client)
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                api_key, _, correlation = struct.unpack_from(">hhi", receive(client))
                self.asked.append((api_key, correlation))
                client.sendall(struct.pack(">ii", 4, correlation))


def receive(client: socket.socket) -> bytes:
    """Return the next frame without its length."""

    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = client.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    return exactly(struct.unpack(">i", exactly(4))[0])


def ask(client: socket.socket, correlation: int, api_key: int = METADATA) -> None:
    client.sendall(struct.pack(">ihhi", 8, api_key, 0, correlation))


def answer(client: socket.socket) -> int:
    return int(struct.unpack(">i", receive(client))[0])


@pytest.fixture
def broker() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(broker: Echo) -> Iterator[Proxy]:
    proxy = Proxy(broker.port)
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connected(proxy) as client:
        yield client


@contextlib.contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
        yield client


def is_reset(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def silent(client: socket.socket) -> bool:
    """Whether nothing arrives for a while."""
    client.settimeout(0.3)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(30)
    return False


def test_requests_and_responses_pass_in_order(proxy: Proxy, client: socket.socket, broker: Echo) -> None:
    for correlation in range(200):
        ask(client, correlation)
    assert [answer(client) for _ in range(200)] == list(range(200))
    assert proxy.seen == {METADATA: 200}
    with connected(proxy) as other:
        ask(other, 7)
        assert answer(other) == 7


def test_a_reset_ends_what_is_open_and_nothing_later(proxy: Proxy, client: socket.socket) -> None:
    ask(client, 1)
    assert answer(client) == 1
    proxy.reset()
    assert is_reset(client)
    with connected(proxy) as other:
        ask(other, 2)
        assert answer(other) == 2


def test_a_black_hole_holds_requests_back_and_lets_them_go(proxy: Proxy, client: socket.socket, broker: Echo) -> None:
    proxy.black_hole(True)
    ask(client, 1)
    assert silent(client)
    assert broker.asked == []
    proxy.black_hole(False)
    assert answer(client) == 1


def test_one_way_loss_carries_requests_out_and_ends_in_a_reset(
    proxy: Proxy, client: socket.socket, broker: Echo
) -> None:
    with connected(proxy) as idle:
        ask(idle, 0)
        assert answer(idle) == 0
        proxy.deafen(True)
        ask(client, 1)
        assert silent(client)
        assert broker.asked == [(METADATA, 0), (METADATA, 1)]
        proxy.deafen(False)
        assert is_reset(client)
        ask(idle, 2)
        assert answer(idle) == 2, "a connection that lost nothing was reset"


def test_a_cut_request_is_carried_out_and_never_answered(proxy: Proxy, client: socket.socket, broker: Echo) -> None:
    proxy.cut(END_TXN, 1)
    ask(client, 1)
    assert answer(client) == 1
    ask(client, 2, END_TXN)
    assert is_reset(client)
    assert broker.asked == [(METADATA, 1), (END_TXN, 2)]
    assert proxy.cuts == 1
    with connected(proxy) as other:
        ask(other, 3, END_TXN)
        assert answer(other) == 3, "one was to be cut"


def test_latency_is_added_each_way_and_keeps_the_order(proxy: Proxy, client: socket.socket) -> None:
    proxy.latency(0.2)
    begun = time.monotonic()
    for correlation in range(20):
        ask(client, correlation)
    assert [answer(client) for _ in range(20)] == list(range(20))
    # A lower bound: no machine is too slow for it.
    assert time.monotonic() - begun >= 0.4


def test_a_broker_that_is_away_is_felt_and_may_come_back(proxy: Proxy, client: socket.socket, broker: Echo) -> None:
    ask(client, 1)
    assert answer(client) == 1
    broker.close()
    assert is_reset(client)
    # The reset may arrive before the client has used its new connection.
    with contextlib.suppress(ConnectionResetError), connected(proxy) as other:
        assert is_reset(other)


def test_heal_ends_everything(proxy: Proxy, client: socket.socket) -> None:
    proxy.latency(60)
    proxy.deafen(True)
    proxy.cut(END_TXN, 5)
    proxy.black_hole(True)
    proxy.heal()
    ask(client, 1, END_TXN)
    assert answer(client) == 1


@pytest.mark.parametrize(
    ("version", "rest", "name"),
    [
        (1, b"\x00\x04name" + b"\x00\x00\x75\x30", "name"),
        (1, b"\xff\xff" + b"\x00\x00\x75\x30", None),
        (4, b"\x00\x05name" + b"\x00\x00\x75\x30", "name"),
        (4, b"\x00\x00" + b"\x00\x00\x75\x30", None),
    ],
)
@pytest.mark.parametrize("client", [b"\x00\x02me", b"\xff\xff"])
def test_the_transactional_id_is_read_from_both_encodings(
    version: int, rest: bytes, name: str | None, client: bytes
) -> None:
    # Encoded by the protocol guide: InitProducerId, request headers 1 and 2.
    request = struct.pack(">hhi", 22, version, 9) + client + rest
    assert transactional_id(struct.pack(">i", len(request)) + request) == name
