"""Log lines as JSON objects."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats each log record as a JSON object in one line, for log collectors. It holds no text of events."""

    def __init__(self, slot: int | None = None) -> None:
        """``slot``: the number of the worker that logs, added to every line; None for the supervisor."""
        super().__init__()
        self._slot = {} if slot is None else {"slot": slot}

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object: time, level, logger, message, slot, and the class name of an exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **self._slot,
        }  # fmt: skip
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line, ensure_ascii=False)
