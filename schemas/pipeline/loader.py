"""Reads the pipeline file: text -> tree -> models, and every mistake at its place, all at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError, Problem
from schemas.pipeline.checks import cross_problems
from schemas.pipeline.compose import MAX_CHARACTERS, compose
from schemas.pipeline.config import Pipeline
from schemas.pipeline.tasks import TaskConfig
from schemas.pipeline.tree import Node, Path, Scalar, Table, child, plain, spell
from schemas.pipeline.wording import TASKS, did_you_mean, fields_at, suggest, unknown_task, wording


@dataclass(frozen=True)
class PipelineFile:
    """A pipeline and where each of its fields stands."""

    file: str
    pipeline: Pipeline
    _root: Table

    def problem(self, path: Path, message: str) -> Problem:
        """``message`` at the field that ``path`` names, or at what would hold the field."""
        return _problem(self.file, self._root, path, message)


def load(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Pipeline:
    """The pipeline in the file at ``path``. Raises ConfigError with every mistake in it."""
    return read(path, environ).pipeline


def loads(text: str, file: str = "pipeline.yaml", environ: Mapping[str, str] = os.environ) -> Pipeline:
    """The pipeline that ``text`` describes; ``file`` is its name in messages. Raises ConfigError."""
    return reads(text, file, environ).pipeline


def read(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> PipelineFile:
    """Like ``load``, and the fields keep their places. Raises ConfigError."""
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
        raise _refusal(file, "larger than 1 MiB; no pipeline file is")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        raise _refusal(file, "not UTF-8", (before.count(b"\n") + 1, column)) from None
    return reads(text, file, environ)


def reads(text: str, file: str = "pipeline.yaml", environ: Mapping[str, str] = os.environ) -> PipelineFile:
    """Like ``loads``, and the fields keep their places. Raises ConfigError."""
    root, problems = compose(text.removeprefix("\ufeff"), file, environ)
    pipeline, mistakes = _validate(root)
    if _read_as_yaml(root, mistakes):
        pipeline, mistakes = _validate(root)
    slips = {mistake.meant for mistake in mistakes}
    mistakes = [mistake for mistake in mistakes if mistake.path not in slips]
    for path, message in cross_problems(_raw(root)):
        mistakes.append(_Mistake(path, message, at_key=len(path) > 1 and path[0] == "kafka"))
    for mistake in mistakes:
        node = _node_at(root, mistake.path)
        if not (isinstance(node, Scalar) and node.broken):
            problems.append(_problem(file, root, mistake.path, mistake.message, mistake.at_key))
    if problems or pipeline is None:
        raise ConfigError(sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column)))
    return PipelineFile(file, pipeline, root)


class _Mistake(NamedTuple):
    """``meant``: the path of the field that an unknown one is a slip of; no need to call that one missing."""

    path: Path
    message: str
    kind: str = ""
    at_key: bool = False
    meant: Path | None = None


def _validate(root: Table) -> tuple[Pipeline | None, list[_Mistake]]:
    raw = _raw(root)
    try:
        return Pipeline.model_validate(raw), []
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
        # pydantic's name for the key itself.
        yield _Mistake(path[:-1], wording(error), kind, at_key=True)
    else:
        yield _Mistake(path, wording(error), kind)


def _nameless_task(loc: Path, task: Mapping[str, Any]) -> Iterator[_Mistake]:
    """A task that is none of ours: what can still be said of its fields."""
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
            # The common fields read the same under the tag of any task.
            details["loc"] = (*loc, next(iter(TASKS)), *details["loc"])
            yield from _mistakes(details)


def _untagged(loc: Path) -> Path:
    """pydantic's place of an error without the tags of the unions on the way."""
    if loc[0] == "tasks":
        loc = (*loc[:2], *loc[3:])
    return tuple(step for step in loc if step not in {"<scalar>", "<map>", "<list>"})


def _read_as_yaml(root: Table, mistakes: list[_Mistake]) -> bool:
    """Lets values from the environment be numbers, booleans or nothing where the field wants that."""
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
        # The Kafka client reads text: a password written 0123 must not become 123 on the way.
        raw["kafka"] = {
            name: node.exact if isinstance(node, Scalar) else plain(node) for name, node in settings.items.items()
        }
    return raw


def _node_at(root: Table, path: Path) -> Node | None:
    node: Node | None = root
    for step in path:
        node = child(node, step) if node is not None else None
    return node


def _problem(file: str, root: Table, path: Path, message: str, at_key: bool = False) -> Problem:
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


# What says where, when or how fast, but not what: the same event keeps its id when these change.
