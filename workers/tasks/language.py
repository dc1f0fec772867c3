"""``language``: the language of a text."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import LanguageTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.language_detector import UNDETERMINED, Detector
from workers.tasks.scores import merge_windows, numbers

LIBRARY_THRESHOLD = 0.3
"""The lowest probability of an answer without a model; below it, an answer for a few words is often wrong."""


class LanguageByLibrary(Task):
    """Detection by an offline library, without a model (``workers/tasks/language_detector.py``)."""

    quicker_together = True

    def __init__(self, config: LanguageTask, head: HeadInfo) -> None:
        """Raises ModelError if the library is not installed, or does not know a configured language."""
        super().__init__(config, head)
        self._detector = Detector(config.languages, careful=config.threshold is None)
        self._top = config.top
        self._threshold = LIBRARY_THRESHOLD if config.threshold is None else config.threshold

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the best ``label``, its ``score``, and the ``scores`` of the ``top`` languages."""
        return self.annotate_all([document])[0]

    def annotate_all(self, documents: Sequence[Document]) -> list[Annotation]:
        """Return the annotations of ``documents``, detected together, which is faster than one at a time."""
        rankings = self._detector.detect([document.text for document in documents], self._top)
        return [_classification(ranked, self._top, self._threshold) for ranked in rankings]

    def reference(self) -> dict[str, str]:
        """Return the library's name and version."""
        return {"model": self._detector.name, "revision": self._detector.version}


class LanguageByModel(Task):
    """Detection by a checkpoint whose labels are language codes."""

    head_kind = "sequence"

    def __init__(self, config: LanguageTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no labels, or lacks a configured language."""
        super().__init__(config, head)
        self._top = config.top
        self._threshold = config.threshold or 0.0
        languages = config.languages or head.labels
        missing = [code for code in languages if code not in head.labels]
        if missing or not head.labels:
            raise ModelError(
                f'model "{config.model}" has no label "{missing[0]}"; it has: {", ".join(head.labels[:40])}'
                if missing
                else f'model "{config.model}" has no labels'
            )
        self._columns = [head.labels.index(code) for code in languages]

    def activation(self) -> Activation:
        """Return "softmax"."""
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the best ``label``, its ``score``, and the ``scores`` of the ``top`` languages.

        Scores are shares among the configured languages.
        """
        (reading,) = readings
        row = merge_windows(reading.windows, reading.scores, "mean")[self._columns]
        values = numbers(row / max(float(row.sum()), 1e-12))
        ranked = sorted(
            ((self.head.labels[column], value) for column, value in zip(self._columns, values, strict=True)),
            key=lambda entry: entry[1],
            reverse=True,
        )
        return _classification(ranked, self._top, self._threshold)


def _classification(ranked: Sequence[tuple[str, float]], top: int, threshold: float) -> Annotation:
    """Make the annotation of ``ranked``: codes with their probabilities, the most probable first.

    The label is ``und`` with the score 0 if ``ranked`` begins with it, or if no probability reaches ``threshold``; the
    ``scores`` of the languages are listed all the same.
    """
    doubtful = ranked[0] == UNDETERMINED and len(ranked) > 1
    kept = [(code, round(score, 6)) for code, score in ranked[doubtful : top + doubtful]]
    label, score = kept[0] if kept[0][1] >= threshold and not doubtful else UNDETERMINED
    return {"label": label, "score": score, "scores": dict(kept)}
