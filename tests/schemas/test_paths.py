"""Paths and patterns: how they are written, and what they name in an event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.paths import LONGEST, follow, jsonpath, matches, parse_path, parse_pattern

NAMES = st.sampled_from(["a", "b", "a b", "ü", "x-y", "0"])
EVENTS = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
PATTERNS = st.lists(NAMES | st.integers(0, 2) | st.none(), max_size=4).map(tuple)


def test_a_pattern_has_none_for_every_entry() -> None:
    assert parse_pattern("$.messages[*]['a b'][3]") == ("messages", None, "a b", 3)


def test_a_path_refuses_every_entry() -> None:
    with pytest.raises(ValueError, match=r"^must name a single place, but has \[\*\] from character 4 on$"):
        parse_path("$.a[*]")


@pytest.mark.parametrize("path", ["$.*", "$..a", "$[*", "$[]", "$. a", "$.a[*]b", "$..*"])
def test_what_is_no_pattern_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^not a path from character \d on; use \$\.name"):
        parse_pattern(path)


def test_every_entry_of_an_array_and_every_member_of_an_object_in_order() -> None:
    event = {"m": [{"t": "a"}, {}, "no object", {"t": None}, {"t": ["b"]}], "o": {"z": {"t": 1}, "a": {"t": 2}}}
    assert list(matches(("m", None, "t"), event)) == [
        (("m", 0, "t"), "a"), (("m", 3, "t"), None), (("m", 4, "t"), ["b"]),
    ]  # fmt: skip
    assert list(matches(("o", None, "t"), event)) == [(("o", "z", "t"), 1), (("o", "a", "t"), 2)]
    assert list(matches(("m", None, None, 0), event)) == [(("m", 4, "t", 0), "b")]
    assert list(matches(("missing", None), event)) == []


def _everything(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(at, value), *(pair for step, entry in entries for pair in _everything(entry, (*at, step)))]


@given(event=EVENTS, pattern=PATTERNS)
def test_a_pattern_names_the_places_whose_steps_it_fits(event: Any, pattern: tuple[str | int | None, ...]) -> None:
    def fits(steps: tuple[str | int, ...]) -> bool:
        return len(steps) == len(pattern) and all(
            wanted is None or wanted == step for wanted, step in zip(pattern, steps, strict=True)
        )

    assert list(matches(pattern, event)) == [(steps, value) for steps, value in _everything(event) if fits(steps)]


@given(EVENTS)
def test_a_spelt_path_leads_back_to_its_place(event: Any) -> None:
    for steps, value in _everything(event):
        assert follow(parse_path(jsonpath(steps)), event) is value


def test_a_long_path_is_cut() -> None:
    assert jsonpath(["n" * 10_000_000, "a"]) == "$." + "n" * (LONGEST - 2) + "…"
    assert jsonpath(["ü" * 10_000_000]) == '$["' + "ü" * (LONGEST - 3) + "…"
    assert jsonpath(["n" * (LONGEST - 3), "secret"], shown=()) == "$.*.*"
    assert jsonpath(["n" * (LONGEST - 3), "secret"], shown=["n" * (LONGEST - 3)]) == "$." + "n" * (LONGEST - 3) + ".…"


@given(st.lists(NAMES | st.integers(0, 2), max_size=5), st.sets(NAMES))
def test_names_can_be_hidden(steps: list[str | int], shown: set[str]) -> None:
    hidden = jsonpath(["*" if isinstance(step, str) and step not in shown else step for step in steps])
    assert jsonpath(steps, shown) == hidden.replace('["*"]', ".*")
