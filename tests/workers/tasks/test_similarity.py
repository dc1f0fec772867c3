"""Similarity against cosines of plain transformers' vectors, and near duplicates against a simple loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document, event_id
from schemas.pipeline.identity import config_hash
from schemas.record import Assignment, Record
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain
from tests.workers.tasks.events import SECRET, TEXT, event, fails_alone, run
from workers.chain.chain import Chain
from workers.tasks.similarity import Recent

LONG = "Das Café in Zürich schließt schon um fünf Uhr, again and again. " * 6
OTHER = "the quick brown fox"


def chain(family: str = "bert", **settings: Any) -> Chain:
    model = str(tiny.checkpoint(family, "embedding"))
    return Chain.load(pipeline({"name": "t", "task": "similarity", "model": model, **settings}))


def cosine(text: str, other_text: str, family: str = "bert") -> float:
    folder = tiny.checkpoint(family, "embedding")
    return plain.cosine(plain.vector(folder, text), plain.vector(folder, other_text))


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet", "modernbert"])
def test_against_another_text_of_the_event(family: str) -> None:
    made = chain(family, against="$.other")
    pairs = [(TEXT, OTHER), (OTHER, TEXT), (LONG, OTHER), (TEXT, LONG), (TEXT, TEXT)]
    annotated = run(made, *(event(text, other=other) for text, other in pairs))
    for (text, other), by_task in zip(pairs, annotated, strict=True):
        assert by_task["t"] == {"score": pytest.approx(cosine(text, other, family), abs=1e-4)}
    assert annotated[4]["t"]["score"] == 1.0


def test_the_first_token_can_stand_for_the_text() -> None:
    folder = tiny.checkpoint("bert", "embedding")
    vector, other_vector = (plain.read(folder, "embedding", text)[0].rows[0] for text in (TEXT, OTHER))
    (annotations,) = run(chain(against="$.other", pooling="cls"), event(other=OTHER))
    assert annotations["t"]["score"] == pytest.approx(plain.cosine(vector, other_vector), abs=1e-4)
    assert annotations["t"]["score"] != pytest.approx(cosine(TEXT, OTHER), abs=1e-3)


def test_references_of_the_file() -> None:
    references = {"fox": OTHER, "long": LONG, "same": TEXT}
    (annotations,) = run(chain(references=references), event())
    wanted = {name: cosine(TEXT, text) for name, text in references.items()}
    assert annotations["t"]["scores"] == pytest.approx(wanted, abs=1e-4)
    assert list(annotations["t"]["scores"]) == list(references)
    assert (annotations["t"]["label"], annotations["t"]["score"]) == ("same", 1.0)


def record(offset: int, text: str) -> Document:
    return Document(Record(Assignment("in", 3), offset, None, b""), text)


STREAM = ["fox", "dogs again", "fox", "Angela Merkel", "dogs again", "fox", "東京", "Angela Merkel", "fox"]


@pytest.mark.parametrize("window", [1, 2, 3, 100])
@pytest.mark.parametrize("threshold", [0.0, 0.9, 1.0])
def test_near_duplicates_are_those_of_a_plain_loop(window: int, threshold: float) -> None:
    made = chain(window=window, threshold=threshold)
    hash_ = config_hash(made._pipeline)
    seen: list[tuple[str, str]] = []
    for offset, text in enumerate(STREAM):
        document = record(offset, text)
        (annotations,) = run(made, document)
        recent = seen[-window:]
        scores = [cosine(text, other) for _, other in recent]
        if not recent:
            assert annotations["t"] == {"duplicate_of": None, "score": None}
        else:
            assert annotations["t"]["score"] == pytest.approx(max(scores), abs=1e-4)
            nearest = {id_ for (id_, _), score in zip(recent, scores, strict=True) if score > max(scores) - 1e-4}
            enough = annotations["t"]["score"] >= threshold
            assert annotations["t"]["duplicate_of"] in (nearest if enough else {None})
        seen.append((f"in-3-{offset}-{hash_}", text))


def test_an_id_is_that_of_the_enriched_event() -> None:
    made = chain(window=5)
    first = record(7, "fox")
    _, duplicate = run(made, first, record(8, "fox"))
    assert duplicate["t"]["duplicate_of"] == event_id(first, config_hash(made._pipeline))


def test_an_event_that_comes_again_is_no_duplicate_of_itself() -> None:
    made = chain(window=5)
    first, again, third = run(made, record(7, "fox"), record(7, "fox"), record(8, "fox"))
    assert first["t"] == again["t"] == {"duplicate_of": None, "score": None}
    assert third["t"]["score"] == 1.0


def test_an_event_that_fails_is_not_remembered() -> None:
    made = chain(window=5)
    bad = record(1, "fox \udc00")
    made.run([bad])
    assert bad.failure is not None
    assert run(made, record(2, "fox"))[0]["t"]["score"] is None


vectors = st.lists(st.integers(-2, 2), min_size=3, max_size=3)


@given(size=st.integers(1, 5), stream=st.lists(st.tuples(vectors, st.integers(0, 8)), max_size=20))
def test_the_ring_is_a_list_of_the_last(size: int, stream: list[tuple[list[int], int]]) -> None:
    """Whole numbers make products exact, so the latest of equals is well defined."""
    ring = Recent(size)
    kept: list[tuple[list[int], str]] = []
    for vector, number in stream:
        id_ = f"e{number}"
        best = None
        for other, name in kept[-size:]:
            product = float(np.dot(vector, other))
            if name != id_ and (best is None or product >= best[1]):
                best = (name, product)
        assert ring.nearest(np.array(vector, np.float32), id_) == best
        ring.add(np.array(vector, np.float32), id_)
        kept.append((vector, id_))


BAD = {
    "a number": (17, "fields", "the value at $.other is not a text"),
    "a list": ([SECRET], "fields", "the value at $.other is not a text"),
    "empty": ("", "fields", "the text at $.other is empty"),
    "blank": (" \n", "fields", "the text at $.other is empty"),
    "huge": (SECRET * 200_000, "fields", "has 2000000 characters"),
    "a lone surrogate": (f"{SECRET}\udc00", "tokenize", "the tokenizer cannot read the text"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_second_text_that_cannot_be_read_fails_its_event_alone(case: str) -> None:
    other, stage, says = BAD[case]
    fails_alone(chain(against="$.other"), {"other": OTHER}, event(SECRET, other=other), stage, says)


def test_an_event_without_the_second_text_fails_alone() -> None:
    fails_alone(chain(against="$.other"), {"other": OTHER}, event(SECRET), "fields", "there is nothing at $.other")


def test_a_text_of_no_tokens_is_like_any_other() -> None:
    (annotations,) = run(chain(against="$.other"), event("", other=OTHER))
    assert annotations["t"]["score"] == pytest.approx(cosine("", OTHER), abs=1e-4)
