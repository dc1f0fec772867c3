"""The files of examples/, where they find what they name, and events as their comments describe them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
import torch
from huggingface_hub import constants

from schemas.document import Document
from schemas.event import EnrichedEvent
from schemas.paths import Steps, matches, parse_pattern
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.output.event_builder import EventBuilder
from tests import hub
from training.coreference import convert
from workers.chain.chain import Chain

ROOT = Path(__file__).parents[1]
EXAMPLES = {
    path.stem: path
    for path in sorted((ROOT / "examples").glob("*.yaml"))
    if path.stem != "recognizers" and not path.stem.endswith(".test")
}
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas/event.schema.json").read_text()))
ENGLISH = [
    "Angela Merkel praised the awful coffee in Paris.",
    "My parcel with the order number 4711 has not arrived yet, and I want my money back.",
    "The food was great, but we waited an hour for it \N{PILE OF POO}\N{THUMBS UP SIGN}",
    "The quick brown fox jumps over the lazy dog, again and again. " * 45,
    "Write to anna@example.org, IBAN DE89 3704 0044 0532 0130 00, customer K-204817.",
]
OTHERS = [
    "Überraschung! Das Café in Zürich schließt heute leider schon um fünf Uhr.",
    "Je ne sais pas pourquoi ma commande n'est toujours pas arrivée.",
    "¿Dónde está mi pedido? Hace dos semanas que lo estoy esperando.",
    "Die Lieferung kam zu spät, und niemand hat sich bei uns gemeldet.",
]
ODD = ["???", "e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT} \u202e naive", "\N{THUMBS UP SIGN}" * 3]
KEYS = {"GLOSSATOR_HASH_KEY": "11" * 32, "GLOSSATOR_DEAD_KEY": "22" * 32}
"""The keys that examples name, in environment variables."""
DOZEN = [*ENGLISH, *OTHERS, *ODD]


class Loaded(NamedTuple):
    pipeline: Pipeline
    chain: Chain


@contextmanager
def place(folder: Path) -> Iterator[None]:
    """The machine of a reader who follows the comments: the hub's models in its cache, F-coref converted, and no GPU.

    Other processes started from here are there too.
    """
    hub.build(folder / "hub")
    convert(ROOT / "tests/fixtures/coreference/checkpoint", folder / "f-coref")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.syspath_prepend(str(ROOT / "examples"))
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        # What the client of the hub has read when it was imported.
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        patch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HUB_CACHE", str(folder / "hub"))
        patch.setenv("COREFERENCE_MODEL", str(folder / "f-coref"))
        for variable, key in KEYS.items():
            patch.setenv(variable, key)
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            loaded.cache_clear()


@cache
def loaded(name: str) -> Loaded:
    pipeline = load(EXAMPLES[name])
    return Loaded(pipeline, Chain.load(pipeline))


def comment(name: str) -> str:
    """What the file says of itself on top."""
    lines = EXAMPLES[name].read_text().splitlines()
    return "\n".join(line.removeprefix("#") for line in lines[: lines.index("")])


def events(name: str, texts: list[str]) -> list[dict[str, Any]]:
    """What the comment says that an event holds, and no more: a text at each path, and short texts elsewhere."""
    described = re.search(r"An event is (?=\{)", comment(name))
    assert described or name == "starter"
    shape = json.JSONDecoder().raw_decode(comment(name), described.end())[0] if described else {"text": "..."}
    patterns = [parse_pattern(path) for path in loaded(name).pipeline.input.paths]
    places = {steps for pattern in patterns for steps, _ in matches(pattern, shape)}
    assert len(places) == len(patterns)

    def filled(value: Any, text: str, n: int, at: Steps = ()) -> Any:
        if isinstance(value, dict):
            return {key: filled(item, text, n, (*at, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item, text, n, (*at, index)) for index, item in enumerate(value)]
        return text if at in places else f"Who is {n}?"

    return [filled(shape, text, n) for n, text in enumerate(texts)]


def decoded(name: str, made: list[dict[str, Any]]) -> list[Document]:
    example = loaded(name)
    decoder = codec(example.pipeline.input, keep_fields=example.chain.reads_fields)
    values = [json.dumps(event).encode() for event in made]
    return [decoder.decode(Record(Assignment("in", 0), n, None, value)) for n, value in enumerate(values)]


def annotated(name: str, texts: list[str]) -> list[dict[str, Any]]:
    """The enriched events, valid against the contract."""
    example = loaded(name)
    documents = decoded(name, events(name, texts))
    example.chain.run(documents)
    builder = EventBuilder(example.pipeline, example.chain.models)
    lines = []
    for document in documents:
        assert document.failure is None, (document.failure.task, document.failure.message)
        line = builder.build(document)
        EnrichedEvent.model_validate_json(line)
        lines.append(json.loads(line))
        SCHEMA.validate(lines[-1])
    return lines


def said(name: str, task: str, texts: list[str] = DOZEN) -> list[dict[str, Any]]:
    return [event["annotations"][task] for event in annotated(name, texts)]


def places(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in an annotation that says where it stands in the text, and what stands there."""
    if isinstance(value, dict):
        if "start" in value:
            yield value
        value = list(value.values())
    for entry in value if isinstance(value, list) else ():
        yield from places(entry)
