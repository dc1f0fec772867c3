"""No span of any task reaches from one text of an event into another, and each names its field."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Annotation, Document, Part
from schemas.event import EnrichedEvent
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from tests.thoroughness import examples
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import small
from tests.workers.tasks.events import run
from workers.chain.chain import Chain
from workers.encoder.reading import Reading
from workers.tasks.base import Task
from workers.tasks.parts import cut, part_of, within_parts

HERE = "tests.workers.tasks.test_parts"
SPANS = {"name": "names", "task": "ner", "model": str(tiny.checkpoint("bert", "token"))}


def joined(*texts: str) -> tuple[str, tuple[Part, ...]]:
    parts, at = [], 0
    for number, text in enumerate(texts):
        parts.append(Part(f"$.t[{number}]", at, at + len(text), ("t", number)))
        at += len(text) + 2
    return "\n\n".join(texts), tuple(parts)


def chain(*tasks: dict[str, Any], text: Any = "$.t[*]", **settings: Any) -> Chain:
    return Chain.load(pipeline(*tasks, input={"topics": ["in"], "text": text}, **settings))


def document(chain: Chain, event: Any) -> Document:
    decode = codec(chain._pipeline.input, chain.reads_fields).decode
    decoded = decode(Record(Assignment("in", 0), 0, None, orjson.dumps(event)))
    assert decoded.failure is None, decoded.failure.message
    return decoded


def spans_in(value: Any) -> list[dict[str, Any]]:
    """Everything with a start, at any depth."""
    if isinstance(value, list):
        return [span for item in value for span in spans_in(item)]
    if not isinstance(value, dict):
        return []
    return ([value] if value.get("start") is not None else []) + spans_in(list(value.values()))


TEXT, PARTS = joined("Call Anna ", "Berlin", " at noon")
"""Anna is at 5 to 9, the boundaries are at 10 to 12 and 18 to 20."""


@pytest.mark.parametrize(
    ("start", "end", "pieces"),
    [
        (5, 9, ["Anna"]),
        (5, 10, ["Anna "]),
        (5, 11, ["Anna"]),
        (5, 18, ["Anna", "Berlin"]),
        (12, 18, ["Berlin"]),
        (11, 18, ["Berlin"]),
        (9, 20, ["Berlin"]),
        (9, 12, []),
        (10, 12, []),
        (0, 28, ["Call Anna", "Berlin", "at noon"]),
    ],
)
def test_a_labelled_span_is_cut_at_the_boundary(start: int, end: int, pieces: list[str]) -> None:
    span = {"start": start, "end": end, "label": "PERSON", "score": 0.5, "text": TEXT[start:end]}
    (kept,) = within_parts({"spans": [span]}, TEXT, PARTS).values()
    assert [piece["text"] for piece in kept] == pieces
    for piece in kept:
        assert piece["text"] == TEXT[piece["start"] : piece["end"]]
        assert (piece["label"], piece["score"]) == ("PERSON", 0.5)
        part = part_of(piece["start"], piece["end"], PARTS)
        assert part is not None
        assert piece["field"] == part.path


def test_a_mention_across_is_dropped_and_so_is_a_cluster_of_one() -> None:
    def mentions(*places: tuple[int, int]) -> dict[str, Any]:
        return {"spans": [{"start": start, "end": end, "text": TEXT[start:end]} for start, end in places]}

    annotation = {"clusters": [mentions((0, 4), (5, 9), (5, 18)), mentions((12, 18), (12, 23))]}
    (kept,) = within_parts(annotation, TEXT, PARTS).values()
    assert kept == [{"spans": [
        {"start": 0, "end": 4, "text": "Call", "field": "$.t[0]"},
        {"start": 5, "end": 9, "text": "Anna", "field": "$.t[0]"},
    ]}]  # fmt: skip


def test_an_answer_across_is_dropped() -> None:
    inside = {"start": 12, "end": 18, "score": 0.2, "text": "Berlin"}
    across = {"start": 5, "end": 18, "score": 0.5, "text": TEXT[5:18]}
    entries = [
        {"question": "?", "answer": across, "null_score": 0.3, "alternatives": [across, inside]},
        {"question": "?", "answer": inside, "null_score": 0.3},
        {"question": "?", "answer": None, "null_score": 0.3},
    ]
    (kept,) = within_parts({"answers": entries}, TEXT, PARTS).values()
    named = {**inside, "field": "$.t[1]"}
    assert [entry["answer"] for entry in kept] == [None, named, None]
    assert kept[0]["alternatives"] == [named]


def test_an_aspect_across_loses_its_position() -> None:
    rest = {"label": "positive", "score": 1.0, "scores": {"positive": 1.0}}
    entries = [{"aspect": "a", "start": 12, "end": 18, **rest}, {"aspect": "b", "start": 5, "end": 18, **rest},
               {"aspect": "c", **rest}]  # fmt: skip
    (kept,) = within_parts({"aspects": entries}, TEXT, PARTS).values()
    assert kept == [
        {"aspect": "a", "start": 12, "end": 18, **rest, "field": "$.t[1]"}, {"aspect": "b", **rest},
        {"aspect": "c", **rest},
    ]  # fmt: skip


@pytest.mark.parametrize("annotation", [{"label": "a", "score": 1.0}, {"custom": {"start": 0, "end": 28}}, {}])
def test_what_has_no_spans_stays(annotation: Annotation) -> None:
    assert within_parts(annotation, TEXT, PARTS) is annotation


words = st.sampled_from(["Anna", " ", "\n", "🙂", "東京", "\n\n", "x"])
texts = st.lists(st.lists(words, min_size=1, max_size=4).map("".join).filter(str.strip), min_size=1, max_size=5)


@given(texts, st.data())
def test_the_pieces_cover_what_the_span_covers_but_white_space(texts: list[str], data: st.DataObject) -> None:
    text, parts = joined(*texts)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    span = {"start": start, "end": end, "label": "L", "score": 1.0, "text": text[start:end]}
    annotation = {"spans": [span]}
    before = copy.deepcopy(annotation)
    pieces = within_parts(annotation, text, parts)["spans"]
    assert annotation == before
    covered = {place for piece in pieces for place in range(piece["start"], piece["end"])}
    within = {place for part in parts for place in range(part.start, part.end)}
    assert covered <= within & set(range(start, end))
    assert all(text[place].isspace() for place in within & set(range(start, end)) - covered)
    for piece in pieces:
        assert piece["text"] == text[piece["start"] : piece["end"]]
        assert [part.path for part in parts if part.start <= piece["start"] and piece["end"] <= part.end] == [
            piece["field"]
        ]
    if any(part.start <= start and end <= part.end for part in parts):
        assert [(piece["start"], piece["end"]) for piece in pieces] == [(start, end)]
    assert list(cut(start, end, text, parts)) == [
        (piece["start"], piece["end"], part_of(piece["start"], piece["end"], parts)) for piece in pieces
    ]


class Everything(Task):
    """One span over the whole text, or what ``options`` say."""

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        end = len(document.text)
        return {"spans": [{"start": 0, "end": end, "label": "ALL", "score": 1.0, "text": document.text}]}

    def reference(self) -> dict[str, str]:
        return {"model": "everything", "revision": "1"}


def custom(name: str = "all") -> dict[str, Any]:
    return {"name": name, "task": "custom", "use": f"{HERE}:Everything"}


def test_what_uses_spans_sees_them_cut() -> None:
    made = chain(
        custom(), {"name": "private", "task": "pii", "spans": ["all"]},
        {"name": "late", "task": "language", "when": "size(all.spans) == 2 && all.spans[1].field == '$.t[1]'"},
    )  # fmt: skip
    (annotations,) = run(made, document(made, {"t": ["Anna", "Berlin"]}))
    assert [(span["text"], span["field"]) for span in annotations["all"]["spans"]] == [
        ("Anna", "$.t[0]"), ("Berlin", "$.t[1]")
    ]  # fmt: skip
    assert [(span["text"], span["label"], span["field"]) for span in annotations["private"]["spans"]] == [
        ("Anna", "ALL", "$.t[0]"), ("Berlin", "ALL", "$.t[1]")
    ]  # fmt: skip
    assert "late" in annotations


def test_a_pattern_across_a_boundary_does_not_hide_what_is_within_a_text(tmp_path: Path) -> None:
    file = tmp_path / "recognizers.yaml"
    file.write_text("""
recognizers:
  - name: pairs
    supported_entity: PAIR
    patterns: [{name: pair, regex: "Annabel\\\\s+berlin", score: 0.9}]
  - name: stations
    supported_entity: STATION
    patterns: [{name: station, regex: "berlin-tegel", score: 0.9}]
""")
    made = chain({"name": "private", "task": "pii", "recognizers": str(file)})
    parted = document(made, {"t": ["Annabel", "berlin-tegel"]})
    whole, cut_up = run(made, Document(None, parted.text), parted)
    assert [(span["label"], span["text"]) for span in whole["private"]["spans"]] == [("PAIR", "Annabel\n\nberlin")]
    assert [(span["label"], span["text"], span["field"]) for span in cut_up["private"]["spans"]] == [
        ("PAIR", "Annabel", "$.t[0]"), ("STATION", "berlin-tegel", "$.t[1]"),
    ]  # fmt: skip


def test_a_word_in_one_text_is_the_context_of_a_number_in_another() -> None:
    made = chain({"name": "private", "task": "pii"}, text="$..*")
    (annotations,) = run(made, document(made, {"label": "social security number", "value": "536226145"}))
    assert [(span["label"], span["field"]) for span in annotations["private"]["spans"]] == [("US_SSN", "$.value")]
    (annotations,) = run(made, document(made, {"label": "weight in grams", "value": "536226145"}))
    assert annotations["private"]["spans"] == []


def test_a_cached_annotation_names_the_fields_of_its_own_event() -> None:
    made = chain(SPANS, text="$..*", compute={"cache": 100})
    text = "Angela Merkel praised the coffee"
    events = [{"a": text, "b": text}, {"c": text, "d": text}, {"e": f"{text}\n\n{text}"}]
    first, second = run(made, *(document(made, event) for event in events[:2]))
    again, whole = run(made, *(document(made, event) for event in (events[1], events[2])))
    assert made.cache is not None
    assert made.cache.hits == 1
    assert {span["field"] for span in first["names"]["spans"]} <= {"$.a", "$.b"}
    assert {span["field"] for span in second["names"]["spans"]} == {"$.c", "$.d"}
    assert again == second
    assert {span["field"] for span in whole["names"]["spans"]} == {"$.e"}


def test_an_aspect_of_the_event_must_be_within_one_text() -> None:
    model = str(tiny.checkpoint("bert", "sequence", 1, trunk=0))
    made = chain({"name": "t", "task": "aspect-sentiment", "model": model, "aspects": "$.about"})
    inside = document(made, {"t": ["the coffee", "Paris"], "about": [{"start": 4, "end": 10}, "tea"]})
    across = document(made, {"t": ["the coffee", "Paris"], "about": [{"start": 4, "end": 13}]})
    made.run([inside, across])
    assert inside.failure is None
    assert [entry.get("field") for entry in inside.annotations["t"]["aspects"]] == ["$.t[0]", None]
    assert across.failure is not None
    assert across.failure.message == "an aspect at $.about is not within a single text of the event"


@pytest.mark.parametrize("family", small.FAMILIES)
@settings(max_examples=examples(20), deadline=None)
@given(texts=st.lists(small.texts, min_size=1, max_size=4))
def test_no_task_of_ours_crosses(family: small.Family, texts: list[str]) -> None:
    made = _every_task(family)
    decoded = document(made, {"t": texts})
    (annotations,) = run(made, decoded)
    assert decoded.parts is not None
    assert list(annotations) == ["names", "tags", "words", "private", "answers", "who"]
    for span in spans_in(list(annotations.values())):
        assert span["text"] == decoded.text[span["start"] : span["end"]]
        (part,) = [part for part in decoded.parts if part.start <= span["start"] and span["end"] <= part.end]
        assert span["field"] == part.path


_CHAINS: dict[str, Chain] = {}


def _every_task(family: small.Family) -> Chain:
    if family not in _CHAINS:
        token = {"model": str(tiny.checkpoint(family, "token")), "max_length": 32}
        _CHAINS[family] = chain(
            {"name": "names", "task": "ner", **token},
            {"name": "tags", "task": "token-classification", "aggregation": "none", **token},
            {"name": "words", "task": "pos", **token},
            {"name": "private", "task": "pii", **token},
            {"name": "answers", "task": "question-answering", "model": str(tiny.checkpoint(family, "span")),
             "questions": ["who?"], "n_best": 20, "unanswerable": False},
            custom("who"),
        )  # fmt: skip
    return _CHAINS[family]


def test_the_shapes_are_those_of_the_contract() -> None:
    """A new kind of annotation with a start needs a decision here."""
    schema = EnrichedEvent.model_json_schema()
    placed = {name for name, model in schema["$defs"].items() if "start" in model.get("properties", {})}
    assert placed == {"Span", "Mention", "Answer", "Aspect", "JudgedSentence", "TextField"}
