"""``question-answering`` on long documents: passages joined, with and without the one that answers."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from training.measures.base import Bench, Measured, accuracy, mean, measured
from training.measures.metrics import token_f1

FITTED, HELD_OUT = 0, 1
"""The halves of the dev file: what compares windows is chosen on the first (``training/windows.py``)."""
QUESTIONS, PASSAGES = 60, 16
_LONGEST = 400
"""Words of the longest passage that is used; a few are tables of thousands."""


class Asked(NamedTuple):
    """``answers``: the right ones; empty if the document does not answer."""

    question: str
    document: str
    answers: list[str]


def documents(
    examples: Iterable[Mapping[str, Any]], half: int, questions: int = QUESTIONS, passages: int = PASSAGES
) -> Iterator[Asked]:
    """Return each question with a document that answers it, then with one that does not.

    Args:
        examples: passages with a question, and the title of their page.
        half: which half of the titles.
        questions: how many questions.
        passages: how many passages of other pages a document has.
    """
    part = [
        example
        for example in examples
        if _half(example["title"]) == half and len(example["context"].split()) <= _LONGEST
    ]
    chance = random.Random(half)
    chance.shuffle(part)
    pages = {example["context"]: example["title"] for example in part}
    for example in part[:questions]:
        others = [context for context, title in pages.items() if title != example["title"]]
        chosen = chance.sample(others, min(passages, len(others)))
        place = chance.randrange(len(chosen) + 1)
        answers = [answer["text"] for answer in example["answers"]]
        yield Asked(example["question"], _joined([*chosen[:place], example["context"], *chosen[place:]]), answers)
        yield Asked(example["question"], _joined(chosen), [])


def question_answering(bench: Bench) -> Iterator[Measured]:
    """Measure the answers in documents, and how often a question that is not answered there is refused."""
    asked = list(documents(bench.read("qa/qed.dev"), HELD_OUT))
    results = bench.annotate(
        {"task": "question-answering", "question": "$.question"},
        [each.document for each in asked],
        [{"question": each.question} for each in asked],
    )
    answers = [result["answers"][0]["answer"] for result in results]
    given = ["" if answer is None else answer["text"] for answer in answers]
    scores = [token_f1(answer, each.answers) for answer, each in zip(given, asked, strict=True) if each.answers]
    refused = [not answer for answer, each in zip(given, asked, strict=True) if not each.answers]
    name = f"qed.dev, documents of {PASSAGES} passages"
    yield measured("question-answering", name, "token F1", mean(scores), len(scores), of="answered there")
    yield accuracy("question-answering", name, refused, of="not answered there")


def _joined(passages: list[str]) -> str:
    return "\n\n".join(passages)


def _half(title: str) -> int:
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % 2
