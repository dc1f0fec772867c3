"""Moderation: two independent labels, offensive_language and hate_speech.

The tweets were collected with a list of slurs, so nearly all of them are offensive. Ordinary texts of the other sets
are added as harmless ones, except those with words that mark a tweet as offensive. Hate speech is offensive language
too: a vote for it counts for both labels.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from training import templates
from training.data import Data
from training.texts import Texts
from workers.learning.scores import macro_f1

LABELS = ["offensive_language", "hate_speech"]
HARMLESS = (0.0, 0.0)
NEITHER, OFFENSIVE, HATE = range(3)


def tweets(data: Data, split: str) -> Texts:
    """Return Davidson's tweets; targets are halfway between the majority's label and the share of the votes."""
    out = Texts(f"moderation/davidson.{split}")
    for example in data.read(out.name):
        votes = example["votes"]
        hate = votes["hate_speech"] / sum(votes.values())
        offensive = 1 - votes["neither"] / sum(votes.values())
        label = example["label"]
        out.add(
            example["text"],
            ((offensive + (label != "neither")) / 2, (hate + (label == "hate_speech")) / 2),
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
        (templates.HARMLESS, (0.02, 0.01), 1800),
        (templates.OFFENSIVE, (0.95, 0.05), 700),
        (templates.HATEFUL, (0.97, 0.95), 500),
    ]
    for kind, target, count in kinds:
        made = templates.sentences(kind, count + count // 8, seed=12)
        for text in made[:count] if split == "train" else made[count:]:
            out.add(text, target, 0.7)
    return out


def three_way(scores: np.ndarray[Any, Any], offensive: float, hate: float) -> np.ndarray[Any, Any]:
    """Return one class per text: hate speech if flagged, else offensive if flagged, else neither."""
    return np.where(scores[:, 1] >= hate, HATE, np.where(scores[:, 0] >= offensive, OFFENSIVE, NEITHER))


def best_thresholds(scores: np.ndarray[Any, Any], gold: np.ndarray[Any, Any]) -> tuple[tuple[float, float], float]:
    """Return the two thresholds with the best three-way macro F1, and that F1."""
    grid = [round(float(step), 2) for step in np.arange(0.1, 0.91, 0.05)]
    best = max((macro_f1(gold, three_way(scores, a, b), 3), a, b) for a in grid for b in grid)
    return (best[1], best[2]), best[0]
