"""Log lines as JSON objects, with fields for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any


def fields(kind: str, **values: Any) -> dict[str, Any]:
    """Return the argument ``extra`` of a log call, with which ``JsonLines`` adds values to the line.

    Args:
        kind: what the line is about, which becomes its field ``kind``: programs choose lines by it.
        values: what the line says, in the types of JSON; no text of an event and no secret.
    """
    return {"glossator_fields": {"kind": kind, **values}}


class JsonLines(logging.Formatter):
    """Formats each log record as a JSON object in one line, for log collectors. It holds no text of events."""

    def __init__(self, slot: int | None = None) -> None:
        """``slot``: the number of the worker that logs, added to every line; None for the supervisor."""
        super().__init__()
        self._slot = {} if slot is None else {"slot": slot}

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object: time, level, logger, message, slot, ``fields``, and an exception's class name."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **self._slot,
            **self.fields_of(record),
        }  # fmt: skip
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line, ensure_ascii=False)

    @staticmethod
    def fields_of(record: logging.LogRecord) -> dict[str, Any]:
        """Return what ``fields`` gave to ``record``; empty without."""
        return getattr(record, "glossator_fields", {})
