"""Labelled tokens: the classes that each token of a text may have; for ``ner``, ``pos`` and ``pii``."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from training import augment, personal, runs, stories, story_dev
from training.data import Data
from training.names import is_handle
from training.reading import Reader, Unit

NER_TYPES = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION", "MISC": "MISC"}
NER_LABELS = ["O", *(f"{bio}-{name}" for name in NER_TYPES.values() for bio in "BI")]
POS_LABELS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
]  # fmt: skip
# Presidio's names. What patterns find is learnt too, so that it is not taken for something else.
PII_TYPES = [
    "PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS", "DATE_TIME", "TITLE", "AGE", "NRP", "ZIP_CODE",
    "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "URL", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "US_DRIVER_LICENSE",
]  # fmt: skip
PII_LABELS = ["O", *(f"{bio}-{name}" for name in PII_TYPES for bio in "BI")]
PII_NAMES = {"GPE": "LOCATION", "DOMAIN_NAME": "URL"}
OUTSIDE = {"large": [0, *(i for i, label in enumerate(PII_LABELS) if label[2:] in {"AGE", "NRP"})]}
"""What tokens outside spans may be, if not all entities of the texts are labelled."""
MARKS_MISC = {"wnut17", "wikigold", "augment"}
RUN_WORDS = (30, 60, 100, 150)
"""How long runs of sentences are; about 190 words are 256 tokens."""
Bools = NDArray[np.bool_]


def bio(
    encoding: Encoding, spans: Iterable[dict[str, Any]], labels: list[str], names: dict[str, str], outside: list[int]
) -> Bools:
    """``[tokens, labels]``: what each token may be; B- for the first of a span, then I-; anything for special ones."""
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
    """Return per given token its piece: the first that starts in it, else one that overlaps it, else -1."""
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
    """Return the sentences of one file with targets for ``ner`` and ``pii``, see ``names_in``."""
    return names_in(data.read(f"ner/{name}.{split}"), reader, name, tagged)


def names_in(
    examples: Iterable[dict[str, Any]], reader: Reader, name: str, tagged: dict[str, Any] | None = None
) -> list[Unit]:
    """Return ``examples`` with targets for ``ner`` and ``pii``, and for ``pos`` if ``tagged`` has the text.

    Targets are ``[tokens, labels]``, true for each label that a token may have. ``name``: the set that the examples are
    of, which decides what is left open; ``tagged``: text -> the example with its parts of speech.
    """
    misc = [NER_LABELS.index(f"{place}-MISC") for place in "BI"]
    outside = [0] if name in MARKS_MISC else [0, *misc]
    # These sets label only names: their other words may be personal data of other kinds.
    outside_pii = [
        0,
        *(
            i
            for i, label in enumerate(PII_LABELS)
            if label[2:] in {"STREET_ADDRESS", "DATE_TIME", "TITLE", "AGE", "NRP"}
        ),
    ]
    units = []
    for example in examples:
        item, encoding = reader.text(example["text"])
        ner = bio(encoding, example["spans"], NER_LABELS, NER_TYPES, outside)
        if name == "btc":
            for index, (start, _) in enumerate(encoding.offsets):
                if is_handle(example["text"], start):
                    ner[index] = True
        personal = [span for span in example["spans"] if span["label"] != "MISC"]
        pii = bio(encoding, personal, PII_LABELS, NER_TYPES, outside_pii)
        for index in np.flatnonzero(ner.all(1)).tolist():
            pii[index] = True
        target = {"ner": ner, "pii": pii, "text": example["text"], "spans": example["spans"], "encoding": encoding}
        words = (tagged or {}).get(example["text"])
        if words is not None:
            target["pos"] = speech(encoding, words)
        units.append(Unit([item], target))
    return units


def in_runs(data: Data, reader: Reader, name: str, split: str, tagged: dict[str, Any] | None = None) -> list[Unit]:
    """Return what ``named`` returns, but of neighbouring sentences joined to runs of up to ``RUN_WORDS`` words."""
    chance = random.Random(23)
    parts = list(runs.runs(data.read(f"ner/{name}.{split}"), iter(lambda: chance.choice(RUN_WORDS), 0)))
    words = {}
    for part in parts:
        if tagged is not None and all(example["text"] in tagged for example in part):
            run = runs.joined([tagged[example["text"]] for example in part])
            words[run["text"]] = run
    return names_in(map(runs.joined, parts), reader, name, words)


def exchanged(data: Data, reader: Reader, name: str) -> list[Unit]:
    """Return the sentences of a train file that have names, half of which are exchanged for others with their label."""
    chance = random.Random(24)
    examples = data.read(f"ner/{name}.train")
    names = runs.Names(examples, augment.listed_names(24) if name != "btc" else ())
    return names_in([names.exchanged(example, chance, 0.5) for example in examples if example["spans"]], reader, name)


def augmented(data: Data, reader: Reader, tagged: dict[str, Any]) -> dict[str, list[Unit]]:
    """Return more training examples of the labelled sets: runs of sentences, and sentences with exchanged names."""
    return {
        "uner_ewt runs": in_runs(data, reader, "uner_ewt", "train", tagged),
        "wikigold runs": in_runs(data, reader, "wikigold", "train"),
        **{f"{name} exchanged": exchanged(data, reader, name) for name in ("uner_ewt", "wikigold", "wnut17")},
    }


def speech(encoding: Encoding, example: dict[str, Any]) -> Bools:
    """Return ``[tokens, labels]``: the tag of each word for its first piece, anything for all other tokens."""
    allowed = np.ones((len(encoding), len(POS_LABELS)), dtype=bool)
    for place, tag in zip(anchors(encoding, example["offsets"]), example["tags"], strict=True):
        if place >= 0 and allowed[place].all():
            allowed[place] = False
            allowed[place, POS_LABELS.index(tag)] = True
    return allowed


def presidio(data: Data, reader: Reader, split: str) -> list[Unit]:
    """Return labelled templates of personal data with targets for ``pii``.

    The train split also has them with other values, and our own sentences.

    The targets also have what ``training.folds`` needs: ``set``, ``template`` (None for our own sentences), and
    ``as_labelled``, False for what the labelled sets do not contain.
    """
    examples: list[dict[str, Any]] = [
        {**example, "spans": personal.whole(example["text"], example["spans"]), "set": name, "as_labelled": True}
        for name in ("synth", "large")
        for example in data.read(f"pii/presidio_{name}.{split}")
    ]
    if split == "train":
        examples += [*personal.exchanged(examples, seed=5), *personal.refilled(examples, seed=6)]
        examples += [
            {"text": text, "spans": spans, "set": "own"} for text, spans in personal.sentences(14_500, seed=21)
        ]
    units = []
    for example in {example["text"]: example for example in examples}.values():
        text, spans = example["text"], example["spans"]
        item, encoding = reader.text(text)
        pii = bio(encoding, spans, PII_LABELS, PII_NAMES, OUTSIDE.get(example["set"], [0]))
        target = {key: example.get(key) for key in ("text", "spans", "set", "template", "as_labelled")}
        units.append(Unit([item], {**target, "pii": pii, "encoding": encoding}))
    return units


def invented(reader: Reader, count: int = 4000, seed: int = 22) -> list[Unit]:
    """Return our own sentences with names; targets as in ``names_in``."""
    return names_in(
        [{"text": text, "spans": spans} for text, spans in augment.named(count, seed=seed)], reader, "augment"
    )


def told(reader: Reader, count: int = 3000, seed: int = 31) -> list[Unit]:
    """Return our own texts of several sentences with names; targets as in ``names_in``."""
    return names_in(stories.stories(count, seed), reader, "augment")


def told_on_dev(reader: Reader) -> list[Unit]:
    """Return the texts written to choose by; targets as in ``names_in``."""
    return names_in(story_dev.stories(), reader, "augment")


def counts(target: NDArray[Any]) -> bool:
    """Return whether any token of a target of ``loss`` may not have just any label."""
    return bool((target.sum(1) < target.shape[1]).any())


def loss(logits: Tensor, target: NDArray[Any]) -> Tensor:
    """Return the mean loss of tokens.

    Args:
        logits: ``[T, labels]``.
        target: ``[T, labels]``, 1 for every label that a token may have, or probabilities. A token that may have any
            label does not count.
    """
    wanted = torch.from_numpy(target.astype(np.float32))
    learn = wanted.sum(1) < logits.shape[1]
    wanted, logs = wanted[learn], logits[learn].log_softmax(1)
    several = wanted.sum(1) > 1.5
    result: Tensor = -torch.cat([
        (wanted[~several] * logs[~several]).sum(1),
        logs[several].masked_fill(wanted[several] < 1, -torch.inf).logsumexp(1),
    ]).mean()  # fmt: skip
    return result
