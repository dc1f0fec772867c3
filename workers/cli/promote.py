"""``glossator promote``: lets a task take over the settings of its shadow, in the pipeline file."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from schemas.errors import ConfigError, OutputError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import parse_file, read_text
from schemas.pipeline.promotion import KEPT, promoted
from schemas.pipeline.wording import did_you_mean
from stream.kafka.checking import client_mistakes
from workers.cli.lint import condition_problems
from workers.cli.output import require_stdout
from workers.cli.statuses import exit_statuses

EPILOG = """\b
Example:
  glossator promote --dry-run pipeline.yaml safety_next
  glossator promote pipeline.yaml safety_next

\b
The task that is shadowed gets all settings of its shadow: the model, its revision,
thresholds and so on, but not its name and its condition. It loses settings that the
shadow does not have; a message names them. The shadow is removed.
Comments and layout stay. The file is checked before it is replaced, in one step.

\b
A worker that was started with --watch takes the file over by itself, others on
SIGHUP: without a rebalance, from one micro-batch to the next.

""" + exit_statuses({0: "the file is changed, or the change is printed"}, ConfigError, OutputError)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("task")
@click.option("--dry-run", "--print", "dry", is_flag=True, help="Print the change as a diff, and change nothing.")
def promote(pipeline: Path, task: str, dry: bool) -> None:
    """Let a task take over the settings of its shadow.

    TASK is the name of the shadow, or of a task that has only one.
    """
    if dry:
        require_stdout()
    text = read_text(pipeline)
    config = parse_file(text, str(pipeline), check=client_mistakes).pipeline
    shadow = _shadow(config, task)
    edited = promoted(text, str(pipeline), shadow)
    if problems := condition_problems(parse_file(edited, f"{pipeline} (after the change)"), {}):
        raise ConfigError(problems)
    if dry:
        lines = difflib.unified_diff(
            text.splitlines(keepends=True), edited.splitlines(keepends=True), str(pipeline), f"{pipeline} (promoted)"
        )
        for line in lines:
            click.echo(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n", nl=False)
    else:
        replace_text(pipeline, text, edited)
        click.echo(f"{pipeline}: {config.shadows[shadow]} has the settings of {shadow}, which is removed", err=True)
        click.echo("workers with --watch take it over by themselves, others on SIGHUP", err=True)
    target = config.shadows[shadow]
    before, after = ({entry.name: entry for entry in config.tasks}[name] for name in (target, shadow))
    if lost := sorted(before.model_fields_set - after.model_fields_set - set(KEPT)):
        click.echo(f"glossator: {target} loses {', '.join(lost)}: {shadow} does not have that", err=True)
    if after.when is not None:
        click.echo(f"glossator: the condition of {shadow} is not taken over: {target} keeps its own, if any", err=True)


def _shadow(config: Pipeline, task: str) -> str:
    """Return the shadow that ``task`` means. Raises click.BadParameter if it means none, or any of several."""
    shadows = config.shadows
    if task in shadows:
        return task
    known = f"; the shadows are {', '.join(shadows)}" if shadows else "; the pipeline has no shadow"
    if task not in (names := [entry.name for entry in config.tasks]):
        meant = did_you_mean(task, names) or known
        raise click.BadParameter(f'there is no task "{task}"{meant}', param_hint="TASK")
    of_task = [shadow for shadow, shadowed in shadows.items() if shadowed == task]
    if not of_task:
        raise click.BadParameter(f'"{task}" is not a shadow and has none{known}', param_hint="TASK")
    if len(of_task) > 1:
        raise click.BadParameter(f'"{task}" has several shadows: name one of {", ".join(of_task)}', param_hint="TASK")
    return of_task[0]


def replace_text(path: Path, before: str, after: str) -> None:
    """Replace the text ``before`` of the file at ``path`` by ``after``, in one step; owner and permissions stay.

    The file that a symbolic link leads to is replaced, not the link. Raises OutputError if that fails, or if the file
    has been changed meanwhile; then it is as it was.
    """
    file = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        kept = file.stat()
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(after.encode())
            stream.flush()
            os.fchmod(descriptor, stat.S_IMODE(kept.st_mode))
            with suppress(PermissionError):  # only root may give a file away
                os.fchown(descriptor, kept.st_uid, kept.st_gid)
            os.fsync(descriptor)
        if file.read_bytes() != before.encode():
            raise OutputError(f"{path} has been changed meanwhile; nothing is written")
        temporary.replace(file)
        temporary = None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"{path} cannot be replaced: {reason}; --dry-run prints what to change") from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
