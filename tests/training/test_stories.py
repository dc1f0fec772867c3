"""Texts of several sentences with names: the spans are those of the names, and held-out names do not occur."""

from __future__ import annotations

import random
import re
from itertools import chain
from typing import Any

import pytest

from training import stories, story_dev
from training.story_templates import CLAUSES, FILLERS, TOPICS


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    return list(stories.stories(200, seed=3))


def test_the_spans_are_the_names(made: list[dict[str, Any]]) -> None:
    for story in made:
        end = 0
        for span in story["spans"]:
            name = story["text"][span["start"] : span["end"]]
            assert span["start"] >= end and name.strip() == name != ""
            assert not name.startswith(("the ", "The "))
            end = span["end"]


def test_all_four_labels_occur_and_no_gap_is_left(made: list[dict[str, Any]]) -> None:
    assert {span["label"] for story in made for span in story["spans"]} == {"PER", "LOC", "ORG", "MISC"}
    assert not [story["text"] for story in made if re.search(r"[\[\]{}|]", story["text"])]


def test_names_come_back_within_a_text(made: list[dict[str, Any]]) -> None:
    longest = max(made, key=lambda story: len(story["spans"]))
    names = [longest["text"][span["start"] : span["end"]] for span in longest["spans"]]
    assert len(set(names)) < len(names)


def test_the_same_seed_makes_the_same_texts(made: list[dict[str, Any]]) -> None:
    assert list(stories.stories(5, seed=3)) == made[:5]


def test_names_of_the_demo_and_of_our_own_sentences_are_held_out() -> None:
    for name in (
        "Shkodër",
        "Shkoder",
        "Constanta",
        "Kotor",
        "Ohrid",
        "Split",
        "Idris",
        "Lindqvist",
        "Tromsø",
        "Quillan",
    ):
        assert f" {stories._plain(name)} " in stories.held_out()
    drawn = stories.Names(seed=4)
    for _ in range(2000):
        for name in (drawn.town(), drawn.organisation(), *drawn.person()):
            assert f" {stories._plain(name)} " not in stories.held_out()


def test_every_gap_has_a_value() -> None:
    story = stories.Cast(random.Random(1), stories.Names(1))
    for template in chain(FILLERS, *CLAUSES.values(), *(templates for templates, _ in TOPICS)):
        for gap in re.findall(r"\{(\w+)\}", template):
            assert gap in CLAUSES or story.value(gap)[1]


def test_the_dev_texts_are_marked() -> None:
    texts = list(story_dev.stories())
    for story in texts:
        assert story["spans"] and not re.search(r"[\[\]]|\(\w+\)", story["text"])
    assert {span["label"] for story in texts for span in story["spans"]} == {"PER", "LOC", "ORG"}
