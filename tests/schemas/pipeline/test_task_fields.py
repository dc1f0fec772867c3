"""Values that only tasks have: what fits, and that a refusal concerns one branch of a union and quotes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.pipeline.task_fields import Phrases, Taxonomy, Template, Threshold


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Threshold, 0.5),
        (Threshold, {"default": 0.2, "PERSON": 1.0}),
        (Template, "This is about {}."),
        (Phrases, ["a", "b"]),
        (Taxonomy, "perspective"),
        (Taxonomy, "model"),
        (Taxonomy, {"LABEL_1": "toxic"}),
    ],
)
def test_what_fits_is_kept(kind: Any, value: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == value


@pytest.mark.parametrize(
    ("kind", "value", "place", "message"),
    [
        (Threshold, 1.5, ("<scalar>",), "less than or equal to 1"),
        (Threshold, {"PERSON": 1.5}, ("<map>", "PERSON"), "less than or equal to 1"),
        (Template, "s3cret", (), "must contain {} exactly once, where the label goes"),
        (Template, "s3cret {} {}", (), "must contain {} exactly once, where the label goes"),
        (Phrases, [], (), "at least 1 item"),
        (Phrases, ["s3cret", "s3cret"], (), "contains a duplicate"),
        (Phrases, [" "], (0,), "must not be blank"),
        (Taxonomy, "s3cret", ("<scalar>",), "must be one of model, standard"),
    ],
)
def test_what_does_not_fit_has_one_error(kind: Any, value: Any, place: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert message in error["msg"]
    assert "s3cret" not in error["msg"]
