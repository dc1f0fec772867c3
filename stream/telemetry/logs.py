"""Log lines as JSON."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """A log line as a JSON object, for collectors. Like all our lines it holds no text of events.

    ``slot``: of the worker that says so; None for the supervisor.
    """

    def __init__(self, slot: int | None = None) -> None:
        super().__init__()
        self._slot = {} if slot is None else {"slot": slot}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **self._slot,
        }  # fmt: skip
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line, ensure_ascii=False)
