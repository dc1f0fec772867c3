"""Every kind of task has a shape for its annotation, and the union of them tells all shapes apart."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.annotations import ANNOTATIONS, Annotation, Public
from schemas.pipeline.tasks import AnyTask

SPAN = {"start": 0, "end": 2, "label": "A", "score": 0.5}
SCORED = {"label": "a", "score": 0.5, "scores": {"a": 0.5}}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Spans": {"spans": [SPAN]},
    "Classification": SCORED,
    "Moderation": {"flagged": True, "labels": [{"label": "a", "score": 0.5, "flagged": True}]},
    "Coreference": {"clusters": [{"spans": [{"start": 0, "end": 2}]}]},
    "Aspects": {"aspects": [{"aspect": "a", **SCORED}]},
    "Hypotheses": {"hypotheses": [{"hypothesis": "a", **SCORED}]},
    "Paraphrase": {"paraphrase": True, "score": 0.5},
    "Similarity": {"score": -0.5},
    "NearDuplicate": {"duplicate_of": None, "score": None},
    "Answers": {"answers": [{"question": "a", "answer": None, "null_score": 0.5}]},
    "Embedding": {"vector": [0.5]},
    "Custom": {"custom": [1]},
}
ANY: TypeAdapter[Public] = TypeAdapter(Annotation)


def test_every_shape_has_an_example() -> None:
    assert {shape.__name__ for shape in get_args(Annotation)} == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_annotation_is_of_one_shape(name: str) -> None:
    parsed = ANY.validate_python(EXAMPLES[name])
    assert type(parsed).__name__ == name
    assert parsed.model_dump(exclude_unset=True) == EXAMPLES[name]
    with pytest.raises(ValidationError):
        ANY.validate_python({**EXAMPLES[name], "stray": 1})


def test_kinds_with_one_shape_are_kinds_of_tasks() -> None:
    kinds = {kind for task in get_args(get_args(AnyTask)[0]) for kind in get_args(task.model_fields["task"].annotation)}
    assert kinds - ANNOTATIONS.keys() == {"nli", "similarity", "custom"}
    assert ANNOTATIONS.keys() <= kinds
