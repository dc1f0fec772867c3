"""``sentiment``, ``moderation`` and ``language``: one label or several for a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from schemas.document import Annotation
from schemas.errors import ModelError
from training.measures.base import Bench, Measured, Rows, accuracy, calibration, labelled, measured
from training.measures.metrics import NAN
from workers.learning.scores import auroc, macro_f1

SENTIMENTS = ["negative", "neutral", "positive"]
CLASSES = ["neither", "offensive_language", "hate_speech"]
OFFENSIVE, HATE = "harassment", "hate"
"""The names of offensive language and hate speech in the standard taxonomy."""
OWN = "training.own_languages"


def sentiment(bench: Bench) -> Iterator[Measured]:
    reviews = bench.read("sentiment/cad.test")
    gold = [example["label"] for example in reviews]
    results = bench.annotate({"task": "sentiment"}, [example["text"] for example in reviews])
    # Film reviews have no neutral class, so the larger of the two poles counts.
    yield accuracy(
        "sentiment", "cad.test", [pole(result) == label for result, label in zip(results, gold, strict=True)]
    )
    yield labelled("sentiment", "cad.test", results, gold)
    tweets = bench.read("sentiment/tweeteval_sentiment.test")
    gold = [example["label"] for example in tweets]
    results = bench.annotate({"task": "sentiment"}, [example["text"] for example in tweets])
    yield _macro("sentiment", "tweeteval_sentiment.test", gold, [result["label"] for result in results], SENTIMENTS)
    yield labelled("sentiment", "tweeteval_sentiment.test", results, gold)


def moderation(bench: Bench) -> Iterator[Measured]:
    examples = bench.read("moderation/davidson.test")
    results = bench.annotate({"task": "moderation"}, [example["text"] for example in examples])
    gold = [example["label"] for example in examples]
    yield _macro("moderation", "davidson.test", gold, list(map(three_way, results)), CLASSES)
    # Hate speech is offensive language, too.
    for label, true in ((OFFENSIVE, set(CLASSES[1:])), (HATE, {CLASSES[2]})):
        scores = [score_of(result, label) for result in results]
        yield calibration("moderation", "davidson.test", scores, [result in true for result in gold], label)
    for name, label in (("offensive", OFFENSIVE), ("hate", HATE)):
        examples = bench.read(f"moderation/tweeteval_{name}.test")
        results = bench.annotate({"task": "moderation"}, [example["text"] for example in examples])
        truth = [example["label"] == name for example in examples]
        ranking = _ranking(truth, [score_of(result, label) for result in results])
        yield measured("moderation", f"tweeteval_{name}.test", "AUROC", ranking, len(truth))


def language(bench: Bench) -> Iterator[Measured]:
    """Measure our own sentences; nothing if they are missing."""
    if find_spec(OWN) is None:
        return
    sentences: dict[str, list[str]] = import_module(OWN).SENTENCES
    pairs = [(code, text) for code, texts in sentences.items() for text in texts]
    results = bench.annotate({"task": "language", "model": None}, [text for _, text in pairs])
    hits = [result["label"] == code for result, (code, _) in zip(results, pairs, strict=True)]
    yield accuracy("language", f"own sentences, {len(sentences)} languages", hits)


def pole(annotation: Annotation) -> str:
    """Raises ModelError if the model does not know both polarities."""
    scores: dict[str, float] = annotation["scores"]
    if not {"negative", "positive"} <= scores.keys():
        raise ModelError(f"its labels are {', '.join(scores)}, and not negative and positive")
    return max(("negative", "positive"), key=lambda label: scores[label])


def three_way(annotation: Annotation) -> str:
    """Return one class from the flags: hate speech if flagged, else offensive language if flagged, else neither."""
    flagged = {entry["label"] for entry in annotation["labels"] if entry["flagged"]}
    return CLASSES[2] if HATE in flagged else CLASSES[1] if OFFENSIVE in flagged else CLASSES[0]


def score_of(annotation: Annotation, label: str) -> float:
    """Raises ModelError if the model does not know ``label``."""
    scores: dict[str, float] = {entry["label"]: entry["score"] for entry in annotation["labels"]}
    if label not in scores:
        raise ModelError(f'its labels are {", ".join(scores)}, and none is "{label}"')
    return scores[label]


def _macro(task: str, set_: str, gold: list[str], labels: list[str], classes: list[str]) -> Measured:
    # A label that the set does not have is always wrong.
    number: dict[str, int] = {label: index for index, label in enumerate(classes)}
    truth = np.array([number[label] for label in gold])
    predicted = np.array([number.get(label, -1) for label in labels])
    return measured(
        task, set_, "macro F1", lambda rows: macro_f1(truth[rows], predicted[rows], len(classes)), len(truth)
    )


def _ranking(gold: list[bool], scores: list[float]) -> Callable[[Rows], float]:
    truth, values = np.array(gold), np.array(scores, np.float32)

    def statistic(rows: Rows) -> float:
        sample = truth[rows]
        return float(auroc(sample, values[rows])) if sample.any() and not sample.all() else NAN

    return statistic
