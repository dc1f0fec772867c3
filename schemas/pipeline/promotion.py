"""Rewrites a pipeline file so that a task takes over the settings of its shadow.

The text is edited at the places of the two tasks, so comments and layout stay, and all other lines are the same bytes.
The result is only returned if it says exactly what it should.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.errors import ConfigError, Problem
from schemas.pipeline.compose import compose
from schemas.pipeline.interpolation import variables
from schemas.pipeline.layout import Item, replaced, without_item
from schemas.pipeline.loader import PipelineFile, in_order, parse_file
from schemas.pipeline.tree import Path, plain

KEPT = ("name", "task", "when")
"""The fields of a task that are not taken over from its shadow."""


def promoted(text: str, file: str, shadow: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the pipeline file ``text`` with the settings of ``shadow`` in the task that it shadows, and without it.

    The task gets all fields of its shadow but ``name``, ``task`` and ``when``, and loses those that the shadow does not
    have. ``shadow`` is the name of a task of the file that has the field ``shadow``. ``file`` is the name for messages;
    variables come from ``environ``.

    Raises ConfigError with all mistakes of the file, before or after the change, and if the change would belong
    somewhere else: to the value of a variable, or to a value with an anchor, which other fields may use.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    before = parse_file(text, file, environ)
    names = [task.name for task in before.pipeline.tasks]
    target, source = names.index(before.pipeline.shadows[shadow]), names.index(shadow)
    whole = plain(compose(text, file, environ)[0])
    old, new = whole["tasks"][target], dict(whole["tasks"][source])
    del new["shadow"]
    fields = dict.fromkeys(name for name in (*old, *new) if name not in KEPT)
    changed = [name for name in fields if name not in old or name not in new or old[name] != new[name]]
    tasks = _require_here(before, text, {target: changed, source: changed})
    items = [Item(text, tasks.value[index]) for index in (target, source)]
    taken = {name: value for name, value in new.items() if name not in KEPT}
    edits = [*replaced(items[0], items[1], changed, taken), without_item(text, tasks, source)]
    whole["tasks"][target] = {name: value for name, value in old.items() if name in KEPT} | taken
    del whole["tasks"][source]
    edited = _applied(text, edits)
    if not _says(edited, file, environ, whole):
        message = f'cannot be changed safely as it is written; take the fields of "{shadow}" over by hand'
        raise ConfigError([before.problem(("tasks", target), message)])
    parse_file(edited, f"{file} (after the change)", environ)
    return mark + edited


def _applied(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, written in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [text[at:start], written]
        at = end
    return "".join([*pieces, text[at:]])


def _says(text: str, file: str, environ: Mapping[str, str], whole: Any) -> bool:
    """Whether ``text`` is YAML with the values ``whole``."""
    try:
        root, problems = compose(text, file, environ)
    except ConfigError:
        return False
    return not problems and bool(plain(root) == whole)


def _require_here(file: PipelineFile, text: str, changed: Mapping[int, Sequence[str]]) -> SequenceNode:
    """Return the node of ``tasks``, in which the tasks of these indices say all that they do themselves.

    ``changed``: for each of them, the fields that will be changed or taken over. Raises ConfigError otherwise.
    """
    root = YAML(pure=True).compose(text)
    tasks: SequenceNode = next(value for key, value in root.value if key.value == "tasks")
    uses = Counter(id(node) for node in _walk(root))
    problems: list[Problem] = []
    for index, names in changed.items():
        item = tasks.value[index]
        shared = {id(node) for node in (tasks, item) if _is_shared(node, uses)}
        if shared:
            problems.append(file.problem(("tasks", index), _SHARED))
            continue
        for key, value in item.value:
            path: Path = ("tasks", index, key.value)
            if any(_is_shared(node, uses) for node in (key, *_walk(value))):
                problems.append(file.problem(path, _SHARED, at_key=True))
            elif key.value in names and (named := _variables(value)):
                problems.append(file.problem(path, _VARIABLE.format(" and ".join(named)), at_key=True))
    if problems:
        raise ConfigError(in_order(problems))
    return tasks


_SHARED = "is an anchor or an alias, so the change would also be one of other fields: write the value itself here"
_VARIABLE = (
    "is not decided in this file but by the environment variable {}: change that where it is set, "
    "or write the value itself here first"
)


def _is_shared(node: Node, uses: Mapping[int, int]) -> bool:
    return node.anchor is not None or uses[id(node)] > 1


def _variables(node: Node) -> list[str]:
    """Return the names of the variables in a value, each once."""
    scalars = [each.value for each in _walk(node) if isinstance(each, ScalarNode)]
    return list(dict.fromkeys(name for value in scalars for name in variables(value)))


def _walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and all values below it; what an alias refers to, once for each use."""
    yield node
    if isinstance(node, MappingNode):
        for _, value in node.value:
            yield from _walk(value)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _walk(item)
