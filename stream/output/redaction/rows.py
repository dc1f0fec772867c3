"""What is redacted of the row before a change, in the change events of Debezium."""

from __future__ import annotations

import re

from schemas.pipeline.config import Input
from schemas.pipeline.redaction import Operator, Redact, Remove

_AFTER = re.compile(r"""\$(?:\.after|\['after'\]|\["after"\])(?=[.\[]|$)""")


def with_rows_before(redact: Redact, source: Input) -> Redact:
    """Return ``redact`` for events that ``source`` describes; it is the same unless these are change events.

    No task reads the row before a change. So what ``redact.fields`` says of a value after the change holds for the one
    before it as well, unless that has an operator of its own, and texts before the change are removed.
    """
    if source.format != "debezium":
        return redact
    fields = dict(redact.fields)
    for path, operator in redact.fields.items():
        fields.setdefault(_before(path), operator)
    removed = Operator(remove=Remove())
    for path in source.paths:
        if _AFTER.match(path):
            fields.setdefault(_before(path), removed)
    return redact.model_copy(update={"fields": fields})


def _before(path: str) -> str:
    return _AFTER.sub("$.before", path, count=1)
