"""Conditions in CEL, the Common Expression Language (cel.dev, the specification of google/cel-spec).

A condition can use ``event`` (the record's JSON object), ``text``, ``fields`` (the path, start and end of each of
several texts), ``key``, ``topic``, ``headers`` (name to text), and the annotations of other tasks under the names of
the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from schemas.condition_places import WHOLE, Getter, Place, Places, Shared
from schemas.condition_work import MACRO, Work, closing, leading_steps
from schemas.document import Document
from schemas.errors import ConditionError
from schemas.paths import Steps

VARIABLES = frozenset({"event", "text", "fields", "key", "topic", "headers"})
"""The variables of a condition besides annotations; no task may have one of these names."""

MAX_LENGTH = 2000
"""Characters in a condition: the CEL package recurses on the stack, and an overflow ends the process."""

MAX_NESTING = 2
"""Levels of nested macros over lists: an inner macro runs over its whole list for every entry of the outer list."""

# In CEL, types are identifiers as well (the specification, "Values"), as in type(event.a) == int.
_TYPES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})

RESERVED = _TYPES | {
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "namespace", "package", "return", "var", "void", "while",
}  # fmt: skip
"""Words with a meaning in CEL (the specification, "Syntax"); a condition could not use a task with such a name."""

# Comments, and the literals of the specification's grammar; in raw ones a backslash escapes nothing.
_OPAQUE = re.compile(
    r"""
    //[^\n]*
  | [bB]?[rR](?:\"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n]*" | '[^'\n]*')
  | [bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE | re.DOTALL,
)
# A call of size(), as a function or as a method; "event.size" is a field. Literals match first and stay.
_SIZE_CALL = re.compile(rf"(?:{_OPAQUE.pattern})|(?P<call>\bsize\b)(?=(?:\s|//[^\n]*)*\()", _OPAQUE.flags)
_SIZE = "_cp_"
"""Our function in place of ``size``, which in the package counts bytes of UTF-8. The name has the same length, so that
positions in messages stay right."""
_BINDS = re.compile(rf"{MACRO}\s*(\w+)\s*,")
_OPERATORS = {
    "=": (r"(?<![=!<>])=(?![=])", "=="),
    "===": (r"===", "=="),
    "<>": (r"<>", "!="),
    "and": (r"(?<![\w.])(?i:and)(?!\w)", "&&"),
    "or": (r"(?<![\w.])(?i:or)(?!\w)", "||"),
    "not": (r"(?<![\w.])(?i:not)(?!\w)", "!"),
    "&": (r"(?<!&)&(?!&)", "&&"),
    "|": (r"(?<!\|)\|(?!\|)", "||"),
    "is": (r"(?<![\w.])is(?!\w)", "=="),
}
"""Operator of another language -> (how to find it, what CEL has instead)."""
_FUNCTIONS_MEANT = {
    "and": 'write "&&"', "or": 'write "||"', "not": 'write "!"', "len": "write size()", "length": "write size()",
    "any": "write exists()", "count": "write size()", "startswith": "write startsWith()",
    "endswith": "write endsWith()", "regex": "write matches()", "match": "write matches()",
    "includes": "write contains()", "float": "write double()", "str": "write string()",
}  # fmt: skip
"""Function of another language -> what to write in CEL."""
_FUNCTIONS = frozenset({
    "all", "bytes", "contains", "double", "duration", "endsWith", "exists", "existsOne", "exists_one", "filter",
    "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
    "getMinutes", "getMonth", "getSeconds", "has", "int", "map", "matches", "size", "startsWith", "string",
    "timestamp", "type", "uint",
})  # fmt: skip


class Condition:
    """A compiled condition. Any thread may use it.

    - ``source``: the text it was compiled from.
    - ``names``: the variables it uses, tasks included.
    - ``bare``: the source without comments, with the index in ``literals`` in place of each literal.
    - ``can_be_grouped``: it may be evaluated together with others, on the values that it uses.
    """

    def __init__(self, source: str) -> None:
        """Compile ``source``.

        Raises ValueError if it is not valid CEL, calls an unknown function, or may take too long. The message does not
        quote the source, which may contain a secret.
        """
        # Imported here because the package also imports a console, which takes a while.
        import cel

        self._context = cel.Context

        if len(source) > MAX_LENGTH:
            raise ValueError(f"has {len(source)} characters, the limit is {MAX_LENGTH}")
        try:
            references = cel.compile(source).references()
            self._program = cel.compile(_SIZE_CALL.sub(_own_size, source))
        except BaseException as error:
            require_failure(error)
            raise ValueError(_syntax(str(error), source) + _operator_hint(source)) from None
        self.literals: list[str] = []
        self.bare = re.sub(r"\s*\.\s*", ".", _OPAQUE.sub(partial(_blank, self.literals), source))
        if _depth(self.bare) > MAX_NESTING:
            limit = f"more than {MAX_NESTING} deep, which takes too long on long lists"
            raise ValueError(f"nests macros (all, exists, filter, map) {limit}")
        bound = {match[1] for match in _BINDS.finditer(self.bare)}
        free = (name for name in references["variables"] if name not in bound or self._uses(name))
        self.names = frozenset(free) - _TYPES
        unknown = [name for name in references["functions"] if name.isidentifier() and name not in _FUNCTIONS]
        if unknown:
            hint = f"; {meant}" if (meant := _FUNCTIONS_MEANT.get(unknown[0])) else ""
            raise ValueError(f'CEL has no function "{unknown[0]}"{hint}')
        self._functions = {_SIZE: _size} if "size" in references["functions"] else None
        self._reads = self.places("event") if "event" in self.names else []
        self._work = Work(self.bare, self.literals)
        self.source = source
        names = frozenset() if self.names & bound else self.names
        self._places = Places(self.bare, self.literals, names, self.tasks, variable)
        quick = cel.compile(_SIZE_CALL.sub(_own_size, self._places.source))
        calls_size = _SIZE in quick.functions()
        self._evaluate_quickly = partial(self._execute, quick, self._functions if calls_size else None)
        self.can_be_grouped = bool(self._places) and not (self._work.has_macros or calls_size)

    @property
    def tasks(self) -> frozenset[str]:
        """The names of the tasks whose annotations the condition uses."""
        return self.names - VARIABLES

    @property
    def getters(self) -> dict[Place, Getter] | None:
        """What reads each value that the result depends on; None if it depends on whole variables."""
        return self._places.getters if self._places or not self.names else None

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield a (variable, field) pair for each ``variable.field`` in the source."""
        for name in sorted(self.names):
            for use in self._uses(name):
                if match := re.match(r"\.(\w+)(?!\w|\s*\()", use):
                    yield name, match[1]

    def places(self, name: str) -> list[Steps]:
        """Return the steps to a fixed place in the variable ``name`` for each of its uses."""
        return [leading_steps(use, self.literals)[0] for use in self._uses(name)]

    def value(self, variables: dict[str, Any]) -> Any:
        """Evaluate the condition without checks and return its result. Raises whatever the CEL package raises."""
        return self._execute(self._program, self._functions, variables)

    def _uses(self, name: str) -> list[str]:
        """Return the text after each ``name`` that no macro binds: in list.exists(x, x > 1), x is not a variable."""
        bare, at, free = self.bare, 0, ""
        for match in _BINDS.finditer(bare):
            if match[1] == name and match.start() >= at:
                free += bare[at : match.start(1)]
                at = closing(bare, match.end())
        free += bare[at:]
        return [free[match.end() :] for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)", free)]

    def __call__(self, variables: dict[str, Any]) -> bool:
        """Evaluate the condition; ``variables`` must contain all of ``names``.

        The annotation of a task that did not run is an empty map; a condition that fails because of it is false.
        Raises ConditionError, without any values, if the condition fails otherwise or does not return a boolean.
        """
        self._require_little_work(variables)
        try:
            result = self.value(variables)
        except BaseException as error:
            require_failure(error)
            if any(name not in VARIABLES and not value for name, value in variables.items()):
                return False
            raise ConditionError(f"the condition cannot be evaluated{self._why(error)}") from None
        if result is True or result is False:
            return result
        raise ConditionError(f"the condition returned {type(result).__name__}, not a boolean")

    def _why(self, error: BaseException) -> str:
        """Return why ``error`` was raised, as the end of a message; of values, only names that the source contains."""
        name = error.args[0] if isinstance(error, KeyError) and error.args else None
        if isinstance(name, str) and re.search(rf"\.{re.escape(name)}(?!\w)", self.bare):
            return f': there is no "{name}", which has() can test'
        return f" ({type(error).__name__})"

    def holds_for(self, document: Document, shared: Shared | None = None) -> bool:
        """Evaluate the condition with the variables of ``document``. Results and errors are those of ``__call__``.

        ``shared`` belongs to the document; it may be given to several conditions, so that what they need is made once.
        It gets the key ``WHOLE`` if the result depends on more than the values that ``getters`` read.
        Also raises ConditionError if the condition uses a value of the event that the codec has replaced.
        """
        if document.replaced is not None and any(map(document.replaced.touches, self._reads)):
            raise ConditionError("the condition uses a value of the event that JSON cannot represent")
        variables: dict[str, Any] | None = None
        if self._work.has_macros:
            variables = {name: variable(name, document) for name in self.names}
            self._require_little_work(variables)
        if self._places:
            try:
                result = self._places.result(document, {} if shared is None else shared, self._evaluate_quickly)
            except BaseException as error:
                require_failure(error)
            else:
                if result is True or result is False:
                    return result
        # Also where the quick way fails: only the whole variables tell why.
        if shared is not None and self.names:
            shared[WHOLE] = True
        return self(variables or {name: variable(name, document) for name in self.names})

    def _require_little_work(self, variables: dict[str, Any]) -> None:
        if self._work.exceeds(variables):
            raise ConditionError("the condition may take more than 2 seconds, because its macros run over long lists")

    def _execute(self, program: Any, functions: dict[str, Any] | None, variables: dict[str, Any]) -> Any:
        return program.execute(self._context(variables, functions) if functions else variables)


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
    if name == "fields":
        return [part.as_field() for part in document.parts or ()]
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


def require_failure(error: BaseException) -> None:
    """Re-raise ``error`` unless it is a failure of CEL: an Exception, or a panic in Rust, which is a BaseException."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


def _operator_hint(source: str) -> str:
    """Return what to write for the operators of other languages that ``source`` uses, as the end of a message."""
    bare = _OPAQUE.sub(" ", source)
    hints = [
        f'"{operator}" for "{foreign}"'
        for foreign, (pattern, operator) in _OPERATORS.items()
        if re.search(pattern, bare)
    ]
    return f"; write {', '.join(hints)}" if hints else ""


def _own_size(match: re.Match[str]) -> str:
    return _SIZE if match["call"] else match[0]


def _size(*values: Any) -> Any:
    """Return what the specification says of ``size``: code points of a text, bytes, or the entries of a list or map.

    For anything else, return an object that has no meaning in CEL, which lets the condition fail: the package would
    log an exception.
    """
    return len(values[0]) if len(values) == 1 and isinstance(values[0], str | bytes | list | dict) else object()


def _blank(literals: list[str], literal: re.Match[str]) -> str:
    """Replace a comment by a space, and a literal by its index in ``literals``, to which it is added."""
    if literal[0].startswith("//"):
        return " "
    literals.append(literal[0])
    return f'"{len(literals) - 1}"'


def _depth(bare: str) -> int:
    """Return how deeply macros over lists are nested."""
    ends: list[int] = []
    deepest = 0
    for match in re.finditer(MACRO, bare):
        ends = [end for end in ends if end > match.start()]
        ends.append(closing(bare, match.end()))
        deepest = max(deepest, len(ends))
    return deepest


def _syntax(message: str, source: str) -> str:
    """Turn the parser's message into ours, with the position but without the quoted source, which may be a secret."""
    # The message starts with the whole source, which may contain anything.
    errors = re.findall(r"^.*?ERROR: <input>:(\d+):(\d+): (.*)", message[len(source) :], re.MULTILINE)
    if not errors:
        return "not CEL"
    # "Incomplete" is always the consequence of another error.
    line, character, reason = next((error for error in errors if not error[2].startswith("Incomplete")), errors[0])
    where = f"character {character}" if line == "1" else f"line {line}, character {character}"
    if "Recursion limit" in reason:
        return f"not CEL: nested too deeply ({where})"
    if reason.startswith("Syntax error"):
        return "not CEL: ends unexpectedly" if "<EOF>' expecting" in reason else f"not CEL: syntax error at {where}"
    return f"not CEL: {reason} ({where})"
