"""ListTransactions is encoded as in the protocol guide. No broker is needed."""

from __future__ import annotations

import struct

import pytest

from tests.chaos.transactions import answered, request


def response(*ids: str, error: int = 0, unknown: bytes = b"\x01") -> bytes:
    """A response without its length: correlation, no tags, throttle, error, unknown states, transactions, no tags."""
    states = b"".join(
        bytes([len(name) + 1]) + name.encode() + struct.pack(">q", 7) + b"\x08Ongoing" + b"\x00" for name in ids
    )
    head = struct.pack(">i", 1) + b"\x00" + struct.pack(">ih", 0, error)
    return head + unknown + bytes([len(ids) + 1]) + states + b"\x00"


def test_the_ids_are_read() -> None:
    assert answered(response()) == set()
    assert answered(response("a-0", "group-1")) == {"a-0", "group-1"}


def test_what_is_no_answer_is_an_error() -> None:
    for wrong in (response(error=14), response(unknown=b"\x02\x02x")):
        with pytest.raises(ConnectionError):
            answered(wrong)


def test_the_request_says_how_long_it_is() -> None:
    frame = request()
    assert struct.unpack_from(">ihhih", frame) == (len(frame) - 4, 66, 0, 1, -1)
    assert frame.endswith(b"\x00\x02\x08Ongoing\x01\x00")
