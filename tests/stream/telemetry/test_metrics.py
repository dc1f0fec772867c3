"""Log lines as JSON, and the time spent in phases."""

from __future__ import annotations

import io
import json
import logging

from stream.telemetry.logs import JsonLines, fields
from stream.telemetry.stats import Stats


def test_a_line_is_an_object_whatever_it_says() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    log = logging.Logger("glossator.test")
    log.addHandler(handler)
    log.warning('a "quoted"\nline of %s', "posts[0]")
    try:
        raise ValueError("text of an event")
    except ValueError:
        log.exception("it failed")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["level"], first["logger"], first["message"]) == (
        "warning", "glossator.test", 'a "quoted"\nline of posts[0]',
    )  # fmt: skip
    assert first["time"].endswith("+00:00")
    assert "slot" not in first
    assert second["exception"] == "ValueError"
    assert "text of an event" not in out.getvalue()


def test_fields_are_part_of_the_object() -> None:
    record = logging.LogRecord("glossator", logging.INFO, "", 0, "read %d", (3,), None)
    vars(record).update(fields("summary", events=3, phases={"forward": 0.5}))
    line = json.loads(JsonLines(1).format(record))
    assert (line["message"], line["kind"], line["events"], line["phases"]) == ("read 3", "summary", 3, {"forward": 0.5})


def test_a_line_says_which_slot_it_is_from() -> None:
    record = logging.LogRecord("glossator", logging.INFO, "", 0, "assigned", None, None)
    assert json.loads(JsonLines(3).format(record))["slot"] == 3


def test_phases_add_up_even_if_they_fail() -> None:
    stats = Stats()
    for _ in range(2):
        try:
            with stats.phase("forward"):
                raise RuntimeError
        except RuntimeError:
            pass
    assert stats.seconds["forward"] > 0
    assert stats.seconds["prepare"] == 0
