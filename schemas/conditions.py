"""Conditions in CEL, the Common Expression Language (cel.dev, the specification of google/cel-spec).

A condition speaks of ``event`` (the record's JSON object), ``text``, ``key``, ``topic``, ``headers``
(name to text) and of earlier tasks' annotations by the tasks' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from schemas.document import Document
from schemas.errors import ConditionError

VARIABLES = frozenset({"event", "text", "key", "topic", "headers"})
"""What conditions can speak of beside annotations; no task may have such a name."""

MOST = 2000
"""Characters a condition may have: the package descends on the stack, and one that overflows ends the process."""

DEEPEST = 2
"""How deep macros over lists may stand within one another: each goes over its whole list for every entry outside."""

# The types of CEL are identifiers too (the specification, "Values"), as in type(event.a) == int.
_TYPES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})

RESERVED = _TYPES | {
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "namespace", "package", "return", "var", "void", "while",
}  # fmt: skip
"""Words with a meaning in CEL (the specification, "Syntax"): a condition cannot speak of a task called so."""

# Comments, and the literals of the specification's grammar; in raw ones a backslash escapes nothing.
_OPAQUE = re.compile(
    r"""
    //[^\n]*
  | [bB]?[rR](?:\"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n]*" | '[^'\n]*')
  | [bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE | re.DOTALL,
)
_MACRO = r"\.(?:all|exists|exists_one|existsOne|map|filter)\s*\("
_BINDS = re.compile(rf"{_MACRO}\s*(\w+)\s*,")
_FUNCTIONS = frozenset({
    "all", "bytes", "contains", "double", "duration", "endsWith", "exists", "existsOne", "exists_one", "filter",
    "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
    "getMinutes", "getMonth", "getSeconds", "has", "int", "map", "matches", "size", "startsWith", "string",
    "timestamp", "type", "uint",
})  # fmt: skip


class Condition:
    """A compiled condition; ``names`` are the variables it speaks of. Safe to share between threads."""

    def __init__(self, source: str) -> None:
        """Raises ValueError saying what cannot be read, is no function of CEL, or may take too long."""
        # The package brings a console of its own, which takes a while to import.
        import cel

        if len(source) > MOST:
            raise ValueError(f"has {len(source)} characters, the most is {MOST}")
        try:
            self._program = cel.compile(source)
            found = self._program.references()
        except BaseException as error:
            _require_failure(error)
            raise ValueError(_syntax(str(error), source)) from None
        self._bare = re.sub(r"\s*\.\s*", ".", _OPAQUE.sub(_blank, source))
        if _depth(self._bare) > DEEPEST:
            raise ValueError(
                f"has macros (all, exists, filter, map) more than {DEEPEST} deep in one another, which takes too long "
                "over a long list"
            )
        bound = {match[1] for match in _BINDS.finditer(self._bare)}
        known = (name for name in found["variables"] if name not in bound or self._uses(name))
        self.names = frozenset(known) - _TYPES
        strange = [name for name in found["functions"] if name.isidentifier() and name not in _FUNCTIONS]
        if strange:
            raise ValueError(f'CEL has no function "{strange[0]}"')
        self.source = source

    @property
    def tasks(self) -> frozenset[str]:
        """The names of the tasks whose annotations the condition uses."""
        return self.names - VARIABLES

    def fields(self) -> Iterator[tuple[str, str]]:
        """The (variable, field) pairs that stand in the source as ``variable.field``."""
        for name in sorted(self.names):
            for use in self._uses(name):
                if match := re.match(r"\.(\w+)(?!\w|\s*\()", use):
                    yield name, match[1]

    def _uses(self, name: str) -> list[str]:
        """What stands behind each ``name`` that no macro has bound: in list.exists(x, x > 1), x is no variable."""
        bare, at, free = self._bare, 0, ""
        for match in _BINDS.finditer(bare):
            if match[1] == name and match.start() >= at:
                free += bare[at : match.start(1)]
                at = _closing(bare, match.end())
        free += bare[at:]
        return [free[match.end() :] for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)", free)]

    def __call__(self, variables: dict[str, Any]) -> bool:
        """Whether it holds; ``variables`` has all of ``names``. A task that did not run is an empty map.

        A condition that cannot be decided because a task it speaks of did not run is false.
        Raises ConditionError, without the values, when it fails otherwise or is no boolean.
        """
        try:
            result = self._program.execute(variables)
        except BaseException as error:
            _require_failure(error)
            if any(name not in VARIABLES and not value for name, value in variables.items()):
                return False
            raise ConditionError(f"the condition cannot be decided ({type(error).__name__})") from None
        if result is True or result is False:
            return result
        raise ConditionError(f"the condition is no boolean but {type(result).__name__}")

    def holds_for(self, document: Document) -> bool:
        """Evaluate the condition for ``document``; see ``__call__`` for the result and the errors."""
        return self({name: variable(name, document) for name in self.names})


def variable(name: str, document: Document) -> Any:
    """Return the value that a condition sees under ``name``.

    That is the annotation of the task ``name`` (an empty map if the task did not run), or one of ``VARIABLES``. A
    document without a source record has an empty key, an empty topic and no headers. Bytes that are not UTF-8 are
    replaced.
    """
    if name not in VARIABLES:
        return document.annotations.get(name, {})
    record = document.record
    if name == "event":
        return document.fields
    if name == "text":
        return document.text
    if record is None:
        return {} if name == "headers" else ""
    if name == "topic":
        return record.assignment.topic
    if name == "key":
        return None if record.key is None else record.key.decode(errors="replace")
    return {
        header: value.decode(errors="replace") if isinstance(value, bytes) else value
        for header, value in record.headers or ()
    }


def _require_failure(error: BaseException) -> None:
    """Raises ``error`` if it is no failure but Ctrl-C and the like; a panic of the Rust side is no Exception either."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


def _blank(literal: re.Match[str]) -> str:
    return " " if literal[0].startswith("//") else '""'


def _depth(bare: str) -> int:
    """How many macros over lists stand within one another."""
    ends: list[int] = []
    deepest = 0
    for match in re.finditer(_MACRO, bare):
        ends = [end for end in ends if end > match.start()]
        ends.append(_closing(bare, match.end()))
        deepest = max(deepest, len(ends))
    return deepest


def _closing(bare: str, at: int) -> int:
    """Where the parenthesis closes within which ``at`` is."""
    depth = 1
    while at < len(bare) and depth:
        depth += {"(": 1, ")": -1}.get(bare[at], 0)
        at += 1
    return at


def _syntax(message: str, source: str) -> str:
    """What the parser says, and where, without the source it quotes: that may hold a secret."""
    # In front stands the whole source, which may say anything.
    errors = re.findall(r"^.*?ERROR: <input>:(\d+):(\d+): (.*)", message[len(source) :], re.MULTILINE)
    if not errors:
        return "not CEL"
    # That an expression is incomplete only ever follows from another error.
    line, character, reason = next((error for error in errors if not error[2].startswith("Incomplete")), errors[0])
    where = f"character {character}" if line == "1" else f"line {line}, character {character}"
    if "Recursion limit" in reason:
        return f"not CEL: nested too deeply ({where})"
    if reason.startswith("Syntax error"):
        return "not CEL: ends too early" if "<EOF>' expecting" in reason else f"not CEL: cannot be read from {where} on"
    return f"not CEL: {reason} ({where})"
