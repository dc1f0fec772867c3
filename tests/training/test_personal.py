"""Sentences with personal data: all gaps of templates are filled, and spans have the right positions."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

import pytest
from faker.providers import date_time

from training import personal, tokens


def test_spans_are_what_filled_the_gaps() -> None:
    made = personal.sentences(600, seed=3)
    labels = set()
    for text, spans in made:
        assert not re.search(r"[{}]", text)
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
