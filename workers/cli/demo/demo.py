"""``glossator demo``: a stream from a topic through the models to a topic, on one screen."""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
import orjson

from schemas.errors import AccessError, BrokerError, ModelError, OutputError
from schemas.pipeline.config import Batching, Input, Pipeline
from schemas.record import Record
from stream.kafka.source import Source
from stream.output.deadletter import PREFIX
from workers.cli.default_pipeline import installed, starter_pipeline
from workers.cli.demo.stream import Book, Feeder, recorded
from workers.cli.output import writing
from workers.cli.parameters import FiniteRange
from workers.cli.statuses import exit_statuses
from workers.process.environment import prepare_process
from workers.process.signals import GracefulStop

if TYPE_CHECKING:
    from workers.cli.demo.view import Screen
    from workers.worker import Worker

EPILOG = """\b
Example:
  glossator demo
  glossator demo --rate 30
  glossator demo --events 5000 --rate 0
  glossator demo --bootstrap localhost:9092 --plain

\b
The stream is part of the package: texts written for it, some of them long,
repeated or malformed. Without --bootstrap it runs through an embedded broker
(librdkafka's mock cluster), which is fine for a demo but guarantees nothing. With
--bootstrap it uses the topics glossator-demo.posts, .posts.enriched and
.posts.dead, which must exist unless the cluster creates topics automatically.

\b
On a terminal the stream is repeated until Ctrl-C, which ends it and waits for what
is in flight. A second Ctrl-C exits.

""" + exit_statuses(
    {0: "in = enriched + dead letters", 1: "in is not enriched + dead letters"},
    AccessError, BrokerError, ModelError, OutputError,
)  # fmt: skip

_MORE: tuple[dict[str, Any], ...] = (
    {
        "name": "subject",
        "task": "zero-shot",
        "model": "starter",
        "labels": ["food", "travel", "work", "technology", "sport"],
        "template": "This text is about {}.",
        # Each label needs a forward, which takes too long for the longest texts.
        "when": "size(text) < 400",
    },
    {
        "name": "about",
        "task": "aspect-sentiment",
        "model": "starter",
        "aspects": {"spans": "entities"},
        "when": 'event.kind == "review"',
    },
    {"name": "again", "task": "similarity", "model": "starter", "window": 1000, "threshold": 0.95},
    {"name": "grammar", "task": "pos", "model": "starter"},
)
"""Tasks in addition to those of ``glossator try``."""
_NAME = "glossator-demo"
_PATIENCE = 15.0
"""Seconds to wait for the broker and its topics."""
_SILENCE = 60.0
"""Seconds without an event coming back after which the demo gives up on the rest."""
_REFRESH = 0.12
"""Seconds between two drawings of the view."""


def writable(file: Path | None) -> Path | None:
    """Return ``file``, unchanged. Raises click.BadParameter if it could not be written at the end of the run."""
    if file is None or (file.exists() and not file.is_file()):  # a device or a pipe: opening it could have an effect
        return file
    existed = file.exists()
    try:
        file.open("ab").close()
        if not existed:
            file.unlink()
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}") from None
    return file


@click.command(epilog=EPILOG)
@click.option("--bootstrap", metavar="HOST:PORT", help="A broker to use instead of the embedded one.")
@click.option(
    "--events",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many events. Default: on a terminal until Ctrl-C, otherwise the stream once.",
)
@click.option(
    "--rate",
    type=FiniteRange(min=0),
    default=5.0,
    show_default=True,
    metavar="N",
    help="Events per second. 0: as fast as they are processed.",
)
@click.option("--plain", is_flag=True, help="Print lines instead of the live view, as without a terminal.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    callback=lambda _context, _option, file: writable(file),
    help="Save the final view as a picture.",
)
@click.pass_context
def demo(
    ctx: click.Context, *, bootstrap: str | None, events: int | None, rate: float, plain: bool, svg: Path | None
) -> None:
    """Play a stream through an embedded broker and the starter models, and show it live."""
    signals = GracefulStop()
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    prepare_process()

    from rich.console import Console

    from stream.kafka.broker import EmbeddedBroker
    from workers.cli.demo.view import HEIGHT, Lines, Live, View, save_svg
    from workers.service import Service

    console = Console(highlight=False)
    live = console.is_terminal and not plain
    total = events or (None if live else len(recorded()))
    with ExitStack() as stack:
        servers = bootstrap or stack.enter_context(EmbeddedBroker()).bootstrap_servers
        pipeline = demo_pipeline(servers)
        book = Book()
        feeder = Feeder(pipeline, book, total, rate)
        feeder.await_topics(_PATIENCE)
        console.print("loading the models ...", style="dim")
        service = Service(pipeline, patience=_PATIENCE)
        service.await_models()
        worker = service.worker
        signals.stop = feeder.stop
        view = View(book, worker.stats, total, rows=max(8, min(console.height - HEIGHT, 24)))
        source = stack.enter_context(closing(reader(pipeline, book.run)))
        working = stack.enter_context(Working(worker))
        screen: Screen = Live(view, console) if live else Lines(view)
        stack.enter_context(screen)
        stack.callback(feeder.stop)
        await_partitions(working, feeder)
        feeder.start()
        watch(source, book, feeder, working, screen)
        view.finish()
    for failure in (feeder.failure, working.failure):
        if failure is not None:
            raise failure
    click.echo(summary(book, view.seconds, worker))
    if svg:
        with writing(svg):
            save_svg(view, svg)
    if book.missing:
        ctx.exit(1)


def demo_pipeline(servers: str) -> Pipeline:
    """Return a pipeline with many tasks, and with micro-batches small enough to watch them fill up."""
    pipeline = starter_pipeline(servers, _NAME, f"{_NAME}.posts", [*_MORE, *installed()])
    # A delete is shown as a dead letter; passed on to the output topic it would be invisible.
    shown = pipeline.input.model_copy(update={"tombstones": "dead_letter"})
    return pipeline.model_copy(update={"batching": Batching(max_tokens=1024, linger_ms=250), "input": shown})


def reader(pipeline: Pipeline, run: str) -> Source:
    """Return a source of what ``pipeline`` writes, in a consumer group for this run alone."""
    topics = [pipeline.output.topic, pipeline.output.dead_letter_topic]
    outputs = pipeline.model_copy(update={"pipeline": f"{_NAME}-view-{run}", "input": Input(topics=topics)})
    return Source(outputs, on_revoke=lambda _: None, on_lost=lambda _: None)


def await_partitions(working: Working, feeder: Feeder) -> None:
    """Wait until the worker has partitions, so that the stream does not begin with a backlog; not for ever."""
    until = time.monotonic() + _PATIENCE
    while not working.worker.stats.partitions and working.is_alive() and time.monotonic() < until:
        if feeder.stopping:
            return
        time.sleep(_REFRESH / 4)


def watch(source: Source, book: Book, feeder: Feeder, working: Working, screen: Screen) -> None:
    """Record in ``book`` and show what comes back, until everything has, or nothing has for a while."""
    latest = time.monotonic()
    while (feeder.is_alive() or book.missing) and working.is_alive() and feeder.failure is None:
        for record in source.poll(_REFRESH):
            failed = reason(record)
            if not book.saw(record, failed is not None):
                continue
            latest = time.monotonic()
            if failed is not None:
                screen.dead(failed)
            else:
                screen.enriched(orjson.loads(record.value or b""))
        screen.refresh()
        if not feeder.is_alive() and time.monotonic() - latest > _SILENCE:
            return


def reason(record: Record) -> str | None:
    """Return the reason in the headers of a dead letter; None for an enriched event."""
    message = dict(record.headers or []).get(f"{PREFIX}exception.message")
    return message.decode() if isinstance(message, bytes) else None


def summary(book: Book, seconds: float, worker: Worker) -> str:
    """Return the balance of the run, in two lines."""
    enriched, dead, stats = len(book.enriched), len(book.dead), worker.stats
    verdict = "balanced" if not book.missing else f"NOT balanced, {book.missing} are missing"
    rate = f" ({(enriched + dead) / seconds:,.1f} events/s)" if seconds else ""
    again = f"; {book.repeated} came twice, which at-least-once allows" if book.repeated else ""
    return (
        f"in {book.sent:,} = enriched {enriched:,} + dead letters {dead:,}: {verdict}{again}\n"
        f"{seconds:,.1f} s{rate}, {stats.micro_batches:,} micro-batches, {stats.tokens:,} tokens"
    )


class Working(threading.Thread):
    """Runs ``worker`` on its own thread during a ``with`` block. ``failure`` is the exception that ended it early."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="worker", daemon=True)
        self.failure: BaseException | None = None
        self.worker = worker

    def run(self) -> None:
        """Run the worker; called by the thread itself."""
        try:
            self.worker.run()
        except BaseException as error:
            self.failure = error

    def __enter__(self) -> Working:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.worker.stop()
        self.join()
