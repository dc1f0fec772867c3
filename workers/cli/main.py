"""``glossator``: finds the verb, and turns whatever it raises into a line and an exit status."""

from __future__ import annotations

import contextlib
import difflib
import errno
import importlib
import sys
from typing import Any

import click

from schemas.errors import OutputError, every_error
from stream.telemetry.build import version
from workers.cli.ending import report
from workers.cli.output import checked_stdout
from workers.cli.statuses import EX_DATAERR, exit_statuses

_VERBS = {
    "run": ("workers.cli.run", "run", "Read events from Kafka, enrich them and publish them, until stopped."),
    "lint": ("workers.cli.lint", "lint", "Check a pipeline file and show what it would do."),
    "try": ("workers.cli.try_", "try_", "Enrich texts from the command line or standard input, without Kafka."),
    "test": ("workers.cli.test_", "test", "Run the test cases of a pipeline file, without Kafka."),
    "schema": ("workers.cli.schema", "schema", "Print the schema of the events that a pipeline publishes."),
    "tap": ("workers.cli.tap", "tap", "Follow what a pipeline publishes, without joining its group."),
    "replay": ("workers.cli.replay", "replay", "Send dead letters back to where their events came from."),
    "reveal": ("workers.cli.reveal", "reveal", "Decrypt redacted values, or encrypted dead letters."),
    "probe": ("workers.cli.probe", "probe", "Ask a worker whether it is alive, for health checks."),
    "train": ("workers.cli.train", "train", "Train your own head on labelled texts."),
    "drift-reference": (
        "workers.cli.drift_reference",
        "drift_reference",
        "Write how annotations are distributed now, to notice drift later.",
    ),
    "promote": ("workers.cli.promote", "promote", "Let a task take over the settings of its shadow."),
    "calibrate": ("workers.cli.calibrate", "calibrate", "Find thresholds that flag as those of another system do."),
    "demo": ("workers.cli.demo.demo", "demo", "Play a stream through an embedded broker and show it live."),
}
"""Verb -> (module, command, summary). Modules are imported when the verb is called: --help must not load torch."""

EPILOG = """\b
Example:
  glossator lint examples/starter.yaml
  glossator try --pipeline examples/starter.yaml "Angela Merkel loves the wonderful coffee in Paris."
  glossator run examples/starter.yaml

""" + exit_statuses(
    {
        0: "a clean end",
        1: "the demo lost or repeated events; a case has failed (test); the worker is not well (probe);\n"
        "      an attribute has no threshold (calibrate); the reader of the output has closed it (tap | head)",
        EX_DATAERR: "some texts have errors (try)",
        130: "interrupted (143: terminated) before a graceful end",
    },
    *every_error(),
)


class Verbs(click.Group):
    """Imports a verb when it is called, and handles every failure in the same way, as ``ending`` describes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's command; None for an unknown verb."""
        if cmd_name not in _VERBS:
            return None
        module, command, _ = _VERBS[cmd_name]
        verb: click.Command = getattr(importlib.import_module(module), command)
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the command line names, and guess the one that a misspelt one means."""
        if args and not args[0].startswith("-") and args[0] not in _VERBS:
            close = difflib.get_close_matches(args[0].lower(), _VERBS, n=1)
            hint = f', did you mean "{close[0]}"?' if close else f", only {', '.join(_VERBS)}"
            ctx.fail(f'there is no verb "{args[0]}"{hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, summary) for verb, (_, _, summary) in _VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; on an exception print a line and exit with its status."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, OutputError):
            raise
        except KeyboardInterrupt:
            ctx.exit(130)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                # The reader of our output has closed it; click exits without a message.
                raise
            ctx.exit(report(ctx, error))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; if an output cannot be written, also that of --help, print a line and exit with 74."""
        try:
            with checked_stdout():
                return super().main(*args, **extra)
        except OutputError as error:
            with contextlib.suppress(OSError):
                click.echo(f"glossator: {error}", err=True)
            sys.exit(error.exit_status)


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"glossator {version()} on Python {sys.version.split()[0]}")
        ctx.exit()


@click.group(
    cls=Verbs,
    epilog=EPILOG,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="GLOSSATOR_DEBUG",
    show_envvar=True,
    help="Show the traceback of an error. It may quote texts.",
)
def cli(debug: bool) -> None:
    """Streaming NLP for Kafka: text events in, events enriched by encoder models out.

    A pipeline file names the topics to read, the models to run, and where the enriched events go.
    """


if __name__ == "__main__":
    cli(prog_name="glossator")
