"""Every task on every family of encoders: the annotations of a chain, compared with plain transformers.

For each family one chain runs all tasks over all texts together, on one packed trunk with many heads. The references
(``parity_references.py``) run the same checkpoints with transformers' own classes, one sequence at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from schemas.document import Document
from schemas.pipeline.identity import config_hash
from tests.workers import tiny
from tests.workers.encoder.parity_coreference import clusters, coreference_checkpoint
from tests.workers.encoder.parity_pairs import answers, aspects, embedding, inference, paraphrase, similarity, zero_shot
from tests.workers.encoder.parity_references import (
    Annotation,
    Event,
    Settings,
    classification,
    language,
    moderation,
    personal,
    spans,
    tags,
)
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

BOUND = 5e-6
"""The largest allowed difference of a score. Annotations have six decimals, which accounts for 5e-7 of it."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "bert": ("bert",),
    "roberta": ("roberta",),
    "xlm-roberta": ("xlm-roberta",),
    "distilbert": ("distilbert",),
    "tinybert": ("tinybert",),
    "modernbert": ("modernbert",),
    "electra": ("electra",),
    "minilm": ("minilm", "minilm-xlm"),
    "deberta": ("deberta", "deberta-v2"),
    "mpnet": ("mpnet",),
}
"""A column of the table -> the families of ``tiny`` whose largest difference it shows."""

_SENTENCES = tiny.SENTENCES
_TEXTS = (
    "",
    *_SENTENCES,
    "Paris",
    " \t\n ",
    f"Write to anna@example.org, {_SENTENCES[0]} She, her friend and {_SENTENCES[1]} " + " ".join(_SENTENCES[2:5]),
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL} Ada  Lovelace\u00a0wrote  to مرحبا\u200f, (10/10)! ",
    "again" * 19 + _SENTENCES[4] * 3 + " ".join(_SENTENCES[:3]),
)
_OTHERS = (
    "Paris", "the awful coffee", "a fox", "Zürich", "butter 10/10", "東京", "naive words", "Paris",
    "Angela Merkel", "her friend", "who wrote?", "again and again",
)  # fmt: skip


def _events() -> list[Event]:
    events = []
    for n, (text, other) in enumerate(zip(_TEXTS, _OTHERS, strict=True)):
        far = next(candidate for candidate in _TEXTS[n + 5 :] + _TEXTS if candidate.strip())
        events.append(Event(text, other, far, _TEXTS[:n]))
    return events


EVENTS = _events()


class _Entry(NamedTuple):
    """One task of the pipeline: the head it needs (``_HEADS``), its settings, and its reference."""

    head: str
    settings: Settings
    reference: Callable[[Path, Event, Settings], Annotation]


# Heads of one trunk: the arguments for ``tiny.checkpoint``.
_HEADS: dict[str, dict[str, Any]] = {
    "tone": {"kind": "sequence", "seed": 1},
    "topics": {
        "kind": "sequence", "seed": 2, "labels": ("toxic", "insult", "offensive", "threat", "sports"),
        "problem_type": "multi_label_classification",
    },
    "language": {"kind": "sequence", "seed": 3, "labels": ("en", "de", "fr", "ru", "ja")},
    "nli": {"kind": "sequence", "seed": 4, "labels": ("contradiction", "neutral", "entailment")},
    "paraphrase": {"kind": "sequence", "seed": 5, "labels": ("different", "paraphrase")},
    "entities": {"kind": "token", "seed": 6},
    "tags": {"kind": "token", "seed": 7, "labels": ("NN", "VBZ", "JJ", ".", "IN")},
    "span": {"kind": "span", "seed": 8},
    "embedding": {"kind": "embedding", "seed": 0},
}  # fmt: skip

ROWS: dict[str, tuple[_Entry, ...]] = {
    "ner, token-classification": (
        _Entry("entities", {"task": "ner"}, spans),
        *(
            _Entry("entities", {"task": "token-classification", "aggregation": how, "threshold": least}, spans)
            for how, least in (("first", 0.3), ("average", 0.0), ("max", 0.0))
        ),
    ),
    "pos": tuple(
        _Entry("tags", {"task": "pos", "aggregation": how}, tags) for how in ("first", "average", "max")
    ),
    "coreference": (_Entry("coreference", {"task": "coreference"}, clusters),),
    "sentiment, text-classification": (
        _Entry("tone", {"task": "sentiment"}, classification),
        _Entry("topics", {"task": "text-classification", "merge": "max"}, classification),
    ),
    "moderation": (
        _Entry("topics", {"task": "moderation", "threshold": {"toxic": 0.3, "default": 0.6}}, moderation),
    ),
    "language (model)": (
        _Entry("language", {"task": "language"}, language),
        _Entry("language", {"task": "language", "languages": ["de", "ru"]}, language),
    ),
    "aspect-sentiment": (
        _Entry("tone", {"task": "aspect-sentiment", "aspects": ["coffee", "the lazy dog"]}, aspects),
    ),
    "nli": (
        _Entry("nli", {"task": "nli", "hypothesis": "$.other"}, inference),
        _Entry("nli", {"task": "nli", "premise": "$.far", "hypotheses": ["It is late.", "Café"]}, inference),
    ),
    "zero-shot": tuple(
        _Entry("nli", {"task": "zero-shot", "labels": ["coffee", "far away", "Zürich"], "template": "All is {}.",
                       "multi_label": multi}, zero_shot)
        for multi in (False, True)
    ),
    "paraphrase": (_Entry("paraphrase", {"task": "paraphrase", "against": "$.other"}, paraphrase),),
    "similarity": (
        _Entry("embedding", {"task": "similarity", "against": "$.far"}, similarity),
        _Entry("embedding", {"task": "similarity", "references": {"fox": _SENTENCES[1], "city": "Paris"}},
               similarity),
        _Entry("embedding", {"task": "similarity", "window": 3, "threshold": 0.6}, similarity),
    ),
    "question-answering": (
        _Entry("span", {"task": "question-answering", "question": "$.other", "n_best": 3}, answers),
        _Entry("span", {"task": "question-answering", "questions": ["Who?", "Where in Paris?"],
                        "unanswerable": False, "max_answer_tokens": 4}, answers),
    ),
    "pii (model)": (
        _Entry("entities", {"task": "pii", "threshold": 0.35, "aggregation": "simple",
                            "entities": ["PERSON", "LOCATION", "EMAIL_ADDRESS"]}, personal),
    ),
    "embedding": (
        _Entry("embedding", {"task": "embedding"}, embedding),
        _Entry("embedding", {"task": "embedding", "pooling": "cls", "normalize": False, "dimensions": 7},
               embedding),
    ),
}  # fmt: skip
"""A row of the table -> the tasks whose largest difference it shows."""

WITHOUT_SCORES = ("coreference",)
"""Rows whose annotations contain only positions."""


class Run(NamedTuple):
    """``annotations``: those of each of ``EVENTS``; ``config``: the hash of the pipeline."""

    chain: Chain
    annotations: list[dict[str, Annotation]]
    config: str


def cell(row: str, family: str) -> float:
    """Return the largest difference of any score. Raises AssertionError if anything else is not equal."""
    ran = run(family)
    worst = 0.0
    for n, entry in enumerate(ROWS[row]):
        name = name_of(row, n)
        folder, settings = checkpoint(family, entry.head), {**entry.settings, "config": ran.config}
        for event, made in zip(EVENTS, ran.annotations, strict=True):
            for place, difference in differences(made[name], entry.reference(folder, event, settings), name):
                assert difference < math.inf, f"{place} differs for {event.text!r}"
                worst = max(worst, difference)
    return worst


def differences(made: Any, wanted: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield the place and the difference of every float, and infinity for anything else that is not equal."""
    if isinstance(made, dict) and isinstance(wanted, dict) and made.keys() == wanted.keys():
        for key in made:
            yield from differences(made[key], wanted[key], f"{place}.{key}")
    elif isinstance(made, list) and isinstance(wanted, list) and len(made) == len(wanted):
        for n, (part, wanted_part) in enumerate(zip(made, wanted, strict=True)):
            yield from differences(part, wanted_part, f"{place}[{n}]")
    elif isinstance(made, float) and isinstance(wanted, float):
        yield place, abs(made - wanted)
    else:
        yield place, 0.0 if made == wanted else math.inf


@cache
def run(family: str) -> Run:
    """Run one chain of all tasks over all events together."""
    entries = [(name_of(row, n), entry) for row, row_entries in ROWS.items() for n, entry in enumerate(row_entries)]
    config = pipeline(
        *({"name": name, "model": str(checkpoint(family, entry.head)), **entry.settings} for name, entry in entries),
        compute={"device": "cpu", "dtype": "float32"},
    )
    documents = []
    for event in EVENTS:
        fields = {"text": event.text, "other": event.other, "far": event.far}
        documents.append(Document(None, event.text, json.dumps(fields).encode(), fields))
    chain = Chain.load(config)
    chain.run(documents)
    for document in documents:
        assert document.failure is None, (document.failure.task, document.failure.message)
    return Run(chain, [document.annotations for document in documents], config_hash(config))


def checkpoint(family: str, head: str) -> Path:
    """The folder of a head of ``_HEADS``, or of F-coref's head, on the trunk of the family."""
    if head == "coreference":
        return coreference_checkpoint(tiny.checkpoint(family, "embedding", 0))
    settings = dict(_HEADS[head])
    trunk = None if head == "embedding" else 0
    return tiny.checkpoint(
        family, settings.pop("kind"), settings.pop("seed"), settings.pop("labels", None), trunk, **settings
    )


def name_of(row: str, n: int) -> str:
    return row.partition(" ")[0].replace("-", "_").strip(",") + f"_{n}"
