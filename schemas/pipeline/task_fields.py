"""The types of values that only tasks have: thresholds, phrases, templates, taxonomies and codes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from schemas.pipeline.fields import Distinct, Probability, Strict, Text, refuse
from schemas.taxonomies import TAXONOMIES

LANGUAGE = r"^[a-z]{2,3}$"
REGION = r"^[A-Z]{2}$"

Merge = Literal["mean", "max"]
"""How the scores of a long text's windows are combined: the mean weighted by length, or the maximum."""
Aggregation = Literal["none", "simple", "first", "average", "max"]
"""How tokens become spans, with the names and meanings of transformers."""


def _not_blank(value: str) -> str:
    if value.isspace():
        raise refuse("must not be blank")
    return value


Short = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_not_blank)]
Phrases = Annotated[list[Short], Field(min_length=1, max_length=256), Distinct]


def _has_place(value: str) -> str:
    if value.count("{}") != 1:
        raise refuse("must contain {} exactly once, where the label goes")
    return value


Template = Annotated[Short, AfterValidator(_has_place)]
"""A sentence with a place for a label."""


# A discriminator chooses the branch of a union by the shape of the value, so that errors concern that branch alone.
# The angle brackets of the tags distinguish them from keys of the file. A Strict value comes from model_dump or code.
def scalar_or_map(value: Any) -> str:
    """Return the tag of the branch for ``value``, a scalar or a map."""
    return "<map>" if isinstance(value, dict | Strict) else "<scalar>"


Threshold = Annotated[
    Annotated[Probability, Tag("<scalar>")] | Annotated[dict[str, Probability], Tag("<map>")],
    Discriminator(scalar_or_map),
]
"""A threshold for all labels, or one per label with ``default`` for the rest."""


def _known_taxonomy(value: str) -> str:
    names = ["model", *TAXONOMIES]
    if value not in names:
        raise refuse(f"must be one of {', '.join(names)}, or a map from the model's labels to yours")
    return value


Taxonomy = Annotated[
    Annotated[str, AfterValidator(_known_taxonomy), Tag("<scalar>")] | Annotated[dict[str, Text], Tag("<map>")],
    Discriminator(scalar_or_map),
]
