"""Lists open transactions with ListTransactions (KIP-664), which the Python client does not offer."""

from __future__ import annotations

import socket
import struct

_KEY = 66
_OPEN = "Ongoing"


def ongoing(servers: str, timeout: float = 1.0) -> set[str]:
    """Return the ids of all transactions that nobody has started to commit or abort, from all coordinators.

    Raises OSError if one of ``servers`` does not answer.
    """
    return set().union(*(_ask(server, timeout) for server in servers.split(",")))


def request() -> bytes:
    """Encode the request by the protocol guide: request header 2, version 0, with its length in front."""
    states = b"\x02" + bytes([len(_OPEN) + 1]) + _OPEN.encode()  # the encoded lengths and counts are one higher
    frame = struct.pack(">hhih", _KEY, 0, 1, -1) + b"\x00" + states + b"\x01" + b"\x00"
    return struct.pack(">i", len(frame)) + frame


def answered(frame: bytes) -> set[str]:
    """Return the ids in a response (header 1, version 0). Raises ConnectionError if it is an error."""
    (error,) = struct.unpack_from(">h", frame, 9)
    if error:
        raise ConnectionError(f"ListTransactions: {error}")
    unknown, at = _varint(frame, 11)
    if unknown > 1:
        raise ConnectionError("the broker does not know the state")
    count, at = _varint(frame, at)
    names = set()
    for _ in range(count - 1):
        length, at = _varint(frame, at)
        names.add(frame[at : at + length - 1].decode())
        at += length - 1 + 8  # the producer's id
        length, at = _varint(frame, at)
        at += length - 1 + 1  # the state, and no tagged fields
    return names


def _ask(server: str, timeout: float) -> set[str]:
    host, _, port = server.rpartition(":")
    with socket.create_connection((host, int(port)), timeout) as broker:
        broker.sendall(request())
        (length,) = struct.unpack(">i", _receive(broker, 4))
        return answered(_receive(broker, length))


def _receive(broker: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        if not (more := broker.recv(count - len(data))):
            raise ConnectionError("the broker hung up")
        data += more
    return data


def _varint(frame: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (frame[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not frame[at - 1] & 0x80:
            return value, at
