"""tap of a topic with answers: what is shown of them, and what is no answer."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from schemas.record import Assignment, Record
from workers.cli.filters import Filter
from workers.cli.views.answers import VARIABLES, AnswerFeed

SCORE = {"value": 0.875, "type": "PROBABILITY"}
PERSPECTIVE: dict[str, Any] = {
    "attributeScores": {"TOXICITY": {"spanScores": [{"begin": 0, "end": 3, "score": SCORE}], "summaryScore": SCORE}},
    "languages": ["secret"], "detectedLanguages": ["en"], "clientToken": "secret",
}  # fmt: skip
OPENAI: dict[str, Any] = {"id": "in-0-1-0123abcd", "model": "m@r", "results": [{
    "flagged": True, "categories": {"hate": True, "sexual": False}, "category_scores": {"hate": 0.75, "sexual": 0.25},
    "category_applied_input_types": {"hate": ["text"], "sexual": ["text"]},
}]}  # fmt: skip


def fed(answer: Any, form: str = "json", shape: str = "perspective", where: str = "", original: bool = False) -> Any:
    feed = AnswerFeed(shape, form, original)
    feed.begin()
    value = answer if isinstance(answer, bytes | None) else json.dumps(answer).encode()
    feed.record(Record(Assignment("out", 2), 7, b"k", value, [("h", b"v")]), Filter(where, VARIABLES))
    feed.end()
    return feed


def test_what_is_of_the_request_is_shown_only_if_asked_for(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    fed(PERSPECTIVE)
    fed(PERSPECTIVE, original=True)
    hidden, shown = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert hidden == {"attributeScores": PERSPECTIVE["attributeScores"], "detectedLanguages": ["en"]}
    assert shown == PERSPECTIVE


def test_of_an_action_only_what_it_is_is_shown(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    data = {"action_id": 5, "action_name": "post", "data": {"text": "secret"}}
    action = {"send_time": "2026-01-01T00:00:00Z", "data": data}
    fed(action, "json", "osprey")
    fed(action, "pretty", "osprey")
    shown, line = capfdbinary.readouterr().out.decode().splitlines()
    assert json.loads(shown) == {**action, "data": {"action_id": 5, "action_name": "post"}}
    assert line == "? out[2]@7  post 5"
    fed(action, "json", "osprey", original=True)
    assert json.loads(capfdbinary.readouterr().out) == action


def test_people_read_one_line_with_the_scores(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    fed(PERSPECTIVE, "pretty")
    fed(OPENAI, "pretty", "openai")
    fed({**OPENAI, "results": []}, "pretty", "openai")
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines == [
        "? out[2]@7  TOXICITY 0.88",
        "? out[2]@7  \N{BLACK FLAG} hate 0.75  sexual 0.25",
        "? out[2]@7  no scores",
    ]


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("answer.attributeScores.TOXICITY.summaryScore.value > 0.8", 1),
        ("answer.attributeScores.TOXICITY.summaryScore.value > 0.9", 0),
        ('key == "k" && headers["h"] == "v"', 1),
        ("answer.attributeScores.THREAT.summaryScore.value > 0.8", 0),
    ],
)
def test_a_condition_is_about_the_answer(where: str, shown: int) -> None:
    assert fed(PERSPECTIVE, where=where).shown == shown


@pytest.mark.parametrize("other", [b"{", {"a": 1}, {"schema": "glossator.event/1"}, OPENAI, [], 5, {}])
def test_what_is_no_answer_is_counted(other: Any) -> None:
    feed = fed(other)
    assert (feed.shown, list(feed.complaints(0))) == (
        0, ["1 records of the topic are not answers in the shape perspective"],
    )  # fmt: skip
    assert list(fed(None).complaints(0)) == []


def test_answers_cannot_be_exported_as_events() -> None:
    with pytest.raises(click.UsageError, match="answers in the shape openai, not events; use pretty or json"):
        fed(OPENAI, "displacy", "openai")
