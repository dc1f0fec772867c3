"""More examples made of labelled sentences: runs of sentences of one document, and the same sentences with other names.

A head that has only seen single sentences finds fewer names in documents; and a few thousand sentences teach their
names rather than what is around them (mention replacement: Dai and Adel 2020).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from training.augment import with_values

Example = dict[str, Any]
"""``id``, ``text``; ``spans`` with ``start``, ``end`` and ``label``; ``offsets`` and ``tags`` of the words."""


def documents(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Divide sentences, which are in order, into documents; an id is that of the document, "-" and a number."""
    for _, document in groupby(examples, key=lambda example: str(example["id"]).rpartition("-")[0]):
        yield list(document)


def runs(examples: Sequence[Example], words: Iterable[int]) -> Iterator[list[Example]]:
    """Divide each document into runs of neighbouring sentences.

    Args:
        examples: the sentences, document by document.
        words: how many words the next run may have, one after another; a longer sentence is a run of its own.
    """
    limits = iter(words)
    for document in documents(examples):
        part: list[Example] = []
        size, limit = 0, next(limits)
        for example in document:
            count = len(example["text"].split())
            if part and size + count > limit:
                yield part
                part, size, limit = [], 0, next(limits)
            part.append(example)
            size += count
        yield part


def joined(part: Sequence[Example], between: str = " ") -> Example:
    """Return one example of several, with ``between`` between their texts."""
    if len(part) == 1:
        return part[0]
    text, spans, offsets, tags = "", [], [], []
    for example in part:
        at = len(text)
        text += example["text"] + between
        spans += [{**span, "start": span["start"] + at, "end": span["end"] + at} for span in example.get("spans", ())]
        offsets += [[start + at, end + at] for start, end in example.get("offsets", ())]
        tags += example.get("tags", ())
    text = text.removesuffix(between)
    return {"id": part[0]["id"], "text": text, "spans": spans, "offsets": offsets, "tags": tags}


class Names:
    """The names of some examples, by label."""

    def __init__(self, examples: Iterable[Example], others: Iterable[tuple[str, str]] = ()) -> None:
        """``others``: further names, as (label, name)."""
        self._names: dict[str, list[str]] = defaultdict(list)
        for example in examples:
            for span in example["spans"]:
                self._names[span["label"]].append(example["text"][span["start"] : span["end"]])
        for label, name in others:
            self._names[label].append(name)

    def exchanged(self, example: Example, chance: random.Random, share: float) -> Example:
        """Return ``example`` with about ``share`` of its names exchanged for others with their label, without tags."""

        def other(label: str, name: str) -> str:
            return _in_case_of(name, chance.choice(self._names[label])) if chance.random() < share else name

        return with_values({key: example[key] for key in ("id", "text", "spans")}, other)


def _in_case_of(name: str, other: str) -> str:
    """Return ``other`` in lower case or capitals if ``name`` is: other cases would teach that case says nothing."""
    if name.islower() and name[0].isalpha():
        return other.lower()
    return other.upper() if name.isupper() and len(name) > 4 else other
