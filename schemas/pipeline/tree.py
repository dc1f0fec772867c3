"""A YAML file as a tree of nodes with their positions. ``compose.py`` builds it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1; columns count code points."""
Path: TypeAlias = tuple[str | int, ...]

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_PLAIN_STEP = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def resolve(text: str) -> Any:
    """Return the value of an unquoted scalar in the YAML 1.2 core schema: None, bool, int, float, otherwise the text.

    ``no`` and ``on`` are text: https://yaml.org/spec/1.2.2/#103-core-schema.
    """
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    # No field needs a longer number, and Python refuses to parse very long ones.
    if len(text) <= 40:
        if _INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value.

    - ``place``: where it starts.
    - ``text``: as written, with variables substituted.
    - ``typed``: interpret the text as YAML does; otherwise the value is the text. A scalar with variables starts
      untyped, so that a password of digits stays text; the loader sets ``typed`` where the field wants another type.
    - ``interpolated``: the text contains the value of a variable.
    - ``broken``: a problem has been reported already.
    - ``size``, ``height``: how many nodes and levels the tree below has, this node included.
    """

    place: Place
    text: str
    typed: bool
    interpolated: bool = False
    broken: bool = False
    size: int = 1
    height: int = 1

    @property
    def value(self) -> Any:
        """The value of the scalar: None, bool, int, float or text."""
        return resolve(self.text) if self.typed else self.text

    @property
    def exact(self) -> Any:
        """The value if writing it as JSON gives the same text, otherwise the text: ``007`` stays ``007``."""
        value = self.value
        return value if value is None or json.dumps(value) == self.text else self.text


@dataclass(slots=True, eq=False)
class Sequence:
    """A YAML sequence; ``place``, ``size`` and ``height`` are as in Scalar."""

    place: Place
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1


@dataclass(slots=True, eq=False)
class Table:
    """A YAML mapping; ``keys`` holds the position of each key. ``place``, ``size`` and ``height`` are as in Scalar."""

    place: Place
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    size: int = 1
    height: int = 1


Node: TypeAlias = Scalar | Sequence | Table


def plain(node: Node) -> Any:
    """Convert ``node`` to plain Python values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.items.items()}


def child(node: Node, step: str | int) -> Node | None:
    """Return the node one step below ``node``, None if there is none."""
    if isinstance(node, Table) and isinstance(step, str):
        return node.items.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def spell(path: Path) -> str:
    """Write a path as text: ``("tasks", 1, "model")`` becomes ``tasks[1].model``; always one printable line."""
    spelled = ""
    for step in path:
        if isinstance(step, int):
            spelled += f"[{step}]"
        elif _PLAIN_STEP.fullmatch(step):
            spelled += f".{step}" if spelled else step
        else:
            spelled += f"[{json.dumps(step[:80])}]"
    return spelled
