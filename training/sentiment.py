"""Sentiment: negative, neutral, positive.

Film reviews are labelled negative or positive, never neutral. The other texts are: restaurant sentences, cut into
clauses with one judgement; tweets, labelled by their emoticons (Go et al. 2009); encyclopaedic sentences, questions,
captions and commands as neutral ones; and templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from training import templates
from training.data import Data
from training.texts import Texts

LABELS = ["negative", "neutral", "positive"]
NEGATIVE, NEUTRAL, POSITIVE = np.eye(3).tolist()
# Intents whose wording praises, thanks, complains or reports a mishap.
TINTED = {
    "thank_you", "greeting", "goodbye", "tell_joke", "report_fraud", "lost_luggage", "damaged_card", "card_declined",
    "report_lost_card", "restaurant_reviews", "yes", "no", "account_blocked", "oos", "how_busy", "meaning_of_life",
    "what_are_your_hobbies", "do_you_have_pets", "are_you_a_bot", "find_phone", "freeze_account",
}  # fmt: skip

_GLAD = re.compile(r"[:;=]-?[)D]|<3|[😊❤😍😁😘♥👍]")
_SAD = re.compile(r":'?-?\(|[😢😭😡😞😔😠👎😒😩]")
_CLAUSE = re.compile(r"[,;:.!?]+\s+|\s+-+\s+|\s+(?=(?:but|and|although|though|while|however|yet)\s)", re.IGNORECASE)


def reviews(data: Data, split: str) -> Texts:
    """Whole film reviews, cut at 512 tokens."""
    out = Texts(f"sentiment/cad.{split}")
    for example in data.read(out.name):
        out.add(example["text"], POSITIVE if example["label"] == "positive" else NEGATIVE, 2.0)
    return out


def review_ends(data: Data, split: str) -> Texts:
    """First and last sentences of film reviews, which tend to carry the verdict; softened, because not all do."""
    out = Texts(f"sentiment/cad_ends.{split}")
    for example in data.read(f"sentiment/cad.{split}"):
        sentences = re.split(r"(?<=[.!?])\s+|(?:<br />)+", example["text"])
        sentences = [sentence for sentence in sentences if 4 <= len(sentence.split()) <= 40]
        target = [0.05, 0.2, 0.75] if example["label"] == "positive" else [0.75, 0.2, 0.05]
        for sentence in dict.fromkeys(sentences[:1] + sentences[-1:]):
            out.add(sentence, target, 0.4)
    return out


def restaurant(data: Data, split: str) -> Texts:
    """Restaurant sentences, and their clauses whose aspects agree."""
    out = Texts(f"sentiment/mams.{split}")
    for example in data.read(f"absa/mams_atsa.{split}"):
        labels = {aspect["label"] for aspect in example["aspects"]}
        if labels == {"neutral", "positive"}:
            out.add(example["text"], [0.05, 0.2, 0.75], 0.7)
        elif labels == {"neutral", "negative"}:
            out.add(example["text"], [0.75, 0.2, 0.05], 0.7)
        else:
            out.add(example["text"], [0.4, 0.2, 0.4], 0.3)
        for start, end in _clauses(example["text"]):
            inside = {aspect["label"] for aspect in example["aspects"] if start <= aspect["start"] < end}
            if len(inside) == 1 and len(example["text"][start:end].split()) >= 3 and end - start < len(example["text"]):
                label = inside.pop()
                # A clause without a judged aspect may still judge something unnamed.
                smooth = [0.12, 0.76, 0.12] if label == "neutral" else _soft(label)
                out.add(example["text"][start:end], smooth, 0.7)
    return out


def _soft(label: str) -> list[float]:
    return [0.05, 0.1, 0.85] if label == "positive" else [0.85, 0.1, 0.05]


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in _CLAUSE.finditer(text):
        yield start, cut.start()
        start = cut.end()
    yield start, len(text)


def tweets(data: Data) -> Texts:
    """Tweets with emoticons of one mood, without the emoticons."""
    out = Texts("sentiment/emoticons")
    for name in ("ner/btc.train", "ner/wnut17.train", "moderation/davidson.train"):
        for text in data.texts(name):
            glad, sad = bool(_GLAD.search(text)), bool(_SAD.search(text))
            bare = re.sub(r"\s+", " ", _SAD.sub(" ", _GLAD.sub(" ", text))).strip()
            if glad != sad and len(bare.split()) >= 3:
                out.add(bare, [0.1, 0.2, 0.7] if glad else [0.7, 0.2, 0.1], 0.6)
    return out


def plain(data: Data, split: str) -> list[Texts]:
    """Texts that state, ask or order something without judging it."""
    commands = [e["text"] for e in data.read(f"zero_shot/clinc150.{split}") if e["label"] not in TINTED]
    captions = list(dict.fromkeys(example["premise"] for example in data.read(f"nli/cad.{split}")))
    sources = {
        f"plain/clinc.{split}": (commands, 2500),
        f"plain/captions.{split}": (captions, 2000),
        f"plain/wikigold.{split}": (data.texts(f"ner/wikigold.{split}"), 1200),
    }
    if split == "train":
        qamr = data.read("qa/qamr.train")
        sources["plain/qamr_contexts"] = (list(dict.fromkeys(example["context"] for example in qamr)), 1000)
        sources["plain/qamr_questions"] = ([example["question"] for example in qamr], 2000)
    out = []
    for name, (texts, count) in sources.items():
        part = Texts(name)
        for text in texts:
            part.add(text, [0.04, 0.92, 0.04], 0.6)
        out.append(part.limit(count if split == "train" else count // 8))
    return out


def made_up(split: str) -> Texts:
    """Template sentences; train and dev share templates and words, but no sentences."""
    out = Texts(f"sentiment/templates.{split}")
    for label, target in zip(LABELS, np.eye(3).tolist(), strict=True):
        sentences = templates.sentences(templates.SENTIMENT[label], 1150, seed=11)
        for text in sentences[:1000] if split == "train" else sentences[1000:]:
            out.add(text, (np.array(target) * 0.94 + 0.02).tolist(), 0.7 if split == "train" else 0.3)
    return out


def polarity_accuracy(scores: np.ndarray[Any, Any], gold: np.ndarray[Any, Any]) -> float:
    return float((np.where(scores[:, 2] > scores[:, 0], 2, 0) == gold).mean())
