"""Texts of several sentences about the same few people, towns and organisations, written for this project.

The labelled sets have few small towns, and few texts in which a name comes back. Names that the demo and our own test
sentences contain are left out of the lists, so that finding those is not remembering them.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from training import own_posts, own_sentences, story_dev, story_lists
from training.augment import Spans
from training.fakes import seeded
from training.personal_lists import NATIONS
from training.story_templates import CLAUSES, FILLERS, HEADS, TOPICS
from training.word_lists import GIVEN, ORGANISATIONS, PLACES, SURNAMES

DEMO = Path(__file__).parent.parent / "workers" / "cli" / "demo" / "demo.jsonl"
WORDS = (12, 30, 60, 100, 150)
APOSTROPHE = "'"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_CLAUSE = re.compile(r"\{(meet|see|go)\}")
_GAP = re.compile(r"\{(\w+)\}")


def stories(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield ``count`` texts with the spans of their names, whose labels are PER, LOC, ORG and MISC."""
    chance, names = random.Random(seed), Names(seed)
    kinds, weights = zip(*TOPICS, strict=True)
    for number in range(count):
        templates = [
            template for kind in chance.choices(kinds, weights, k=chance.choice((1, 1, 2))) for template in kind
        ]
        text, spans = _story(chance, names, templates, chance.choice(WORDS))
        yield {"id": f"story{number}-1", "text": text, "spans": spans}


def _story(chance: random.Random, names: Names, templates: Sequence[str], words: int) -> tuple[str, Spans]:
    cast = Cast(chance, names)
    head = chance.choice(HEADS) if chance.random() < 0.2 else ""
    between = chance.choice("\n\n ") if head else chance.choice("     \n")
    few = chance.sample(templates, min(len(templates), chance.choice((4, 12, 30))))
    text, spans, number = "", list[dict[str, Any]](), 0
    while len(text.split()) < words:
        number += 1
        template = chance.choice(few) if chance.random() < 0.85 else chance.choice(FILLERS)
        template = head.replace("{num}", str(number)) + _chosen(template, chance)
        text += between if text else ""
        at, begin = 0, len(text)
        for gap in _GAP.finditer(template):
            text += template[at : gap.start()]
            label, value = cast.value(gap[1])
            if label:
                # The labelled sets leave articles out of names.
                start = len(text) + (len("the ") if value.startswith("the ") else 0)
                spans.append({"start": start, "end": len(text) + len(value), "label": label})
            text, at = text + value, gap.end()
        text += template[at:]
        text = text[:begin] + text[begin].upper() + text[begin + 1 :]
    return text, spans


def _chosen(template: str, chance: random.Random) -> str:
    """Return ``template`` with one of the parts of each ``[a|b]``, and with a clause for each name of one."""
    while (choice := _CHOICE.search(template) or _CLAUSE.search(template)) is not None:
        ways = CLAUSES[choice[1]] if choice[1] in CLAUSES else choice[1].split("|")
        template = template[: choice.start()] + chance.choice(ways) + template[choice.end() :]
    return re.sub(r" +(?=[ .,!?])", "", template)


class Names:
    """Names of towns, people and organisations; none that ``held_out`` contains."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._towns = [seeded([locale], seed, weighted=True) for locale in story_lists.REAL]
            self._people = [seeded([locale], seed, weighted=True) for locale in story_lists.PEOPLE]

    def town(self) -> str:
        """Return one of our lists, or mostly of Faker's."""
        drawn = self._chance.random()
        if drawn < 0.27:
            listed = story_lists.TOWNS if drawn < 0.2 else PLACES
            return _fresh(lambda: self._chance.choice(listed))
        return _fresh(lambda: self._chance.choice(self._towns).city())

    def person(self) -> tuple[str, str]:
        """Return a given name and a surname."""

        def drawn() -> tuple[str, str]:
            if self._chance.random() < 0.15:
                return self._chance.choice(GIVEN), self._chance.choice(SURNAMES)
            fake = self._chance.choice(self._people)
            return fake.first_name(), fake.last_name()

        while any(map(_is_held_out, person := drawn())):
            pass
        return person

    def organisation(self) -> str:
        chance, lists = self._chance, story_lists

        def invented() -> str:
            return chance.choice(lists.BEGINNINGS) + chance.choice(lists.MIDDLES) + chance.choice(lists.ENDINGS)

        kinds: list[tuple[Callable[[], str], int]] = [
            (lambda: chance.choice(ORGANISATIONS), 3),
            (lambda: chance.choice(self._people).company(), 2),
            (invented, 2),
            (lambda: f"{invented()} {chance.choice(lists.SECTORS)}", 4),
            (lambda: f"{self.person()[1]} {chance.choice(lists.SECTORS + lists.FORMS)}", 2),
            (lambda: f"the {chance.choice(lists.THINGS)} {chance.choice(lists.KINDS)}", 4),
            (lambda: f"{self.town()} {chance.choice(lists.CIVIC + lists.KINDS)}", 3),
            (lambda: f"St {self.person()[0]}'s {chance.choice(lists.HOUSES)}", 1),
            (lambda: f"Saint {self.person()[0]}'s {chance.choice(lists.HOUSES)}", 1),
            (lambda: f"the University of {self.town()}", 1),
            (lambda: f"the Friends of the {chance.choice(lists.THINGS).rstrip(APOSTROPHE)}", 1),
            (lambda: f"FC {self.town()}", 1),
        ]  # fmt: skip
        make, weights = zip(*kinds, strict=True)
        (chosen,) = chance.choices(make, weights)
        return _fresh(chosen)


class Cast:
    """The few names of one text, each of which may come back."""

    def __init__(self, chance: random.Random, names: Names) -> None:
        self._chance = chance
        self._towns = [names.town() for _ in range(chance.randint(2, 8))]
        self._people = [names.person() for _ in range(chance.randint(2, 6))]
        self._organisations = [names.organisation() for _ in range(chance.randint(1, 4))]
        self._last = ""

    def value(self, gap: str) -> tuple[str, str]:
        """Return the label of a gap, "" for none, and a value, which is not that of the gap before."""
        makers: dict[str, tuple[str, Callable[[], str]]] = {
            "town": ("LOC", lambda: self._chance.choice(self._towns)),
            "area": ("LOC", lambda: self._chance.choice(story_lists.AREAS)),
            "land": ("LOC", lambda: self._chance.choice(story_lists.COUNTRIES)),
            "per": ("PER", lambda: " ".join(self._chance.choice(self._people))),
            "giv": ("PER", lambda: self._chance.choice(self._people)[0]),
            "sur": ("PER", lambda: self._chance.choice(self._people)[1]),
            "org": ("ORG", lambda: self._chance.choice(self._organisations)),
            "nat": ("MISC", lambda: self._chance.choice(NATIONS)),
            "num": ("", lambda: str(self._chance.randint(2, 90))),
            "year": ("", lambda: str(self._chance.randint(1790, 2024))),
            "day": ("", lambda: self._chance.choice(story_lists.DAYS)),
        }
        label, make = makers[gap]
        value = make()
        for _ in range(3):
            if value == self._last:
                value = make()
        self._last = value
        return label, value


def _fresh(make: Callable[[], str]) -> str:
    """Return the first value of ``make`` that is not held out."""
    while _is_held_out(value := make()):
        pass
    return value


@cache
def _is_held_out(name: str) -> bool:
    return f" {_plain(name)} " in held_out()


@cache
def held_out() -> str:
    """Return the texts whose names are not trained on, as plain words between spaces."""
    with DEMO.open(encoding="utf-8") as lines:
        texts = [str(json.loads(line).get("value")) for line in lines]
    texts += [single.text for single in (*own_sentences.SINGLES, *own_posts.POSTS)]
    texts += [example["text"] for example in story_dev.stories()]
    return f" {' '.join(map(_plain, texts))} "


def _plain(text: str) -> str:
    """Return the words of ``text`` as the tokenizer sees them: in lower case, without accents."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return " ".join(re.findall(r"\w+", bare.lower()))
