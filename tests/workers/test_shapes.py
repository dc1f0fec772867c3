"""Pipelines whose consumers were written for the Perspective API or OpenAI's moderation, with tiny checkpoints.

The checkpoints have the labels of the published ones; the consumers read answers as published samples do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.types import ModerationCreateResponse
from pydantic import TypeAdapter

from schemas.answers import OpenAIAnswer, PerspectiveAnswer
from schemas.pipeline.loader import parse
from schemas.record import Assignment, Record
from schemas.taxonomies import names
from tests.stream.output.shapes.discovery import ANSWER
from tests.workers import tiny
from tests.workers.tasks.test_moderation import TOXIC, UNBIASED
from workers.chain.chain import Chain
from workers.process.offline import Offline, Processed

TEXT = "Angela Merkel praised the coffee \N{PILE OF POO}! The lazy dog jumps over the quick brown fox, again."
FIRST = "Angela Merkel praised the coffee \N{PILE OF POO}!"
SETTINGS = {"problem_type": "multi_label_classification"}
ATTRIBUTES = names("perspective")


def offline(tasks: list[dict[str, Any]], **sections: Any) -> Offline:
    settings = {
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "compute": {"forward_tokens": 256},
        "input": {"topics": ["comments"], "text": "$.comment.text"}, "tasks": tasks, **sections,
    }  # fmt: skip
    pipeline = parse(json.dumps(settings), environ={})
    return Offline(pipeline, Chain.load(pipeline))


@pytest.fixture(scope="module")
def moderation() -> dict[str, Any]:
    model = tiny.checkpoint("roberta", "sequence", 7, UNBIASED, **SETTINGS)
    return {"name": "safety", "task": "moderation", "model": str(model), "taxonomy": "perspective"}


@pytest.fixture(scope="module")
def successor(moderation: dict[str, Any]) -> Iterator[Offline]:
    """The pipeline of docs/leaving-perspective.md, with a route for each kind of consumer."""
    yield offline(
        [{**moderation, "sentences": True}, {"name": "tongue", "task": "language", "languages": ["en", "de"]}],
        output={
            "topic": "comments.scored",
            "shape": "perspective",
            "routes": [{"topic": "comments.enriched", "shape": "event", "copy": True}],
        },
    )


def processed(pipeline: Offline, *events: dict[str, Any]) -> list[Processed]:
    values = [json.dumps(event).encode() for event in events]
    return pipeline.process(
        [Record(Assignment("comments", 0), offset, b"k", value) for offset, value in enumerate(values)]
    )


def published(pipeline: Offline, event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (result,) = processed(pipeline, event)
    assert result.document.failure is None
    return {outbound.topic: json.loads(outbound.value or b"") for outbound in result.outbounds}


def request(*attributes: str, **more: Any) -> dict[str, Any]:
    return {"comment": {"text": TEXT}, "requestedAttributes": {name: {} for name in attributes}, **more}


class OldConsumer:
    """How programs read the Perspective API's answers, after its documentation and clients of it."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.response = response

    def value(self, attribute: str) -> float:
        return float(self.response["attributeScores"][attribute]["summaryScore"]["value"])

    def first_span(self, attribute: str) -> float:
        # Some clients take the score of the first span for that of the text.
        return float(self.response["attributeScores"][attribute]["spanScores"][0]["score"]["value"])

    def worst(self, attribute: str, text: str) -> str:
        spans = self.response["attributeScores"][attribute]["spanScores"]
        span = max(spans, key=lambda span: float(span["score"]["value"]))
        # As a program in JavaScript slices.
        return text.encode("utf-16-le")[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le")

    def language(self) -> str:
        return str(self.response["languages"][0])


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_consumer_of_the_old_answers_runs_unchanged(successor: Offline, attribute: str) -> None:
    topics = published(successor, request(attribute, languages=["en"], clientToken="comment-53922"))
    answer = topics["comments.scored"]
    ANSWER.validate(answer)
    PerspectiveAnswer.model_validate(answer, strict=True)
    old = OldConsumer(answer)
    labels = {
        entry["label"]: entry["score"] for entry in topics["comments.enriched"]["annotations"]["safety"]["labels"]
    }
    assert old.value(attribute) == old.first_span(attribute) == labels[attribute] > 0
    assert old.worst(attribute, TEXT) == TEXT
    assert (old.language(), answer["clientToken"]) == ("en", "comment-53922")
    assert list(answer["attributeScores"]) == [attribute]


def test_the_score_of_a_span_is_that_of_the_sentence_as_a_text_of_its_own(successor: Offline) -> None:
    whole = published(successor, request(*ATTRIBUTES, spanAnnotations=True))["comments.scored"]
    alone = published(successor, {"comment": {"text": FIRST}})["comments.scored"]
    ANSWER.validate(whole)
    differ = 0
    for attribute in ATTRIBUTES:
        spans = whole["attributeScores"][attribute]["spanScores"]
        assert [(span["begin"], span["end"]) for span in spans] == [
            (0, len(FIRST) + 1),
            (len(FIRST) + 2, len(TEXT) + 1),
        ]
        summary = alone["attributeScores"][attribute]["summaryScore"]["value"]
        assert spans[0]["score"]["value"] == pytest.approx(summary, abs=2e-5)
        differ += spans[0]["score"] != spans[1]["score"]
    assert differ == len(ATTRIBUTES)
    assert OldConsumer(whole).worst("INSULT", TEXT) in TEXT


def test_a_request_with_a_mistake_is_a_dead_letter_and_its_neighbours_are_answered(successor: Offline) -> None:
    good = request("TOXICITY")
    before, bad, after = processed(successor, good, {**good, "requestedAttributes": [TEXT]}, good)
    assert [[outbound.kind for outbound in result.outbounds] for result in (before, bad, after)] == [
        ["event", "event"], ["dead_letter"], ["event", "event"],
    ]  # fmt: skip
    assert bad.document.failure is not None
    assert bad.document.failure.stage == "encode"
    assert TEXT not in bad.document.failure.message


def test_a_model_without_an_attribute_leaves_it_out(tmp_path: Path) -> None:
    model = tiny.checkpoint("bert", "sequence", 7, TOXIC, **SETTINGS)
    task = {"name": "safety", "task": "moderation", "model": str(model), "taxonomy": "perspective"}
    made = offline([task], output={"topic": "out", "shape": "perspective"})
    answer = published(made, {"comment": {"text": TEXT}})["out"]
    assert list(answer["attributeScores"]) == [name for name in ATTRIBUTES if name != "SEXUALLY_EXPLICIT"]


def test_a_redacted_topic_gets_a_redacted_token_and_spans_of_the_redacted_text(moderation: dict[str, Any]) -> None:
    made = offline(
        [{**moderation, "sentences": True}, {"name": "private", "task": "pii", "entities": ["EMAIL_ADDRESS"]}],
        redact={},
        output={"topic": "out", "text": "redacted", "shape": "perspective",
                "routes": [{"topic": "plain", "text": "redacted", "shape": "event", "copy": True}]},
    )  # fmt: skip
    secret = "anna@example.org"
    text = f"Write to {secret}! \N{PILE OF POO}\N{PILE OF POO} The fox jumps."
    event = request("THREAT", spanAnnotations=True, clientToken=f"from {secret}", comment={"text": text})
    topics = published(made, event)
    assert secret not in json.dumps(topics)
    assert topics["out"]["clientToken"] == "from <EMAIL_ADDRESS>"
    spans = topics["out"]["attributeScores"]["THREAT"]["spanScores"]
    encoded = topics["plain"]["text"].encode("utf-16-le")
    quoted = [encoded[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") for span in spans]
    assert quoted == ["Write to <EMAIL_ADDRESS>!", "\N{PILE OF POO}\N{PILE OF POO} The fox jumps."]
    sentences = topics["plain"]["annotations"]["safety"]["sentences"]
    assert [topics["plain"]["text"][each["start"] : each["end"]] for each in sentences] == quoted


def test_a_consumer_of_openais_answers_runs_unchanged() -> None:
    model = tiny.checkpoint("bert", "sequence", 7, ("OK", "S", "H", "V", "HR", "SH", "S3", "H2", "V2"), **SETTINGS)
    task = {"name": "policy", "task": "moderation", "model": str(model), "taxonomy": "openai"}
    made = offline([task], output={
        "topic": "out", "shape": {"openai": {"complete": True}}, "routes": [
            {"topic": "lenient", "shape": "openai", "copy": True}, {"topic": "events", "shape": "event", "copy": True}],
    })  # fmt: skip
    topics = published(made, {"comment": {"text": TEXT}})
    read = TypeAdapter(ModerationCreateResponse).validate_python(topics["out"])
    (result,) = read.results
    labels = topics["events"]["annotations"]["policy"]["labels"]
    scores = result.category_scores.model_dump(by_alias=True)
    assert {entry["label"]: entry["score"] for entry in labels}.items() <= scores.items()
    assert result.flagged == topics["events"]["annotations"]["policy"]["flagged"]
    absent = set(names("openai")) - {entry["label"] for entry in labels}
    assert absent == {"harassment/threatening", "illicit", "illicit/violent", "self-harm/intent",
                      "self-harm/instructions"}  # fmt: skip
    assert not absent & topics["lenient"]["results"][0]["category_scores"].keys()
    for topic in ("out", "lenient"):
        OpenAIAnswer.model_validate(topics[topic], strict=True)
        assert topics[topic]["id"] == topics["events"]["id"]


def test_a_sentence_is_judged_in_each_of_several_texts(moderation: dict[str, Any]) -> None:
    made = offline(
        [{**moderation, "sentences": True}], output={"topic": "out"},
        input={"topics": ["comments"], "text": ["$.title", "$.body"]},
    )  # fmt: skip
    event = published(made, {"title": "The quick fox", "body": "jumps. Over the dog."})["out"]
    judged = [(event["text"][each["start"] : each["end"]], each["field"])
             for each in event["annotations"]["safety"]["sentences"]]  # fmt: skip
    assert judged == [("The quick fox", "$.title"), ("jumps.", "$.body"), ("Over the dog.", "$.body")]
