"""docs/pipeline-file.md lists every field of the models with its type and default."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.pipeline import config, formats, outputs, redaction, registry, shapes, tasks, traces
from schemas.pipeline.checks import CLASSIC_ONLY, RESERVED
from schemas.pipeline.fields import Strict
from schemas.pipeline.loader import parse

PAGE = (Path(__file__).parents[3] / "docs/pipeline-file.md").read_text()

SECTIONS: dict[str, type[BaseModel]] = {
    "Top level": config.Pipeline,
    "input": config.Input,
    "tasks": tasks.TaskConfig,
    "model": tasks.ModelTask,
    "model or ensemble": tasks.ScoringTask,
    "ensemble": tasks.Ensemble,
    "sentiment, text-classification": tasks.ClassificationTask,
    "ner, token-classification": tasks.SpanTask,
    "pos": tasks.PosTask,
    "coreference": tasks.CoreferenceTask,
    "language": tasks.LanguageTask,
    "aspect-sentiment": tasks.AspectTask,
    "aspects from spans": tasks.FromSpans,
    "nli": tasks.NliTask,
    "zero-shot": tasks.ZeroShotTask,
    "paraphrase": tasks.ParaphraseTask,
    "similarity": tasks.SimilarityTask,
    "question-answering": tasks.QuestionTask,
    "pii": tasks.PiiTask,
    "moderation": tasks.ModerationTask,
    "embedding": tasks.EmbeddingTask,
    "custom": tasks.CustomTask,
    "output": outputs.Output,
    "routes": outputs.Route,
    "shape": shapes.Shape,
    "perspective": shapes.Perspective,
    "openai": shapes.OpenAI,
    "osprey": shapes.Osprey,
    "dead_letter": outputs.DeadLetter,
    "formats of output": formats.OutputFormat,
    "cloudevents": formats.CloudEvents,
    "avro, protobuf, json_schema": formats.RegisteredFormat,
    "registry": registry.Registry,
    "redact": redaction.Redact,
    "operators": redaction.Operator,
    "replace": redaction.Replace,
    "mask": redaction.Mask,
    "hash": redaction.Hash,
    "encrypt": redaction.Encrypt,
    "surrogate": redaction.Surrogate,
    "redact.keys": redaction.RedactKeys,
    "a key": redaction.KeySource,
    "a key for encryption": redaction.EncryptionKey,
    "batching": config.Batching,
    "backpressure": config.Backpressure,
    "compute": config.Compute,
    "watchdog": config.Watchdog,
    "stop_after": config.DeadLetters,
    "telemetry": config.Telemetry,
    "traces": traces.Traces,
}


def _rows(heading: str) -> dict[str, list[str]]:
    """Return field -> [type, default] from the table under ``heading``."""
    section = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"no section {heading}"
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .+ \|$", section[1], re.MULTILINE)
    return {name: [kind, default] for name, kind, default in rows}


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return "mapping"
    branches = [branch for key in ("anyOf", "oneOf") for branch in schema.get(key, ()) if branch.get("type") != "null"]
    if branches:
        return ", or ".join(map(_kind, branches))
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        quoted = [f"`{choice}`" for choice in choices]
        return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
    kind = schema.get("type")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + 1
    bounds = "" if low is None else f", {low:.10g} to {high:.10g}" if high is not None else f", at least {low:.10g}"
    if kind in {"integer", "number"}:
        return ("whole number" if kind == "integer" else "number") + bounds
    if kind == "string":
        return "text" + (f", at most {schema['maxLength']} characters" if "maxLength" in schema else "")
    if kind == "array":
        return "list" if "discriminator" in schema["items"] else f"list of {_kind(schema['items'])}"
    if kind == "object":
        # JSON Schema lists a mapping whose keys have a pattern under that pattern.
        values: Any = schema.get("additionalProperties", *schema.get("patternProperties", {}).values())
        if values is True:
            return "mapping"
        return "mapping" if "anyOf" in values else f"mapping of {_kind(values)}"
    return {"boolean": "true or false"}[str(kind)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel):
        return "see there"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_field_is_explained(heading: str) -> None:
    model = SECTIONS[heading]
    parent = model.__base__
    shared = parent.model_fields if parent is not None and issubclass(parent, tasks.TaskConfig) else {}
    properties = model.model_json_schema()["properties"]
    expected = {
        field.alias or name: [_kind(properties[field.alias or name]), _default(field)]
        for name, field in model.model_fields.items()
        if (name not in shared or field.annotation != shared[name].annotation) and not (shared and name == "task")
    }
    if model is tasks.TaskConfig:
        # The field ``task`` is defined by the model of each kind.
        expected["task"] = ["a task", "required"]
    assert _rows(heading) == expected


@pytest.mark.parametrize("model", SECTIONS.values(), ids=SECTIONS)
def test_every_field_has_a_docstring(model: type[BaseModel]) -> None:
    (body,) = (node.body for node in ast.parse(inspect.getsource(model)).body if isinstance(node, ast.ClassDef))
    fields = [(node, after) for node, after in pairwise([*body, ast.Pass()]) if isinstance(node, ast.AnnAssign)]
    bare = [ast.unparse(node.target) for node, after in fields if not isinstance(after, ast.Expr)]
    assert bare in ([], ["task"])


def test_every_model_of_the_file_has_a_section() -> None:
    modules = (config, formats, outputs, redaction, shapes, tasks)
    values = [value for module in modules for value in vars(module).values()]
    models = {value for value in values if isinstance(value, type) and issubclass(value, Strict)}
    assert models - {Strict, redaction.Remove} == set(SECTIONS.values())


def test_the_refused_settings_are_listed() -> None:
    section = PAGE.split("\n## kafka\n")[1].split("\n## ")[0]
    assert dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.MULTILINE)) == RESERVED
    assert all(f"`{name}`" in section.split("group.protocol: consumer")[-1] for name in CLASSIC_ONLY)


def test_the_starter_example_is_right() -> None:
    example = Path(__file__).parents[3] / "examples/starter.yaml"
    pipeline = parse(example.read_text(), environ={"KAFKA_BOOTSTRAP_SERVERS": "broker:9092"})
    assert pipeline.kafka == {"bootstrap.servers": "broker:9092"}
    assert [(task.task, task.model) for task in pipeline.tasks] == [
        ("sentiment", "starter"), ("ner", "starter"), ("moderation", "starter"), ("coreference", "starter")
    ]  # fmt: skip
    assert (pipeline.input.topics, pipeline.output.topic) == (["posts"], "posts.enriched")
    assert pipeline.output.dead_letter_topic == "posts.dead"
