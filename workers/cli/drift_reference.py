"""``glossator drift-reference``: writes how a pipeline annotates now, with which later annotations are compared."""

from __future__ import annotations

from collections.abc import Container
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import click
import orjson
from pydantic import ValidationError

from schemas.errors import AccessError, BrokerError, ConfigError, OffsetError, OutputError
from schemas.event import EnrichedEvent
from schemas.pipeline.ensembles import custom
from schemas.pipeline.loader import load_file
from stream.kafka.checking import run_mistakes
from stream.kafka.reader import Reader, Start
from workers.cli.output import require_stdout
from workers.cli.parameters import patience_option
from workers.cli.starts import start_option
from workers.cli.statuses import exit_statuses
from workers.drift.reference import Recorder, Reference, write_references
from workers.drift.tally import kind_of

EPILOG = """\b
Example:
  glossator drift-reference pipeline.yaml --from 7d > drift.json

\b
Then, in the pipeline file:
  telemetry:
    drift: drift.json

\b
It reads the enriched events that the pipeline has published to its output topic and
to the topics of routes, up to now; an event that is in several topics counts once.
The file has the shares of labels and unread texts and histograms of scores, and no
text. Tasks that give neither labels nor spans are left out. If a task has had several
models, only the events of the latest count.

""" + exit_statuses(
    {0: "written", 1: "there are no events to learn from"},
    AccessError, BrokerError, ConfigError, OffsetError, OutputError,
)  # fmt: skip

_Model: TypeAlias = tuple[str | None, str | None]
"""A model and its revision, as an event names them."""

_PAUSE = 0.5
"""Seconds to wait for records before looking whether there are any left."""


class References:
    """Collects the annotations of enriched events, task by task.

    Of a task that has had several models, those of the model with the latest event count: a mixture is like neither.

    Attributes:
        events: how many events there were, each counted once.
        others: records that are no enriched events.
    """

    def __init__(self, left_out: Container[str] = ()) -> None:
        """``left_out``: tasks whose labels may be texts."""
        self._left_out = left_out
        self.events = self.others = 0
        self._ids: set[str] = set()
        self._models: dict[str, dict[_Model, Recorder]] = {}
        self._latest: dict[str, tuple[int, _Model]] = {}

    def add(self, value: bytes | None) -> None:
        """Add the enriched event in a record's value, unless it is there already or is something else."""
        event = _event(value)
        if event is None:
            self.others += value is not None
            return
        if event["id"] in self._ids:
            return
        self._ids.add(event["id"])
        self.events += 1
        time = (event["source"] or {}).get("timestamp_ms") or 0
        unread = {notice["task"] for notice in event["notices"] if notice["kind"] == "unread"}
        for task, annotation in event["annotations"].items():
            if task not in self._left_out and (kind := kind_of(annotation)) is not None:
                made_by = event["models"].get(task) or {}
                model = (made_by.get("model"), made_by.get("revision"))
                recorder = self._models.setdefault(task, {}).setdefault(model, Recorder(kind))
                if time >= self._latest.get(task, (time, model))[0]:
                    self._latest[task] = time, model
                if recorder.kind == kind:
                    recorder.add(annotation, task in unread)
        for task in unread - event["annotations"].keys():
            if task in self._latest:  # an annotation that was left out names no model
                self._recorder(task).add(None, True)

    def references(self) -> dict[str, Reference]:
        """Return the reference of each task."""
        made = {task: self._recorder(task).reference() for task in sorted(self._models)}
        return {task: reference for task, reference in made.items() if reference is not None}

    def earlier(self, task: str) -> int:
        """Return how many events do not count because another model than the latest has annotated them."""
        latest = self._recorder(task)
        return sum(recorder.events for recorder in self._models[task].values() if recorder is not latest)

    def _recorder(self, task: str) -> Recorder:
        return self._models[task][self._latest[task][1]]


def _event(value: bytes | None) -> dict[str, Any] | None:
    try:
        event = orjson.loads(value or b"null")
        EnrichedEvent.model_validate(event, extra="ignore")  # a newer version may add fields
    except (orjson.JSONDecodeError, ValidationError):
        return None
    return event  # type: ignore[no-any-return]  # a model of an object fits


@click.command("drift-reference", epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@start_option("7d", "Where to begin; TIME is how long ago, such as 12h or 7d.")
@click.option(
    "--max-events", type=click.IntRange(1, 1_000_000), default=100_000, show_default=True, metavar="N",
    help="Read at most N events.",
)  # fmt: skip
@patience_option(10.0)
@click.pass_context
def drift_reference(ctx: click.Context, *, pipeline: Path, start: Start, max_events: int, patience: float) -> None:
    """Write how a pipeline annotates now to standard output, to compare later annotations with."""
    require_stdout()
    from rich.console import Console

    config = load_file(pipeline, check=run_mistakes).pipeline
    collected = References(custom([task.model_dump() for task in config.tasks]))
    with closing(Reader(config.kafka, f"{config.pipeline}.tap")) as reader:
        reader.open(config.output.topics, start, patience)
        with Console(stderr=True).status("reading") as status:
            while not reader.done and collected.events < max_events:
                for record in reader.poll(_PAUSE):
                    if collected.events < max_events:
                        collected.add(record.value)
                status.update(f"reading: {collected.events:,} events")
    if collected.others:
        click.echo(f"glossator: {collected.others:,} records are not enriched events", err=True)
    references = collected.references()
    if not references:
        click.echo("glossator: there are no events with labels or spans to learn from; --from begins earlier", err=True)
        ctx.exit(1)
    known = {task.name for task in config.tasks}
    for task, reference in references.items():
        note = "" if task in known else "; the pipeline file has no such task"
        if earlier := collected.earlier(task):
            note = f"; {earlier:,} of an earlier model do not count{note}"
        click.echo(f"glossator: {task}: {reference.events:,} events{note}", err=True)
    click.echo(write_references(references), nl=False)
