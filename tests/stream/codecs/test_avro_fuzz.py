"""Mutated Avro is a document or a failed document: it never crashes or hangs."""

from __future__ import annotations

import json
import random

from tests.registry import FakeRegistry, fake_registry, framed
from tests.stream.codecs.registered import codec_of, outcomes_of
from tests.stream.codecs.test_avro import MAPPING, NODE, _nested, _record, _without_logical_types, _written

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF)
LARGEST = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
"""The largest number that Avro can write, as a length."""


def _seeds(registry: FakeRegistry) -> list[bytes]:
    seeds = [framed(registry.add("node", NODE), _written(NODE, _nested(9)))]
    for name, (kind, value, _) in MAPPING.items():
        schema = _record(("x", kind))
        plain = json.loads(json.dumps(schema), object_hook=_without_logical_types)
        seeds.append(framed(registry.add(name, schema), _written(plain, {"text": "here", "x": value})))
    deep = _record(("x", {"type": "array", "items": {"type": "map", "values": {"type": "array", "items": "long"}}}))
    seeds.append(framed(registry.add("deep", deep), _written(deep, {"text": "t", "x": [{"a": [1, 2], "b": []}] * 5})))
    return seeds


def _mutated(seed: bytes, rng: random.Random) -> bytes:
    value = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(5, len(value)), len(value) + 1)
        match rng.randrange(5):
            case 0:
                value[at : at + 1] = bytes((rng.choice((*NUMBERS, rng.randrange(256))),))
            case 1:
                value[at:at] = bytes(rng.choice(NUMBERS) for _ in range(rng.choice((1, 2, 9, 64))))
            case 2:
                del value[at : at + rng.randint(1, 8)]
            case 3:
                value += value[at:]
            case _:
                value[at:at] = LARGEST
    return bytes(value)


def test_no_mutation_crashes() -> None:
    rng = random.Random(7)
    with fake_registry() as registry:
        seeds = _seeds(registry)
        values = (_mutated(rng.choice(seeds), rng) for _ in range(600))
        outcomes = outcomes_of(codec_of(registry, keep=True, form="avro"), values)
        assert min(outcomes.values()) > 10
