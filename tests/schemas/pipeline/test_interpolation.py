"""``${VAR}`` in values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pipeline.interpolation import escape, interpolate

ENV = {"HOST": "kafka", "EMPTY": "", "TRICK": "${HOST}", "DOLLAR": "$"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${HOST}:9092", "kafka:9092"),
        ("${HOST}${HOST}", "kafkakafka"),
        ("${NOPE:-localhost:9092}", "localhost:9092"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${NOPE:-}", ""),
        ("${HOST:?must be set}", "kafka"),
        ("$${HOST}", "${HOST}"),
        ("${TRICK}", "${HOST}"),
        ("${DOLLAR}{HOST}", "${HOST}"),
        ("$.body", "$.body"),
        ("$['a']{b}", "$['a']{b}"),
        ("$$ $HOST 5$", "$$ $HOST 5$"),
        ("${NOPE:-a:-b?c}", "a:-b?c"),
    ],
)
def test_puts_variables_in(text: str, expected: str) -> None:
    assert interpolate(text, ENV) == (expected, [])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("${NOPE}", ["environment variable NOPE is not set"]),
        ("${NOPE} ${NOPE} ${NADA}",
         ["environment variable NOPE is not set", "environment variable NADA is not set"]),
        ("${NOPE:?the broker's\n address}",
         ["environment variable NOPE is not set or empty: the broker's address"]),
        ("${EMPTY:?}", ["environment variable EMPTY is not set or empty"]),
    ],
)  # fmt: skip
def test_names_what_is_missing(text: str, wrong: list[str]) -> None:
    assert interpolate(text, ENV)[1] == wrong


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A:+b}", "${A-b}", "${ A }", "${{A}}"])
def test_refuses_what_it_cannot_read(text: str) -> None:
    (wrong,) = interpolate(text, {"A": "x"})[1]
    assert wrong.startswith("not a valid variable")


def test_a_result_without_bounds_is_refused_before_it_is_built() -> None:
    result, wrong = interpolate("${A}" * 1000, {"A": "x" * 100_000}, limit=1 << 20)
    assert wrong == ["too long after its variables are substituted"]
    assert len(result) <= 1 << 20


@given(st.text(alphabet="${}aAB:-? \n") | st.text())
def test_an_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert interpolate(escape(text), {}) == (text, [])


@given(st.text(alphabet="${}aAB:-? \n"), st.text())
def test_a_value_is_put_in_as_it_is(around: str, value: str) -> None:
    assert interpolate(escape(around) + " ${A} " + escape(around), {"A": value}) == (f"{around} {value} {around}", [])
