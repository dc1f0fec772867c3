"""Which group metadata a transaction may commit with."""

from __future__ import annotations

import sys

import pytest
from confluent_kafka import Consumer

from stream.kafka.membership import names_member


def metadata(generation: int, member: str, instance: str = "") -> bytes:
    """Encode group metadata as the client does; a byte says whether there is no instance."""
    number = generation.to_bytes(4, sys.byteorder, signed=True)
    return b"CGMDv2:" + number + f"group\0{member}\0".encode() + (f"\0{instance}\0".encode() if instance else b"\1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (metadata(1, "member-1"), True),
        (metadata(2**31 - 1, "m", "instance"), True),
        (metadata(-1, ""), False),
        (metadata(-1, "member-1"), False),
        (metadata(0, "member-1"), False),
        (metadata(5, ""), False),
        (metadata(5, "", "instance"), False),
        (b"CGMDv9:whatever", True),
        (object(), True),
    ],
)
def test_only_metadata_that_the_group_can_fence_is_taken(given: object, expected: bool) -> None:
    assert names_member(given) is expected


def test_the_clients_own_metadata_is_read_as_it_writes_it() -> None:
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "group", "log_level": 0})
    assert consumer.consumer_group_metadata() == metadata(-1, "")
    consumer.close()
