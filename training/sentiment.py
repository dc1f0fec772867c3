"""Sentiment: negative, neutral, positive.

Film reviews say what is negative and positive and never what is neutral, so the rest is gathered:
restaurant sentences cut into clauses that hold one judgement, tweets by their emoticons (Go et al.
2009), encyclopaedic sentences, questions, captions and commands as neutral, and templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from rich.progress import Progress

from training import sequence, templates
from training.data import Data
from training.features import Trunk
from training.scores import macro_f1, temperature
from training.sequence import Pool, Texts, probabilities
from workers.starter.heads import StarterHead

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
    """Restaurant sentences, and those of their clauses whose aspects agree."""
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
    """Texts that state, ask or order and judge nothing."""
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
    """Template sentences; train and dev share templates and words but no sentence."""
    out = Texts(f"sentiment/templates.{split}")
    for label, target in zip(LABELS, np.eye(3).tolist(), strict=True):
        made = templates.sentences(templates.SENTIMENT[label], 1150, seed=11)
        for text in made[:1000] if split == "train" else made[1000:]:
            out.add(text, (np.array(target) * 0.94 + 0.02).tolist(), 0.7 if split == "train" else 0.3)
    return out


def training_pool(data: Data, trunk: Trunk) -> Pool:
    parts = [reviews(data, "train"), review_ends(data, "train"), restaurant(data, "train"), tweets(data)]
    return Pool([*parts, *plain(data, "train"), made_up("train")], trunk)


def dev_pools(data: Data, trunk: Trunk) -> dict[str, Pool]:
    return {
        "reviews": Pool([reviews(data, "dev")], trunk),
        "restaurant": Pool([restaurant(data, "dev")], trunk),
        "short": Pool([review_ends(data, "dev"), *plain(data, "dev"), made_up("dev")], trunk),
    }


def train(data: Data, trunk: Trunk, progress: Progress, **options: Any) -> StarterHead:
    pool, dev = training_pool(data, trunk), dev_pools(data, trunk)

    def score(head: StarterHead) -> float:
        return float(np.mean([dev_score(head, name, part) for name, part in dev.items()]))

    head = sequence.train(
        "sentiment", LABELS, pool, score, trunk=trunk, progress=progress, multi_label=False, **options
    )
    whole = list(dev.values())
    logits = torch.cat([part.logits(head) for part in whole])
    targets = torch.from_numpy(np.concatenate([part.targets for part in whole]))
    weights = torch.from_numpy(np.concatenate([part.weights for part in whole]))
    head.temperature.fill_(temperature(logits, targets, multi_label=False, weights=weights))
    return head


def dev_score(head: StarterHead, name: str, pool: Pool) -> float:
    """Accuracy of negative against positive on reviews, macro F1 of the three classes elsewhere."""
    scores = probabilities(head, pool)
    gold = pool.targets.argmax(1)
    if name == "reviews":
        return polarity_accuracy(scores, gold)
    clear = pool.targets.max(1) > 0.5
    return macro_f1(gold[clear], scores.argmax(1)[clear], 3)


def polarity_accuracy(scores: np.ndarray[Any, Any], gold: np.ndarray[Any, Any]) -> float:
    return float((np.where(scores[:, 2] > scores[:, 0], 2, 0) == gold).mean())
