"""The codec for JSON whose schema is in a Schema Registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import orjson

from schemas.errors import DecodeError
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.record import Headers
from stream.codecs.base import Content
from stream.codecs.framed import FramedCodec
from stream.codecs.json import depth_of
from stream.codecs.schema_errors import UnusableSchemaError
from stream.registry.client import Registered, require_validation

if TYPE_CHECKING:  # it is needed only if values are validated
    import jsonschema_rs

_ROOT = "http://registry.invalid/"
"""What references in a schema without ``$id`` are relative to. There is no such host, and nothing is fetched."""
_BACKTRACKS, _PATTERN_BYTES = 100_000, 10_000_000
"""Steps back of a pattern on one text, and bytes of a compiled pattern."""
_MOST_BYTES, _MOST_LEVELS = 10_000, 5
"""The largest event for which the rule is looked for in all alternatives: recursive ones may double the time with each
level."""
_ALTERNATIVES = (b'"anyOf"', b'"oneOf"')


class JsonSchema:
    """A schema, by which values may be validated.

    A schema is never fetched from elsewhere, and patterns cannot take exponential time. Any thread may use it.
    """

    def __init__(self, registered: Registered | None, name: str) -> None:
        """``registered``: None if values are not validated; ``name``: what to call it. Raises UnusableSchemaError."""
        self._name = name
        self._validator = None if registered is None else _validator(registered)
        self._has_alternatives = registered is not None and _has_alternatives(registered)

    def require_fit(self, event: Any, value: bytes) -> None:
        """Raise DecodeError unless ``event``, which is ``value`` parsed, fits; it quotes nothing.

        The message names a place in the schema, unless that could take long to find: in a schema with alternatives, for
        an event that is large or deep.
        """
        if self._validator is None or self._validator.is_valid(event):
            return
        rule = self._broken_rule(event, value)
        place = "" if rule is None else f": {orjson.dumps(rule).decode()}"
        raise DecodeError(f"the value does not fit {self._name}{place}")

    def _broken_rule(self, event: Any, value: bytes) -> str | None:
        import jsonschema_rs

        # ``is_valid`` remembers what it has seen, but ``validate`` collects the errors of all alternatives.
        if self._has_alternatives and (len(value) > _MOST_BYTES or depth_of(value) > _MOST_LEVELS):
            return None
        try:
            self._validator.validate(event)  # type: ignore[union-attr]
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
        try:
            return JsonSchema(registered if self._validates else None, f"schema {number}")
        except UnusableSchemaError as error:
            raise DecodeError(f"{self.named(number)} {error}") from None


def _has_alternatives(registered: Registered) -> bool:
    """Whether a schema, or one that it refers to, has alternatives; escapes in their names do not hide them."""
    texts = (registered.text, *(text for _, text in registered.references))
    return any(word in orjson.dumps(orjson.loads(text)) for text in texts for word in _ALTERNATIVES)


def _validator(registered: Registered) -> jsonschema_rs.Validator:
    import jsonschema_rs

    try:
        schema = orjson.loads(registered.text)
        base = urljoin(_ROOT, str(schema.get("$id", ""))) if isinstance(schema, dict) else _ROOT
        others: dict[str, Any] = {}
        for name, text in registered.references:
            other = orjson.loads(text)
            others[urljoin(base, name)] = other
            if isinstance(other, dict) and "$id" in other:
                others[urljoin(base, str(other["$id"]))] = other
        return jsonschema_rs.validator_for(
            schema,
            registry=jsonschema_rs.Registry(list(others.items())) if others else None,
            base_uri=base,
            offline=True,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS, size_limit=_PATTERN_BYTES),
        )
    except Exception as error:  # of many kinds, whose messages quote the schema
        refers = isinstance(error, jsonschema_rs.ValidationError) and "not present in a registry" in str(error)
        missing = ": it refers to one that is not registered with it" if refers else f" ({type(error).__name__})"
        raise UnusableSchemaError(f"is not a JSON Schema that can be used{missing}") from None
