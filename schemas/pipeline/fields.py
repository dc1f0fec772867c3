"""The types that fields of a pipeline file are built from, and how a value is refused."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from schemas.paths import EVERYWHERE, parse_path, parse_pattern
from schemas.pipeline.topics import MARK, compiled

REFUSED = "refused"
"""The type of every validation error whose message is ours: it quotes no value, so it may be shown."""


def refuse(reason: str) -> PydanticCustomError:
    """Return the error to raise in a validator; ``reason`` is shown after the field's path and must quote no value."""
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def http_url(value: str, example: str, credentials: str) -> str:
    """Return ``value`` if it is the address of a server, else refuse it.

    ``example`` is an address, and ``credentials`` are the fields for what must not be in it.
    """
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise refuse("is not a URL") from None
    if not value.isprintable() or " " in value:
        raise refuse("is not a URL")
    if parts.scheme not in {"http", "https"} or not host:
        raise refuse(f"must be a URL that begins with http:// or https://, for example {example}")
    if parts.username is not None or parts.password is not None:
        raise refuse(f"must not contain credentials; use {credentials}")
    if parts.query or parts.fragment:
        raise refuse("must be a URL without a query or a fragment")
    return value


class Strict(BaseModel):
    """The base of all models of the pipeline file.

    Unknown fields are mistakes, nothing is converted, numbers are finite, instances are frozen, and no error quotes a
    value, because any value may be a secret.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
FULL_NAME = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
# Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic).
TOPIC = r"^[A-Za-z0-9._-]+$"
DEVICE = r"^(auto|cpu|cuda(:[0-9]{1,3})?)$"


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise refuse("contains a duplicate")
    return values


Distinct = AfterValidator(_distinct)
"""Refuses a list that contains a value twice."""
Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=64)]
PipelineName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=200)]


def _no_dots(value: str) -> str:
    if value in {".", ".."}:
        raise refuse("a topic cannot be named . or ..")
    return value


TopicName = Annotated[str, StringConstraints(pattern=TOPIC, max_length=249), AfterValidator(_no_dots)]


def _topic_or_pattern(value: str) -> str:
    if value.startswith(MARK):
        try:
            compiled(value)
        except ValueError as error:
            raise refuse(str(error)) from None
        return value
    if not re.fullmatch(TOPIC[1:-1], value):
        is_glob = not re.search(r"[^A-Za-z0-9._*?-]", value)
        hint = '; a pattern is a regular expression that begins with ^, such as "^posts-.*"' if is_glob else ""
        raise refuse(f'must consist of letters, digits, ".", "_" and "-"{hint}')
    return _no_dots(value)


InputTopic = Annotated[str, Field(min_length=1, max_length=249), AfterValidator(_topic_or_pattern)]
"""The name of a topic, or a pattern of names, which begins with ``^``."""
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


def _path(value: str) -> str:
    try:
        parse_path(value)
    except ValueError as error:
        raise refuse(str(error)) from error
    return value


JsonPath = Annotated[str, AfterValidator(_path)]
"""The path of a single place in an event."""


def _text_path(value: str) -> str:
    if value != EVERYWHERE:
        try:
            parse_pattern(value)
        except ValueError as error:
            more = ", $[*] for every entry, or $..* alone for every text" if "; use" in str(error) else ""
            raise refuse(f"{error}{more}") from error
    return value


def _shape(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<scalar>"


def _single(value: str | list[str]) -> str | list[str]:
    """Return a list of one path as that path, so that both mean the same and have the same hash."""
    return value[0] if len(value) == 1 and isinstance(value, list) else value


_TextPath = Annotated[str, AfterValidator(_text_path)]
TextPaths = Annotated[
    Annotated[_TextPath, Tag("<scalar>")]
    | Annotated[list[_TextPath], Field(min_length=1, max_length=64), Tag("<list>")],
    Discriminator(_shape),
    AfterValidator(_single),
]
"""Where the texts of an event are: a path that may contain ``[*]``, several of them, or ``$..*``."""
