"""The models of ``output.format``: how the values of a topic are encoded.

A format is written as its name, or as a mapping of its name to its options: ``cloudevents``, or
``{cloudevents: {mode: structured}}``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticKnownError

from schemas.event import SCHEMA
from schemas.pipeline.fields import FULL_NAME, Strict, refuse

OutputFormatName = Literal["json", "cloudevents", "avro", "protobuf", "json_schema"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormatName)
EVENT_TYPE = "glossator.EnrichedEvent"
"""The full name of the record type of events, unless the file has another one."""


def _attribute(value: str) -> str:
    if value.isspace() or not value.isprintable():
        raise refuse("must be visible characters")
    return value


Attribute = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_attribute)]
"""The value of an attribute of a CloudEvent."""


class CloudEvents(Strict):
    """Each record is a CloudEvent 1.0 whose data is the enriched event."""

    mode: Literal["binary", "structured"] = "binary"
    """``binary``: the value is the enriched event, and the attributes are headers such as ``ce_id``. ``structured``:
    the value is one JSON object with the attributes, and the enriched event as its ``data``."""
    source: Attribute | None = None
    """The attribute ``source``, a URI reference; default: ``/glossator/`` and the pipeline's name."""
    type: Attribute = SCHEMA
    """The attribute ``type``."""
    subject: Literal["input", "key"] = "input"
    """The attribute ``subject``. ``input``: that of the input, if it is a CloudEvent with one. ``key``: the record's
    key, if it is text."""
    dataschema: Attribute | None = None
    """The attribute ``dataschema``, a URI; default: none."""


class RegisteredFormat(Strict):
    """Each value names its schema, which is in the Schema Registry at ``registry``."""

    subject: Literal["topic", "record", "topic_record"] = "topic"
    """The subject of the schema. ``topic``: the topic's name and ``-value``. ``record``: the name at ``record``.
    ``topic_record``: the topic's name, ``-`` and that name."""
    record: Annotated[str, StringConstraints(pattern=FULL_NAME, max_length=200)] = EVENT_TYPE
    """The full name of the record type: that of a schema which is registered, and a part of the subject. Of a Protobuf
    schema, events are the message with this name; without ``record`` in the file, the first message if none has the
    default name."""
    auto_register: bool = False
    """Register the schema that ``glossator schema`` prints, when the worker starts; otherwise the newest schema of the
    subject is used, and there must be one."""
    compatibility: (
        Literal["none", "backward", "backward_transitive", "forward", "forward_transitive", "full", "full_transitive"]
        | None
    ) = None
    """With ``auto_register``, what the subject's compatibility is set to; default: it is not changed."""

    @property
    def explicit_record(self) -> str | None:
        """``record`` if the file has it, else None."""
        return self.record if "record" in self.model_fields_set else None


class OutputFormat(Strict):
    """How the values of a topic are encoded, if not as plain JSON: exactly one format with its options."""

    cloudevents: CloudEvents | None = None
    """Each record is a CloudEvent."""
    avro: RegisteredFormat | None = None
    """Each value is Avro of a registered schema."""
    protobuf: RegisteredFormat | None = None
    """Each value is Protobuf of a registered schema."""
    json_schema: RegisteredFormat | None = None
    """Each value is JSON of a registered JSON Schema."""

    @model_validator(mode="after")
    def _is_one(self) -> OutputFormat:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refuse("must name exactly one format")
        return self

    @property
    def name(self) -> str:
        """The name of the format."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)


def _spelled_out(value: Any) -> Any:
    """Turn ``cloudevents`` into ``{cloudevents: {}}``, so that both are the same configuration."""
    if value in ("json", {"json": {}}):
        return "json"
    if not isinstance(value, str):
        return value
    if value not in OUTPUT_FORMATS:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(OUTPUT_FORMATS)})
    return {value: {}}


def _shape(value: Any) -> str:
    return "<map>" if isinstance(value, dict | Strict) else "<scalar>"


AnyOutputFormat = Annotated[
    Annotated[Literal["json"], Tag("<scalar>")] | Annotated[OutputFormat, Tag("<map>")],
    Discriminator(_shape),
    BeforeValidator(_spelled_out, json_schema_input_type=OutputFormatName | OutputFormat),
]
"""A format as it may be written: its name, or a mapping of its name to its options."""
