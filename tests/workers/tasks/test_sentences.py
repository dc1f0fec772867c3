"""Sentences: where they are, and that nothing of a text is lost between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Part
from tests.workers.tasks.small import texts
from workers.tasks.sentences import MOST, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What kind of idiot name is foo? Sorry, I like your name.",
         ["What kind of idiot name is foo?", "Sorry, I like your name."]),
        ("one", ["one"]),
        ("  no full stop  ", ["no full stop"]),
        ("a line\n\nanother one\r\n", ["a line", "another one"]),
        ("Dr. Smith met J. Doe, e.g. twice. Then 3.5 more.", ["Dr. Smith met J. Doe, e.g. twice.", "Then 3.5 more."]),
        ("I said no. You did.", ["I said no.", "You did."]),
        ("See http://a.example/b?c=d! Now.", ["See http://a.example/b?c=d!", "Now."]),
        ("Wait... what? Ok", ["Wait... what?", "Ok"]),
        ('He said "Stop it!" and left. "Go!" She went.', ['He said "Stop it!" and left.', '"Go!"', "She went."]),
        ("Great!!! :) Really", ["Great!!!", ":) Really"]),
        ("Great!!! :)\nReally", ["Great!!! :)", "Really"]),
        ("😀! Hello.", ["😀! Hello."]),
        ("吃了吗？好。」再见！ok", ["吃了吗？", "好。」", "再见！", "ok"]),
        ("नमस्ते। कैसे हो?", ["नमस्ते।", "कैसे हो?"]),
        ("...", ["..."]),
        ("   \n ", []),
    ],
)  # fmt: skip
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(texts | st.text(st.sampled_from("aB1 .!?…。！\n\"')")))
def test_they_are_in_order_trimmed_and_lose_nothing(text: str) -> None:
    spans = sentences(text)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    ends = [0, *(end for _, end in spans), len(text)]
    starts = [*(start for start, _ in spans), len(text)]
    assert all(end <= start for end, start in zip(ends[:-1], starts, strict=True))
    between = (text[end:start] for end, start in zip(ends[:-1], starts, strict=True))
    assert not "".join(between).strip()


@given(st.lists(texts, min_size=1, max_size=4))
def test_none_is_in_two_texts_and_each_text_is_cut_as_if_alone(several: list[str]) -> None:
    joined, parts = "", []
    for text in several:
        joined += "\n\n" if joined else ""
        parts.append(Part("$.t", len(joined), len(joined) + len(text), ("t",)))
        joined += text
    expected = [text[start:end] for text in several for start, end in sentences(text)]
    assert [joined[start:end] for start, end in sentences(joined, parts)] == expected


def test_there_is_a_bound_beyond_which_the_rest_is_one() -> None:
    text = "Yes. " * (MOST + 5)
    spans = sentences(text)
    assert len(spans) == MOST
    assert text[slice(*spans[-1])] == " ".join(["Yes."] * 6)
    parts = [Part("$.t", 0, len(text), ("t",)), Part("$.u", len(text), 2 * len(text), ("u",))]
    assert len(sentences(text * 2, parts)) == MOST + 1


@pytest.mark.parametrize("piece", ["!", ".)", "。」", "?\u200b", "a."])
def test_the_time_is_linear(piece: str) -> None:
    # Quadratic time would take hours.
    assert sentences(piece * 100_000)
