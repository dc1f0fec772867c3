"""The last line of a process that an exception ends, and its exit status: the same for every verb and every way out."""

from __future__ import annotations

import contextlib
import logging
import traceback

import click

from schemas.errors import ConfigError, GlossatorError, LabelsError

_FORMAT = "glossator.log_format"


def use_format(ctx: click.Context, form: str) -> None:
    """Set the format of the last line: "json" if it must be an object like the lines of the log."""
    ctx.meta[_FORMAT] = form


def report(ctx: click.Context, error: Exception) -> int:
    """Write what ``error`` means to standard error, in the format that the verb has set, and return the exit status.

    Our own errors are one line, mistakes in a file one line each, as JSON always one line. Any other exception is a
    fault: its message may quote the text of an event, so only its class and location are written, and the traceback
    only with ``--debug``.
    """
    trace = "".join(traceback.format_exception(error)) if ctx.find_root().params.get("debug") else ""
    with contextlib.suppress(OSError):  # if the disk is full, there is still the status
        if ctx.meta.get(_FORMAT) == "json":
            # JsonLines writes only the name of the class.
            logging.getLogger("glossator").critical(
                "%s%s", f"{trace}\n" if trace else "", _message(error), exc_info=(type(error), error, None)
            )
        else:
            click.echo(trace + _line(error), err=True)
    return error.exit_status if isinstance(error, GlossatorError) else GlossatorError.exit_status


def _line(error: Exception) -> str:
    # Mistakes are in the format of compilers, so that editors can jump to the location.
    return str(error) if isinstance(error, ConfigError | LabelsError) else f"glossator: {_message(error)}"


def _message(error: Exception) -> str:
    if isinstance(error, GlossatorError):
        return str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    location = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return (f"unexpected {type(error).__qualname__}{location}; this is a bug in glossator. "
            "For the traceback, which may quote texts: glossator --debug ...")  # fmt: skip
