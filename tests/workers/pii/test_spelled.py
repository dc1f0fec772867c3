"""E-mail addresses with "at" and "dot" in words or brackets."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values

FOUND = [
    ("reach me: sara.klein (at) gmx (dot) net", "sara.klein (at) gmx (dot) net"),
    ("f.krause(at)posteo(dot)de", "f.krause(at)posteo(dot)de"),
    ("info [at] firma-huber [dot] at for the invoice", "info [at] firma-huber [dot] at"),
    ("office{at}example.org", "office{at}example.org"),
    ("vorname.nachname (ät) firma (punkt) de", "vorname.nachname (ät) firma (punkt) de"),
    ("ana [arroba] empresa [punto] es", "ana [arroba] empresa [punto] es"),
    ("my mail is kevin dot brooks at gmail dot com thanks", "kevin dot brooks at gmail dot com"),
    ("my email is j.miller AT outlook DOT com", "j.miller AT outlook DOT com"),
    ("mail me at lisa_92 at yahoo dot co dot uk lol", "lisa_92 at yahoo dot co dot uk"),
    ("it's mike.t at hotmail.com no spaces", "mike.t at hotmail.com"),
    ("mail: tomasz at firma dot pl", "tomasz at firma dot pl"),
]

CLEAN = [
    "We met at the dot on the map, at noon dot dot dot.",
    "Look at nature dot products and cross products at home.",
    "He looked at dot com stocks at length.",
    "Meet us at example dot org headquarters tomorrow.",
    "The email at work is down, call IT at once.",
    "new Baz().at(0).dot(v); def at(dot): return dot",
    "x = y @ z.T  # matmul at dot product",
    "arrived (at) 9.15 in Berlin",
    "email us at noon dot",
]


@pytest.mark.parametrize(("text", "address"), FOUND)
def test_addresses_in_words_are_found(text: str, address: str) -> None:
    assert values(text) == [("EMAIL_ADDRESS", address)]


@pytest.mark.parametrize("text", CLEAN)
def test_sentences_are_left_alone(text: str) -> None:
    assert values(text) == []
