"""Sentences with personal data: all gaps of templates are filled, and spans have the right positions."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import datetime, tzinfo
from typing import Any

import pytest
from faker import Faker
from faker.providers import date_time

from training import personal, stories, tokens
from training.personal_lists import FAR, FORMS, LOCALES


def test_spans_are_what_filled_the_gaps() -> None:
    made = personal.sentences(600, seed=3)
    labels = set()
    for text, spans in made:
        assert not re.search(r"\{\w+\}", text)
        ends = 0
        for span in spans:
            assert ends <= span["start"] < span["end"] <= len(text)
            assert text[span["start"] : span["end"]].strip()
            ends = span["end"]
            labels.add(span["label"])
    assert labels == set(tokens.PII_TYPES)


def test_the_same_seed_makes_the_same_sentences_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls(2031, 5, 17, 12, 30, tzinfo=tz)

    made = personal.sentences(600, seed=3)
    monkeypatch.setattr(date_time, "datetime", Later)
    assert made == personal.sentences(600, seed=3)


def test_the_same_seed_makes_the_same_texts_in_every_process() -> None:
    program = (
        "import hashlib; from training import personal, stories; "
        "made = [*personal.sentences(200, seed=3), *stories.stories(40, seed=3)]; "
        "print(hashlib.sha256(str(made).encode()).hexdigest())"
    )
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
    )
    made = [*personal.sentences(200, seed=3), *stories.stories(40, seed=3)]
    assert elsewhere.stdout.decode().strip() == hashlib.sha256(str(made).encode()).hexdigest()


@pytest.mark.parametrize("locale", [*LOCALES, *FAR])
def test_every_locale_makes_up_every_value(locale: str) -> None:
    # Chilean names fail now and then if rare ones are as likely as common ones.
    fake = Faker(locale, use_weighting=False)
    fake.seed_instance(1)
    names = ["first_name", "last_name", "company", "street_name", "street_address", "address", "city", "postcode"]
    for name in [*names, "phone_number", "email"]:
        # A Faker of several locales asks only those that have the value.
        assert not hasattr(fake, name) or all(str(getattr(fake, name)()).strip() for _ in range(100)), name


def test_an_address_is_one_span_from_street_to_country() -> None:
    text = "Ann, 12 Elm St\n> Flat 3\n> Leith, UK EH6 and Rome"
    spans = [
        {"start": text.index(part), "end": text.index(part) + len(part), "label": label}
        for part, label in (
            ("Ann", "PERSON"), ("12", "STREET_ADDRESS"), ("Elm St", "STREET_ADDRESS"), ("Flat 3", "STREET_ADDRESS"),
            ("Leith", "GPE"), ("UK", "GPE"), ("EH6", "ZIP_CODE"), ("Rome", "GPE"),
        )
    ]  # fmt: skip
    assert [(text[span["start"] : span["end"]], span["label"]) for span in personal.whole(text, spans)] == [
        ("Ann", "PERSON"), ("12 Elm St\n> Flat 3\n> Leith, UK EH6", "STREET_ADDRESS"), ("Rome", "GPE"),
    ]  # fmt: skip


def test_other_values_fill_the_same_places() -> None:
    examples: list[dict[str, Any]] = [
        {"text": "Mr. Lee is a baker in Rome.", "spans": [
            {"start": 0, "end": 3, "label": "TITLE"}, {"start": 4, "end": 7, "label": "PERSON"},
            {"start": 13, "end": 18, "label": "TITLE"}, {"start": 22, "end": 26, "label": "GPE"},
        ]},
        {"text": "Ann moved to Oslo", "spans": [
            {"start": 0, "end": 3, "label": "PERSON"}, {"start": 13, "end": 17, "label": "GPE"},
        ]},
    ]  # fmt: skip
    for made in (personal.exchanged(examples, seed=1), personal.refilled(examples, seed=1)):
        (text, titles), (second, _) = ((example["text"], example["spans"]) for example in made)
        values = [text[span["start"] : span["end"]] for span in titles]
        assert text == "{} {} is a {} in {}.".format(*values)
        assert values[0] in FORMS
        assert " moved to " in second
    assert {personal.exchanged(examples, seed)[1]["text"] for seed in range(40)} == {
        f"{name} moved to {place}" for name in ("Lee", "Ann") for place in ("Rome", "Oslo")
    }


def test_each_line_is_quoted() -> None:
    text, spans = personal.quoted("Ann\nLeith", [{"start": 4, "end": 9, "label": "LOCATION"}], "> ")
    assert text == "Ann\n> Leith"
    assert text[spans[0]["start"] : spans[0]["end"]] == "Leith"
