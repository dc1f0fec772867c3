"""Keys and operators for tests."""

from __future__ import annotations

from typing import Any

from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import parse
from schemas.pipeline.redaction import Operator, Redact
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.operators import Operators, Replacements
from tests.schemas.pipeline.pipelines import GOOD

SECRET = bytes(range(32))
KEYS = Keys(Key(SECRET), {"k1": Key(SECRET[::-1])})


def one(operator: Any, keys: Keys = KEYS) -> tuple[Operator, Replacements]:
    """Return an operator as it is written in a file, and the replacements of an event of which it is the default."""
    redact = Redact.model_validate({"default": operator})
    return redact.default, Operators(redact, keys).event()


def replaced(operator: Any, label: str, value: str, keys: Keys = KEYS) -> str:
    """Return what an operator writes in place of a value."""
    written, event = one(operator, keys)
    return event.replacement(written, label, value)


def redacting(**redact: Any) -> Pipeline:
    """Return a pipeline that redacts."""
    return parse(GOOD, environ={}).model_copy(update={"redact": Redact.model_validate(redact)})
