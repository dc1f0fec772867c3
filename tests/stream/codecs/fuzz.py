"""Decodes mutated messages of every format, which must be documents or failed documents: never a crash or a hang.

python -m tests.stream.codecs.fuzz [COUNT [SEED]] decodes COUNT messages of each format (100,000 unless told otherwise),
and prints what they became, the slowest one, and the memory of the process.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from schemas.record import Headers
from stream.codecs.base import Codec
from tests.protobuf import EVERYTHING, POST, written
from tests.registry import JSON, PROTOBUF, FakeRegistry, fake_registry, framed
from tests.stream.codecs import test_json_schema
from tests.stream.codecs.registered import codec_of, decoded
from tests.stream.codecs.test_avro import MAPPING, NODE, _nested, _record, _without_logical_types, _written
from tests.stream.codecs.test_envelopes import BINARY, DATA, STRUCTURED, change, envelope, enveloped
from tests.stream.codecs.test_protobuf import framed as framed_message
from tests.stream.codecs.test_protobuf_json import DEEP, PROTO2, _deep
from tests.stream.codecs.test_protobuf_json import MAPPING as MESSAGES

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF)
LARGEST = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
"""The largest number that Avro can write, as a length."""


@dataclass(frozen=True)
class Format:
    """Messages of one format to mutate.

    Attributes:
        codec: what decodes them.
        seeds: values, each with its headers.
        kept: bytes at the beginning of values that are not mutated.
    """

    codec: Codec
    seeds: list[tuple[bytes, Headers | None]]
    kept: int = 0


def avro(registry: FakeRegistry) -> Format:
    seeds = [framed(registry.add("node", NODE), _written(NODE, _nested(9)))]
    for name, (kind, value, _) in MAPPING.items():
        schema = _record(("x", kind))
        plain = json.loads(json.dumps(schema), object_hook=_without_logical_types)
        seeds.append(framed(registry.add(name, schema), _written(plain, {"text": "here", "x": value})))
    deep = _record(("x", {"type": "array", "items": {"type": "map", "values": {"type": "array", "items": "long"}}}))
    seeds.append(framed(registry.add("deep", deep), _written(deep, {"text": "t", "x": [{"a": [1, 2], "b": []}] * 5})))
    return Format(codec_of(registry, keep=True, form="avro"), [(seed, None) for seed in seeds], 5)


def protobuf(registry: FakeRegistry) -> Format:
    everything = registry.add("everything", EVERYTHING, PROTOBUF)
    seeds = [
        framed_message(everything, written(EVERYTHING, "test.all.All", **{"text": "here", **fields}))
        for fields, _ in MESSAGES.values()
    ]
    seeds.append(framed_message(registry.add("p", POST, PROTOBUF), written(POST, "shop.Post", id=5, text="here")))
    seeds.append(framed_message(registry.add("deep", DEEP, PROTOBUF), _deep(9, 0x0A, 0x12) + b"\x22\x04here"))
    old = written(PROTO2, "Old", text="here", part=[{"t": "b"}])
    seeds.append(framed_message(registry.add("old", PROTO2, PROTOBUF), old))
    return Format(codec_of(registry, keep=True, form="protobuf"), [(seed, None) for seed in seeds], 5)


EVENTS = [
    b'{"text":"here","id":5,"tags":["a"],"counts":{"a":1},"near":{"text":"x","id":1},"x":[1.5e3,"\\ud83d\\ude00",null]}',
    '{"text":"h\u00e9re","id":18446744073709551615,"deep":[[[[{"a":[]}]]]]}'.encode(),
]


def json_schema(registry: FakeRegistry) -> Format:
    number = registry.add("json", test_json_schema.POST, JSON)
    decoder = codec_of(registry, keep=True, form="json_schema", validate=True)
    return Format(decoder, [(framed(number, event), None) for event in EVENTS], 5)


def plain(form: str, seeds: list[tuple[bytes, Headers | None]], **source: str) -> Callable[[FakeRegistry], Format]:
    return lambda registry: Format(codec_of(registry, keep=True, form=form, **source), seeds)


ENVELOPES = [envelope(), envelope(b'"text"', datacontenttype="text/plain"), envelope(EVENTS[0])]
CHANGES = [change("u", {"text": "x"}, {"text": "y"}), change("c", None, {"text": "x", "id": 1})]
FORMATS: dict[str, Callable[[FakeRegistry], Format]] = {
    "avro": avro,
    "protobuf": protobuf,
    "json_schema": json_schema,
    "json": plain("json", [(event, None) for event in EVENTS]),
    "cloudevents": plain(
        "cloudevents", [*((value, STRUCTURED) for value in ENVELOPES), (DATA, BINARY), (EVENTS[1], BINARY)]
    ),
    "connect": plain("connect", [(enveloped(event), None) for event in EVENTS]),
    "debezium": plain("debezium", [(enveloped(CHANGES[0]), None), (CHANGES[1], None)], text="$.after.text"),
}


def mutated(value: bytes, kept: int, rng: random.Random) -> bytes:
    """Change, add, repeat and remove some bytes behind the first ``kept``."""
    out = bytearray(value)
    if rng.randrange(3) == 0:  # one byte: most other mutations do not even have the form of a message
        out[rng.randrange(min(kept, len(out) - 1), len(out))] = rng.randrange(256)
        return bytes(out)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(kept, len(out)), len(out) + 1)
        match rng.randrange(5):
            case 0:
                out[at : at + 1] = bytes((rng.choice((*NUMBERS, rng.randrange(256))),))
            case 1:
                out[at:at] = bytes(rng.choice(NUMBERS) for _ in range(rng.choice((1, 2, 9, 64))))
            case 2:
                del out[at : at + rng.randint(1, 8)]
            case 3:
                out += out[at:]
            case _:
                out[at:at] = LARGEST
    return bytes(out)


def mutations(form: Format, count: int, seed: int) -> Iterator[tuple[bytes, Headers | None]]:
    """Yield ``count`` mutated messages."""
    rng = random.Random(seed)
    for _ in range(count):
        value, headers = rng.choice(form.seeds)
        yield mutated(value, form.kept, rng), headers


def outcomes(name: str, count: int, seed: int) -> tuple[dict[str, int], float]:
    """Decode ``count`` mutated messages of a format; return how many became what, and the seconds of the slowest."""
    counts = {"document": 0, "failure": 0}
    slowest = 0.0
    with fake_registry() as registry:
        form = FORMATS[name](registry)
        for value, headers in mutations(form, count, seed):
            start = time.perf_counter()
            document = decoded(form.codec, value, headers)
            slowest = max(slowest, time.perf_counter() - start)
            counts["document" if document.failure is None else "failure"] += 1
            if document.failure is None:
                assert document.event is not None
                assert orjson.loads(document.event) == document.fields
            else:
                assert document.failure.error in {"DecodeError", "UnknownSchemaError"}
    return counts, slowest


def main() -> None:
    """Try every format."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    for name in FORMATS:
        counts, slowest = outcomes(name, count, seed)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{name}: {counts}, slowest {1000 * slowest:.0f} ms, {memory} MB", flush=True)


if __name__ == "__main__":
    main()
