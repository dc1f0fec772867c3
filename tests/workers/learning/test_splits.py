"""A text is always in the same split, in every file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import LabelsError
from workers.learning.examples import Example, Labelled
from workers.learning.rows import Row
from workers.learning.splits import FEWEST, SPLITS, split, split_of


def labelled(texts: list[str], label: str = "a") -> Labelled:
    examples = [Example(Row(n, f"f:{n}", {}), text, (label,)) for n, text in enumerate(texts, 1)]
    return Labelled("sentiment", (label,), examples, 0, 0)


@given(st.text(min_size=1), st.sampled_from(["{}", " {}", "{} ", "{}\n"]))
def test_equal_texts_stay_together(text: str, written: str) -> None:
    assert split_of(written.format(text)) == split_of(text)
    assert split_of(text.casefold()) == split_of(text)


@given(st.permutations([f"text {number}" for number in range(150)]))
def test_the_order_of_a_file_does_not_matter(texts: list[str]) -> None:
    parts = split(labelled(texts))
    assert {name: {example.text for example in parts[name]} for name in SPLITS} == {
        name: {text for text in texts if split_of(text) == name} for name in SPLITS
    }
    assert sum(map(len, parts.values())) == len(texts)


def test_eight_in_ten_train() -> None:
    parts = split(labelled([f"sentence number {number}" for number in range(5000)]))
    assert len(parts["train"]) == pytest.approx(4000, abs=120)
    assert len(parts["dev"]) == pytest.approx(500, abs=90) and len(parts["test"]) == pytest.approx(500, abs=90)


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(LabelsError, match=f"too few.*at least {FEWEST} each"):
        split(labelled([f"text {number}" for number in range(12)]))


def test_a_label_that_would_not_train_is_refused() -> None:
    texts = [f"text {number}" for number in range(300)]
    usual = labelled(texts)
    rare = next(example for example in usual.examples if split_of(example.text) == "test")
    examples = [Example(e.row, e.text, ("b",)) if e is rare else e for e in usual.examples]
    with pytest.raises(LabelsError, match="no text with the label 'b'"):
        split(Labelled("sentiment", ("a", "b"), examples, 0, 0))
