"""Words found one at a time equal those found all at once."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from workers.encoder.words import Words, words

PIECES = ["J.", "Mr.", "don't", "n't", "'s", "U.S.", "www.a.b", "a@b.cd", "1,000th", "...", "--", "_", "é", "👍🏽", "x"]
SPACES = [" ", "  ", "\n", "\t", "\u00a0", "\u2003", "\x1c"]


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES + SPACES), max_size=20).map("".join)))
@example("J. Smith met J. \n\n\n\n X, didn't he?")
def test_a_place_is_of_the_word_that_holds_it(text: str) -> None:
    holds = {place: word for word in words(text) for place in range(*word)}
    lazy = Words(text)
    assert [lazy.at(place) for place in range(len(text))] == [holds.get(place) for place in range(len(text))]
    assert all((place in holds) != text[place].isspace() for place in range(len(text)))


def test_only_what_is_asked_for_is_split() -> None:
    lazy = Words("ab cd " * 100_000)
    assert lazy.at(3) == (3, 5)
    assert lazy.at(2) is None
    assert len(lazy._split) == 1
