"""The public contract: its schema is up to date, and its page explains every field."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from schemas import annotations as shapes
from schemas import event

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas/event.schema.json").read_text())
PAGE = (ROOT / "docs/event.md").read_text()
MODELS = [
    model
    for module in (shapes, event)
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, BaseModel) and model.__module__ == module.__name__ and model is not shapes.Public
]  # fmt: skip


def _example() -> dict[str, object]:
    fence = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert fence
    example: dict[str, object] = json.loads(fence[1])
    return example


def test_the_checked_in_schema_is_the_models_own() -> None:
    assert event.json_schema() == SCHEMA, "run: python -m schemas.event > schemas/event.schema.json"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_page_shows_a_valid_event_whose_offsets_slice_the_text() -> None:
    example = _example()
    jsonschema.validate(example, SCHEMA)
    parsed = event.EnrichedEvent.model_validate(example)
    spans = parsed.annotations["entities"]
    assert isinstance(spans, shapes.Spans)
    assert parsed.text is not None
    assert [parsed.text[span.start : span.end] for span in spans.spans] == [span.text for span in spans.spans]


def test_the_page_explains_every_field_and_no_other() -> None:
    tables = [re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for part in re.split(r"\n\n", PAGE)]
    fields = [[field.alias or name for name, field in model.model_fields.items()] for model in MODELS]
    assert sorted(filter(None, tables)) == sorted(fields)


@pytest.mark.parametrize("stray", ["errors", "note"])
def test_a_field_that_is_not_in_the_contract_is_refused(stray: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**_example(), stray: []}, SCHEMA)
    with pytest.raises(ValidationError):
        event.EnrichedEvent.model_validate({**_example(), stray: []})
