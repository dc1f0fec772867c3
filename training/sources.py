"""The sources of each round of training: which labelled texts are used, and how many tokens of each."""

from __future__ import annotations

import random as chances
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from training import augment, mentions, moderation, pairs, phrases, sentiment, tokens
from training.data import Data
from training.harm import making
from training.reading import Reader, Source, Unit
from training.texts import Texts

MALIGNED = ("queer", "gay", "lesbian", "transgender", "white", "black")


def classified(reader: Reader, parts: Iterable[Texts]) -> list[Unit]:
    """Return the texts of ``parts``, in order, each with its targets, one per label, and its weight."""
    return [
        Unit([reader.text(text)[0]], np.array(target, np.float32), weight)
        for part in parts
        for text, target, weight in zip(part.texts, part.targets, part.weights, strict=True)
    ]


def toned() -> Texts:
    """Our own sentences with their tone."""
    out = Texts("sentiment/augment")
    for place, (label, made) in enumerate(phrases.SENTIMENT.items()):
        order = {"positive": [0.03, 0.07, 0.9], "negative": [0.9, 0.07, 0.03], "neutral": [0.04, 0.92, 0.04]}
        for text in augment.sentences(made, 900, seed=30 + place):
            out.add(text, order[label], 0.8)
    return out


def phrased() -> Texts:
    """Our own sentences that are harmless, offensive or hateful."""
    out = Texts("moderation/augment")
    kinds = [
        (phrases.HARMLESS, making.NO_HARM, 1500),
        (phrases.OFFENSIVE, making.INSULT, 600),
        (phrases.HATEFUL, making.HATRED, 600),
    ]
    chance = chances.Random(40)
    for place, (made, target, count) in enumerate(kinds):
        for text in augment.sentences(made, count, seed=40 + place):
            out.add(making.marked(text, chance), target, 0.5)
    # In the tweets these words for groups of people are nearly always insults.
    calm = [text for text in phrases.HARMLESS if "{group}" in text]
    for text in augment.sentences([text.replace("{group}", word) for text in calm for word in MALIGNED], 600, seed=44):
        out.add(making.marked(text, chance), making.NO_HARM, 0.5)
    return out


def harmful(data: Data, reader: Reader) -> list[Unit]:
    """Return the training texts of moderation, harmless ones included."""
    parts = [
        moderation.tweets(data, "train"), *moderation.harmless(data, "train"), moderation.made_up("train"), phrased(),
        making.texts("train"),
    ]  # fmt: skip
    # Few tweets are hate speech. The templates have as many harmless texts as hateful ones.
    parts[0].weights = [3.0 if target[1] > 0.5 else 1.0 for target in parts[0].targets]
    return classified(reader, parts)


def plain_texts(data: Data) -> list[str]:
    """Short texts of all kinds, on which the embedding should stay as it was."""
    chance = chances.Random(8)
    texts: dict[str, None] = {}
    for name in (
        "zero_shot/clinc150.train",
        "ner/btc.train",
        "ner/uner_ewt.train",
        "ner/wikigold.train",
        "absa/mams_atsa.train",
    ):
        texts.update(dict.fromkeys(chance.sample(data.texts(name), min(1500, len(data.texts(name))))))
    for key in ("premise", "hypothesis"):
        texts.update(dict.fromkeys(e[key] for e in chance.sample(data.read("nli/cad.train"), 1500)))
    texts.update(dict.fromkeys(e["question"] for e in chance.sample(data.read("qa/qamr.train"), 1500)))
    return list(texts)


def review_parts(data: Data) -> list[Texts]:
    """Return the training texts of sentiment; whole reviews, which are long, come first."""
    return [
        sentiment.reviews(data, "train"), sentiment.review_ends(data, "train"), sentiment.restaurant(data, "train"),
        sentiment.tweets(data), *sentiment.plain(data, "train"), sentiment.made_up("train"), toned(),
    ]  # fmt: skip


AGAIN = {
    "ewt": 600_000, "btc": 100_000, "wnut17": 90_000, "wikigold": 200_000, "invented": 80_000, "presidio": 300_000,
    "reviews": 300_000, "sentiment": 250_000, "moderation": 1_450_000, "nli": 400_000, "zero_shot": 150_000,
    "absa": 900_000, "qa": 1_900_000, "gap": 150_000, "litbank": 200_000, "plain": 200_000,
}  # fmt: skip
"""Tokens of the second round: most for the tasks with the worst scores on dev files after the first."""


LAST = {
    "ewt": 300_000, "uner_ewt runs": 350_000, "uner_ewt exchanged": 130_000, "btc": 90_000, "wnut17": 80_000,
    "wnut17 exchanged": 50_000, "wikigold": 90_000, "wikigold runs": 80_000, "wikigold exchanged": 90_000,
    "distilled": 400_000, "invented": 40_000, "presidio": 300_000, "reviews": 60_000, "sentiment": 80_000,
    "moderation": 450_000, "nli": 150_000, "zero_shot": 80_000, "absa": 150_000, "qa": 250_000, "gap": 50_000,
    "litbank": 60_000, "plain": 100_000,
}  # fmt: skip
"""Tokens of the last round: as in the second, with documents, exchanged names, and a new head for moderation."""


def first_round(data: Data, reader: Reader) -> list[Source]:
    """Return the sources of the first round: about two epochs of small sets, and one of large ones."""
    tagged = {example["text"]: example for example in data.read("pos/ewt.train")}
    parts = review_parts(data)
    return [
        Source("ewt", "tokens", tokens.named(data, reader, "uner_ewt", "train", tagged), 1_000_000),
        Source("btc", "tokens", tokens.named(data, reader, "btc", "train"), 280_000),
        Source("wnut17", "tokens", tokens.named(data, reader, "wnut17", "train"), 180_000),
        Source("wikigold", "tokens", tokens.named(data, reader, "wikigold", "train"), 320_000),
        Source("invented", "tokens", tokens.invented(reader), 80_000),
        Source("presidio", "tokens", tokens.presidio(data, reader, "train"), 400_000),
        Source("reviews", "sentiment", classified(reader, parts[:1]), 700_000),
        Source("sentiment", "sentiment", classified(reader, parts[1:]), 600_000),
        Source("moderation", "moderation", harmful(data, reader), 1_350_000),
        Source("nli", "nli", pairs.inferred(data, reader, "train"), 1_000_000),
        Source("zero_shot", "zero-shot", pairs.labelled(data, reader), 500_000),
        Source("absa", "absa", pairs.judged(data, reader, "train"), 1_000_000),
        Source("qa", "question-answering", pairs.answered(data, reader), 1_500_000),
        Source("gap", "coreference", mentions.named_by_pronoun(data, reader, "train"), 400_000),
        Source("litbank", "coreference", mentions.litbank(data, reader, "train"), 450_000),
    ]


def second_round(parts: Iterable[Source]) -> list[Source]:
    """Return the sources of the second round; ``parts``: those of the first."""
    return [replace(part, tokens=AGAIN[part.name]) for part in parts]


def last_round(data: Data, reader: Reader, parts: Iterable[Source], distilled: list[Unit]) -> list[Source]:
    """Return the sources of the last round: those of the other rounds and, for names, three more.

    These are runs of sentences, sentences with exchanged names, and ``distilled``, the texts with the answers of
    ``training.teachers``. ``parts``: the sources of the first round.
    """
    tagged = {example["text"]: example for example in data.read("pos/ewt.train")}
    return [
        *(replace(part, tokens=LAST[part.name]) for part in parts),
        *(Source(name, "tokens", units, LAST[name]) for name, units in tokens.augmented(data, reader, tagged).items()),
        Source("distilled", "tokens", distilled, LAST["distilled"]),
    ]
