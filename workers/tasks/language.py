"""``language``: which language a text is in."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import LanguageTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.language_detector import Detector
from workers.tasks.scores import merge_windows, numbers


class LanguageByLibrary(Task):
    """By an offline library, without a model; see ``workers/tasks/language_detector.py``."""

    quicker_together = True

    def __init__(self, config: LanguageTask, head: HeadInfo) -> None:
        """Raises ModelError when the library is not installed, or does not know a language asked for."""
        super().__init__(config, head)
        self._detector = Detector(config.languages)
        self._top = config.top

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        return self.annotate_all([document])[0]

    def annotate_all(self, documents: Sequence[Document]) -> list[Annotation]:
        found = self._detector.detect([document.text for document in documents], self._top)
        return [_classification(ranked, self._top) for ranked in found]

    def reference(self) -> dict[str, str]:
        return {"model": self._detector.name, "revision": self._detector.version}


class LanguageByModel(Task):
    """By a checkpoint whose labels are language codes."""

    head_kind = "sequence"

    def __init__(self, config: LanguageTask, head: HeadInfo) -> None:
        """Raises ModelError for a head without labels, or without a language asked for."""
        super().__init__(config, head)
        self._top = config.top
        asked = config.languages or head.labels
        missing = [code for code in asked if code not in head.labels]
        if missing or not head.labels:
            raise ModelError(
                f'model "{config.model}" has no label "{missing[0]}"; it has: {", ".join(head.labels[:40])}'
                if missing
                else f'model "{config.model}" has no labels'
            )
        self._columns = [head.labels.index(code) for code in asked]

    def activation(self) -> Activation:
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        row = merge_windows(reading.windows, reading.scores, "mean")[self._columns]
        values = numbers(row / max(float(row.sum()), 1e-12))
        ranked = sorted(
            ((self.head.labels[column], value) for column, value in zip(self._columns, values, strict=True)),
            key=lambda entry: entry[1],
            reverse=True,
        )
        return _classification(ranked, self._top)


def _classification(ranked: Sequence[tuple[str, float]], top: int) -> Annotation:
    """``ranked``: codes with their probabilities, the likeliest first."""
    kept = [(code, round(score, 6)) for code, score in ranked[:top]]
    return {"label": kept[0][0], "score": kept[0][1], "scores": dict(kept)}
