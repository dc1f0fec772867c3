"""The scores that go into the cards, measured on the shipped files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training import moderation, ner, sanity, sentiment
from training.data import Data
from training.features import Trunk
from training.scores import auroc, calibration_error, f1, macro_f1
from training.sequence import Pool, Texts, probabilities
from workers.starter.heads import StarterHead

# Texts nobody collected for being offensive; a few are all the same.
ORDINARY = (
    "ner/btc.test", "ner/uner_ewt.test", "absa/mams_atsa.test", "ner/wikigold.test", "zero_shot/clinc150.test",
    "sentiment/cad.test",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    what: str
    value: float
    count: int


@dataclass(frozen=True)
class Answer:
    """What a head says of a sanity sentence; ``good`` is None where no answer was laid down."""

    text: str
    says: str
    good: bool | None


@dataclass(frozen=True)
class Measured:
    scores: list[Score]
    answers: list[Answer]


def measure_ner(head: StarterHead, data: Data, trunk: Trunk) -> Measured:
    assert head.aggregation is not None
    scores = []
    for name in ("uner_ewt.test", "wikigold.test", "btc.test", "wnut17.dev"):
        split = ner.Split(name, data, trunk)
        count = len(split.examples)
        for aggregation in ("simple", "first", "average", "max"):
            found = split.found(head, aggregation)
            what = f"span F1, {name.replace('.', ' ')}, {aggregation}"
            if split.set == "btc":
                scores.append(Score(f"{what}, without handles", split.f1(found, handles=False), count))
                scores.append(Score(f"{what}, with handles", split.f1(found), count))
            else:
                scores.append(Score(what, split.f1(found), count))
    encodings, states, starts = trunk.tokens("sanity/ner", sanity.NER)
    answers = []
    for index, text in enumerate(sanity.NER):
        part = slice(starts[index], starts[index + 1])
        rows = ner.probabilities(head, states[part])
        spans = sorted(ner.decode(encodings[index], rows, head.aggregation))
        says = ", ".join(f"{text[start:end]} = {label}" for start, end, label in spans) or "nothing"
        answers.append(Answer(text, says, None))
    return Measured(scores, answers)


def measure_sentiment(head: StarterHead, data: Data, trunk: Trunk) -> Measured:
    reviews = Pool([sentiment.reviews(data, "test")], trunk)
    found, gold = probabilities(head, reviews), reviews.targets.argmax(1)
    polarity, right = sentiment.polarity_accuracy(found, gold), float((found.argmax(1) == gold).mean())
    scores = [
        Score("accuracy, CAD film reviews test, negative against positive", polarity, len(gold)),
        Score("accuracy, CAD film reviews test, all three answers allowed", right, len(gold)),
    ]
    restaurant = Pool([sentiment.restaurant(data, "test")], trunk)
    clear = restaurant.targets.max(1) > 0.5
    says = probabilities(head, restaurant)[clear].argmax(1)
    gold = restaurant.targets[clear].argmax(1)
    scores.append(Score("macro F1, MAMS test sentences and clauses", macro_f1(gold, says, 3), int(clear.sum())))
    tweets = Texts("sentiment/tweeteval_sentiment.test")
    for example in data.read(tweets.name):
        tweets.add(example["text"], np.eye(3)[sentiment.LABELS.index(example["label"])])
    pool = Pool([tweets], trunk)
    scores += _tweets(probabilities(head, pool), pool.targets.argmax(1))
    pool = Pool([_texts("sanity/sentiment", [text for text, _ in sanity.SENTIMENT], 3)], trunk)
    answers = [
        Answer(text, f"{sentiment.LABELS[row.argmax()]} {row.max():.2f}", sentiment.LABELS[row.argmax()] == want)
        for (text, want), row in zip(sanity.SENTIMENT, probabilities(head, pool), strict=True)
    ]
    return Measured(scores, answers)


def _tweets(found: NDArray[np.float32], gold: NDArray[np.int64]) -> list[Score]:
    says, count = found.argmax(1), len(gold)
    recall = float(np.mean([(says[gold == label] == label).mean() for label in range(3)]))
    where = "TweetEval sentiment test (never trained on)"
    return [
        Score(f"macro F1, {where}", macro_f1(gold, says, 3), count),
        Score(f"macro recall, {where}", recall, count),
        Score(f"expected calibration error, {where}", calibration_error(found.max(1), says == gold), count),
    ]


def measure_moderation(head: StarterHead, data: Data, trunk: Trunk) -> Measured:
    limits = [head.thresholds[label] for label in head.labels]
    pool, gold = Pool([moderation.tweets(data, "test")], trunk), moderation.classes(data, "test")
    scores = _classes(probabilities(head, pool), gold, limits)
    for column, name in enumerate(("offensive", "hate")):
        texts = data.read(f"moderation/tweeteval_{name}.test")
        pool = Pool([_texts(f"moderation/tweeteval_{name}.test", [text["text"] for text in texts], 2)], trunk)
        truth = np.array([text["label"] == name for text in texts])
        found = probabilities(head, pool)[:, column]
        what = f"{head.labels[column]}, TweetEval {name} test (never trained on)"
        scores.append(Score(f"AUROC of {what}", auroc(truth, found), len(truth)))
        scores.append(Score(f"F1 of {what}", f1(truth, found >= limits[column]), len(truth)))
    for name in ORDINARY:
        lines = data.texts(name)[:1000]
        flags = probabilities(head, Pool([_texts(name, lines, 2)], trunk)) >= np.array(limits)
        what = f"share flagged of ordinary texts, {name.partition('/')[2].replace('.', ' ')}"
        scores.append(Score(what, float(flags.any(1).mean()), len(lines)))
    pool = Pool([_texts("sanity/moderation", [text for text, *_ in sanity.MODERATION], 2)], trunk)
    answers = []
    for (text, *want), row in zip(sanity.MODERATION, probabilities(head, pool), strict=True):
        says = ", ".join(f"{label} {score:.2f}" for label, score in zip(head.labels, row, strict=True))
        answers.append(Answer(text, says, [bool(flag) for flag in row >= np.array(limits)] == want))
    return Measured(scores, answers)


def _classes(found: NDArray[np.float32], gold: NDArray[np.int64], limits: list[float]) -> list[Score]:
    three, count, where = moderation.three_way(found, *limits), len(gold), "Davidson test"
    names = {moderation.HATE: "hate speech", moderation.OFFENSIVE: "offensive", moderation.NEITHER: "neither"}
    return [
        Score(f"macro F1 of three classes, {where}", macro_f1(gold, three, 3), count),
        *(Score(f"F1 of {name}, {where}", f1(gold == label, three == label), count) for label, name in names.items()),
        Score(f"AUROC of offensive_language, {where}", auroc(gold != moderation.NEITHER, found[:, 0]), count),
        Score(f"AUROC of hate_speech, {where}", auroc(gold == moderation.HATE, found[:, 1]), count),
    ]


def _texts(name: str, texts: list[str], labels: int) -> Texts:
    out = Texts(name)
    for text in texts:
        out.add(text, [0.0] * labels)
    return out


MEASURES = {"ner": measure_ner, "sentiment": measure_sentiment, "moderation": measure_moderation}
