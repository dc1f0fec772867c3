"""``glossator tap``: follows what a pipeline publishes, without joining its group."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from schemas.conditions import VARIABLES
from schemas.errors import AccessError, BrokerError, ConfigError, OffsetError, OutputError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load_file
from schemas.record import Record
from stream.kafka.checking import run_mistakes
from stream.kafka.reader import Reader, Start
from stream.output.formats.encoders import decoder
from workers.cli.filters import Filter
from workers.cli.output import require_stdout
from workers.cli.parameters import patience_option
from workers.cli.starts import start_option
from workers.cli.statuses import exit_statuses
from workers.cli.views.answers import VARIABLES as ANSWER_VARIABLES
from workers.cli.views.answers import AnswerFeed
from workers.cli.views.feeds import EventFeed, Feed, LetterFeed

EPILOG = """\b
Example:
  glossator tap pipeline.yaml
  glossator tap pipeline.yaml --where 'safety.flagged' --count 20
  glossator tap pipeline.yaml --dead-letters --from 1h
  glossator tap pipeline.yaml --disagreements --from 1d --no-follow
  glossator tap pipeline.yaml --from start --no-follow --format displacy > page.html

\b
Personal data that the pipeline has found is shown by its label, and the input event,
keys and headers are left out, unless --original is given. A condition can use what the
conditions of the pipeline file can use: text, key, topic, headers, event and the names
of tasks; with --dead-letters: letter, key and headers, as in glossator replay. In a
topic with a shape: answer, key and headers.

""" + exit_statuses(
    {0: "ended as asked, also by Ctrl-C", 1: "the reader of the output has closed it (| head)"},
    AccessError,
    BrokerError,
    ConfigError,
    OffsetError,
    OutputError,
)

_PAUSE = 0.5
"""Seconds to wait for records before looking whether there are any left."""
_FORMATS = ("pretty", "json", "displacy", "label-studio", "csv")


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--route", metavar="NAME", help="Follow a route instead of the output topic.")
@click.option("--dead-letters", is_flag=True, help="Follow the dead letters instead of the output topic.")
@click.option("--disagreements", is_flag=True, help="Follow the events about which tasks and their shadows disagree.")
@start_option("end", "Where to begin; TIME is how long ago, such as 15m or 2h.")
@click.option("--where", default="", metavar="CEL", help="Only records for which this condition is true.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N records.")
@click.option("--no-follow", is_flag=True, help="End after what is there now.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="pretty: for people, the default on a terminal. json: one line per record, the default elsewhere. displacy: "
    "an HTML page. label-studio: tasks with predictions. csv: a row per event.",
)
@click.option("--original", is_flag=True, help="Show personal data, input events, keys and headers.")
@patience_option(10.0)
def tap(
    *,
    pipeline: Path,
    route: str | None,
    dead_letters: bool,
    disagreements: bool,
    start: Start,
    where: str,
    count: int | None,
    no_follow: bool,
    form: str | None,
    original: bool,
    patience: float,
) -> None:
    """Follow what a pipeline publishes."""
    require_stdout()
    config = load_file(pipeline, check=run_mistakes).pipeline
    topic = _topic(config, route, dead_letters, disagreements)
    form = form or ("pretty" if sys.stdout.isatty() else "json")
    feed: Feed
    known: tuple[str, ...]
    if dead_letters:
        feed, known = LetterFeed(form, original), ("letter", "key", "headers")
    else:
        feed, known = _feed(config, route, disagreements, form, original)
    kinds = {task.name: task.task for task in config.tasks} if isinstance(feed, EventFeed) else None
    chosen = Filter(where, known, kinds)
    reader = Reader(config.kafka, f"{config.pipeline}.tap")
    with closing(reader):
        reader.open([topic], start, patience)
        try:
            feed.begin()
            for record in _records(reader, no_follow):
                if feed.record(record, chosen) and count is not None and feed.shown >= count:
                    break
        except KeyboardInterrupt:  # the usual end
            pass
        feed.end()
    for complaint in feed.complaints(chosen.failures):
        click.echo(f"glossator: {complaint}", err=True)


def _feed(
    config: Pipeline, route: str | None, disagreements: bool, form: str, original: bool
) -> tuple[Feed, tuple[str, ...]]:
    """Return what writes the records, and the variables of conditions about them. Raises click.UsageError."""
    decode = None if disagreements else decoder(config, route)
    followed = next((entry for entry in config.output.routes or () if entry.label == route), None)
    shape = None if disagreements else config.output.shape_of(followed)
    if shape is not None:
        return AnswerFeed(shape.name, form, original, decode), ANSWER_VARIABLES
    names = [task.name for task in config.tasks if disagreements or task.shadow is None]
    return EventFeed(config, form, original, decode, disagreements), (*sorted(VARIABLES), *names)


def _topic(config: Pipeline, route: str | None, dead_letters: bool, disagreements: bool) -> str:
    """Return the topic to follow. Raises click.UsageError if there is no such topic."""
    wanted = {"--route": bool(route), "--dead-letters": dead_letters, "--disagreements": disagreements}
    if sum(wanted.values()) > 1:
        options = " and ".join(option for option, given in wanted.items() if given)
        raise click.UsageError(f"{options} are different topics; follow one of them")
    if disagreements:
        if config.output.disagreements is None:
            raise click.UsageError("the pipeline has no topic for disagreements, output.disagreements")
        return config.output.disagreements
    if dead_letters:
        return config.output.dead_letter_topic
    if route is None:
        return config.output.topic
    topics: dict[str, str] = {entry.label: entry.topic for entry in config.output.routes or () if entry.topic}
    if route not in topics:
        names = f"it has {', '.join(topics)}" if topics else "the pipeline has none"
        raise click.UsageError(f'there is no route "{route}" with a topic; {names}')
    return topics[route]


def _records(reader: Reader, no_follow: bool) -> Iterator[Record]:
    while True:
        records = reader.poll(_PAUSE)
        yield from records
        if no_follow and not records and reader.done:
            return
