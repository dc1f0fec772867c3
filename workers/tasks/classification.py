"""``sentiment`` and ``text-classification``: one label for a text, and the scores of all."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.labels import POLARITIES
from schemas.pipeline.tasks import AspectTask, ClassificationTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import merge_windows, numbers


class Classification(Task):
    """Scores as transformers' TextClassificationPipeline computes them: softmax, or sigmoid for a head of
    one label or of labels that do not exclude each other.

    ``sentiment`` writes well-known labels in one way (``NEG``, ``Negative`` -> ``negative``), if it knows
    all of the head's; otherwise, as for stars or ``LABEL_0``, they stay as the model has them.
    """

    head_kind = "sequence"

    def __init__(self, config: ClassificationTask | AspectTask, head: HeadInfo) -> None:
        """Raises ModelError for a head without labels, and for a sentiment of fewer than two."""
        super().__init__(config, head)
        self._merge = config.merge
        polar = config.task != "text-classification"
        self._labels = _polarities(head.labels) if polar else head.labels
        needed = 2 if polar else 1
        if len(self._labels) < needed:
            raise ModelError(
                f'task "{config.name}": {config.task} needs a head of at least {needed} labels, '
                f'and that of model "{config.model}" has {len(self._labels)}'
            )
        asked = None if isinstance(config, AspectTask) else config.multi_label
        multi_label = head.multi_label if asked is None else asked
        self._sigmoid = multi_label or len(self._labels) == 1

    def activation(self) -> Activation:
        return "sigmoid" if self._sigmoid else "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        merged = merge_windows(reading.windows, reading.scores, self._merge)
        values = numbers(merged)
        best = int(merged.argmax())
        return {
            "label": self._labels[best],
            "score": values[best],
            "scores": dict(zip(self._labels, values, strict=True)),
        }


def _polarities(labels: tuple[str, ...]) -> tuple[str, ...]:
    spelled = tuple(POLARITIES.get(label.lower(), "") for label in labels)
    # Two spellings of one polarity would fall together, and one unknown label makes the others doubtful.
    return spelled if all(spelled) and len(set(spelled)) == len(labels) else labels
