"""Aspects from every source against plain transformers, and invalid aspects."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thoroughness import examples
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain, small
from tests.workers.tasks.events import SECRET, TEXT, event, fails_alone, run
from workers.chain.chain import Chain
from workers.tasks import fields

LABELS = tiny.LABELS["sequence"]
LONG = "Das Café in Zürich schließt schon um fünf Uhr, again and again. " * 6


def folder(family: str = "bert") -> Any:
    return tiny.checkpoint(family, "sequence", 1, trunk=0)


def chain(aspects: Any = "$.about", family: str = "bert", *others: dict[str, Any], **settings: Any) -> Chain:
    task = {"name": "t", "task": "aspect-sentiment", "model": str(folder(family)), "aspects": aspects, **settings}
    return Chain.load(pipeline(task, *others))


def check(annotation: dict[str, Any], text: str, aspect: str, family: str = "bert", merge: str = "mean") -> None:
    windows = plain.read(folder(family), "sequence", text, aspect)
    rows = [plain.softmax(window.rows) for window in windows]
    row = plain.mean(windows, rows) if merge == "mean" else np.max(rows, axis=0)
    assert annotation["aspect"] == aspect
    assert annotation["scores"] == pytest.approx(dict(zip(LABELS, row.tolist(), strict=True)), abs=1e-4)
    assert annotation["label"] == LABELS[int(row.argmax())]
    assert annotation["score"] == annotation["scores"][annotation["label"]]


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "deberta"])
def test_aspects_of_the_file(family: str) -> None:
    aspects = ["coffee", "the fox", "Merkel"]
    for text, annotated in zip([TEXT, LONG], run(chain(aspects, family), event(TEXT), event(LONG)), strict=True):
        assert [list(entry) for entry in annotated["t"]["aspects"]] == [["aspect", "label", "score", "scores"]] * 3
        for aspect, entry in zip(aspects, annotated["t"]["aspects"], strict=True):
            check(entry, text, aspect, family)


def test_windows_by_their_highest() -> None:
    (annotated,) = run(chain(["fox"], merge="max"), event(LONG))
    check(annotated["t"]["aspects"][0], LONG, "fox", merge="max")


def test_texts_of_the_event_each_once_in_their_order() -> None:
    (annotated,) = run(chain(), event(about=["fox", "coffee", "fox"]))
    assert [entry["aspect"] for entry in annotated["t"]["aspects"]] == ["fox", "coffee"]
    check(annotated["t"]["aspects"][1], TEXT, "coffee")


def test_places_of_the_event_in_code_points() -> None:
    text = "\N{FAMILY}\N{PILE OF POO} the Cafe\N{COMBINING ACUTE ACCENT} and 東京"
    places = [(3, 6), (7, 12), (17, 19), (0, 2)]
    made = chain()
    (annotated,) = run(made, event(text, about=[{"start": start, "end": end} for start, end in places]))
    for (start, end), entry in zip(places, annotated["t"]["aspects"], strict=True):
        assert (entry["start"], entry["end"]) == (start, end)
        check(entry, text, text[start:end])


def test_texts_and_places_and_what_else_stands_beside_them() -> None:
    about = ["fox", {"start": 0, "end": 6, "text": "Angela"}, {"end": 13, "start": 7}]
    (annotated,) = run(chain(), event(about=about))
    assert [entry["aspect"] for entry in annotated["t"]["aspects"]] == ["fox", "Angela", "Merkel"]


def test_no_aspect_is_no_mistake() -> None:
    none, some = run(chain(), event(about=[]), event(about=["fox"]))
    assert none["t"] == {"aspects": []}
    check(some["t"]["aspects"][0], TEXT, "fox")


@settings(deadline=None, max_examples=examples(25))
@given(text=small.texts, data=st.data())
def test_any_places_that_do_not_overlap(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True).map(sorted))
    places = [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    places = data.draw(st.permutations(places))
    document = event(text, about=[{"start": start, "end": end} for start, end in places])
    shared().run([document])
    if any(text[start:end].isspace() for start, end in places):
        assert document.failure is not None
        assert document.failure.message == "the text at $.about is empty"
        return
    if document.failure is not None:  # an aspect too long for the model
        assert "leaves the other no room" in document.failure.message
        return
    annotated = [(entry["start"], entry["end"]) for entry in document.annotations["t"]["aspects"]]
    assert annotated == places
    assert all(entry["aspect"] == text[entry["start"] : entry["end"]] for entry in document.annotations["t"]["aspects"])


@cache
def shared() -> Chain:
    return chain()


def tagger(**more: Any) -> dict[str, Any]:
    """A span for every token that is not outside."""
    model = str(tiny.checkpoint("bert", "token", 4, trunk=0))
    return {"name": "spans", "task": "token-classification", "model": model, "aggregation": "none", **more}


def test_spans_of_another_task_each_text_once_at_its_first_place() -> None:
    text = "Angela Merkel met Angela again and again in Zürich"
    (annotated,) = run(chain({"spans": "spans"}, "bert", tagger()), event(text))
    spans = annotated["spans"]["spans"]
    texts = list(dict.fromkeys(span["text"] for span in spans))
    assert 1 < len(texts) < len(spans)
    assert [entry["aspect"] for entry in annotated["t"]["aspects"]] == texts
    for entry in annotated["t"]["aspects"]:
        first = next(span for span in spans if span["text"] == entry["aspect"])
        assert (entry["start"], entry["end"]) == (first["start"], first["end"])
        check(entry, text, entry["aspect"])


def test_only_spans_of_the_labels_asked_for() -> None:
    text = "Angela Merkel met Angela again and again in Zürich"
    made = chain({"spans": "spans", "labels": ["B-LOC", "I-PER"]}, "bert", tagger())
    (annotated,) = run(made, event(text))
    wanted = {span["text"] for span in annotated["spans"]["spans"] if span["label"] in {"B-LOC", "I-PER"}}
    assert 0 < len(wanted) < len({span["text"] for span in annotated["spans"]["spans"]})
    assert {entry["aspect"] for entry in annotated["t"]["aspects"]} == wanted


def test_spans_of_more_texts_than_there_may_be_aspects_fail_their_event_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = chain({"spans": "spans"}, "bert", tagger())
    (annotated,) = run(made, event())
    most = len(annotated["t"]["aspects"])
    assert most > 1
    monkeypatch.setattr(fields, "MOST", most)
    bad = event(" ".join(f"{SECRET} {number}" for number in range(100)))
    fails_alone(made, {}, bad, "fields", f"aspects, the limit is {most}")
    assert bad.failure is not None
    assert bad.failure.message.startswith('the spans of task "spans" give ')


def test_where_no_span_was_found_there_is_no_aspect() -> None:
    (annotated,) = run(chain({"spans": "spans"}, "bert", tagger(threshold=1.0)), event())
    assert annotated == {"t": {"aspects": []}, "spans": {"spans": []}}


def place(start: Any, end: Any) -> dict[str, Any]:
    return {"start": start, "end": end}


NEITHER = "is neither a text nor"
# Invalid values at $.about, and the messages about them; the text has ten characters.
BAD = {
    "nothing": (None, "fields", "is not a list of at most 256 aspects"),
    "a text": (SECRET, "fields", "is not a list of at most 256 aspects"),
    "a mapping": ({"start": 0, "end": 1}, "fields", "is not a list of at most 256 aspects"),
    "10000": ([SECRET] * 10_000, "fields", "is not a list of at most 256 aspects"),
    "a number": ([SECRET, 17], "fields", NEITHER),
    "null": ([None], "fields", NEITHER),
    "a list": ([[SECRET]], "fields", NEITHER),
    "empty": ([""], "fields", "the text at $.about is empty"),
    "blank": ([" \t"], "fields", "the text at $.about is empty"),
    "huge": (["x" * 1_000_001], "fields", "has 1000001 characters"),
    "no end": ([{"start": 0}], "fields", NEITHER),
    "before the text": ([place(-1, 4)], "fields", NEITHER),
    "after the text": ([place(0, 11)], "fields", NEITHER),
    "far after the text": ([place(10**30, 10**31)], "fields", NEITHER),
    "backwards": ([place(4, 2)], "fields", NEITHER),
    "of no width": ([place(4, 4)], "fields", NEITHER),
    "a fraction": ([place(0.0, 4.0)], "fields", NEITHER),
    "booleans": ([place(False, True)], "fields", NEITHER),
    "texts for numbers": ([place("0", "4")], "fields", NEITHER),
    "two that overlap": ([place(0, 5), place(4, 8)], "fields", "the aspects at $.about overlap"),
    "one within another": ([place(2, 4), place(0, 8)], "fields", "the aspects at $.about overlap"),
    "longer than the model takes": ([f"{SECRET} " * 40], "tokenize", "leaves the other no room in 48 tokens"),
    "a lone surrogate": ([f"{SECRET}\udc00"], "tokenize", "the tokenizer cannot read the text"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_aspects_that_are_none_fail_their_event_alone(case: str) -> None:
    about, stage, says = BAD[case]
    assert len(SECRET) == 10
    fails_alone(shared(), {"about": ["fox"]}, event(SECRET, about=about), stage, says)


@pytest.mark.parametrize("blank", [" ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_a_place_of_white_space_is_no_aspect(blank: str) -> None:
    bad = event(f"{SECRET}{blank}fox", about=[place(0, 10), place(10, 10 + len(blank))])
    fails_alone(shared(), {"about": ["fox"]}, bad, "fields", "the text at $.about is empty")


def test_an_event_without_aspects_fails_alone() -> None:
    fails_alone(shared(), {"about": ["fox"]}, event(SECRET), "fields", "there is nothing at $.about")


def test_one_aspect_too_long_fails_no_other_event_of_its_text() -> None:
    good, bad = event(about=["fox"]), event(about=["fox", f"{SECRET} " * 40])
    shared().run([bad, good])
    assert good.failure is None
    assert bad.failure is not None
    check(good.annotations["t"]["aspects"][0], TEXT, "fox")
