"""More sentences from word lists written for this project, for what the labelled sets lack.

Reviews and tweets contain no support tickets, no condemned slurs, no profanity as praise, and no names in lower case.
No sentence is among those that the project measures itself by (``training/own.py``).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from training.fakes import seeded
from training.phrases import NAMED
from training.templates import DAYS, GROUP_PLURALS, GROUPS, INSULTS, JOBS, THINGS
from training.word_lists import GIVEN, MISC, ORGANISATIONS, PLACES, SURNAMES

LOCALES = [
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "nl_NL", "tr_TR", "hu_HU", "pt_BR",
]  # fmt: skip
Spans = list[dict[str, Any]]


def sentences(templates: list[str], count: int, seed: int) -> list[str]:
    """Return ``count`` different sentences, some without capitals or a full stop."""
    chance = random.Random(seed)
    slots = {
        "thing": THINGS,
        "day": DAYS,
        "group": GROUPS,
        "groups": GROUP_PLURALS,
        "job": JOBS,
        "insult": INSULTS,
        "given": GIVEN,
        "surname": SURNAMES,
        "place": PLACES,
    }
    made: dict[str, None] = {}
    for _ in range(count * 20):
        if len(made) == count:
            break
        text = re.sub(
            r"\{(\w+)\}",
            lambda slot: str(chance.randint(2, 60)) if slot[1] == "number" else chance.choice(slots[slot[1]]),
            chance.choice(templates),
        )
        drawn = chance.random()
        text = text.rstrip(".!") if drawn < 0.2 else text.lower() if drawn < 0.35 else text
        made[text[0].upper() + text[1:] if drawn > 0.6 else text] = None
    return list(made)


def named(count: int, seed: int) -> list[tuple[str, Spans]]:
    """Return sentences with names, as (text, spans of PER, LOC, ORG and MISC); a third in lower case."""
    chance = random.Random(seed)
    values: dict[str, tuple[str, Callable[[], str]]] = {
        "per": ("PER", lambda: f"{chance.choice(GIVEN)} {chance.choice(SURNAMES)}"),
        "giv": ("PER", lambda: chance.choice(GIVEN)),
        "sur": ("PER", lambda: chance.choice(SURNAMES)),
        "loc": ("LOC", lambda: chance.choice(PLACES)),
        "org": ("ORG", lambda: chance.choice(ORGANISATIONS)),
        "misc": ("MISC", lambda: chance.choice(MISC[:35])),
        "misc2": ("MISC", lambda: chance.choice(MISC[35:])),
        "handle": ("", lambda: chance.choice(GIVEN).lower() + str(chance.randint(1, 99))),
    }
    return [filled(chance, NAMED, values, lower=1 / 3) for _ in range(count)]


def listed_names(seed: int) -> list[tuple[str, str]]:
    """Return (label, name): PER, LOC and ORG from the word lists, and as Faker makes them up for twelve countries."""
    fake: Any = seeded(LOCALES, seed)
    made = [
        ("PER", lambda: f"{fake.first_name()} {fake.last_name()}", 400), ("PER", fake.last_name, 200),
        ("PER", fake.first_name, 200), ("LOC", fake.city, 300), ("ORG", fake.company, 100),
    ]  # fmt: skip
    listed = [("LOC", PLACES), ("ORG", ORGANISATIONS)]
    return [
        *((label, make()) for label, make, count in made for _ in range(count)),
        # The labelled sets leave articles out of names.
        *((label, name.removeprefix("the ")) for label, names in listed for name in names),
    ]


def with_values(example: dict[str, Any], other: Callable[[str, str], str]) -> dict[str, Any]:
    """Return ``example`` with other values in its spans: for each ``other(label, value)``, in the order of the text."""
    text, spans, at = "", [], 0
    for span in sorted(example["spans"], key=lambda span: span["start"]):
        text += example["text"][at : span["start"]]
        value = other(span["label"], example["text"][span["start"] : span["end"]])
        spans.append({"start": len(text), "end": len(text) + len(value), "label": span["label"]})
        text, at = text + value, span["end"]
    return {**example, "text": text + example["text"][at:], "spans": spans}


def filled(
    chance: random.Random, templates: Sequence[str], values: dict[str, tuple[str, Callable[[], str]]], lower: float
) -> tuple[str, Spans]:
    """Fill the gaps of one of ``templates``; return the text and the spans of the values.

    ``values``: gap -> its label ("" for none) and a function that draws a value; ``lower``: the share in lower case.
    """
    text, spans, at = "", [], 0
    template = chance.choice(templates)
    for slot in re.finditer(r"\{(\w+)\}", template):
        text += template[at : slot.start()]
        label, make = values[slot[1]]
        value = make()
        if label:
            # The labelled sets leave articles out of names, but not out of "the corner of ...".
            start = len(text) + (len("the ") if value.startswith("the ") and label != "STREET_ADDRESS" else 0)
            spans.append({"start": start, "end": len(text) + len(value), "label": label})
        text, at = text + value, slot.end()
    text += template[at:]
    # Lower case of another length would shift the spans.
    lowered = text.lower()
    return (lowered if chance.random() < lower and len(lowered) == len(text) else text), spans
