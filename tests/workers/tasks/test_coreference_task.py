"""Texts through converted F-coref weights, against the clusters of fastcoref (fixtures/coreference)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.document import Document
from tests.thoroughness import length
from tests.workers.encoder.test_trunk import pipeline
from training.coreference import convert
from workers.chain.chain import Chain
from workers.encoder.words import words

FIXTURE = Path(__file__).parents[2] / "fixtures/coreference"
DOCUMENTS: list[dict[str, Any]] = json.loads((FIXTURE / "documents.json").read_bytes())


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("coreference") / "model"
    convert(FIXTURE / "checkpoint", folder)
    return Chain.load(pipeline({"name": "who", "task": "coreference", "model": str(folder)}))


def expected(document: dict[str, Any]) -> list[list[tuple[int, int]]]:
    """Return fastcoref's clusters without empty, repeated or single mentions, and with no mention in two clusters.

    A mention in two clusters stays in the one that starts first.
    """
    taken: set[tuple[int, int]] = set()
    clusters = []
    in_order = sorted(zip(document["clusters"], document["spans"], strict=True), key=lambda pair: min(pair[0]))
    for _, cluster in in_order:
        spans = sorted({tuple(span) for span in cluster if span is not None} - taken)
        if len(spans) > 1:
            taken.update(spans)
            clusters.append(spans)
    return sorted(clusters)


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_clusters_in_characters_are_those_of_fastcoref(chain: Chain, number: int) -> None:
    document = DOCUMENTS[number]
    made = Document(None, document["text"])
    chain.run([made])
    assert made.failure is None
    spans = [cluster["spans"] for cluster in made.annotations["who"]["clusters"]]
    assert [[(span["start"], span["end"]) for span in cluster] for cluster in spans] == expected(document)
    assert all(span["text"] == made.text[span["start"] : span["end"]] for cluster in spans for span in cluster)


def test_some_clusters_are_there_to_be_compared() -> None:
    assert sum(map(len, map(expected, DOCUMENTS))) > 10
    assert any(len(document["ids"]) > 100 for document in DOCUMENTS)


def test_texts_together_are_resolved_like_texts_alone(chain: Chain) -> None:
    alone = []
    for document in DOCUMENTS:
        made = Document(None, document["text"])
        chain.run([made])
        alone.append(made.annotations)
    together = [Document(None, document["text"]) for document in DOCUMENTS]
    chain.run(together)
    assert [made.annotations for made in together] == alone


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("He didn't pay Mr. Smith's $3.50.", ["He", "did", "n't", "pay", "Mr.", "Smith", "'s", "$", "3.50", "."]),
        ("To a.b@c.org, see https://x.y/z?q=1 ...", ["To", "a.b@c.org", ",", "see", "https://x.y/z?q=1", "..."]),
        ("", []),
        ("\N{THUMBS UP SIGN}ok", ["\N{THUMBS UP SIGN}", "ok"]),
    ],
)  # fmt: skip
def test_words_are_split_as_spacy_does(text: str, split: list[str]) -> None:
    assert [text[start:end] for start, end in words(text)] == split


@pytest.mark.parametrize("piece", ["a", "1", "1.", "a.", "a@", "_", "-", "'", "n't", "www.", "(", "\N{THUMBS UP SIGN}"])
def test_a_megabyte_of_anything_is_split_without_blowing_up(piece: str) -> None:
    text = piece * (length(1_000_000) // len(piece))
    places = words(text)
    assert sum(end - start for start, end in places) == len(text)
