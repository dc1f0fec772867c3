"""Mutated schemas never crash or hang a codec: each is used, or is the reason for a failure."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from tests.protobuf import EVERYTHING, POST, written
from tests.registry import AVRO, JSON, PROTOBUF, fake_registry, framed
from tests.stream.codecs import test_json_schema
from tests.stream.codecs.fuzz import mutated
from tests.stream.codecs.registered import codec_of, decoded
from tests.stream.codecs.test_avro import MAPPING, NODE, _nested, _record, _without_logical_types, _written

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 1e300, "", "text", "null", "string", "record", "Node", "#", "a" * 300, [], {}, ["null"],
)  # fmt: skip
WORDS = (
    *"{}[]()<>;=,.-", "message", "enum", "map", "oneof", "group", "repeated", "optional", "required", "import",
    "option", "reserved", "extend", "string", "Post", "1", "0", "-1", "99999999999999999999", '"x"', "// ", "/*",
)  # fmt: skip


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) for each place in parsed JSON."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, below in list(entries) for place in ((node, key), *_places(below))]


def mutated_json(schema: Any, rng: random.Random) -> str:
    """Exchange parts of a schema for others of it, or for something odd."""
    whole = [copy.deepcopy(schema)]
    for _ in range(rng.choice((0, 1, 1, 2))):
        places = _places(whole)
        container, key = rng.choice(places)
        other, name = rng.choice(places)
        match rng.randrange(4):
            case 0:
                container[key] = rng.choice(ODD)
            case 1:
                container[key] = copy.deepcopy(other[name])
            case 2:
                container[key] = [container[key], copy.deepcopy(other[name])]
            case _:
                del container[key]
        if not whole:
            return "{}"
    return json.dumps(whole[0])


def mutated_text(text: str, rng: random.Random) -> str:
    """Exchange, remove, and add words of a .proto file."""
    words = text.split(" ")
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(words))
        words[at : at + rng.randrange(2)] = rng.choice(
            ([rng.choice(WORDS)], [rng.choice(words)], words[at : at + 5] * 2, [])
        )
        words = words or [""]
    return " ".join(words)


def _hostile(kind: str, rng: random.Random) -> tuple[str, bytes]:
    """Return a mutated schema, and a value of the schema that it was."""
    if kind == AVRO:
        mapped, value, _ = MAPPING[rng.choice([*MAPPING])]
        schema, content = rng.choice(((NODE, _nested(5)), (_record(("x", mapped)), {"text": "here", "x": value})))
        plain = json.loads(json.dumps(schema), object_hook=_without_logical_types)
        payload = _written(plain, content)
        return mutated_json(schema, rng), payload if rng.randrange(4) else mutated(payload, 0, rng)
    if kind == JSON:
        event = b'{"text":"here","id":5,"tags":["a"],"counts":{"a":1},"near":{"text":"x","id":1}}'
        return mutated_json(test_json_schema.POST, rng), event
    file, name, fields = rng.choice(
        ((POST, "shop.Post", {"id": 5, "text": "here"}), (EVERYTHING, "test.all.All", {"text": "here"}))
    )
    return mutated_text(file, rng), b"\0" + written(file, name, **fields)


def try_schemas(kind: str, count: int, seed: int) -> dict[str, int]:
    """Decode values of ``count`` mutated schemas; return how many became documents, and how many failures."""
    rng = random.Random(seed)
    outcomes = {"document": 0, "failure": 0}
    form = {AVRO: "avro", JSON: "json_schema", PROTOBUF: "protobuf"}[kind]
    with fake_registry() as registry:
        decoder = codec_of(registry, form=form, **({"validate": True} if kind == JSON else {}))
        for _ in range(count):
            text, payload = _hostile(kind, rng)
            document = decoded(decoder, framed(registry.add("posts", text, kind), payload))
            assert document.failure is None or document.failure.error in {"DecodeError", "UnknownSchemaError"}
            outcomes["document" if document.failure is None else "failure"] += 1
    return outcomes


@pytest.mark.parametrize("kind", [AVRO, JSON, PROTOBUF])
def test_no_mutated_schema_crashes(kind: str) -> None:
    assert min(try_schemas(kind, 150, 7).values()) > 8
