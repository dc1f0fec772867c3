"""Our own sentences with personal data, filled with values that Faker makes up for many countries.

An address is one span from its first part to its last, over several lines if it is written so, as AWS Comprehend and
Google's Sensitive Data Protection label it. ``whole`` gives labelled templates the same form.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from training.augment import Spans, filled, with_values
from training.personal_lists import FORMS
from training.personal_records import LOGS, PLAIN_TEXTS, TICKETS, form
from training.personal_templates import GROUPS
from training.personal_values import makers

QUOTES = ["> ", "> ", ">", "| ", "* ", "  "]
GAPS = {
    "GPE": "PLACE", "STREET_ADDRESS": "ADDRESS", "PHONE_NUMBER": "PHONE", "DOMAIN_NAME": "URL",
    "US_DRIVER_LICENSE": "LICENSE",
}  # fmt: skip
"""Labels whose gaps have another name."""
FORMS_MADE: list[str] = []
"""In place of templates: they are made by ``form``."""
RECORDS = [(FORMS_MADE, 2.6), (TICKETS, 2.0), (LOGS, 0.9), (PLAIN_TEXTS, 1.0)]
"""What is added to the groups of ``training.personal_templates``, with weights like theirs."""
PARTS = {"STREET_ADDRESS", "LOCATION", "GPE", "ZIP_CODE"}
_BETWEEN = re.compile(r"[\s,>|*?]*")
_QUOTED = re.compile(r"\n\s*[>|*?]")


def sentences(count: int, seed: int) -> list[tuple[str, Spans]]:
    """(text, spans with Presidio's labels)."""
    chance = random.Random(seed)
    values = makers(chance, seed)
    groups, weights = zip(*GROUPS, *RECORDS, strict=True)
    made = []
    for _ in range(count):
        (templates,) = chance.choices(groups, weights)
        text, spans = filled(chance, templates or [form(chance)], values, lower=0.2)
        if "\n" in text and chance.random() < 0.25:
            text, spans = quoted(text, spans, chance.choice(QUOTES))
        made.append((text, whole(text, spans)))
    return made


def quoted(text: str, spans: Spans, mark: str) -> tuple[str, Spans]:
    """Put ``mark`` before each line but the first, as in quoted or indented letters."""

    def moved(place: int) -> int:
        return place + len(mark) * text.count("\n", 0, place)

    return text.replace("\n", f"\n{mark}"), [
        {**span, "start": moved(span["start"]), "end": moved(span["end"])} for span in spans
    ]


def whole(text: str, spans: Iterable[dict[str, Any]]) -> Spans:
    """Join the parts of each address into one span, from its street to its postcode or country."""
    joined: Spans = []
    for span in sorted(spans, key=lambda span: span["start"]):
        before = joined[-1] if joined else None
        if (
            before is not None
            and before["label"] == "STREET_ADDRESS"
            and span["label"] in PARTS
            and _BETWEEN.fullmatch(text, before["end"], span["start"])
        ):
            before["end"] = span["end"]
        else:
            joined.append(dict(span))
    return joined


def exchanged(examples: Iterable[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return ``examples`` with values that other examples have for the same label."""
    chance = random.Random(seed)
    values: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        for span in example["spans"]:
            value = example["text"][span["start"] : span["end"]]
            if not _QUOTED.search(value):
                values[_kind(span["label"], value)].append(value)
    return [
        with_values(example, lambda label, value: chance.choice(values[_kind(label, value)])) for example in examples
    ]


def refilled(examples: Iterable[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return ``examples`` with values that Faker makes up."""
    values = makers(random.Random(seed), seed)
    return [with_values(example, lambda label, value: values[_kind(label, value)][1]()) for example in examples]


def _kind(label: str, value: str) -> str:
    """Return the gap that a value fits into."""
    match label:
        case "PERSON":
            return "PERSON" if " " in value else "GIVEN"
        case "TITLE":
            return "FORM" if value.endswith(".") or value in FORMS else "JOB"
        case "DATE_TIME":
            return "YEAR" if value.isdigit() else "DATE"
    return GAPS.get(label, label)
