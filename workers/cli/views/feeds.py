"""Writes the records that ``glossator tap`` follows to standard output."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import click
import orjson
from pydantic import ValidationError

from schemas.conditions import VARIABLES, variable
from schemas.document import Document
from schemas.errors import RedactError
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.record import Record
from stream.output.letters import Letter
from workers.cli.filters import Filter
from workers.cli.views.exports import Csv, Displacy, Export, LabelStudio
from workers.cli.views.letters import letter_json, letter_line
from workers.cli.views.masking import Masking, in_code_points


class Feed(ABC):
    """Writes records to standard output. Used by one thread.

    Attributes:
        shown: How many were written.
    """

    def __init__(self) -> None:
        self.shown = 0
        self._other = 0
        self._hidden = 0
        self._out: IO[bytes] = sys.stdout.buffer

    def begin(self) -> None:  # noqa: B027, most outputs begin with nothing
        """Write what the output begins with."""

    @abstractmethod
    def record(self, record: Record, chosen: Filter) -> bool:
        """Write one record, if it is chosen and of the right kind; returns whether it was written."""

    def end(self) -> None:  # noqa: B027, most outputs end with nothing
        """Write what the output ends with."""

    def complaints(self, failures: int) -> Iterator[str]:
        """Yield what a person should know at the end; ``failures``: records without an answer of the condition."""
        if failures:
            yield f"{failures} records are not shown: the condition cannot be evaluated for them"
        if self._other:
            yield f"{self._other} records of the topic are not enriched events"
        if self._hidden:
            yield f"{self._hidden} events are not shown, because they cannot be redacted; --original shows them"

    def _write(self, line: bytes) -> None:
        self._out.write(line)
        self._out.flush()
        self.shown += 1


class LetterFeed(Feed):
    """Writes dead letters."""

    def __init__(self, form: str, original: bool) -> None:
        """``form``: how to write them; ``original``: with key, value and headers. Raises click.UsageError."""
        super().__init__()
        if form not in {"pretty", "json"}:
            raise click.UsageError(f"dead letters have no annotations to show as {form}; use pretty or json")
        self._pretty, self._original = form == "pretty", original

    def record(self, record: Record, chosen: Filter) -> bool:
        """Write one letter, if it is chosen; returns whether it is."""
        letter = Letter(record)
        if not chosen.passes(letter.variable):
            return False
        if self._pretty:
            self._write(letter_line(letter, self._original).encode() + b"\n")
        else:
            self._write(letter_json(letter, self._original) + b"\n")
        return True


class EventFeed(Feed):
    """Writes enriched events, without personal data unless ``original`` is set."""

    def __init__(
        self,
        config: Pipeline,
        form: str,
        original: bool,
        decode: Callable[[bytes], bytes] | None = None,
        shadows: bool = False,
    ) -> None:
        """Prepare the output.

        Args:
            config: the pipeline that makes the events.
            form: how to write them.
            original: whether to show personal data.
            decode: returns the JSON of a value, or raises ValueError; None if values are JSON.
            shadows: whether events may have annotations of shadows.
        """
        super().__init__()
        self._decode = decode
        self._unit = config.output.offset_unit
        self._form = form
        self._shadows = config.shadows
        self._masking = None if original else Masking(config)
        names = [task.name for task in config.tasks if shadows or task.shadow is None]
        exports: dict[str, Callable[[], Export]] = {
            "displacy": Displacy, "label-studio": LabelStudio, "csv": lambda: Csv(names),
        }  # fmt: skip
        self._export = exports[form]() if form in exports else None
        self._print: Callable[[Mapping[str, Any]], None] | None = None

    def begin(self) -> None:
        """Write what the output begins with; says on standard error if no texts can be shown."""
        if self._masking is not None and self._masking.blind:
            click.echo("glossator: no task finds personal data, so texts are left out; --original shows them", err=True)
        if self._export is not None:
            self._out.write(self._export.head().encode())
            self._out.flush()
        elif self._form == "pretty":
            from rich.console import Console

            from workers.cli.views.events import block, headline

            console, shadows = Console(soft_wrap=True, highlight=False), self._shadows
            self._print = lambda event: console.print(headline(event), block(event, shadows), sep="\n")

    def record(self, record: Record, chosen: Filter) -> bool:
        """Write one event, if it is chosen; returns whether it was written."""
        value = self._json(record)
        event = None if value is None else _event(value)
        if value is None or event is None:
            self._other += record.value is not None
            return False
        event = in_code_points(event, self._unit)
        if not chosen.passes(_variables(event, record).__getitem__):
            return False
        try:
            shown = event if self._masking is None else self._masking.masked(event)
        except RedactError:
            self._hidden += 1
            return False
        if self._export is not None:
            self._write(self._export.event(shown).encode())
        elif self._print is not None:
            self._print(shown)
            self.shown += 1
        elif self._masking is None:
            self._write(value + b"\n")
        else:
            self._write(orjson.dumps(shown) + b"\n")
        return True

    def _json(self, record: Record) -> bytes | None:
        """Return the JSON in a record; None if there is none."""
        if record.value is None or self._decode is None:
            return record.value
        try:
            return self._decode(record.value)
        except ValueError:
            return None

    def end(self) -> None:
        """Write what the output ends with."""
        if self._export is not None:
            self._out.write(self._export.tail().encode())
            self._out.flush()


def _event(value: bytes) -> dict[str, Any] | None:
    """Return the enriched event in ``value``; None if it is something else."""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    try:
        EnrichedEvent.model_validate(event, extra="ignore")  # a newer version may add fields
    except ValidationError:
        return None
    return event  # type: ignore[no-any-return]  # a model of an object fits


class _Variables(dict[str, Any]):
    """The variables of a condition; a task that did not run has an empty annotation."""

    def __missing__(self, name: str) -> dict[str, Any]:
        return {}


def _variables(event: Mapping[str, Any], record: Record) -> _Variables:
    document = Document(record, event.get("text", ""), None, event.get("event"))
    variables = {name: variable(name, document) for name in VARIABLES}
    return _Variables(variables | {"fields": event.get("fields", [])} | event["annotations"])
