"""Every rule of the models has its own message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.pipeline.wording import PATTERNS, pipeline_schema, suggest


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from _patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns(value)


def test_every_pattern_is_put_into_words() -> None:
    assert set(_patterns(pipeline_schema())) == set(PATTERNS)


@pytest.mark.parametrize(
    ("word", "name"),
    [("modle", "model"), ("Model", "model"), ("max-length", "max_length"), ("maxlength", "max_length"),
     ("zzz", None), ("", None), (7, None), (["model"], None), ("model" * 100, None)],
)  # fmt: skip
def test_suggestions_come_from_the_known_words(word: object, name: str | None) -> None:
    assert suggest(word, ["model", "max_length", "stride"]) == name


def test_a_suggestion_does_not_control_a_terminal() -> None:
    assert suggest("decision", ["decis\x1bion", "decisio\u202en"]) is None
    assert suggest("decision", ["decis\x1bion", "decisiön"]) == "decisiön"


@pytest.mark.parametrize(
    ("word", "name"), [("EMAIL", "EMAIL_ADDRESS"), ("US", None), ("E_MAIL_ADDRESS_", "EMAIL_ADDRESS"), ("MAIL", None)]
)
def test_the_beginning_of_one_word_alone_is_a_slip_of_it(word: str, name: str | None) -> None:
    assert suggest(word, ["EMAIL_ADDRESS", "US_DRIVER_LICENSE", "US_BANK_NUMBER"]) == name
