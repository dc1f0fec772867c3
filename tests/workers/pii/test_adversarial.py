"""No text takes more than time in proportion to its length."""

from __future__ import annotations

import re
import sys
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from tests.thoroughness import length
from workers.pii import checks, general, phones, recognizers
from workers.pii.finding import Pattern
from workers.pii.recognizers import Recognizers

RECOGNIZERS = Recognizers()
REGEXES = {
    value.pattern
    for owner in (
        *map(vars, (checks, general, phones, recognizers)),
        *(
            {"regex": recognizer.regex, "hint": recognizer.hint}
            for group in RECOGNIZERS._groups
            for recognizer in group.recognizers
            if isinstance(recognizer, Pattern)
        ),
    )
    for value in owner.values()
    if isinstance(value, re.Pattern)
}


def repeats(parsed: Any) -> list[tuple[Any, int]]:
    """(kind, most times) of every repetition in a parsed regular expression."""
    repetitions = []
    for operation, argument in parsed:
        if operation in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            repetitions.append((operation, argument[1]))
        stack = [argument]
        while stack:
            part = stack.pop()
            if isinstance(part, parser.SubPattern):
                repetitions += repeats(part)
            elif isinstance(part, tuple | list):
                stack += part
    return repetitions


def test_what_may_be_given_back_is_bounded() -> None:
    for pattern in REGEXES:
        for kind, most in repeats(parser.parse(pattern)):
            assert kind == constants.POSSESSIVE_REPEAT or most <= 100, pattern


def test_there_are_many_and_the_check_sees_repeats() -> None:
    assert len(REGEXES) > 40
    assert sorted(most for _, most in repeats(parser.parse("(?:a{0,3}b|(c{2,9}))*d*+"))) == [
        3, 9, constants.MAXREPEAT, constants.MAXREPEAT,
    ]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("unit", "end"),
    [
        ("1", "a"), ("1.", "1a"), ("1:", "1g"), ("@", "a"),
        (".", "a"), ("a", "@"), ("a.", "a_"), ("a@", "a_"), ("a@b.", "c_"), ("-", "1"), (":", "g"),
        ("(", "1"), ("f::", "g"), ("deadbeef", "_"), ("0x", "g"), ("bc1q", "b"), ("www.", "_"), ("http://", "_"),
        ("http://a.", "\\"), ("a-", "_"), ("token=", "1"), ("eyJhbGciOiJI.", "1"), ("ghp_", "1"), ("a://b:c", "1@"),
        ("-----BEGIN PRIVATE KEY-----", "1"), ("5105105105105100,", "1"), ("\u62114111", "1"), ("al\u200b", "@b.c"),
        ("\U0001f642", "1"), (" ", "1"), ("curl ", "1"), ("born ", "1"), ("geb. ", "1"), ("passport ", "1"),
        ("DE89 ", "1"), ("(at)", "a"), (" at a.", "b"), ("Cookie: a=", "1"), ("L1", "_"), ("4111\n", "1"),
    ],
)  # fmt: skip
def test_a_megabyte_of_it_is_read_in_time(unit: str, end: str) -> None:
    """What fails only at the end tells a pattern that begins anew at every place from one that does not."""
    RECOGNIZERS.find(unit * (length(1_000_000) // len(unit)) + end)


@pytest.mark.parametrize(
    "unit",
    [
        "1234567 ", "650-253-0000 ", "+12024561414 ", "4111 ", "4242 4242 4242 4242 ", "GB29 ", "GB29 NWBK 6016 ",
        "SSN 536-90-4399 ", "bob@example.com ", "http://a ", "192.0.2.1 ", "::1 ",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ", "0x52908400098527886E0F7030069857D2E4169EE7 ", "1/1/", "\u0661 1234567 ",
        "07400 123456 07400 123457 ", "2022-12-24 18 ", "1,4111111111111111,", "https://a.b/?e=c@d.org,f@g.org;",
        "\u62114111111111111111\u6211", "token=4d9f0b7c2a6e ", "a://b:c1d2@e.org ",
        "DE89 37040044 0532013000 ", "born 4 July 1948 ", "passport X1234567 ", "a (at) b.de ", "curl -u a:bcd1e2 ",
        "a at gmail dot com ", "Cookie: a=b1c2d3e4f5g6h7i8j9; ",
    ],
)  # fmt: skip
def test_twice_the_text_is_twice_the_work(unit: str) -> None:
    """Counted in calls of functions: of Python's and of C's."""

    def calls(times: int) -> int:
        count = 0

        def step(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        text = unit * times
        sys.setprofile(step)
        try:
            RECOGNIZERS.find(text)
        finally:
            sys.setprofile(None)
        return count

    calls(10)  # what is loaded and compiled once
    times = length(240)
    assert calls(times) <= 2.1 * calls(times // 2) + 200


@pytest.mark.parametrize("closing", [")", "]", ".", "))]."])
def test_a_url_with_a_long_tail_of_punctuation_ends_before_it(closing: str) -> None:
    text = f"http://example.com/x{closing * 100_000}"
    assert [(finding.start, finding.end) for finding in RECOGNIZERS.find(text)] == [(0, 20)]
