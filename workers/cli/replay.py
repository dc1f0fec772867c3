"""``glossator replay``: sends dead letters back to where they came from."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import click
import orjson

from schemas.errors import AccessError, BrokerError, ConfigError, FencedError, OffsetError, OutputError, SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load_file
from schemas.pipeline.redaction import EncryptionKey
from stream.kafka.checking import run_mistakes
from stream.kafka.groups import groups_named
from stream.kafka.settings import Settings
from stream.output.redaction.keys import Key
from stream.output.replay import Choice, Replay, Selection, group_prefix
from workers.cli.filters import Filter, filter_option
from workers.cli.keys import decryption_keys, key_option
from workers.cli.output import writing
from workers.cli.parameters import FiniteRange, TopicType, patience_option
from workers.cli.statuses import exit_statuses
from workers.cli.views.events import readable
from workers.cli.views.letters import record_fields

EPILOG = """\b
Example:
  glossator replay pipeline.yaml
  glossator replay pipeline.yaml --where 'letter.stage == "forward"'
  glossator replay pipeline.yaml --where 'letter.stage == "forward"' --run
  glossator replay pipeline.yaml --where 'letter.age < 3600' --output letters.jsonl

\b
Without --run and --output it only shows what would be sent. With --run, records go
back to their input topic (or to --to) with key, value, headers and timestamp of the
original, without our headers about the failure, and with a header that counts the
attempts. Sending and remembering what was sent is one transaction: the same command
continues where it was interrupted, tries again what could not be sent, and sends no
letter twice. Another condition or another topic is another command, which begins with
the first letter.

\b
A condition can use letter (topic, partition, offset, stage, task, error, message,
attempts, pipeline, config, age in seconds), key and headers.

""" + exit_statuses(
    {0: "all chosen letters are sent, or shown", 1: "some chosen letters cannot be sent"},
    AccessError, BrokerError, ConfigError, FencedError, OffsetError, OutputError, SettingError,
)  # fmt: skip


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@filter_option("letter", "key", "headers")
@click.option("--run", "really", is_flag=True, help="Send the letters; without it they are only counted.")
@click.option(
    "--to",
    type=TopicType(),
    metavar="TOPIC",
    help="Send to this topic instead of the one where each event came from.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="Write the letters to a file as JSON lines (-: standard output) instead of sending them.",
)
@key_option
@click.option("--again", is_flag=True, help="Begin with the first letter, even if this command has sent it before.")
@click.option(
    "--rate",
    type=FiniteRange(0.01, 1_000_000),
    metavar="N",
    help="Send at most N records a second. Default: no limit.",
)
@click.option(
    "--max-attempts",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    metavar="N",
    help="Skip letters that have been sent again N times already.",
)
@patience_option(10.0)
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    pipeline: Path,
    where: Filter,
    really: bool,
    to: str | None,
    output: str | None,
    key: list[EncryptionKey],
    again: bool,
    rate: float | None,
    max_attempts: int,
    patience: float,
) -> None:
    """Send the dead letters of a pipeline again."""
    if output and (really or to):
        raise click.UsageError("--output writes to a file; it cannot be used with --run or --to")
    config = load_file(pipeline, check=run_mistakes).pipeline
    if to == config.output.dead_letter_topic:
        raise click.UsageError(f"{to} is the dead-letter topic itself")
    selection = Selection(lambda letter: where.passes(letter.variable), where.source, to, max_attempts)
    job = Replay(config, selection, patience, really, _keys(key, config))
    report = _Report()
    with closing(job):
        job.open(again or bool(output))
        if not output:
            _warn_of_others(config.kafka, config.pipeline, job.group)
        if really:
            with _progress() as show:
                job.send(rate, lambda choice: show(report.add(choice)))
        else:
            choices = map(report.add, job.choices())
            if output:
                _export(choices, output)
            else:
                for _ in choices:
                    pass
    report.print("sent" if really else "written" if output else "would be sent", where)
    if job.forgotten:
        click.echo(f"{job.forgotten} of them are too many to remember: choose them with letter.offset", err=True)
    if report.obstacles:
        ctx.exit(1)


def _keys(places: list[EncryptionKey], pipeline: Pipeline) -> dict[str, Key]:
    """Return the keys of ``--key``, and those of the pipeline file that can be read.

    Without any, encrypted letters stay. Raises SettingError if one of ``--key`` cannot be read.
    """
    try:
        return decryption_keys(places, pipeline)
    except SettingError:
        if places:
            raise
        return {}


def _warn_of_others(settings: Settings, pipeline: str, group: str) -> None:
    """Say on standard error that other selections have been sent before: this one does not know their letters."""
    if others := sorted(set(groups_named(settings, group_prefix(pipeline))) - {group}):
        click.echo(
            f"glossator: other selections of this pipeline have been sent before ({len(others)}); letters that they "
            "share with this one are sent again",
            err=True,
        )


class _Report:
    """Counts chosen letters by why they failed and what is in the way of sending them."""

    def __init__(self) -> None:
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        self.obstacles: Counter[str] = Counter()

    def add(self, choice: Choice) -> Choice:
        if choice.outbound is None:
            self.obstacles[choice.obstacle] += 1
        else:
            self.reasons[choice.letter.stage, choice.letter.task, choice.letter.error] += 1
        return choice

    def print(self, outcome: str, where: Filter) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        table = Table("letters", "stage", "task", "error", box=None, header_style="dim")
        for reason, letters in self.reasons.most_common():
            table.add_row(str(letters), *(Text(readable(word or "-")) for word in reason))
        if self.reasons:
            console.print(table)
        total = self.reasons.total()
        console.print(f"{total} {'letter' if total == 1 else 'letters'} {outcome}")
        for obstacle, letters in self.obstacles.most_common():
            console.print(f"{letters} stay: {obstacle}", markup=False)
        if where.rejected:
            console.print(f"{where.rejected} not chosen: the condition is false for them")
        if where.failures:
            console.print(f"{where.failures} not chosen: the condition cannot be evaluated for them")


@contextmanager
def _progress() -> Iterator[Callable[[object], None]]:
    """Count on standard error during a ``with`` block; nothing if it is not a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    numbers = count(1)
    with Console(stderr=True).status("sending") as status:
        yield lambda _: status.update(f"sending: {next(numbers)} letters")


def _export(choices: Iterable[Choice], output: str) -> None:
    """Write the letters as JSON lines to the file ``output``, or to standard output if it is "-".

    Raises OutputError if the file cannot be written.
    """
    with writing(output), click.open_file(output, "wb") as file:
        for choice in choices:
            if choice.outbound is not None:
                file.write(_line(choice) + b"\n")


def _line(choice: Choice) -> bytes:
    """Return one letter as JSON: the record that would be sent, and why its event failed."""
    outbound = choice.outbound
    assert outbound is not None
    return orjson.dumps({
        "topic": outbound.topic,
        **record_fields(outbound.key, outbound.value, outbound.headers, outbound.timestamp_ms),
        "letter": choice.letter.variables(),
    })  # fmt: skip
