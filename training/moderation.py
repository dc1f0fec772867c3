"""Moderation: four independent labels, offensive_language, hate_speech, threat and self_harm.

The tweets were collected with a list of slurs, so nearly all of them are offensive. Ordinary texts of the other sets
are added as harmless ones, except those with words that mark a tweet as offensive. Hate speech is offensive language
too: a vote for it counts for both labels. Nobody voted on threats and self-harm, which ``training.harm`` teaches.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from training import templates
from training.data import Data
from training.harm import making
from training.texts import Texts
from workers.learning.scores import macro_f1

VOTED = ["offensive_language", "hate_speech"]
LABELS = [*VOTED, "threat", "self_harm"]
HARMLESS = (0.0, 0.0, 0.0, 0.0)
NEITHER, OFFENSIVE, HATE = range(3)
MARGIN, NEAR = 0.005, 0.01
SPARE, SPARE_EACH = 0.006, 0.001
"""The shares of ordinary dev texts that the labels of the tweets together, and each other label, may flag."""
_VIOLENT = re.compile(
    r"\b(kill|murder|shoot|shot|gun|stab|knife|cut|punch|beat|hit|slap|smack|kick|choke|fight|hurt|burn|hang|rape|dead"
    r"|die|dying|death|suicid|fuck \w+ up|whoop|bullet|blood|bomb|drown|rope|jump|swing|knock|destroy|lynch|kms|kys)",
    re.IGNORECASE,
)


def tweets(data: Data, split: str) -> Texts:
    """Return Davidson's tweets; targets are halfway between the majority's label and the share of the votes.

    Offensive tweets with a word of violence may be threats or not, so their targets for ``threat`` and ``self_harm``
    are NaN.
    """
    out = Texts(f"moderation/davidson.{split}")
    for example in data.read(out.name):
        votes = example["votes"]
        hate = votes["hate_speech"] / sum(votes.values())
        offensive = 1 - votes["neither"] / sum(votes.values())
        label = example["label"]
        harm = 0.0 if label == "neither" or not _VIOLENT.search(example["text"]) else making.UNKNOWN
        out.add(
            example["text"],
            ((offensive + (label != "neither")) / 2, (hate + (label == "hate_speech")) / 2, harm, harm),
            1.0,
        )
    return out


def classes(data: Data, split: str) -> np.ndarray[Any, Any]:
    names = {"neither": NEITHER, "offensive_language": OFFENSIVE, "hate_speech": HATE}
    return np.array([names[example["label"]] for example in data.read(f"moderation/davidson.{split}")])


def marked_words(data: Data) -> set[str]:
    """Return the words that occur in at least 10 tweets of the train file, at least 97 % of which are not "neither"."""
    seen, bad = Counter[str](), Counter[str]()
    for example in data.read("moderation/davidson.train"):
        words = set(re.findall(r"[a-z']+", example["text"].lower()))
        seen.update(words)
        if example["label"] != "neither":
            bad.update(words)
    base = {"a", "the", "to", "i", "you", "me", "my", "and", "is", "in", "that", "it", "of", "for", "on", "be", "with"}
    return {word for word, count in seen.items() if count >= 10 and bad[word] >= 0.97 * count} - base


def harmless(data: Data, split: str) -> list[Texts]:
    """Return ordinary texts of the other sets, without those that contain a marked word."""
    marked = marked_words(data)
    sources = {
        "btc": (data.texts(f"ner/btc.{split}"), 2500),
        "wnut17": (data.texts(f"ner/wnut17.{split}"), 1500),
        "ewt": (data.texts(f"ner/uner_ewt.{split}"), 2000),
        "wikigold": (data.texts(f"ner/wikigold.{split}"), 1200),
        "clinc": (data.texts(f"zero_shot/clinc150.{split}"), 2000),
        "captions": (list(dict.fromkeys(e["premise"] for e in data.read(f"nli/cad.{split}"))), 1500),
        "mams": (data.texts(f"absa/mams_atsa.{split}"), 2000),
        "cad": (data.texts(f"sentiment/cad.{split}"), 250),
    }
    out = []
    for name, (texts, count) in sources.items():
        part = Texts(f"harmless/{name}.{split}")
        for text in texts:
            if name not in {"btc", "wnut17"} or not marked & set(re.findall(r"[a-z']+", text.lower())):
                part.add(text, HARMLESS, 0.6)
        out.append(part.limit(count if split == "train" else count // 8))
    return out


def made_up(split: str) -> Texts:
    out = Texts(f"moderation/templates.{split}")
    kinds = [
        (templates.HARMLESS, making.NO_HARM, 1800),
        (templates.OFFENSIVE, making.INSULT, 700),
        (templates.HATEFUL, making.HATRED, 500),
    ]
    for kind, target, count in kinds:
        made, chance = templates.sentences(kind, count + count // 8, seed=12), random.Random(12)
        for text in made[:count] if split == "train" else made[count:]:
            out.add(making.marked(text, chance), target, 0.4)
    return out


def three_way(scores: np.ndarray[Any, Any], offensive: float, hate: float) -> np.ndarray[Any, Any]:
    """Return one class per text: hate speech if flagged, else offensive if flagged, else neither."""
    return np.where(scores[:, 1] >= hate, HATE, np.where(scores[:, 0] >= offensive, OFFENSIVE, NEITHER))


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each text, ``[texts]``, summed over the labels whose target is not NaN.

    ``logits`` and ``targets``: ``[texts, labels]``.
    """
    known = ~targets.isnan()
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (each * known).sum(1)


Judge: TypeAlias = Callable[[float, float], float]
"""The worth of a threshold for offensive language and one for hate speech."""


def judge(scores: np.ndarray[Any, Any], targets: np.ndarray[Any, Any], ordinary: np.ndarray[Any, Any]) -> Judge:
    """Return the balanced accuracy of two thresholds on templates: whether those with one of both labels are flagged.

    It is negative if more than ``SPARE`` of ordinary texts are flagged. ``scores`` and ``targets``: of the templates,
    ``[texts, labels]``; ``ordinary``: scores of ordinary texts.
    """
    wanted = (targets[:, :2] > 0.5).any(1)

    def accuracy(offensive: float, hate: float) -> float:
        wrong = float(((ordinary[:, 0] >= offensive) | (ordinary[:, 1] >= hate)).mean())
        if wrong > SPARE:
            return -wrong
        flagged = (scores[:, 0] >= offensive) | (scores[:, 1] >= hate)
        return float(flagged[wanted].mean() + (~flagged)[~wanted].mean()) / 2

    return accuracy


def best_thresholds(
    scores: np.ndarray[Any, Any], gold: np.ndarray[Any, Any], judge: Judge
) -> tuple[tuple[float, float], float]:
    """Return the two thresholds that ``judge`` prefers of those with nearly the best three-way macro F1, and their F1.

    Of those that ``judge`` takes for nearly as good, they have the best F1. ``scores``: of tweets, ``[texts, labels]``;
    ``gold``: their classes. F1 may be ``MARGIN`` below the best, and what ``judge`` says ``NEAR`` below its best.
    """
    grid = [round(float(step), 2) for step in np.arange(0.1, 0.91, 0.05)]
    scored = [(macro_f1(gold, three_way(scores, a, b), 3), a, b) for a in grid for b in grid]
    highest = max(scored)[0]
    judged = [(judge(a, b), f1, a, b) for f1, a, b in scored if f1 >= highest - MARGIN]
    _, f1, *chosen = max((worth for worth in judged if worth[0] >= max(judged)[0] - NEAR), key=lambda worth: worth[1:])
    return (chosen[0], chosen[1]), f1


def sparing_threshold(
    scores: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], ordinary: np.ndarray[Any, Any]
) -> float:
    """Return the threshold with the best F1 on templates that flags at most ``SPARE_EACH`` of ordinary texts.

    ``scores`` and ``wanted`` (truth values): of the templates; ``ordinary``: the label's scores of ordinary texts.
    """
    grid = [round(float(step), 2) for step in np.arange(0.1, 0.96, 0.05)]
    allowed = [step for step in grid if (ordinary >= step).mean() <= SPARE_EACH] or [grid[-1]]
    return max(allowed, key=lambda step: (macro_f1(wanted.astype(int), (scores >= step).astype(int), 2), step))
