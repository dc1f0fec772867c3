"""Ensembles: ``moderation``, ``sentiment`` and ``text-classification`` made of the annotations of other tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from schemas.document import Annotation, Document
from schemas.errors import AnnotateError, ModelError
from schemas.pipeline.tasks import ClassificationTask, CustomTask, ModerationTask
from schemas.pipeline.wording import did_you_mean
from workers.encoder.reading import HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import DECIMALS

DEFAULT_THRESHOLD = 0.5
"""The threshold of a label of which no member's is known, as a custom task's."""


class Ensemble(Task):
    """Combines the annotations of other tasks, its members, label by label.

    A label gets the highest score (``rule: max``), the weighted mean (``mean``), or the last score (``last``) among
    the members that have run for the event and have the label. It runs for events for which any member has run.

    Attributes:
        labels: the labels that its annotations can have; of custom members they are not known.
    """

    cacheable = False
    labels: list[str]

    def __init__(self, config: ModerationTask | ClassificationTask, head: HeadInfo) -> None:
        """Take the settings; ``combine`` must follow."""
        super().__init__(config, head)
        assert config.ensemble is not None
        self._rule = config.ensemble.rule
        weights = config.ensemble.weights or {}
        self.members = {name: weights.get(name, 1.0) for name in config.ensemble.of}
        """Member -> its weight, in the order of the file."""
        self.labels = []

    @abstractmethod
    def combine(self, members: Mapping[str, Task]) -> None:
        """Check that the members fit together, and learn their labels.

        Call it once, before the first event, with all tasks that are members. Raises ModelError if they do not fit.
        """

    def reference(self) -> dict[str, str]:
        """Return this package and its version as the model."""
        return {"model": "glossator.ensemble", "revision": version("glossator")}

    def _ran(self, document: Document) -> Iterator[tuple[str, Annotation]]:
        """Yield the members that have run for ``document`` with their annotations, in the order of the file."""
        for name in self.members:
            if (annotation := document.annotations.get(name)) is not None:
                yield name, annotation

    def _combined(self, scores: dict[str, float]) -> float:
        """Return the score of one label; ``scores``: member -> its score, in the order of the file, at least one."""
        if self._rule == "last":
            return scores[next(reversed(scores))]
        return max(scores.values()) if self._rule == "max" else self._mean(scores)

    def _mean(self, values: Mapping[str, float]) -> float:
        weights = self.members
        total = sum(weights[name] * value for name, value in values.items())
        return round(total / sum(weights[name] for name in values), DECIMALS)


class ModerationEnsemble(Ensemble):
    """Every label that a member gives, flagged by a threshold of the file, or else as the members flag it.

    Without a threshold of the file, ``max`` flags what any member flags, ``last`` what the last member flags, and
    ``mean`` what reaches the weighted mean of the members' thresholds.

    Attributes:
        thresholds: label -> the score from which it is flagged if all members that know it have run.
    """

    def __init__(self, config: ModerationTask, head: HeadInfo) -> None:
        """Take the settings; ``combine`` must follow."""
        super().__init__(config, head)
        self._configured = config.threshold
        self._of_members: dict[str, dict[str, float]] = {}
        self.thresholds: dict[str, float] = {}

    def combine(self, members: Mapping[str, Task]) -> None:
        """Raise ModelError if members have no label in common that ``rule`` needs, or for an unknown threshold."""
        known = _known_labels(members)
        self.labels = list(dict.fromkeys(label for labels in known.values() for label in labels))
        self._of_members = {name: dict(getattr(task, "thresholds", {})) for name, task in members.items()}
        alone = [
            name
            for name, labels in known.items()
            if len(known) == len(members)
            and not any(set(labels) & set(known[other]) for other in known if other != name)
        ]
        if alone:
            message = f"shares no label with the other tasks; {_listed(known)}"
            if self._rule != "max":
                raise ModelError(f'"{alone[0]}" {message}; rule: {self._rule} needs labels in common')
            self.remarks = [f'"{name}" {message}' for name in alone]
        for label in self.labels:
            having = {name: thresholds[label] for name, thresholds in self._of_members.items() if label in thresholds}
            configured = self._threshold(label)
            if configured is not None or having:
                self.thresholds[label] = self._of(having) if configured is None else configured
        named = self._configured.keys() if isinstance(self._configured, dict) else set[str]()
        for label in sorted(named - {"default", *self.labels}):
            if len(known) == len(members):
                hint = did_you_mean(label, self.labels) or f"; they have: {', '.join(self.labels)}"
                raise ModelError(f'the members have no label "{label}" to set a threshold for{hint}')

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``flagged`` and ``labels``, the highest score first.

        Raises AnnotateError if the annotation of a custom member has no labels.
        """
        scores: dict[str, dict[str, float]] = {}
        flags: dict[str, dict[str, bool]] = {}
        for name, annotation in self._ran(document):
            for entry in _field(annotation, "labels", list, name):
                scores.setdefault(entry["label"], {})[name] = entry["score"]
                flags.setdefault(entry["label"], {})[name] = entry["flagged"]
        labels: list[dict[str, Any]] = []
        for label, by_member in scores.items():
            score = self._combined(by_member)
            labels.append({"label": label, "score": score, "flagged": self._flagged(label, score, flags[label])})
        labels.sort(key=lambda entry: -entry["score"])
        return {"flagged": any(entry["flagged"] for entry in labels), "labels": labels}

    def _threshold(self, label: str) -> float | None:
        """Return the threshold that the file sets for ``label``, None if it sets none."""
        configured = self._configured
        return configured.get(label, configured.get("default")) if isinstance(configured, dict) else configured

    def _of(self, thresholds: dict[str, float]) -> float:
        """Return the threshold of a label; ``thresholds``: member -> its own, in the order of the file."""
        return min(thresholds.values()) if self._rule == "max" else self._combined(thresholds)

    def _flagged(self, label: str, score: float, flags: dict[str, bool]) -> bool:
        """Decide whether a label is flagged; ``flags``: member -> whether it flags the label."""
        threshold = self._threshold(label)
        if threshold is None and self._rule == "mean":
            threshold = self._mean({name: self._of_members[name].get(label, DEFAULT_THRESHOLD) for name in flags})
        if threshold is not None:
            return score >= threshold
        return any(flags.values()) if self._rule == "max" else flags[next(reversed(flags))]


class ClassificationEnsemble(Ensemble):
    """The best label by the combined scores of the members, which have the same labels."""

    def combine(self, members: Mapping[str, Task]) -> None:
        """Raise ModelError unless all members have the same labels."""
        known = _known_labels(members)
        first = next(iter(known.values()), [])
        if any(set(labels) != set(first) for labels in known.values()):
            raise ModelError(f"its members must have the same labels; {_listed(known)}")
        self.labels = list(first)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the best ``label``, its ``score``, and all ``scores``.

        Raises AnnotateError if the annotation of a custom member has no scores.
        """
        by_label: dict[str, dict[str, float]] = {label: {} for label in self.labels}
        for name, annotation in self._ran(document):
            for label, score in _field(annotation, "scores", dict, name).items():
                by_label.setdefault(label, {})[name] = score
        scores = {label: self._combined(by_member) for label, by_member in by_label.items() if by_member}
        best = max(scores, key=scores.__getitem__)
        return {"label": best, "score": scores[best], "scores": scores}


def _known_labels(members: Mapping[str, Task]) -> dict[str, list[str]]:
    """Return the labels of the members whose labels are known before the first event: all but custom tasks."""
    return {
        name: labels
        for name, task in members.items()
        if not isinstance(task.config, CustomTask) and isinstance(labels := getattr(task, "labels", None), list)
    }


def _listed(known: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{name} has {', '.join(labels)}" for name, labels in known.items())


def _field(annotation: Annotation, field: str, kind: type, member: str) -> Any:
    """Return a field of a member's annotation. Raises AnnotateError if a custom task has made another annotation."""
    value = annotation.get(field)
    if not isinstance(value, kind):
        raise AnnotateError(f'the annotation of task "{member}" has no "{field}" to combine')
    return value
