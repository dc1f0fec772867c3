"""What the consumer's group metadata says about its membership."""

from __future__ import annotations

import sys

_PREFIX = b"CGMDv2:"


def names_member(metadata: object) -> bool:
    """Whether group metadata names a member and its generation.

    A member that was just expelled hands over metadata that names neither, and the group fences only what is named: it
    would accept a transaction that commits for partitions of other members. The client writes ``CGMDv2:``, four bytes
    of generation, group, member and instance, each ended by a zero (``rd_kafka_consumer_group_metadata_write``).
    """
    if not isinstance(metadata, bytes) or not metadata.startswith(_PREFIX):
        return True  # of a client we do not know: there is nothing to check
    generation = int.from_bytes(metadata[len(_PREFIX) : len(_PREFIX) + 4], sys.byteorder, signed=True)
    member = metadata[len(_PREFIX) + 4 :].split(b"\0")[1]
    return generation > 0 and bool(member)
