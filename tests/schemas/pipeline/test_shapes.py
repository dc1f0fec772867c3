"""The rules for ``shape``: every mistake is reported at once, at its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse

SAFETY = {"name": "safety", "task": "moderation", "model": "m", "taxonomy": "perspective"}
OPENAI = {"name": "policy", "task": "moderation", "model": "m", "taxonomy": "openai"}
PLAIN = {"name": "plain", "task": "moderation", "model": "m"}
TONGUE = {"name": "tongue", "task": "language"}
OWN = {"name": "own", "task": "custom", "use": "a:B"}


def parsed(*tasks: dict[str, Any], **output: Any) -> Pipeline:
    settings = {
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": list(tasks), "output": {"topic": "out", **output},
    }  # fmt: skip
    return parse(json.dumps(settings), environ={})


def problems(*tasks: dict[str, Any], **output: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parsed(*tasks, **output)
    return [f"{problem.path}: {problem.message}" for problem in raised.value.problems]


GOOD: list[tuple[tuple[dict[str, Any], ...], dict[str, Any]]] = [
    ((SAFETY,), {"shape": "perspective"}),
    ((SAFETY, PLAIN, TONGUE), {"shape": {"perspective": {"languages": "tongue"}}}),
    ((SAFETY, OPENAI), {"shape": "openai", "routes": [{"topic": "a", "shape": "perspective", "copy": True}]}),
    ((SAFETY, OPENAI), {"shape": {"openai": {"complete": True}}}),
    ((SAFETY, {**SAFETY, "name": "more"}), {"shape": {"perspective": {"tasks": ["more", "safety"]}}}),
    ((PLAIN,), {"shape": "osprey", "offset_unit": "utf8"}),
    ((PLAIN,), {"shape": {"osprey": {"action": "post"}}, "format": {"cloudevents": {"type": "com.example.action"}}}),
    ((OWN,), {"shape": {"perspective": {"tasks": ["own"]}}}),
    (({**PLAIN, "taxonomy": {"toxic": "TOXICITY", "x": "y"}},), {"shape": "perspective"}),
    (({**PLAIN, "taxonomy": {"x": "violence/graphic"}},), {"shape": "openai"}),
    ((SAFETY, {**SAFETY, "name": "more"}, {"name": "both", "task": "moderation",
                                           "ensemble": {"of": ["safety", "more"], "rule": "max"}}),
     {"shape": "perspective"}),
    ((SAFETY,), {"shape": "perspective", "text": "none", "offset_unit": "utf16"}),
    ((SAFETY,), {"shape": "perspective", "format": {"cloudevents": {"type": "com.example.scores"}}}),
    ((SAFETY,), {"offset_unit": "utf8", "routes": [{"topic": "a", "shape": "perspective", "annotations": ["safety"]}]}),
    ((SAFETY,), {"shape": "perspective",
                 "routes": [{"topic": "a", "shape": "event", "annotations": [], "copy": True}]}),
]  # fmt: skip


@pytest.mark.parametrize(("tasks", "output"), GOOD)
def test_shapes_that_can_be_served(tasks: Any, output: dict[str, Any]) -> None:
    parsed(*tasks, **output)


BAD: list[tuple[tuple[dict[str, Any], ...], dict[str, Any], list[str]]] = [
    ((SAFETY,), {"shape": "perspektive"},
     ['output.shape: must be one of event, perspective, openai, osprey, did you mean "perspective"?']),
    ((SAFETY,), {"shape": ["perspective"]}, ["output.shape: must be one of event, perspective, openai, osprey"]),
    ((SAFETY,), {"shape": {}}, ["output.shape: must name exactly one shape"]),
    ((SAFETY,), {"shape": {"perspective": {}, "openai": {}}}, ["output.shape: must name exactly one shape"]),
    ((SAFETY,), {"shape": {"perspektive": {}}},
     ['output.shape.perspektive: unknown field, did you mean "perspective"?']),
    ((SAFETY,), {"shape": {"perspective": {"task": ["safety"]}}},
     ['output.shape.perspective.task: unknown field, did you mean "tasks"?']),
    ((SAFETY,), {"shape": {"perspective": {"complete": True}}}, ["output.shape.perspective.complete: unknown field"]),
    ((TONGUE,), {"shape": "perspective"},
     ["output.shape: needs a task of kind moderation with taxonomy: perspective"]),
    ((PLAIN,), {"shape": "openai"},
     ["output.shape: needs a task of kind moderation with taxonomy: openai; plain has another one"]),
    (({**PLAIN, "taxonomy": {"toxic": "rude"}},), {"shape": "perspective"},
     ["output.shape: needs a task of kind moderation with taxonomy: perspective; plain has another one"]),
    ((SAFETY, {**SAFETY, "name": "more"}), {"shape": "perspective"},
     ["output.shape: could be made from safety or more; name the one to use, such as "
      "{perspective: {tasks: [safety]}}"]),
    ((SAFETY, TONGUE, {**TONGUE, "name": "other"}), {"shape": "perspective"},
     ["output.shape: could take the languages from tongue or other; name the one to use, such as "
      "{perspective: {languages: tongue}}"]),
    ((SAFETY, PLAIN, TONGUE), {"shape": {"perspective": {
        "languages": "safety", "tasks": ["safty", "safety", "safety", "tongue", "plain"]}}},
     ["output.shape.perspective.languages: names a task of kind moderation, which detects no language",
      'output.shape.perspective.tasks[0]: there is no task with that name, did you mean "safety"?',
      "output.shape.perspective.tasks[2]: appears twice",
      "output.shape.perspective.tasks[3]: names a task of kind language; the scores of perspective come from "
      "moderation",
      "output.shape.perspective.tasks[4]: names a task whose taxonomy is standard, not perspective"]),
    ((PLAIN, {**PLAIN, "name": "more"}, {"name": "both", "task": "moderation", "sentences": True,
                                         "ensemble": {"of": ["plain", "more"], "rule": "max"}}),
     {"shape": {"perspective": {"tasks": ["both"]}}},
     ["output.shape.perspective.tasks[0]: names an ensemble none of whose members has taxonomy: perspective",
      "tasks[2].sentences: cannot be used with ensemble, which reads no text: set it for the members"]),
    ((SAFETY,), {"shape": "perspective", "offset_unit": "utf8"},
     ["output.offset_unit: has no effect: no topic gets enriched events"]),
    ((SAFETY, TONGUE), {"routes": [
        {"when": "safety.flagged", "topic": "a", "shape": "perspective", "annotations": ["tongue"]},
        {"when": "safety.flagged", "topic": "b", "shape": "openai"},
        {"when": "safety.flagged", "drop": True, "shape": "perspective"}]},
     ["output.routes[0].annotations: leaves out safety, which shape: perspective is made from",
      "output.routes[1].shape: needs a task of kind moderation with taxonomy: openai; safety has another one",
      "output.routes[2].shape: cannot be used with drop: true, which publishes nothing"]),
    ((SAFETY,), {"shape": "perspective", "routes": [
        {"when": "safety.flagged", "topic": "a", "annotations": []}]},
     ["output.routes[0].annotations: leaves out safety, which shape: perspective is made from"]),
    ((SAFETY,), {"shape": "perspective", "format": "cloudevents"},
     ["output.format: needs a type, such as {cloudevents: {type: com.example.scores}}: its default, glossator.event/1, "
      "is what shape: perspective is not"]),
    ((SAFETY,), {"shape": {"osprey": {"actoin": "post"}}},
     ['output.shape.osprey.actoin: unknown field, did you mean "action"?']),
    ((SAFETY,), {"format": {"cloudevents": {"source": "/a"}}, "routes": [{"topic": "a", "shape": "perspective"}]},
     ["output.routes[0].format: needs a type, such as {cloudevents: {type: com.example.scores}}: its default, "
      "glossator.event/1, is what shape: perspective is not"]),
    (({**SAFETY, "sentences": True, "long_text": "truncate"},), {},
     ["tasks[0].sentences: cannot be used with long_text: truncate, which reads only a beginning"]),
]  # fmt: skip


@pytest.mark.parametrize(("tasks", "output", "expected"), BAD)
def test_every_mistake_is_reported_at_once(tasks: Any, output: dict[str, Any], expected: list[str]) -> None:
    assert sorted(problems(*tasks, **output)) == expected


def test_a_shape_is_part_of_the_id_and_writing_a_default_is_not() -> None:
    plain = config_hash(parsed(SAFETY))
    assert config_hash(parsed(SAFETY, shape="event")) == config_hash(parsed(SAFETY, shape={"event": {}})) == plain
    shaped = config_hash(parsed(SAFETY, shape="perspective"))
    assert config_hash(parsed(SAFETY, shape={"perspective": {"tasks": None}})) == shaped != plain
    route = {"topic": "a", "copy": True}
    assert config_hash(parsed(SAFETY, routes=[route])) == plain
    assert config_hash(parsed(SAFETY, routes=[{**route, "shape": "perspective"}])) not in {plain, shaped}
