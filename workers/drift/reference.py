"""References: how the annotations of a task were distributed, in a pack or in a file."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.document import Annotation, Document
from schemas.errors import SettingError
from workers.drift.tally import Kind, Tally, outcome, scores_of

FORMAT = "glossator.drift/1"
_MOST_BINS = 10
_FEWEST_IN_BIN = 10
"""The fewest scores of the reference in a bin, as far as equal scores allow it."""
_MOST_LABELS = 2000
_LARGEST_FILE = 64 * 1024 * 1024

_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)


class Histogram(_Part):
    """Scores by bin: ``edges`` part the bins, so there is one more of ``counts``."""

    edges: Annotated[list[float], Field(max_length=100)]
    counts: list[_Count]

    @model_validator(mode="after")
    def _fits(self) -> Histogram:
        if len(self.counts) != len(self.edges) + 1 or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("the edges are not ascending, or do not fit the counts")
        return self


class Reference(_Part):
    """How the annotations of one task were distributed; the numbers are those of a ``Tally``."""

    kind: Literal["classification", "moderation", "spans"]
    events: Annotated[int, Field(ge=1, le=2**53)]
    unread: _Count
    labels: Annotated[dict[str, _Count], Field(max_length=_MOST_LABELS)]
    scores: Annotated[dict[str, Histogram], Field(max_length=_MOST_LABELS)]

    @model_validator(mode="after")
    def _adds_up(self) -> Reference:
        if self.unread > self.events or any(count > self.events for count in self.labels.values()):
            raise ValueError("there are more of some events than of all")
        return self

    def tally(self) -> Tally:
        """Return an empty tally whose numbers can be compared with this reference."""
        return Tally(self.kind, {name: histogram.edges for name, histogram in self.scores.items()})


class _File(_Part):
    format: Literal["glossator.drift/1"]
    tasks: dict[str, Reference]


@dataclass
class Recorder:
    """Collects what a reference is made of: the annotations of one task, of any number of events."""

    kind: Kind

    def __post_init__(self) -> None:
        self._tally = Tally(self.kind, {})
        self._scores: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    @property
    def events(self) -> int:
        """How many events have been added."""
        return self._tally.events

    def add(self, annotation: Annotation | None, unread: bool) -> None:
        """Add one event, as ``Tally.add``."""
        self._tally.add(annotation, unread)
        for name, score in () if annotation is None else scores_of(annotation, self.kind):
            self._scores[name].append(score)

    def see(self, task: str, document: Document) -> None:
        """Add a document that has not failed, if the task ran for it."""
        if (entry := outcome(document, task)) is not None:
            self.add(*entry)

    def reference(self) -> Reference | None:
        """Return the reference; None without events. The bins of a histogram have about equal counts."""
        tally = self._tally
        if not tally.events:
            return None
        return Reference(
            kind=self.kind, events=tally.events, unread=tally.unread, labels=dict(sorted(tally.labels.items())),
            scores={name: _histogram(scores) for name, scores in sorted(self._scores.items())},
        )  # fmt: skip


def _histogram(scores: array[float]) -> Histogram:
    ordered = sorted(scores)
    bins = max(2, min(_MOST_BINS, len(ordered) // _FEWEST_IN_BIN))
    cuts = {ordered[len(ordered) * number // bins] for number in range(1, bins)}
    edges = sorted(cuts - {ordered[0]})
    whole = Tally("classification", {"": edges})
    for score in ordered:
        whole.add({"label": "", "score": score}, False)
    return Histogram(edges=edges, counts=whole.scores[""])


def parse_reference(value: Any) -> Reference | None:
    """Return the reference in a pack's manifest; None if there is none, or none that this version can read."""
    try:
        return None if value is None else Reference.model_validate(value)
    except ValidationError:
        return None


def read_references(file: Path) -> dict[str, Reference]:
    """Read a file that ``glossator drift-reference`` has written: task name -> reference. Raises SettingError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise SettingError(f"{file} (telemetry.drift) cannot be read: {error.strerror}") from None
    try:
        if len(content) > _LARGEST_FILE:
            raise ValueError("too large")
        return _File.model_validate(json.loads(content)).tasks
    except (ValueError, RecursionError):
        raise SettingError(
            f"{file} (telemetry.drift) is not a file of references; glossator drift-reference writes one"
        ) from None


def write_references(references: Mapping[str, Reference]) -> str:
    """Return the content of a file of references."""
    tasks = {name: reference.model_dump() for name, reference in references.items()}
    return json.dumps({"format": FORMAT, "tasks": tasks}, indent=2, ensure_ascii=False) + "\n"
