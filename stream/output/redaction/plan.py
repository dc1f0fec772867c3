"""What one configuration redacts, and how: compiled once, used for every document."""

from __future__ import annotations

from typing import NamedTuple

from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction_checks import PERSONAL_KINDS
from stream.output.annotations import Annotations
from stream.output.redaction.event_json import EventRedactor
from stream.output.redaction.keys import Keys
from stream.output.redaction.operators import Function, Operators, fixed_text
from stream.output.redaction.record import RecordRedactor
from stream.output.redaction.rows import with_rows_before

_MOST_LABELS = 1000
"""Labels whose operators are kept; tasks of users could make up any number of labels."""
OTHER = "other"
"""What values are counted as whose labels are beyond that number."""


class Choice(NamedTuple):
    """What becomes of the values of one label.

    - ``fixed``: what is written for every value; None if that depends on the value.
    - ``function``: what makes the replacement of a value.
    - ``counted_as``: what its use is counted as: a label and the name of an operator.
    """

    fixed: str | None
    function: Function
    counted_as: tuple[str, str]


class Plan:
    """The parts that redact the documents of one configuration. Any thread may use it.

    - ``operators``, ``event``, ``record``, ``annotations``: what redacts values, the event's JSON, the key and the
      headers, and what the tasks have returned.
    - ``tasks``, ``coreference``: the names of the tasks whose spans, and whose clusters, are used.
    - ``elsewhere``: whether values are redacted wherever else they are.
    - ``unit``, ``originals``: what offsets count, and whether the original ones are published, too.
    - ``chosen``: what ``choose`` has returned so far.
    """

    def __init__(self, pipeline: Pipeline, keys: Keys) -> None:
        """``pipeline`` has a section ``redact``; ``keys``: those that its operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        redact = pipeline.redact
        if redact is None:
            raise ValueError("the pipeline has no section redact")
        redact = self._redact = with_rows_before(redact, pipeline.input)
        self.operators = Operators(redact, keys)
        self.event = EventRedactor(pipeline.input, redact)
        self.record = RecordRedactor(redact)
        self.annotations = Annotations(pipeline.tasks)
        self.unit = pipeline.output.offset_unit
        self.originals = pipeline.output.original_offsets
        self.elsewhere = redact.elsewhere
        personal = [task.name for task in pipeline.tasks if task.task in PERSONAL_KINDS and not task.shadow]
        self.tasks = personal if redact.tasks is None else redact.tasks
        self.coreference = [task.name for task in pipeline.tasks if task.task == "coreference"]
        self.chosen: dict[str, Choice] = {}

    def choose(self, label: str) -> Choice:
        """Return what becomes of values with ``label``."""
        operator = self._redact.operator_for(label)
        known = len(self.chosen) < _MOST_LABELS
        counted_as = (label if known else OTHER, operator.name)
        choice = Choice(fixed_text(operator, label), self.operators.function(operator, label), counted_as)
        if known:
            self.chosen[label] = choice
        return choice
