"""More sentences from word lists written for this project: what the labelled sets do not have.

Reviews and tweets say nothing of support tickets, of a slur that is condemned, of profanity as praise, or of names in
small letters. Disjoint from what the project measures itself by (``training/own.py``).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from training.phrases import NAMED, PERSONAL
from training.templates import DAYS, GROUP_PLURALS, GROUPS, JOBS, THINGS
from training.word_lists import (
    GIVEN,
    MISC,
    MONTHS,
    NATIONS,
    ORGANISATIONS,
    PLACES,
    STREETS,
    SURNAMES,
    TITLES,
)

Spans = list[dict[str, Any]]


def sentences(templates: list[str], count: int, seed: int) -> list[str]:
    """``count`` different sentences, some without capitals or a full stop."""
    chance = random.Random(seed)
    slots = {
        "thing": THINGS,
        "day": DAYS,
        "group": GROUPS,
        "groups": GROUP_PLURALS,
        "job": JOBS,
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
    """Sentences with names: (text, spans of PER, LOC, ORG and MISC); a third in small letters."""
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
    return [_filled(chance, NAMED, values, lower=1 / 3) for _ in range(count)]


def personal(count: int, seed: int) -> list[tuple[str, Spans]]:
    """Sentences with personal data: (text, spans with Presidio's labels)."""
    chance = random.Random(seed)

    def digits(pattern: str) -> str:
        return re.sub("#", lambda _: str(chance.randint(0, 9)), pattern)

    def any_of(*ways: Callable[[], str]) -> Callable[[], str]:
        def one() -> str:
            return chance.choice(ways)()

        return one

    street = any_of(
        lambda: f"{chance.randint(1, 999)} {chance.choice(STREETS)}",
        lambda: f"{chance.choice(STREETS)} {chance.randint(1, 200)}",
        lambda: f"{chance.randint(1, 999)} {chance.choice(STREETS)}, Apt. {chance.randint(1, 40)}",
        lambda: f"{chance.choice(STREETS)} {chance.randint(1, 99)}{chance.choice('abc')}",
    )
    date = any_of(
        lambda: f"{chance.choice(MONTHS)} {chance.randint(1, 28)}",
        lambda: f"{chance.choice(MONTHS)} {chance.randint(1, 28)}, {chance.randint(1940, 2024)}",
        lambda: f"{chance.randint(1, 12)}/{chance.randint(1, 28)}/{chance.randint(1940, 2024)}",
        lambda: f"{chance.randint(1940, 2024)}-{chance.randint(10, 12)}-{chance.randint(10, 28)}",
        lambda: chance.choice(DAYS[:7]),
        lambda: f"{chance.randint(1, 28)} {chance.choice(MONTHS)} {chance.randint(1940, 2024)}",
    )
    ways: dict[str, Callable[[], str]] = {
        "PERSON": any_of(lambda: f"{chance.choice(GIVEN)} {chance.choice(SURNAMES)}", lambda: chance.choice(GIVEN)),
        "STREET_ADDRESS": street,
        "DATE_TIME": date,
        "LOCATION": lambda: chance.choice(PLACES),
        "ORGANIZATION": lambda: chance.choice(ORGANISATIONS).removeprefix("the "),
        "TITLE": lambda: chance.choice(TITLES),
        "AGE": lambda: str(chance.randint(1, 99)),
        "NRP": lambda: chance.choice(NATIONS),
        "ZIP_CODE": any_of(lambda: digits("#####"), lambda: digits("SW# #AA"), lambda: digits("####")),
        "CREDIT_CARD": any_of(lambda: digits("4### #### #### ####"), lambda: digits("5###############")),
        "PHONE_NUMBER": any_of(
            lambda: digits("+1-###-###-####"), lambda: digits("(0##) ### ####"), lambda: digits("07### ######")
        ),
        "EMAIL_ADDRESS": lambda: f"{chance.choice(GIVEN).lower()}{chance.randint(1, 99)}@example.com",
        "URL": lambda: f"www.{chance.choice(SURNAMES).lower().replace(' ', '')}.example.org",
        "IBAN_CODE": lambda: digits("DE####################"),
        "US_SSN": lambda: digits("###-##-####"),
        "IP_ADDRESS": lambda: digits("1##.2#.4#.#"),
    }
    values = {name: (name, way) for name, way in ways.items()}
    return [_filled(chance, PERSONAL, values, lower=0.2) for _ in range(count)]


def _filled(
    chance: random.Random, templates: list[str], values: dict[str, tuple[str, Callable[[], str]]], lower: float
) -> tuple[str, Spans]:
    text, spans, at = "", [], 0
    template = chance.choice(templates)
    for slot in re.finditer(r"\{(\w+)\}", template):
        text += template[at : slot.start()]
        label, way = values[slot[1]]
        value = way()
        if label:
            # The sets that mark names leave articles out.
            start = len(text) + (len("the ") if value.startswith("the ") else 0)
            spans.append({"start": start, "end": len(text) + len(value), "label": label})
        text, at = text + value, slot.end()
    text += template[at:]
    # Lower case that has another length would move the spans.
    lowered = text.lower()
    return (lowered if chance.random() < lower and len(lowered) == len(text) else text), spans
