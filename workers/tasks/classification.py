"""``sentiment`` and ``text-classification``: the best label of a text, and the scores of all labels."""

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
    """A sequence classification, with the scores of transformers' ``TextClassificationPipeline``.

    These are a softmax, or a sigmoid per label if the head has one label or is multi-label.

    ``sentiment`` normalizes well-known labels (``NEG``, ``Negative`` -> ``negative``) if it knows all of the head's
    labels; otherwise, as for stars or ``LABEL_0``, they stay as the model has them.

    Attributes:
        labels: the labels as its annotations have them.
    """

    head_kind = "sequence"

    def __init__(self, config: ClassificationTask | AspectTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no labels, or only one for a sentiment."""
        super().__init__(config, head)
        self._merge = config.merge
        polar = config.task != "text-classification"
        self.labels = list(_polarities(head.labels) if polar else head.labels)
        needed = 2 if polar else 1
        if len(self.labels) < needed:
            raise ModelError(
                f"{config.task} needs a head with at least {needed} labels, "
                f'but the head of model "{config.model}" has {len(self.labels)}'
            )
        asked = None if isinstance(config, AspectTask) else config.multi_label
        multi_label = head.multi_label if asked is None else asked
        self._sigmoid = multi_label or len(self.labels) == 1

    def activation(self) -> Activation:
        """Return "sigmoid" for one label or several that may hold at once, else "softmax"."""
        return "sigmoid" if self._sigmoid else "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the best ``label``, its ``score``, and the ``scores`` of all labels."""
        (reading,) = readings
        merged = merge_windows(reading.windows, reading.scores, self._merge)
        values = numbers(merged)
        best = int(merged.argmax())
        return {
            "label": self.labels[best],
            "score": values[best],
            "scores": dict(zip(self.labels, values, strict=True)),
        }


def _polarities(labels: tuple[str, ...]) -> tuple[str, ...]:
    spelled = tuple(POLARITIES.get(label.lower(), "") for label in labels)
    # Not if two labels would get the same name, nor if one is unknown, which makes the meaning of the others doubtful.
    return spelled if all(spelled) and len(set(spelled)) == len(labels) else labels
