"""The codec for JSON whose schema is in a Schema Registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.errors import DecodeError
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.record import Headers
from stream.codecs.base import Content
from stream.codecs.framed import FramedCodec
from stream.codecs.json import depth_of
from stream.codecs.json_schema_cost import cost
from stream.codecs.validators import fits_within_time, validator
from stream.registry.client import Registered, require_validation
from stream.registry.schema_errors import UnusableSchemaError

if TYPE_CHECKING:  # it is needed only if values are validated
    import jsonschema_rs

_MOST_BYTES, _MOST_LEVELS = 10_000, 5
"""The largest event for which the rule is looked for in all alternatives: recursive ones may double the time with each
level."""
_ALTERNATIVES = (b'"anyOf"', b'"oneOf"')
_PATTERNS_BYTES, _PATTERN_BYTES = 500_000_000, (100_000, 10_000_000)
"""Bytes of all compiled patterns of a schema together, and of one at least and at most."""
SECONDS = 5
"""Seconds of computing that a validation may take."""
_MOST_STEPS, _LONGEST = 1e9, 100_000
"""Steps in the schema for each byte of an event, and bytes of an event if patterns look around: both take seconds."""


class JsonSchema:
    """A schema, by which values may be validated.

    A schema is never fetched from elsewhere. Validating never takes long: what could is done in a process that is ended
    after some seconds. Any thread may use it.
    """

    def __init__(self, registered: Registered | None, name: str) -> None:
        """``registered``: None if values are not validated; ``name``: what to call it. Raises UnusableSchemaError."""
        self._name = name
        self._made: _Made | None = None if registered is None else _make(registered)
        self._takes_long = False

    def require_fit(self, event: Any, value: bytes) -> None:
        """Raise DecodeError unless ``event``, which is ``value`` parsed, fits; it quotes nothing.

        The message names a place in the schema, unless that could take long to find: in a schema with alternatives, for
        an event that is large or deep.
        """
        made = self._made
        if made is None:
            return
        if made.steps * len(value) > _MOST_STEPS or (made.backtracks and len(value) > _LONGEST):
            self._require_fit_in_time(made, value)
        elif not made.validator.is_valid(event):
            rule = self._broken_rule(made, event, value)
            place = "" if rule is None else f": {orjson.dumps(rule).decode()}"
            raise DecodeError(f"the value does not fit {self._name}{place}")

    def _require_fit_in_time(self, made: _Made, value: bytes) -> None:
        fits = None
        if not self._takes_long:  # one that did will again
            of = (made.schema, made.references, made.pattern_bytes, made.backtracks)
            fits = fits_within_time(*of, event=value, seconds=SECONDS)
        if fits is None:
            self._takes_long = True
            raise DecodeError(f"validating values as large by {self._name} takes more than {SECONDS} s")
        if not fits:
            raise DecodeError(f"the value does not fit {self._name}")

    @staticmethod
    def _broken_rule(made: _Made, event: Any, value: bytes) -> str | None:
        import jsonschema_rs

        # ``is_valid`` remembers what it has seen, but ``validate`` collects the errors of all alternatives.
        if made.has_alternatives and (len(value) > _MOST_BYTES or depth_of(value) > _MOST_LEVELS):
            return None
        try:
            made.validator.validate(event)
        except jsonschema_rs.ValidationError as error:
            return "/".join(["#", *map(str, error.evaluation_path)])
        except ValueError:  # an error contains its value, which may be nested deeper than it can hold
            pass
        return None


class JsonSchemaCodec(FramedCodec[JsonSchema]):
    """Reads JSON behind the id of its schema, which must be a JSON Schema that the registry knows."""

    kind = "JSON"

    def __init__(self, config: Input, registry: Registry, keep_fields: bool = False) -> None:
        """``config`` and ``registry`` are sections of the pipeline file. Raises SettingError."""
        super().__init__(config, registry, keep_fields or config.validates)
        self._validates, self._keeps = config.validates, keep_fields
        if config.validates:
            require_validation()

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        schema, start = self._part(value, headers)
        content = super()._read(value[start:] if start else value, None)
        if content.event is not None and content.fields is not None:
            schema.require_fit(content.fields, content.event)
        return content if self._keeps else content._replace(fields=None)

    def _compile(self, number: int | str, registered: Registered) -> JsonSchema:
        return JsonSchema(registered if self._validates else None, f"schema {number}")


class _Made(NamedTuple):
    """A validator, and what it was made of; the attributes are the arguments of ``validators.validator``."""

    validator: jsonschema_rs.Validator
    schema: Any
    references: list[tuple[str, Any]]
    pattern_bytes: int
    backtracks: bool
    steps: float
    has_alternatives: bool


def _make(registered: Registered) -> _Made:
    import jsonschema_rs

    try:
        schema = orjson.loads(registered.text)
        references = [(name, orjson.loads(text)) for name, text in registered.references]
        steps, patterns = cost(schema, references)
        least, most = _PATTERN_BYTES
        size = max(least, min(most, _PATTERNS_BYTES // max(patterns, 1)))
        try:
            made, backtracks = validator(schema, references, size, False), False
        except Exception:  # a pattern that looks around, or a fault that is told below
            made, backtracks = validator(schema, references, size, True), True
        # Escapes in their names do not hide alternatives.
        alternatives = any(word in orjson.dumps([schema, references]) for word in _ALTERNATIVES)
    except UnusableSchemaError:
        raise
    except Exception as error:  # of many kinds, whose messages quote the schema
        refers = isinstance(error, jsonschema_rs.ValidationError) and "not present in a registry" in str(error)
        missing = ": it refers to one that is not registered with it" if refers else f" ({type(error).__name__})"
        raise UnusableSchemaError(f"is not a JSON Schema that can be used{missing}") from None
    return _Made(made, schema, references, size, backtracks, steps, alternatives)
