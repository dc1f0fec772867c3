"""Folds of templates: those nearly alike are never on both sides."""

from __future__ import annotations

from training.folds import FOLDS, alike, folds_of


def test_templates_that_share_most_words_are_alike() -> None:
    groups = alike([
        "My name is {{PERSON}}", "my name is {{name}} indeed", "{{PERSON}} moved to {{GPE}}",
        "{{PERSON}}", "{{GPE}}, {{GPE}}",
    ])  # fmt: skip
    assert groups[0] == groups[1]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 3


def test_alike_through_others() -> None:
    chain = ["one two three four", "two three four five", "three four five six"]
    assert len(set(alike([chain[0], chain[2], chain[1]]))) == 1
    assert len(set(alike([chain[0], chain[2]]))) == 2


def test_each_template_is_in_one_fold_and_the_rest_in_none() -> None:
    templates = [f"{word} {{{{PERSON}}}}" for word in "abcdefghij"]
    folds = folds_of([*templates, None, *templates])
    assert folds[10] == -1
    assert folds[:10].tolist() == folds[11:].tolist()
    assert set(folds.tolist()) == {-1, *range(FOLDS)}
