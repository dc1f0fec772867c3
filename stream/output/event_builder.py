"""Builds the JSON of enriched events, in the shape that ``schemas/event.py`` defines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from schemas.document import Annotation, Document, Part, event_id
from schemas.errors import EncodeError, RedactError
from schemas.event import SCHEMA
from schemas.paths import EVERYWHERE, jsonpath, parse_pattern
from schemas.pipeline.config import Pipeline
from schemas.pipeline.ensembles import custom
from schemas.pipeline.identity import config_hash
from schemas.pipeline.registry import FORMATS
from schemas.record import Record
from stream.output.annotations import Annotations, Ranges, rewritten_notices
from stream.output.formats.encoders import make_encoders
from stream.output.redaction.keys import Keys, load_keys
from stream.output.redaction.redacted import Redacted
from stream.output.redaction.redactor import Redactor
from stream.output.routes import View, view_of
from stream.output.shapes.base import Published
from stream.output.shapes.osprey import OspreyShaper
from stream.output.shapes.shapers import make_shapers


class EventBuilder:
    """Builds the events of one configuration; the parts that all of them share are encoded once.

    Any thread may use it. ``config`` is the hash of the configuration, and of the keys of ``redact``. ``redactor`` is
    None if the pipeline redacts nothing. ``encoders``: the label of a route, None for ``output.topic``, -> what encodes
    its events; without those that get plain JSON. ``framed``: values of the input name their schema, maybe in a
    header, which no output may have. ``tasks`` has the name of each task, and whether its labels may be counted by
    name: those of custom tasks may be texts.
    """

    def __init__(self, pipeline: Pipeline, models: Mapping[str, Mapping[str, str]], keys: Keys | None = None) -> None:
        """Prepare the events of ``pipeline``.

        Args:
            pipeline: the pipeline file.
            models: the ``model`` and ``revision`` of each task, as the chain has loaded them.
            keys: the keys of ``redact``; default: they are read from where ``redact.keys`` says.

        Raises:
            SettingError: a key is missing or cannot be used, or a library that an operator needs is not installed.
        """
        self.redactor: Redactor | None = None
        if pipeline.redact is not None:
            keys = load_keys(pipeline) if keys is None else keys
            self.redactor = Redactor(pipeline, keys)
        self.config = config_hash(pipeline, "" if keys is None else keys.fingerprint)
        self.encoders = make_encoders(pipeline, self.config)
        self.framed = pipeline.input.format in FORMATS
        unknown = custom([task.model_dump() for task in pipeline.tasks])
        self.tasks = {task.name: task.name not in unknown for task in pipeline.tasks if task.shadow is None}
        self._pipeline = orjson.Fragment(orjson.dumps({"name": pipeline.pipeline, "config": self.config}))
        self._view = view_of(pipeline.output)
        self._shapers = make_shapers(pipeline, models)
        self._unit = pipeline.output.offset_unit
        self._annotations = Annotations(pipeline.tasks)
        self._shadows = pipeline.shadows
        self._refs = models
        self._models: dict[frozenset[str] | None, orjson.Fragment] = {}
        patterns = [parse_pattern(path) for path in pipeline.input.paths if path != EVERYWHERE]
        self._names = {step for pattern in patterns for step in pattern if isinstance(step, str)}

    @property
    def hides(self) -> bool:
        """Whether ``output`` shows less than the original text, and redacts keys and headers if anything does."""
        return self._view.text != "original"

    def redact(self, document: Document, views: Iterable[View] | None = None) -> Redacted | None:
        """Redact a document for ``views`` (None: for what ``output`` says); None if they all show the original.

        Raises RedactError.
        """
        if self.redactor is None:
            return None
        if self._view.text == "original" if views is None else all(view.text == "original" for view in views):
            return None
        return self.redactor.redact(document)

    def build(
        self,
        document: Document,
        view: View | None = None,
        routed: Sequence[str] | None = None,
        redacted: Redacted | None = None,
        disagreeing: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the event of a document that has not failed, as one line of UTF-8 JSON.

        The document's own bytes are embedded unchanged, with a notice if the codec has replaced values in them; in a
        redacted event, only the redacted values change.

        Args:
            document: the document.
            view: how much of the event is wanted; None: what ``output`` says. Models and notices are left out with the
                annotations they belong to.
            routed: the names of the routes that took the event; None if there are no routes.
            redacted: what ``redact`` returned for the document; None if that was not called.
            disagreeing: shadow -> task, for the topic of the disagreements: shadows to be included. None: no shadow is.

        Raises:
            EncodeError: a number that JSON cannot represent, or a text that UTF-8 cannot.
            RedactError: the event cannot be redacted.
        """
        view = view or self._view
        if view.text == "original":
            redacted = None
        elif redacted is None:
            redacted = self.redact(document, (view,))
        content = _content(document, view, redacted)
        if view.shape is not None and disagreeing is None:
            return self._shaped(view, document, routed, redacted)
        with_text, names = view.text != "none", view.annotations
        annotations, parts, notices = content.annotations, content.parts, content.notices
        if disagreeing:
            annotations, notices = self._with_shadows(document, content, disagreeing)
        if document.replaced is not None and view.text == "original":
            notices = [document.replaced.notice(), *notices]
        if (
            self._unit != "code_point"
            and content is document
            and not (ranges := Ranges(document.text, self._unit)).same
        ):
            annotations = self._annotations.rewritten(annotations, ranges, str)
            notices = rewritten_notices(notices, ranges, str)
            parts = parts and ranges.moved_parts(parts, str)
        if names is not None:
            annotations = {name: annotation for name, annotation in annotations.items() if name in names}
            notices = [notice for notice in notices if "task" not in notice or notice["task"] in names]
        if not with_text:
            paths = {part.path: self._anonymous(part) for part in parts or ()}
            parts = parts and tuple(part._replace(path=paths[part.path]) for part in parts)
            if paths or may_hold_text(annotations):
                annotations = {name: without_text(annotation, paths) for name, annotation in annotations.items()}
        # Another view may be why the document was redacted.
        event: dict[str, Any] = {
            "schema": SCHEMA,
            # The hash of a text tells whether it is a certain one, so it must be that of the redacted text.
            "id": event_id(document, self.config, None if redacted is None else redacted.text),
            "pipeline": self._pipeline,
            "source": None if (record := document.record) is None else _source(record, (redacted or record).key),
        }
        if routed is not None:
            event["routed"] = routed
        if content is redacted:
            event["redacted"] = redacted.counts()
        if disagreeing is not None:
            event["disagreements"] = [{"task": task, "shadow": shadow} for shadow, task in disagreeing.items()]
        if with_text:
            if content.event is not None:
                event["event"] = orjson.Fragment(content.event)
            event["text"] = content.text
        if parts is not None:
            event["fields"] = [part.as_field() for part in parts]
        try:
            encoded = orjson.dumps(annotations)
            # orjson writes null for a number that is not finite. The text of a span may contain the same characters,
            # so they only tell when to look.
            if encoded.find(b"null") >= 0:  # "in" takes three times as long
                _require_finite(annotations)
            event["annotations"] = orjson.Fragment(encoded)
            event["models"] = (not disagreeing and self._models.get(names)) or self._encode_models(names, disagreeing)
            event["notices"] = notices
            return orjson.dumps(event)
        except TypeError as error:
            # orjson's message names types and never the value.
            raise EncodeError(f"the enriched event cannot be written as JSON: {error}") from None

    def _shaped(self, view: View, document: Document, routed: Sequence[str] | None, redacted: Redacted | None) -> bytes:
        """Return what a topic gets in place of the event; the arguments are those of ``build``."""
        shaper = self._shapers[view.shape or ""]
        if isinstance(shaper, OspreyShaper):
            event = self.build(document, replace(view, shape=None), routed, redacted)
            return shaper.wrap(event, -1 if document.record is None else document.record.timestamp_ms)
        content = _content(document, view, redacted)
        published = Published(
            event_id(document, self.config, None if redacted is None else redacted.text),
            content.text,
            "code_point" if content is document else self._unit,
            content.annotations
            if view.annotations is None
            else {name: content.annotations[name] for name in view.annotations & content.annotations.keys()},
            None if view.text == "none" else content.event,
        )
        try:
            encoded = orjson.dumps(answer := shaper.shape(published))
        except EncodeError:
            raise
        except Exception as error:
            # A custom task may return anything. Only the class: the message may quote the event.
            raise EncodeError(f"no answer can be made of the annotations ({type(error).__name__})") from None
        if b":null" in encoded:
            _require_finite(answer)
        return encoded

    def _anonymous(self, part: Part) -> str:
        """Return the path of ``part`` with a * in place of each name that is not in the pipeline file but the event."""
        if all(isinstance(step, int) or step in self._names for step in part.steps):
            return part.path
        return jsonpath(part.steps, self._names)

    def _with_shadows(
        self, document: Document, content: Document | Redacted, shadows: Iterable[str]
    ) -> tuple[dict[str, Annotation], list[dict[str, Any]]]:
        """Return the annotations and notices of ``content``, with those of ``shadows``."""
        made = {name: document.shadows[name] for name in shadows} if document.shadows else {}
        annotations = {name: each.annotation for name, each in made.items() if each.annotation is not None}
        notices = [notice for each in made.values() for notice in each.notices]
        if isinstance(content, Redacted):
            annotations, notices = content.rewritten(annotations, notices)
        return {**content.annotations, **annotations}, [*content.notices, *notices]

    def _encode_models(self, names: frozenset[str] | None, shadows: Mapping[str, str] | None = None) -> orjson.Fragment:
        """Encode the models of the tasks ``names`` (None: of all) and of ``shadows``; without these, for all events."""
        models = {
            name: ref
            for name, ref in self._refs.items()
            if (name in shadows if shadows and name in self._shadows else name not in self._shadows)
            and (names is None or name in names)
        }
        encoded = orjson.Fragment(orjson.dumps(models))
        return encoded if shadows else self._models.setdefault(names, encoded)


def _content(document: Document, view: View, redacted: Redacted | None) -> Document | Redacted:
    """Return what a topic gets of a document. Raises RedactError if it must be redacted and is not."""
    if view.text != "redacted":
        return document
    if redacted is None:
        raise RedactError("the pipeline has no section redact")
    return redacted


def _source(record: Record, key: bytes | None) -> dict[str, Any]:
    return {
        "topic": record.assignment.topic,
        "partition": record.assignment.partition,
        "offset": record.offset,
        "key": _readable(key),
        "timestamp_ms": record.timestamp_ms if record.timestamp_ms >= 0 else None,
    }


def _readable(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return None


_TEXTS = frozenset({"text", "question", "aspect"})
"""Keys of an annotation under which text of the event may be."""
_ENCODED_KEYS = [b'"%b":' % key.encode() for key in _TEXTS]


def may_hold_text(annotations: Mapping[str, Annotation]) -> bool:
    """Whether ``without_text`` could leave something out; this takes a tenth of the time that it takes."""
    try:
        encoded = orjson.dumps(annotations)
    except TypeError:
        return True
    return any(encoded.find(key) >= 0 for key in _ENCODED_KEYS)


def without_text(value: Any, paths: Mapping[str, str]) -> Any:
    """Copy an annotation, or a part of one, without text of the event. ``paths``: what to write for each field."""
    if isinstance(value, dict):
        # A label may have such a name too, but then its value is a score.
        copy = {
            key: without_text(item, paths) if isinstance(item, dict | list) else item
            for key, item in value.items()
            if key not in _TEXTS or isinstance(item, float)
        }
        if paths and isinstance(field := copy.get("field"), str):
            copy["field"] = paths.get(field, field)
        return copy
    return [without_text(item, paths) for item in value] if isinstance(value, list) else value


def _require_finite(value: Any) -> None:
    """Raise EncodeError if ``value`` contains, at any depth, a float that JSON cannot represent."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EncodeError("an annotation holds a number that is not finite")
    elif isinstance(value, dict):
        for item in value.values():
            _require_finite(item)
    elif isinstance(value, list):
        for item in value:
            _require_finite(item)
