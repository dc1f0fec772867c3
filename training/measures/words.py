"""``pos``, ``ner`` and ``pii``: labelled words and spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from schemas.document import Annotation
from training.measures.base import Bench, Measured, measured, summed
from training.measures.metrics import Span, f2, f_score, loose_counts, over_token, ratio, span_counts, touched
from training.names import is_handle
from training.runs import documents, joined
from training.tokens import MARKS_MISC, NER_TYPES, PII_NAMES

CHECKED = ["CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "EMAIL_ADDRESS", "PHONE_NUMBER"]
"""Entities with a pattern, and mostly a checksum."""
SENTENCES = 10
"""How many sentences of a document are one text when ``ner`` is measured on documents."""
UNMARKED = {"large": {"AGE", "NRP"}}
"""Entities that occur in a set's texts but not among its labels."""


def pos(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("pos/ewt.test")
    results = bench.annotate({"task": "pos"}, [example["text"] for example in examples])
    table = []
    for example, result in zip(examples, results, strict=True):
        words = sorted(spans(result))
        labels = [over_token(words, start, end) for start, end in example["offsets"]]
        hits = sum(label == tag for label, tag in zip(labels, example["tags"], strict=True))
        table.append((hits, len(labels)))
    yield measured("pos", "ewt.test", "accuracy", summed(table, ratio), len(table))


def ner(bench: Bench) -> Iterator[Measured]:
    for name in ("uner_ewt", "wikigold", "btc"):
        examples = bench.read(f"ner/{name}.test")
        gold, kept = _names(bench, examples, name)
        handles = "without handles" if name == "btc" else ""
        table = [
            span_counts(*(_apart(example["text"], side) if handles else side for side in sides))
            for example, *sides in zip(examples, gold, kept, strict=True)
        ]
        yield measured("ner", f"{name}.test", "span F1", summed(table, f_score), len(table), of=handles)
        if handles:
            table = list(map(span_counts, gold, kept))
            yield measured("ner", f"{name}.test", "span F1", summed(table, f_score), len(table), of="with handles")
            continue
        parts = [
            document[first : first + SENTENCES]
            for document in documents(examples)
            for first in range(0, len(document), SENTENCES)
        ]
        # With a space, nothing parts a signature from the greeting after it.
        for between, how in ((" ", ""), ("\n", ", one a line")):
            long = [joined(part, between) for part in parts]
            table = list(map(span_counts, *_names(bench, long, name)))
            of = f"{SENTENCES} sentences at a time{how}"
            yield measured("ner", f"{name}.test", "span F1", summed(table, f_score), len(table), of=of)


def _names(bench: Bench, examples: Sequence[dict[str, Any]], name: str) -> tuple[list[set[Span]], list[set[Span]]]:
    """Return the names in each example of a set that are labelled, and those that ``ner`` finds."""
    results = bench.annotate({"task": "ner"}, [example["text"] for example in examples])
    compared = set(NER_TYPES.values()) - ({"MISC"} if name not in MARKS_MISC else set())
    kept = [{span for span in spans(result) if span[2] in compared} for result in results]
    return [set(_named(example["spans"], NER_TYPES)) for example in examples], kept


def pii(bench: Bench) -> Iterator[Measured]:
    texts: list[str] = []
    gold: list[set[Span]] = []
    unmarked: list[set[str]] = []
    for name in ("synth", "large"):
        for example in bench.read(f"pii/presidio_{name}.test"):
            texts.append(example["text"])
            gold.append(set(_named(example["spans"], PII_NAMES)))
            unmarked.append(UNMARKED.get(name, set()))
    results = bench.annotate({"task": "pii"}, texts)
    predicted = [
        {span for span in spans(entry) if span[2] not in skip} for entry, skip in zip(results, unmarked, strict=True)
    ]

    def line(metric: str, table: Sequence[Sequence[int]], formula: Callable[..., float], of: str = "") -> Measured:
        return measured("pii", "presidio.test", metric, summed(table, formula), len(table), of=of)

    table = list(map(span_counts, gold, predicted))
    yield line("span F2", table, f2)
    yield line("span F1", table, f_score)
    yield line("span F2 as presidio-research counts", list(map(loose_counts, texts, gold, predicted)), f2)
    yield line(
        "recall of overlaps of any type",
        [(touched(*pair), len(pair[0])) for pair in zip(gold, predicted, strict=True)],
        ratio,
    )
    for of, types in {"checked numbers": set(CHECKED), **{name: {name} for name in _types(gold)}}.items():
        parts = [{span for span in entry if span[2] in types} for entry in gold]
        hits = [(len(part & entry), len(part)) for part, entry in zip(parts, predicted, strict=True)]
        yield line("recall", hits, ratio, of)


def spans(annotation: Annotation) -> set[Span]:
    return set(_named(annotation["spans"], {}))


def _named(entries: Iterable[dict[str, Any]], names: dict[str, str]) -> Iterator[Span]:
    return ((span["start"], span["end"], names.get(span["label"], span["label"])) for span in entries)


def _apart(text: str, predicted: set[Span]) -> set[Span]:
    """Drop user handles, which some sets label as names and others do not."""
    return {span for span in predicted if not is_handle(text, span[0])}


def _types(gold: Sequence[set[Span]]) -> list[str]:
    present = {span[2] for entry in gold for span in entry}
    return [*(name for name in CHECKED if name in present), *sorted(present - set(CHECKED))]
