"""Conditions that would fail every event are found by trying them; those that can be right are not reported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Condition
from schemas.pipeline.trial import configured_labels, trial_problems

TASKS: list[dict[str, Any]] = [
    {"name": "tone", "task": "sentiment"}, {"name": "a", "task": "text-classification"},
    {"name": "tongue", "task": "language"}, {"name": "entities", "task": "ner"},
    {"name": "safety", "task": "moderation"}, {"name": "qa", "task": "question-answering"},
    {"name": "dup", "task": "similarity", "window": 5}, {"name": "own", "task": "custom"},
    {"name": "claims", "task": "nli", "hypotheses": ["x"]}, {"name": "topics", "task": "zero-shot", "labels": ["war"]},
    {"name": "parts", "task": "aspect-sentiment"},
]  # fmt: skip
LABELS = {"tone": ["negative", "neutral", "positive"], "a": ["positive", "negative"], "entities": ["PERSON", "LOC"]}
TYPES = "compares or combines values of different types"


def tried(source: str, labels: dict[str, list[str]] = LABELS) -> list[str]:
    tasks = [*TASKS, {"name": "last", "task": "pos", "when": source}]
    problems = list(trial_problems(tasks, {**labels, **configured_labels(TASKS)}))
    assert all(path == ("tasks", len(TASKS), "when") for path, _ in problems)
    return [message for _, message in problems]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("tone.label", "is text, not true or false; compare it"),
        ("1 + 1", "is a number, not true or false"),
        ("text", "is text, not true or false"),
        ("text > 5", TYPES),
        ('tone.score > "0.5"', TYPES),
        ("event.lang + 1", "cannot be evaluated|not true or false"),
        ('text.matches("(a")', "not a valid regular expression"),
        ('entities.spans.exists(s, s.text.matches("[")) || true', "not a valid regular expression"),
        ("tone.scores.negativ > 0.5", 'task "tone" does not have, did you mean "negative"?'),
        ('tone.scores["negativ"] > 0.5', 'does not have, did you mean "negative"?'),
        ('a.label == "posative"', 'task "a" does not have, did you mean "positive"?'),
        ('a.label == "x"', "does not have, only negative, positive"),
        ('tone.label in ["bad", "negative"]', "does not have"),
        ('entities.spans.exists(s, s.label == "PERSN")', 'did you mean "PERSON"?'),
        ('entities.spans.exists(s, s.label == "PERSON" && s.scor > 0.5)', 'field "scor".*did you mean "score"?'),
        ("entities.spans.exists(s, s.label)", "cannot be evaluated"),
        ('tongue.label == "EN"', 'did you mean "en"?'),
        ('topics.label == "wars"', 'did you mean "war"?'),
        ('has(event.a) && (topic == "x" || text.size())', "a part of it is a number"),
        ("text.contains(5)", "cannot be evaluated"),
        ("true ? tone.label : false", "a part of it is text"),
    ],
)
def test_what_would_fail_every_event_is_reported(source: str, message: str) -> None:
    problems = tried(source)
    assert len(problems) == 1
    assert re.search(message.replace("?", "[?]"), problems[0])


@pytest.mark.parametrize(
    "source",
    [
        'has(event.lang) && event.lang', 'event.n > 5 && event.s == "x"', 'event.a.b.c > 5 && event.a.x == "y"',
        'tongue.label == "en"', 'event.flag', '!event.flag', 'event.items.exists(i, i.price > 5)', 'own.custom.x > 5',
        'has(event.lang) && event.lang in ["en", "de"] && text.size() > 20', 'event.l[2].a.startsWith("x")',
        'topic == "posts" && !("trusted" in headers)', 'headers["x"] == "y" || key == null', 'key.startsWith("a")',
        'safety.flagged && entities.spans.exists(s, s.label == "PERSON" && s.score > 0.9)', 'size(text) < 400',
        'qa.answers[0].answer != null && qa.answers[0].answer.score > 0.5', 'qa.answers[3].question == "x"',
        'dup.duplicate_of == null', 'dup.score > 0.9', 'int(tone.label) > 3', 'int(headers["n"]) > 3',
        'timestamp(event.at) > timestamp("2026-01-01T00:00:00Z")', 'size(entities.spans) > 2',
        'tone.label == "negative" ? event.a : event.b == 5', 'entities.spans[0].label == "PERSON"',
        'entities.spans.filter(s, s.label == "PERSON").size() > 1', '"hate" in safety.labels.map(l, l.label)',
        'entities.spans.map(s, s.text).exists(t, t == text)', 'safety.labels.exists(l, l.label == "hate")',
        '"negative" == tone.label', 'true', 'tone.scores.positive > 0.5',
        'claims.hypotheses[0].scores["neutral"] > 0.5',
        'parts.aspects.exists(p, p.aspect == "food" && p.label == "negative")', 'event[topic] == 1', 'event == event',
        'parts.aspects.exists(p, has(p.start) && p.start > 5)', 'text.matches("^[a-z]+$")',
        'text.matches(event.pattern)',
        'type(event.a) == int', 'event.a.b || event.c || event.d == 2 || event.e in event.f', '[event.a] == [event.b]',
    ],
)  # fmt: skip
def test_what_can_be_right_is_not_reported(source: str) -> None:
    assert tried(source) == []


def test_the_conditions_of_the_documentation_are_right() -> None:
    page = (Path(__file__).parents[3] / "docs/tasks.md").read_text()
    sources = re.findall(r"^  when: (.*)$", page, re.MULTILINE)
    assert len(sources) > 3
    assert [tried(source, {}) for source in sources] == [[]] * len(sources)


leaves = st.sampled_from(
    ["event.a", "event.b.c == 1", "tone.score > 0.5", 'tone.label == "positive"', "true", "key == null"]
)
conditions = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from([" && ", "||", " ? true : "]), inner).map("".join).map("({})".format)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=40)
@given(source=conditions, negated=st.booleans())
def test_however_conditions_are_combined(source: str, negated: bool) -> None:
    source = f"!{source}" if negated and source.startswith("(") else source
    assert tried(source) == []
    (problem,) = tried(f"({source}) && (key == null || tone.label)")
    assert problem == "a part of it is text, not true or false; compare it with a value"
    Condition(source)
