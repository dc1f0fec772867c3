"""The labelled sets as units of the joint recipe: which texts, which targets, how many tokens of each."""

from __future__ import annotations

import hashlib
import random as chances
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from training import moderation, sentiment
from training.data import Data
from training.names import is_handle
from training.reading import Reader, Source, Unit
from training.texts import Texts

NER_TYPES = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION", "MISC": "MISC"}
NER_LABELS = ["O", *(f"{bio}-{name}" for name in NER_TYPES.values() for bio in "BI")]
POS_LABELS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
]  # fmt: skip
# Presidio's names; what checked patterns find is learnt too, so that it is taken for nothing else.
PII_TYPES = [
    "PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS", "DATE_TIME", "TITLE", "AGE", "NRP", "ZIP_CODE",
    "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "URL", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "US_DRIVER_LICENSE",
]  # fmt: skip
PII_LABELS = ["O", *(f"{bio}-{name}" for name in PII_TYPES for bio in "BI")]
PII_NAMES = {"GPE": "LOCATION", "DOMAIN_NAME": "URL"}
NLI_LABELS = ["entailment", "neutral", "contradiction"]
ABSA_LABELS = ["negative", "neutral", "positive"]
MARKS_MISC = {"wnut17", "wikigold"}
Bools = NDArray[np.bool_]


def bio(
    encoding: Encoding, spans: Iterable[dict[str, Any]], labels: list[str], names: dict[str, str], outside: list[int]
) -> Bools:
    """``[tokens, labels]``: what each piece may be; the first of a span B-, the others I-, special ones anything."""
    allowed = np.zeros((len(encoding), len(labels)), dtype=bool)
    owner = np.full(max((end for _, end in encoding.offsets), default=0) + 1, -1)
    spans = list(spans)
    for number, span in enumerate(spans):
        owner[span["start"] : span["end"]] = number
    last = -1
    for index, ((start, end), special) in enumerate(zip(encoding.offsets, encoding.special_tokens_mask, strict=True)):
        number = max(owner[start:end], default=-1)
        if special:
            allowed[index] = True
        elif number < 0:
            allowed[index, outside] = True
        else:
            name = spans[number]["label"]
            allowed[index, labels.index(f"{'I' if number == last else 'B'}-{names.get(name, name)}")] = True
        last = number
    return allowed


def anchors(encoding: Encoding, offsets: Iterable[tuple[int, int]]) -> list[int]:
    """For each given token the piece that speaks for it: the first that starts in it, else one that overlaps it; -1."""
    starts = np.array([start for start, _ in encoding.offsets])
    ends = np.array([end for _, end in encoding.offsets])
    out = []
    for start, end in offsets:
        inside = np.flatnonzero((starts >= start) & (starts < end) & (ends > starts))
        if not len(inside):
            inside = np.flatnonzero((starts < end) & (ends > start))
        out.append(int(inside[0]) if len(inside) else -1)
    return out


def named(data: Data, reader: Reader, name: str, split: str, tagged: dict[str, Any] | None = None) -> list[Unit]:
    """Names of one set, for ``ner`` and ``pii``, and parts of speech of the sentences that ``tagged`` has."""
    unmarked = [NER_LABELS.index(f"{bio_}-MISC") for bio_ in "BI"]
    outside = [0] if name in MARKS_MISC else [0, *unmarked]
    # Of these sets nothing but names is known.
    others = [
        0,
        *(
            i
            for i, label in enumerate(PII_LABELS)
            if label[2:] in {"STREET_ADDRESS", "DATE_TIME", "TITLE", "AGE", "NRP"}
        ),
    ]
    units = []
    for example in data.read(f"ner/{name}.{split}"):
        item, encoding = reader.text(example["text"])
        ner = bio(encoding, example["spans"], NER_LABELS, NER_TYPES, outside)
        if name == "btc":
            for index, (start, _) in enumerate(encoding.offsets):
                if is_handle(example["text"], start):
                    ner[index] = True
        personal = [span for span in example["spans"] if span["label"] != "MISC"]
        pii = bio(encoding, personal, PII_LABELS, NER_TYPES, others)
        for index in np.flatnonzero(ner.all(1)):
            pii[index] = True
        target = {"ner": ner, "pii": pii, "text": example["text"], "spans": example["spans"], "encoding": encoding}
        words = (tagged or {}).get(example["text"])
        if words is not None:
            target["pos"] = speech(encoding, words)
        units.append(Unit([item], target))
    return units


def speech(encoding: Encoding, example: dict[str, Any]) -> Bools:
    allowed = np.ones((len(encoding), len(POS_LABELS)), dtype=bool)
    for place, tag in zip(anchors(encoding, example["offsets"]), example["tags"], strict=True):
        if place >= 0 and allowed[place].all():
            allowed[place] = False
            allowed[place, POS_LABELS.index(tag)] = True
    return allowed


def personal(data: Data, reader: Reader, split: str) -> list[Unit]:
    """Personal data in templates; for training also with their values exchanged for others of the same kind."""
    examples = [e for name in ("synth", "large") for e in data.read(f"pii/presidio_{name}.{split}")]
    texts = {example["text"]: example["spans"] for example in examples}
    if split == "train":
        chance = chances.Random(5)
        values: dict[str, list[str]] = defaultdict(list)
        for example in examples:
            for span in example["spans"]:
                values[span["label"]].append(example["text"][span["start"] : span["end"]])
        for example in examples:
            text, spans, at = "", [], 0
            for span in sorted(example["spans"], key=lambda span: span["start"]):
                text += example["text"][at : span["start"]]
                value = chance.choice(values[span["label"]])
                spans.append({"start": len(text), "end": len(text) + len(value), "label": span["label"]})
                text, at = text + value, span["end"]
            texts[text + example["text"][at:]] = spans
    units = []
    for text, spans in texts.items():
        item, encoding = reader.text(text)
        pii = bio(encoding, spans, PII_LABELS, PII_NAMES, [0])
        units.append(Unit([item], {"pii": pii, "text": text, "spans": spans, "encoding": encoding}))
    return units


def classified(reader: Reader, parts: Iterable[Texts]) -> list[Unit]:
    return [
        Unit([reader.text(text)[0]], np.array(target, np.float32), weight)
        for part in parts
        for text, target, weight in zip(part.texts, part.targets, part.weights, strict=True)
    ]


def harmful(data: Data, reader: Reader) -> list[Unit]:
    units = classified(
        reader, [moderation.tweets(data, "train"), *moderation.harmless(data, "train"), moderation.made_up("train")]
    )
    for unit in units:
        unit.weight *= 3.0 if unit.target[1] > 0.5 else 1.0
    return units


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
    """Fifteen intents that are never trained on, drawn by their hash."""
    return sorted(set(labels) - {"oos"}, key=lambda label: hashlib.sha256(label.encode()).hexdigest())[:15]


TEMPLATES = ["This example is {}.", "This example is about {}.", "This text is about {}.", "The topic is {}.", "{}"]


def spoken(label: str) -> str:
    return label.replace("_", " ")


def labelled(data: Data, reader: Reader) -> list[Unit]:
    """Utterances with their intent's name and three others; sentences with topics; pairs that do not follow."""
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
    """The first and the last token of an answer in a window of its context."""
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


def pieces(spans: NDArray[np.int64], start: int, end: int) -> tuple[int, int] | None:
    """The first and the last piece of the characters from ``start`` to ``end``."""
    inside = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def named_by_pronoun(data: Data, reader: Reader, split: str) -> list[Unit]:
    units = []
    for example in data.read(f"coref/gap.{split}"):
        items, spans = reader.segments(example["text"])
        found = [pieces(spans, *example[key]) for key in ("pronoun", "a", "b")]
        if all(found):
            target = 1 if example["a_coref"] else 2 if example["b_coref"] else 0
            units.append(Unit(items, {"gap": found, "target": target}))
    return units


def told(data: Data, reader: Reader, split: str, segments: int = 3) -> list[Unit]:
    """LitBank in stretches of ``segments`` segments, with the clusters' mentions in them."""
    units = []
    for example in data.read(f"coref/litbank.{split}"):
        items, spans = reader.segments(example["text"])
        clusters = [
            [found for start, end in cluster if (found := pieces(spans, start, end))] for cluster in example["clusters"]
        ]
        for first in range(0, len(items), segments):
            chosen = items[first : first + segments]
            low = sum(map(len, items[:first]))
            high = low + sum(map(len, chosen))
            inside = [[(a - low, b - low) for a, b in cluster if low <= a and b < high] for cluster in clusters]
            units.append(Unit(chosen, {"clusters": [cluster for cluster in inside if cluster]}))
    return units


def plain_texts(data: Data) -> list[str]:
    """Short texts of all kinds, for the embedding to stay what it was."""
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
    return [
        sentiment.reviews(data, "train"), sentiment.review_ends(data, "train"), sentiment.restaurant(data, "train"),
        sentiment.tweets(data), *sentiment.plain(data, "train"), sentiment.made_up("train"),
    ]  # fmt: skip


def everything(data: Data, reader: Reader) -> list[Source]:
    """The sources of one run; the tokens of each are about two epochs of what is small and one of what is large."""
    tagged = {example["text"]: example for example in data.read("pos/ewt.train")}
    parts = review_parts(data)
    return [
        Source("ewt", "tokens", named(data, reader, "uner_ewt", "train", tagged), 900_000),
        Source("btc", "tokens", named(data, reader, "btc", "train"), 280_000),
        Source("wnut17", "tokens", named(data, reader, "wnut17", "train"), 180_000),
        Source("wikigold", "tokens", named(data, reader, "wikigold", "train"), 320_000),
        Source("presidio", "tokens", personal(data, reader, "train"), 330_000),
        Source("reviews", "sentiment", classified(reader, parts[:1]), 900_000),
        Source("sentiment", "sentiment", classified(reader, parts[1:]), 650_000),
        Source("moderation", "moderation", harmful(data, reader), 1_300_000),
        Source("nli", "nli", inferred(data, reader, "train"), 1_100_000),
        Source("zero_shot", "zero-shot", labelled(data, reader), 700_000),
        Source("absa", "absa", judged(data, reader, "train"), 800_000),
        Source("qa", "question-answering", answered(data, reader), 1_700_000),
        Source("gap", "coreference", named_by_pronoun(data, reader, "train"), 500_000),
        Source("litbank", "coreference", told(data, reader, "train"), 450_000),
    ]
