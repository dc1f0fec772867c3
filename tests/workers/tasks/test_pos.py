"""Parts of speech against plain transformers and words split by a regular expression."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain
from tests.workers.tasks.events import event, run
from workers.chain.chain import Chain
from workers.tasks import pos

UNIVERSAL = ("NOUN", "VERB", "ADJ", "PUNCT", "X")
PENN = ("NN", "VBZ", "JJ", ".")
TEXTS = (
    "the quick brown fox jumps, again",
    "Angela Merkel praised the awful coffee in Paris.",
    "(10/10) would buy; again!",
    "Café über Zürich \N{PILE OF POO} Москва",
    "",
    " \t ",
)
LONG = "Angela Merkel praised the awful coffee in Paris, far away. " * 6
FAMILIES = ("bert", "roberta", "xlm-roberta", "deberta-v2")


def folder(family: str, labels: tuple[str, ...]) -> Any:
    return tiny.checkpoint(family, "token", 0, labels)


def chain(family: str = "bert", labels: tuple[str, ...] = UNIVERSAL, **settings: Any) -> Chain:
    return Chain.load(pipeline({"name": "t", "task": "pos", "model": str(folder(family, labels)), **settings}))


def settled(rows: np.ndarray, aggregation: str) -> np.ndarray:
    if aggregation == "average":
        return rows.mean(axis=0)
    return rows[0] if aggregation == "first" else max(rows, key=lambda row: row.max())


def words(text: str) -> list[tuple[int, int]]:
    """Words are separated by white space, and every punctuation mark is a word."""
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def expected(family: str, labels: tuple[str, ...], text: str, aggregation: str) -> list[tuple[int, int, str, Any]]:
    """Return each word from the window that contains most of it, then from the one with the highest score."""
    best: dict[tuple[int, int], tuple[int, float, int, int, str]] = {}
    for window in plain.read(folder(family, labels), "token", text):
        encoding = window.encoding
        for word in words(text):
            tokens = [
                n for n, (start, end) in enumerate(encoding.offsets)
                if not encoding.special_tokens_mask[n] and word[0] - 1 <= start <= max(start, word[0]) < end <= word[1]
                and (start >= word[0] or text[start].isspace())  # SentencePiece's pieces begin with the space
            ]  # fmt: skip
            if tokens:
                row = settled(plain.softmax(window.rows[tokens]), aggregation)
                start, end = max(word[0], encoding.offsets[tokens[0]][0]), encoding.offsets[tokens[-1]][1]
                reading = (end - start, float(row.max()), start, end, labels[int(row.argmax())])
                best[word] = max(best.get(word, reading), reading)
    return [(start, end, label, pytest.approx(score, abs=1e-4)) for _, score, start, end, label in best.values()]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("aggregation", ["first", "average", "max"])
def test_every_word_has_its_tag(family: str, aggregation: str) -> None:
    texts = TEXTS if family != "xlm-roberta" and family != "deberta-v2" else TEXTS[:2]
    for text, by_task in zip(texts, run(chain(family, aggregation=aggregation), *map(event, texts)), strict=True):
        spans = by_task["t"]["spans"]
        assert [(span["start"], span["end"], span["label"], span["score"]) for span in spans] == expected(
            family, UNIVERSAL, text, aggregation
        )
        assert all(span["text"] == text[span["start"] : span["end"]] and "fine" not in span for span in spans)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_word_of_two_windows_is_tagged_once(family: str) -> None:
    (annotations,) = run(chain(family), event(LONG))
    spans = annotations["t"]["spans"]
    assert [(span["start"], span["end"], span["label"], span["score"]) for span in spans] == expected(
        family, UNIVERSAL, LONG, "first"
    )
    assert len(spans) == len(words(LONG))


def test_penn_tags_become_universal_ones_and_stay_beside_them() -> None:
    (penn,) = run(chain(labels=PENN), event(TEXTS[1]))
    wanted = dict(zip(PENN, ("NOUN", "VERB", "ADJ", "PUNCT"), strict=True))
    spans = penn["t"]["spans"]
    assert [span["fine"] for span in spans] == [tag for _, _, tag, _ in expected("bert", PENN, TEXTS[1], "first")]
    assert [span["label"] for span in spans] == [wanted[span["fine"]] for span in spans]
    assert len({span["label"] for span in spans}) > 1


@pytest.mark.parametrize(
    "labels",
    [
        ("NOUN", "SYM", "X"),  # SYM is a tag of both
        ("NN", "VBZ", "my own"),
        ("NC", "V"),
    ],
)
def test_tags_that_are_not_penns_stay_as_they_are(labels: tuple[str, ...]) -> None:
    (annotations,) = run(chain(labels=labels), event(TEXTS[1]))
    assert {span["label"] for span in annotations["t"]["spans"]} <= set(labels)
    assert not any("fine" in span for span in annotations["t"]["spans"])


def test_prefixes_of_other_schemes_fall_away() -> None:
    (annotations,) = run(chain(labels=("B-NOUN", "I-NOUN", "B-VERB")), event(TEXTS[1]))
    assert {span["label"] for span in annotations["t"]["spans"]} <= {"NOUN", "VERB"}


def test_every_penn_tag_has_a_universal_one() -> None:
    """The tags of the treebank's guidelines (Santorini 1990), and what OntoNotes added."""
    assert set(pos.PENN.values()) <= pos.UNIVERSAL
    treebank = (
        "CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN "
        "VBP VBZ WDT WP WP$ WRB # $ . , : -LRB- -RRB- `` '' ADD AFX GW HYPH NFP XX"
    )
    assert set(treebank.split()) <= pos.PENN.keys()
    assert len(pos.UNIVERSAL) == 17
