"""Mutated Protobuf is a document or a failed document: it never crashes or hangs."""

from __future__ import annotations

import random

from tests.protobuf import EVERYTHING, POST, written
from tests.registry import PROTOBUF, FakeRegistry, fake_registry
from tests.stream.codecs.registered import codec_of, outcomes_of
from tests.stream.codecs.test_avro_fuzz import _mutated
from tests.stream.codecs.test_protobuf import framed
from tests.stream.codecs.test_protobuf_json import DEEP, MAPPING, PROTO2, _deep


def _seeds(registry: FakeRegistry) -> list[bytes]:
    everything = registry.add("everything", EVERYTHING, PROTOBUF)
    seeds = [
        framed(everything, written(EVERYTHING, "test.all.All", **{"text": "here", **fields}))
        for fields, _ in MAPPING.values()
    ]
    seeds.append(framed(registry.add("posts", POST, PROTOBUF), written(POST, "shop.Post", id=5, text="here")))
    seeds.append(framed(registry.add("deep", DEEP, PROTOBUF), _deep(9, 0x0A, 0x12) + b"\x22\x04here"))
    seeds.append(framed(registry.add("old", PROTO2, PROTOBUF), written(PROTO2, "Old", text="here", part=[{"t": "b"}])))
    return seeds


def _flipped(seed: bytes, rng: random.Random) -> bytes:
    """Change one byte behind the frame: most other mutations do not even have the form of a message."""
    value = bytearray(seed)
    value[rng.randrange(6, len(value))] = rng.randrange(256)
    return bytes(value)


def try_mutations(count: int, seed: int) -> dict[str, int]:
    """Decode ``count`` mutated messages; return how many became documents, and how many failures."""
    rng = random.Random(seed)
    with fake_registry() as registry:
        seeds = _seeds(registry)
        chosen = (rng.choice(seeds) for _ in range(count))
        values = (_mutated(value, rng) if rng.randrange(2) else _flipped(value, rng) for value in chosen)
        return outcomes_of(codec_of(registry, keep=True, form="protobuf"), values)


def test_no_mutation_crashes() -> None:
    assert min(try_mutations(600, 7).values()) > 10
