"""What a person sees of enriched events: without personal data, unless it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.document import Document, Part
from schemas.paths import parse_path
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Redact
from schemas.pipeline.redaction_checks import PERSONAL_KINDS
from stream.output.event_builder import without_text
from stream.output.redaction.keys import Keys
from stream.output.redaction.redactor import Redactor
from stream.output.units import Unit, table


def in_code_points(event: dict[str, Any], unit: Unit) -> dict[str, Any]:
    """Return an event whose offsets count ``unit`` with offsets in code points; itself if it has no text."""
    text = event.get("text")
    if not isinstance(text, str):
        return event
    offsets = table(text, unit)
    if offsets is None:
        return event
    places = {offset: number for number, offset in enumerate(offsets)}
    return {
        **event,
        **{name: _moved(event[name], places) for name in ("annotations", "fields") if name in event},
    }


def _moved(value: Any, places: Mapping[int, int]) -> Any:
    if isinstance(value, list):
        return [_moved(entry, places) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: places.get(entry, entry) if name in {"start", "end"} and isinstance(entry, int) else _moved(entry, places)
        for name, entry in value.items()
    }


class Masking:
    """Replaces personal data by its label. Used by one thread.

    Attributes:
        blind: Whether no task finds personal data, so that no text can be shown.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """``pipeline``: the one that has made the events."""
        names = pipeline.redact.tasks if pipeline.redact else None
        if names is None:
            names = [task.name for task in pipeline.tasks if task.task in PERSONAL_KINDS and not task.shadow]
        # In the topic of the disagreements there is also what shadows have found.
        tasks = [*names, *(shadow for shadow, task in pipeline.shadows.items() if task in names)]
        self.blind = not tasks
        redact = Redact.model_validate({"tasks": tasks}) if tasks else None
        output = pipeline.output.model_copy(update={"text": "redacted", "offset_unit": "code_point"})
        masked = pipeline.model_copy(update={"redact": redact, "output": output})
        self._redactor = None if redact is None else Redactor(masked, Keys())

    def masked(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``event`` without personal data in its text and annotations, and without ``event`` and the key.

        Its offsets must count code points. An event that the pipeline has redacted keeps its text as it is. Raises
        RedactError if it cannot be redacted.
        """
        source = event["source"] and {**event["source"], "key": None}
        shown = {**{name: value for name, value in event.items() if name != "event"}, "source": source}
        if "redacted" in event or "text" not in event:
            return shown
        if self._redactor is None:
            hidden = {"text", "fields"}
            paths = {field["path"]: "…" for field in event.get("fields", ())}
            shown = {name: value for name, value in shown.items() if name not in hidden}
            return {**shown, "annotations": without_text(event["annotations"], paths)}
        document = Document(None, event["text"])
        document.annotations = dict(event["annotations"])
        document.notices = list(event["notices"])
        if fields := event.get("fields"):
            document.parts = tuple(Part(p["path"], p["start"], p["end"], tuple(parse_path(p["path"]))) for p in fields)
        redacted = self._redactor.redact(document)
        if redacted.parts is not None:
            shown["fields"] = [{"path": part.path, "start": part.start, "end": part.end} for part in redacted.parts]
        return {**shown, "text": redacted.text, "annotations": redacted.annotations, "notices": redacted.notices}
