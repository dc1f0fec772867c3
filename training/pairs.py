"""Labelled pairs of texts, for ``nli``, ``absa``, ``zero-shot`` and ``question-answering``."""

from __future__ import annotations

import hashlib
import random as chances
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tokenizers import Encoding

from training.data import Data
from training.reading import Reader, Unit

NLI_LABELS = ["entailment", "neutral", "contradiction"]
ABSA_LABELS = ["negative", "neutral", "positive"]
TEMPLATES = ["This example is {}.", "This example is about {}.", "This text is about {}.", "The topic is {}.", "{}"]


def inferred(data: Data, reader: Reader, split: str) -> list[Unit]:
    """Premise and hypothesis; for ``nli``."""
    sets = [f"nli/cad.{split}"] + ([f"nli/taxinli.{split}"] if split == "train" else [])
    return [
        Unit(
            [reader.pair(e["premise"], e["hypothesis"])[0]],
            NLI_LABELS.index(e["label"]),
            1.5 if "taxinli" in name else 1.0,
        )
        for name in sets
        for e in data.read(name)
    ]


def judged(data: Data, reader: Reader, split: str) -> list[Unit]:
    """Sentence and aspect."""
    return [
        Unit([reader.pair(example["text"], aspect["term"])[0]], ABSA_LABELS.index(aspect["label"]))
        for example in data.read(f"absa/mams_atsa.{split}")
        for aspect in example["aspects"]
    ] + [
        Unit([reader.pair(example["text"], aspect["category"])[0]], ABSA_LABELS.index(aspect["label"]), 0.5)
        for example in (data.read("absa/mams_acsa.train") if split == "train" else [])
        for aspect in example["aspects"]
    ]


def held_out(labels: Iterable[str]) -> list[str]:
    """Fifteen intents that are never trained on, chosen by their hash."""
    return sorted(set(labels) - {"oos"}, key=lambda label: hashlib.sha256(label.encode()).hexdigest())[:15]


def spoken(label: str) -> str:
    return label.replace("_", " ")


def labelled(data: Data, reader: Reader) -> list[Unit]:
    """Utterances with the name of their intent and three others; sentences with topics; pairs without entailment."""
    chance = chances.Random(6)
    examples = data.read("zero_shot/clinc150.train")
    kept_out = set(held_out(example["label"] for example in examples))
    intents: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if example["label"] != "oos" and example["label"] not in kept_out:
            intents[example["domain"]].add(example["label"])
    every = sorted(label for labels in intents.values() for label in labels)
    domains = sorted(intents)

    def said(text: str, labels: list[str], target: int | list[int], weight: float = 1.0) -> Unit:
        template = "This example is {}." if chance.random() < 0.5 else chance.choice(TEMPLATES)
        return Unit([reader.pair(text, template.format(spoken(label)))[0] for label in labels], target, weight)

    units = []
    for example in examples:
        label, domain = example["label"], example["domain"]
        if label == "oos" or label in kept_out or chance.random() < 0.35:
            continue
        if chance.random() < 0.12 and domain in intents:
            wrong = chance.sample([d for d in domains if d != domain], 3)
            units.append(said(example["text"], [domain, *wrong], 0, 0.7))
            continue
        near = sorted(intents[domain] - {label})
        wrong = chance.sample(near, 1) + chance.sample([e for e in every if e != label and e not in near], 2)
        units.append(said(example["text"], [label, *wrong], 0))
    categories = ["food", "staff", "place", "service", "menu", "ambience", "price"]
    for example in data.read("absa/mams_acsa.train"):
        true = sorted({a["category"] for a in example["aspects"]} & set(categories))
        if true and chance.random() < 0.5:
            wrong = chance.sample([c for c in categories if c not in true], 2)
            units.append(said(example["text"], [true[0], *wrong], 0, 0.7))
    return units


def answered(data: Data, reader: Reader) -> list[Unit]:
    """Question and context: the tokens where an answer may start and end; a window without one answers at token 0."""
    chance = chances.Random(7)
    questions = [example["question"] for example in data.read("qa/qed.train")]
    units = []
    for name, share in (("qed", 1.0), ("qamr", 0.35)):
        for example in data.read(f"qa/{name}.train"):
            if chance.random() >= share or len(example["context"]) > 6000:
                continue
            answers = example["answers"] if example["answer_mode"] == "any" else example["answers"][:1]
            windows = reader.windows(example["question"], example["context"], stride=64)
            whole = []
            for item, encoding in windows:
                pairs = {pair for answer in answers if (pair := place(encoding, answer)) is not None}
                whole.append(Unit([item], sorted(pairs) or [(0, 0)]))
            with_answer = [unit for unit in whole if unit.target != [(0, 0)]]
            without = [unit for unit in whole if unit.target == [(0, 0)]]
            units += with_answer[:2] + (without[:1] if chance.random() < 0.3 else [])
            if name == "qed" and chance.random() < 0.12:
                other = chance.choice(questions)
                units.append(Unit([reader.pair(other, example["context"], cut="only_second")[0]], [(0, 0)], 0.5))
    return units


def place(encoding: Encoding, answer: dict[str, Any]) -> tuple[int, int] | None:
    """Return the first and the last token of an answer in a window of its context."""
    start, end = answer["start"], answer["start"] + len(answer["text"])
    first = last = None
    for index, ((left, right), side) in enumerate(zip(encoding.offsets, encoding.sequence_ids, strict=True)):
        if side == 1 and left < end and right > start:
            first = index if first is None else first
            last = index
            seen = (left, right)
    if first is None or last is None or encoding.offsets[first][0] > start or seen[1] < end:
        return None
    return first, last
