"""``glossator try``: enriches texts without Kafka."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
import orjson

from schemas.document import Document, Failure
from schemas.errors import (
    ConfigError,
    DecodeError,
    DeviceError,
    EncodeError,
    ModelError,
    OutputError,
    RedactError,
    RouteError,
)
from schemas.pipeline.config import Input, Pipeline
from schemas.record import Assignment, Record
from stream.codecs.base import Codec
from stream.codecs.formats import event_codec
from stream.codecs.text import TextCodec
from stream.output.event_builder import EventBuilder
from stream.output.letter_log import described
from stream.output.routes import Router, View, router, view_of
from workers.cli.lines import Line, lines
from workers.cli.loading import loading
from workers.cli.output import require_stdout
from workers.cli.statuses import EX_DATAERR, exit_statuses
from workers.process.environment import prepare_process

if TYPE_CHECKING:
    from rich.console import Console

    from workers.chain.chain import Chain

EPILOG = """\b
Example:
  glossator try "Angela Merkel loves the wonderful coffee in Paris."
  glossator try --pipeline examples/starter.yaml --pretty < reviews.txt
  tail -f chat.log | glossator try | jq -c '[.text, .annotations.tone.label]'

\b
If a task reads other fields of the event (a question, a second text), or if input.text
names several texts, each TEXT must be an event in JSON. With --events it is one for any
pipeline: a request of the Perspective API, say, which output.shape answers.

\b
Prints one line of JSON per text, in order, as soon as standard input pauses. In
place of a text that cannot be processed it prints {"error": {...}} with its number
(from 1), stage, class, message and task.

""" + exit_statuses(
    {0: "every text has its event", EX_DATAERR: "some texts have errors"},
    ConfigError,
    DeviceError,
    ModelError,
    OutputError,
)


@click.command("try", epilog=EPILOG)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--pipeline",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The pipeline file, whose Kafka settings are not used. Default: the starter models.",
)
@click.option(
    "--route",
    metavar="NAME",
    help="Print events as this route publishes them, in its shape for example, even those that it does not take. "
    "Default: as the output topic gets them.",
)
@click.option("--events", is_flag=True, help="Read each TEXT as an event in JSON, even if the tasks need only a text.")
@click.option("--pretty", is_flag=True, help="Print for people: spans marked in the text, annotations in words.")
@click.pass_context
def try_(
    ctx: click.Context, *, texts: tuple[str, ...], file: Path | None, route: str | None, events: bool, pretty: bool
) -> None:
    """Enrich each TEXT, or the lines of standard input, and print the events."""
    require_stdout()
    if not texts and sys.stdin is None:  # closed, as with <&-
        raise click.UsageError("no TEXT, and standard input is closed")
    prepare_process()
    with loading() as progress:
        from schemas.pipeline.loader import load
        from workers.cli.default_pipeline import installed, starter_pipeline

        pipeline = load(file) if file else starter_pipeline(more=installed())
        view = _view(pipeline, route, pretty)
        if events and pipeline.input.format == "text":
            raise click.UsageError("--events cannot be used with input.format: text, where the whole value is the text")

        from workers.chain.chain import Chain

        chain = Chain.load(pipeline, on_progress=progress)
    if texts:
        # Python decodes an argument that is not UTF-8 to surrogates; the decoder must see the original bytes.
        encoded = [os.fsencode(text) for text in texts]
        batches: Iterable[list[Line]] = [[Line(text, len(text)) for text in encoded]]
    else:
        stdin = sys.stdin.buffer
        if stdin.isatty():
            click.echo("Reading texts from the terminal, one per line; end with Ctrl-D.", err=True)
        batches = lines(stdin, pipeline.input.max_bytes)
    printer = _Printer(pretty, pipeline.shadows)
    good = True
    for results in enriched(pipeline, chain, batches, view, events=events, shadows=pretty):
        printer.print([line for line, _ in results])
        good &= all(is_event for _, is_event in results)
    if not good:
        if not events and _reads_events(pipeline, chain):
            click.echo("glossator: this pipeline reads fields, so each TEXT must be an event, as JSON", err=True)
        ctx.exit(EX_DATAERR)


def _view(pipeline: Pipeline, route: str | None, pretty: bool) -> View:
    """Return what is to be printed of each event. Raises click.UsageError if there is no such route."""
    routes = router(pipeline.output)
    views = {} if routes is None else routes.views
    if route is not None and route not in views:
        names = f"it has {', '.join(views)}" if views else "the pipeline has none"
        raise click.UsageError(f'there is no route "{route}" with a topic; {names}')
    view = view_of(pipeline.output) if route is None else views[route]
    # People read events, whatever programs read.
    return replace(view, shape=None) if pretty else view


def _reads_events(pipeline: Pipeline, chain: Chain) -> bool:
    """Whether each TEXT must be an event: for several texts, and for tasks, conditions and keys that read fields."""
    return _reads_fields(pipeline, chain) or pipeline.input.several


def _reads_fields(pipeline: Pipeline, chain: Chain) -> bool:
    routes = router(pipeline.output)
    return chain.reads_fields or (routes is not None and routes.reads_fields)


def enriched(
    pipeline: Pipeline,
    chain: Chain,
    batches: Iterable[list[Line]],
    view: View | None = None,
    *,
    events: bool = False,
    shadows: bool = False,
) -> Iterator[list[tuple[bytes, bool]]]:
    """Yield, for each batch, one pair per line: its event as JSON and True, or an error as JSON and False.

    Args:
        pipeline: the pipeline.
        chain: its tasks, loaded.
        batches: the lines.
        view: how much of the event, and its shape; default: what ``output`` says.
        events: each line is an event, even if only its text is needed.
        shadows: annotations of shadows are in the events, where no consumer gets them.
    """
    builder, routes = EventBuilder(pipeline, chain.models), router(pipeline.output)
    if builder.redactor is not None:
        chain.identify(builder.config)
    keep_fields = _reads_fields(pipeline, chain)
    reads_json = pipeline.input.format != "text" and (events or _reads_events(pipeline, chain))
    decoder = event_codec(pipeline.input, keep_fields) if reads_json else TextCodec(pipeline.input)
    numbers = count(1)
    for batch in batches:
        documents = [_document(line, decoder, pipeline.input) for line in batch]
        for document in documents:
            document.number = next(numbers)
        chain.run(documents)
        shown = pipeline.shadows if shadows else {}
        yield [_encode(document, builder, routes, view, shown) for document in documents]


def _document(line: Line, decoder: Codec, config: Input) -> Document:
    if line.size > config.max_bytes:
        document = Document(None)
        error = DecodeError(f"the text has {line.size} bytes, input.max_bytes is {config.max_bytes}")
        document.failure = Failure.of(error, "decode")
        return document
    document = decoder.decode(Record(Assignment("", 0), 0, None, line.data))
    document.record = None
    return document


def _encode(
    document: Document,
    builder: EventBuilder,
    routes: Router | None,
    view: View | None = None,
    shadows: Mapping[str, str] = MappingProxyType({}),
) -> tuple[bytes, bool]:
    """Return the line to print for a document, and whether it is an event.

    An event that routes take is printed as ``view``, by default ``output``, describes it, with the names of these
    routes. ``shadows``: those whose annotations are shown, with their tasks.
    """
    if document.failure is None:
        made = document.shadows or {}
        for name, shadowed in made.items():
            if shadowed.failure is not None:
                click.echo(f"glossator: the shadow {name} fails: {described(shadowed.failure)}", err=True)
        shown = {name: task for name, task in shadows.items() if name in made} or None
        try:
            if routes is None:
                return builder.build(document, view, disagreeing=shown), True
            decision = routes.decide(document)
            for target in decision.targets:
                target.key_of(document, None)
            return builder.build(document, view, decision.routed, disagreeing=shown), True
        except (EncodeError, RedactError, RouteError) as error:
            document.failure = Failure.of(error, "encode", getattr(error, "route", None))
    failure = document.failure
    return orjson.dumps({"error": {
        "number": document.number, "stage": failure.stage, "class": failure.error, "message": failure.message,
        "task": failure.task,
    }}), False  # fmt: skip


class _Printer:
    """Writes to standard output, one batch at a time."""

    def __init__(self, pretty: bool, shadows: Mapping[str, str]) -> None:
        self._shadows = shadows
        self._console: Console | None = None
        if pretty:
            from rich.console import Console

            self._console = Console(soft_wrap=True, highlight=False)

    def print(self, lines: list[bytes]) -> None:
        if self._console is None:
            stdout = sys.stdout.buffer
            stdout.write(b"".join(line + b"\n" for line in lines))
            stdout.flush()
            return
        from rich.text import Text

        from workers.cli.views.events import block

        for line in lines:
            event = orjson.loads(line)
            if "error" in event:
                error = event["error"]
                self._console.print(Text(f"text {error['number']}: {error['message']} ({error['class']})", "bold red"))
            else:
                self._console.print(block(event, self._shadows))
