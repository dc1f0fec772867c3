"""``shape: openai``: its answers as the official client reads them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from openai.types import ModerationCreateResponse
from pydantic import TypeAdapter, ValidationError

from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from schemas.taxonomies import names
from stream.output.event_builder import EventBuilder

CATEGORIES = names("openai")
MODELS = {"safety": {"model": "some/model", "revision": "0123456789ab"}}
STRICT = TypeAdapter(ModerationCreateResponse)


def answer(labels: dict[str, float] | None, threshold: float = 0.5, **shape: Any) -> dict[str, Any]:
    pipeline = Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "safety", "task": "moderation", "model": "m", "taxonomy": "openai"}],
        "output": {"topic": "out", "shape": {"openai": shape}},
    })  # fmt: skip
    document = Document(Record(Assignment("in", 3), 1842, None, b""), "I want to kill them.", b"{}")
    if labels is not None:
        listed = [{"label": name, "score": score, "flagged": score >= threshold} for name, score in labels.items()]
        document.annotations["safety"] = {"flagged": any(entry["flagged"] for entry in listed), "labels": listed}
    builder = EventBuilder(pipeline, MODELS)
    made: dict[str, Any] = json.loads(builder.build(document))
    assert made["id"] == f"in-3-1842-{builder.config}"
    assert made["model"] == "some/model@0123456789ab"
    return made


def received(body: dict[str, Any]) -> ModerationCreateResponse:
    """What a program gets from the client if the endpoint answers with ``body``."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
    with OpenAI(
        api_key="k", base_url="http://moderation.test/v1", http_client=httpx2.Client(transport=transport)
    ) as ai:
        return ai.moderations.create(input="I want to kill them.")


def test_a_model_with_every_category_gives_what_the_documentation_shows() -> None:
    scores = {name: round(0.95 - number / 20, 6) for number, name in enumerate(CATEGORIES)}
    made = answer(scores)
    STRICT.validate_python(made)
    (result,) = received(made).results
    assert result.flagged
    assert result.categories.harassment and not result.categories.violence_graphic
    assert result.categories.model_dump(by_alias=True) == {name: score >= 0.5 for name, score in scores.items()}
    assert result.category_scores.model_dump(by_alias=True) == scores
    assert set(map(tuple, result.category_applied_input_types.model_dump().values())) == {("text",)}


def test_a_category_that_no_task_gives_is_absent() -> None:
    made = answer({"harassment": 0.75, "hate": 0.25})
    (result,) = made["results"]
    assert result["categories"] == {"harassment": True, "hate": False}
    assert result["category_scores"] == {"harassment": 0.75, "hate": 0.25}
    assert result["category_applied_input_types"] == {"harassment": ["text"], "hate": ["text"]}
    # The client reads it; only strict types need ``complete``.
    (read,) = received(made).results
    assert (read.flagged, read.categories.harassment, read.category_scores.hate) == (True, True, 0.25)
    with pytest.raises(ValidationError, match="violence"):
        STRICT.validate_python(made)


def test_complete_answers_satisfy_strict_types_and_tell_which_categories_were_judged() -> None:
    made = answer({"harassment": 0.25, "violence": 0.125}, complete=True)
    STRICT.validate_python(made)
    (result,) = received(made).results
    assert not result.flagged
    assert list(made["results"][0]["category_scores"]) == CATEGORIES
    applied = made["results"][0]["category_applied_input_types"]
    assert [name for name in CATEGORIES if applied[name]] == ["harassment", "violence"]
    assert {made["results"][0]["category_scores"][name] for name in CATEGORIES if not applied[name]} == {0}


def test_only_categories_of_the_service_are_in_the_answer_and_flag_it() -> None:
    (result,) = answer({"harassment": 0.25, "spam": 0.99})["results"]
    assert (result["flagged"], list(result["categories"])) == (False, ["harassment"])


def test_an_event_that_no_task_has_judged_has_no_result_instead_of_a_clean_one() -> None:
    for shape in ({}, {"complete": True}):
        assert answer(None, **shape)["results"] == []
