"""Load the pipeline file: text -> tree -> models.

All mistakes are reported together, each with its line and column. ``load`` and ``parse`` return the ``Pipeline`` alone;
``load_file`` and ``parse_file`` return a ``PipelineFile``, which also knows the position of every field. The section
``tests`` is accepted but not read here (``case_files.py`` does that), so a mistake in a test stops no worker.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError, Problem
from schemas.pipeline.checks import cross_problems
from schemas.pipeline.compose import MAX_CHARACTERS, TOO_LARGE, compose
from schemas.pipeline.config import Pipeline
from schemas.pipeline.tasks import TaskConfig
from schemas.pipeline.tree import Node, Path, Scalar, Table, child, plain, spell
from schemas.pipeline.wording import TASKS, did_you_mean, fields_at, suggest, unknown_task, wording

Check = Callable[[Mapping[str, Any]], Iterable[tuple[Path, str]]]
"""Takes the file as plain values, which may be wrong, and yields (path in it, what is wrong there)."""
M = TypeVar("M", bound=BaseModel)
_TESTS = re.compile(r"tests(?![\w-])")
"""The beginning of a path in the section ``tests``."""


@dataclass(frozen=True)
class PipelineFile:
    """A valid pipeline together with the position of each of its fields in the file.

    - ``file``: the file's name, as it appears in messages.
    - ``pipeline``: the validated models.
    """

    file: str
    pipeline: Pipeline
    _root: Table

    def problem(self, path: Path, message: str, at_key: bool = False) -> Problem:
        """Return ``message`` as a problem at the field ``path``, or at its nearest parent that the file contains.

        ``at_key``: the position is that of the field's name, not of its value, which an alias has somewhere else.
        """
        return problem_at(self.file, self._root, path, message, at_key)


def load(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Pipeline:
    """Read the file at ``path`` and return its pipeline; variables come from ``environ``.

    Raises ConfigError with every mistake in the file.
    """
    return load_file(path, environ).pipeline


def parse(text: str, file: str = "pipeline.yaml", environ: Mapping[str, str] = os.environ) -> Pipeline:
    """Return the pipeline that the YAML in ``text`` describes; variables come from ``environ``.

    ``file`` is the name that messages show. Raises ConfigError with every mistake in the text.
    """
    return parse_file(text, file, environ).pipeline


def load_file(
    path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ, check: Check = lambda _: ()
) -> PipelineFile:
    """Read the file at ``path`` and return its pipeline with the position of every field.

    ``check`` looks for more mistakes, also while there are others.

    Raises ConfigError with every mistake in the file, also if the file cannot be read.
    """
    return parse_file(read_text(path), os.fspath(path), environ, check)


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of the YAML file at ``path``. Raises ConfigError if it cannot be read."""
    file = os.fspath(path)
    try:
        with File(path).open("rb") as stream:
            data = stream.read(MAX_CHARACTERS + 1)
    except FileNotFoundError:
        raise _refusal(file, "there is no such file") from None
    except IsADirectoryError:
        raise _refusal(file, "is a directory, not a file") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a file name").lower()
        raise _refusal(file, f"cannot be read: {reason}") from None
    if len(data) > MAX_CHARACTERS:
        raise _refusal(file, TOO_LARGE)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        raise _refusal(file, "not UTF-8", (before.count(b"\n") + 1, column)) from None


def parse_file(
    text: str,
    file: str = "pipeline.yaml",
    environ: Mapping[str, str] = os.environ,
    check: Check = lambda _: (),
) -> PipelineFile:
    """Return the pipeline that the YAML in ``text`` describes, with the position of every field.

    ``file`` is the name that messages show; ``check`` looks for more mistakes, also while there are others.

    Raises ConfigError with every mistake in the text.
    """
    root, problems = compose(text.removeprefix("\ufeff"), file, environ)
    if "recognizers" in root.items and not root.items.keys() & Pipeline.model_fields.keys():
        reason = 'has recognisers, which the task pii names in "recognizers:", and is not a pipeline file'
        raise _refusal(file, reason, root.place)
    if root.items.pop("tests", None) is not None:
        problems = [problem for problem in problems if not _TESTS.match(problem.path)]
    pipeline, mistakes = validate(Pipeline, root, file, cross_problems, check)
    problems += mistakes
    if problems or pipeline is None:
        raise ConfigError(in_order(problems))
    return PipelineFile(file, pipeline, root)


def validate(model: type[M], root: Table, file: str, *checks: Check) -> tuple[M | None, list[Problem]]:
    """Return the instance of ``model`` that ``root`` describes, None if it has mistakes, and all mistakes.

    ``file`` is the name that messages show; ``checks`` look for more mistakes, also while there are others.
    """
    instance, mistakes = _validate(model, root)
    if _retype_variables(root, mistakes):
        instance, mistakes = _validate(model, root)
    mistakes = _indented(root, mistakes)
    misspelt = {mistake.meant for mistake in mistakes}
    mistakes = [mistake for mistake in mistakes if mistake.path not in misspelt]
    raw = _raw(root)
    for path, message in (problem for check in checks for problem in check(raw)):
        mistakes.append(_Mistake(path, message, at_key=len(path) > 1 and path[0] == "kafka"))
    problems: list[Problem] = []
    for mistake in mistakes:
        node = _node_at(root, mistake.path)
        if not (isinstance(node, Scalar) and node.broken):
            problems.append(problem_at(file, root, mistake.path, mistake.message, mistake.at_key))
    return instance, problems


def _indented(root: Table, mistakes: list[_Mistake]) -> list[_Mistake]:
    """Return ``mistakes`` with a single one for each field that should be indented below an empty section before it."""
    moved: dict[Path, _Mistake] = {}
    unknown = {mistake.path for mistake in mistakes if mistake.kind == "extra_forbidden"}
    section = ""
    for name, node in root.items.items():
        if isinstance(node, Scalar) and node.typed and node.value is None:
            section = name
        elif (name,) not in unknown or not (name in fields_at((section,)) or (section == "kafka" and "." in name)):
            section = ""
        else:
            moved[name,] = _Mistake((name,), f"belongs to {section}: indent it below", at_key=True)
            moved[section,] = moved[name,]
    return [*{*moved.values()}, *(mistake for mistake in mistakes if mistake.path[:1] not in moved)]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return ``problems`` in the order of the file, each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))


class _Mistake(NamedTuple):
    """One mistake: what is wrong at ``path``, before its position in the file is looked up.

    - ``kind``: pydantic's error type, or empty.
    - ``at_key``: the position to report is that of the field's name, not of its value.
    - ``meant``: for a misspelt field, the path of the field that was meant; that one is not reported as missing.
    """

    path: Path
    message: str
    kind: str = ""
    at_key: bool = False
    meant: Path | None = None


def _validate(model: type[M], root: Table) -> tuple[M | None, list[_Mistake]]:
    raw = _raw(root)
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        return None, [mistake for details in error.errors(include_url=False) for mistake in _mistakes(details)]


def _mistakes(error: ErrorDetails) -> Iterator[_Mistake]:
    kind, loc = error["type"], error["loc"]
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        yield from _nameless_task(loc, error["input"])
        return
    path = _untagged(loc)
    if kind == "extra_forbidden":
        meant = suggest(loc[-1], fields_at(loc[:-1]))
        yield _Mistake(path, wording(error), kind, at_key=True, meant=(*path[:-1], meant) if meant else None)
    elif path[-1:] == ("[key]",) and path[-2] == error["input"]:
        # pydantic calls the key itself "[key]".
        yield _Mistake(path[:-1], wording(error), kind, at_key=True)
    else:
        yield _Mistake(path, wording(error), kind)


def _nameless_task(loc: Path, task: Mapping[str, Any]) -> Iterator[_Mistake]:
    """Yield the mistakes of a task whose ``task`` is missing or unknown: the common fields can still be checked."""
    if "task" in task:
        yield _Mistake((*loc, "task"), unknown_task(task["task"]))
    else:
        yield _Mistake((*loc, "task"), "missing field", "missing")
    known = {field for model in TASKS.values() for field in model.model_fields}
    for field in task:
        if field not in known:
            meant = suggest(field, known)
            message = "unknown field" + did_you_mean(field, known)
            yield _Mistake((*loc, field), message, at_key=True, meant=(*loc, meant) if meant else None)
    common = {field: value for field, value in task.items() if field in TaskConfig.model_fields}
    try:
        TaskConfig.model_validate(common)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            # Messages look fields up under the tag of a task; the common fields are the same under any.
            details["loc"] = (*loc, next(iter(TASKS)), *details["loc"])
            yield from _mistakes(details)


def _untagged(loc: Path) -> Path:
    """Remove the tags of unions from the location of a pydantic error."""
    if loc[0] == "tasks":
        loc = (*loc[:2], *loc[3:])
    return tuple(step for step in loc if step not in {"<scalar>", "<map>", "<list>"})


def _retype_variables(root: Table, mistakes: list[_Mistake]) -> bool:
    """Read values with variables as YAML where the field wants a number, a boolean or nothing; return if any changed.

    A value that contains a variable is text at first, because a password of digits must stay text.
    """
    changed = False
    for mistake in mistakes:
        node = _node_at(root, mistake.path)
        if isinstance(node, Scalar) and node.interpolated and not (node.typed or node.broken):
            node.typed = mistake.kind in {"int_type", "float_type", "bool_type"} or not node.text
            changed |= node.typed
    return changed


def _raw(root: Table) -> dict[str, Any]:
    raw: dict[str, Any] = plain(root)
    settings = root.items.get("kafka")
    if isinstance(settings, Table):
        # The Kafka client takes text: a password written as 0123 must not become 123.
        raw["kafka"] = {
            name: node.exact if isinstance(node, Scalar) else plain(node) for name, node in settings.items.items()
        }
    return raw


def _node_at(root: Table, path: Path) -> Node | None:
    node: Node | None = root
    for step in path:
        node = child(node, step) if node is not None else None
    return node


def problem_at(file: str, root: Table, path: Path, message: str, at_key: bool = False) -> Problem:
    """Return ``message`` as a problem at ``path``, or at its nearest parent that ``root`` contains.

    ``file`` is the name that messages show; ``at_key``: the position is that of the field's name, not of its value.
    """
    node: Node = root
    place = root.place
    for step in path:
        below = child(node, step)
        if below is None:
            break
        place = node.keys[str(step)] if at_key and isinstance(node, Table) else below.place
        node = below
    return Problem(file, *place, spell(path), message)


def _refusal(file: str, message: str, place: tuple[int, int] = (1, 1)) -> ConfigError:
    return ConfigError([Problem(file, *place, "", message)])
