"""``nli``, ``zero-shot`` and ``paraphrase``: how a cross-encoder classifies a pair of texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import NliTask, ParaphraseTask, ZeroShotTask
from workers.encoder.reading import Activation, HeadInfo, Input, Reading, Scores
from workers.tasks import fields
from workers.tasks.base import Task
from workers.tasks.scores import DECIMALS, merge_windows, numbers

# How published checkpoints spell the classes of SNLI (Bowman et al. 2015) and those of two-class models.
_ENTAILS = ("entail",)
_CONTRADICTS = ("contradict", "not_entail", "not entail", "non_entail", "non-entail")
_PARAPHRASES = ("paraphrase", "equivalent", "duplicate", "entailment", "similar", "label_1")


def named(labels: Sequence[str], beginnings: Sequence[str]) -> int | None:
    """Return the index of the first label that starts with the first of ``beginnings`` that any label has, or None."""
    spelled = [label.lower().removeprefix("is_") for label in labels]
    for beginning in beginnings:
        for index, label in enumerate(spelled):
            if label.startswith(beginning):
                return index
    return None


def entailment(config: NliTask | ZeroShotTask, head: HeadInfo) -> int:
    """Return the index of the label for "entailment".

    Raises:
        ModelError: if no label starts with "entail", or if there is only one label.
    """
    index = named(head.labels, _ENTAILS)
    if index is None or len(head.labels) < 2:
        raise ModelError(
            f'model "{config.model}" does not fit {config.task}: it has the labels '
            f"{', '.join(head.labels[:10])} and none of them is called entailment"
        )
    return index


def pick(reading: Reading, column: int, how: str, against: int | None = None) -> Scores:
    """Merge the scores of a pair's windows into one row ``[labels]``.

    Args:
        reading: the pair's windows and their scores.
        column: the label that decides.
        how: "mean", or "max" for the row of the window with the highest score in ``column``.
        against: with "max", another column whose score is subtracted first.
    """
    if how == "mean" or len(reading.scores) == 1:
        return merge_windows(reading.windows, reading.scores, "mean")
    return max(reading.scores, key=lambda row: float(row[column]) - (0.0 if against is None else float(row[against])))


class Nli(Task):
    """Whether the premise entails the hypothesis, contradicts it, or neither.

    For a long premise, the window that entails the hypothesis most decides (``merge: max``), as in SummaC (Laban et
    al. 2022), because a claim may be supported anywhere. Known labels are written entailment, neutral, contradiction.
    """

    head_kind = "sequence"
    paired = True

    def __init__(self, config: NliTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no label that starts with "entail"."""
        super().__init__(config, head)
        self._config = config
        self.sequences = len(config.hypotheses or ("",))
        self._entails = entailment(config, head)
        self._labels = [_normalized(label) for label in head.labels]
        if len(set(self._labels)) < len(self._labels):
            self._labels = list(head.labels)

    def activation(self) -> Activation:
        """Return "softmax"."""
        return "softmax"

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return one (premise, hypothesis) pair per hypothesis. Raises FieldError if the event lacks one of them."""
        premise = fields.text(document, self._config.premise)
        if self._config.hypotheses is not None:
            return [(premise, hypothesis) for hypothesis in self._config.hypotheses]
        return ((premise, fields.text(document, self._config.hypothesis)),)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the classification of the event's hypothesis, or ``hypotheses`` with one for each in the file."""
        classified = [self._classify(reading) for reading in readings]
        if self._config.hypotheses is None:
            return classified[0]
        return {
            "hypotheses": [
                {"hypothesis": hypothesis, **classification}
                for hypothesis, classification in zip(self._config.hypotheses, classified, strict=True)
            ]
        }

    def _classify(self, reading: Reading) -> Annotation:
        row = pick(reading, self._entails, self._config.merge)
        values = numbers(row)
        best = int(row.argmax())
        return {
            "label": self._labels[best],
            "score": values[best],
            "scores": dict(zip(self._labels, values, strict=True)),
        }


def _normalized(label: str) -> str:
    low = label.lower()
    if low.startswith(_CONTRADICTS):
        return "contradiction" if low.startswith("contradict") else "not_entailment"
    if low.startswith(_ENTAILS):
        return "entailment"
    return "neutral" if low.startswith("neutral") else label


class ZeroShot(Task):
    """Classification with labels that the model was not trained on.

    Each label is put into the template, and an inference model scores whether the text entails that sentence (Yin et
    al. 2019, "Benchmarking Zero-shot Text Classification"). Scores are a softmax over the labels' entailment logits;
    with ``multi_label``, per label a softmax of entailment against contradiction. Both are computed as in transformers'
    ``ZeroShotClassificationPipeline``.
    """

    head_kind = "sequence"
    paired = True

    def __init__(self, config: ZeroShotTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no label that starts with "entail"."""
        super().__init__(config, head)
        self._config = config
        self._entails = entailment(config, head)
        contradicts = named(head.labels, _CONTRADICTS)
        self._contradicts = contradicts if contradicts is not None else 0 if self._entails else len(head.labels) - 1
        self.sequences = len(config.labels)
        self.labels = list(config.labels)
        self._hypotheses = [config.template.replace("{}", label) for label in config.labels]

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return one (text, sentence) pair per label."""
        return [(document.text, hypothesis) for hypothesis in self._hypotheses]

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the best ``label``, its ``score``, and the ``scores`` of all labels."""
        alone = self._config.multi_label or len(readings) == 1
        against = self._contradicts if alone else None
        rows = np.stack([pick(reading, self._entails, self._config.merge, against) for reading in readings])
        rows = rows.astype(np.float64)
        entails = rows[:, self._entails]
        if alone:
            scores = 1.0 / (1.0 + np.exp(np.clip(rows[:, self._contradicts] - entails, -700, 700)))
        else:
            scores = np.exp(entails - entails.max())
            scores /= scores.sum()
        values = numbers(scores)
        best = int(scores.argmax())
        return {
            "label": self._config.labels[best],
            "score": values[best],
            "scores": dict(zip(self._config.labels, values, strict=True)),
        }


class Paraphrase(Task):
    """Whether two texts mean the same: the score of the label whose name says so."""

    head_kind = "sequence"
    paired = True

    def __init__(self, config: ParaphraseTask, head: HeadInfo) -> None:
        """Raises ModelError if no label of the head has a name for paraphrases."""
        super().__init__(config, head)
        self._config = config
        column = 0 if len(head.labels) == 1 else named(head.labels, _PARAPHRASES)
        if column is None:
            raise ModelError(
                f'model "{config.model}" does not fit paraphrase: none of its labels '
                f"({', '.join(head.labels[:10])}) means that two texts say the same"
            )
        self._column = column

    def activation(self) -> Activation:
        """Return "sigmoid" for one label or a multi-label head, else "softmax"."""
        return "sigmoid" if len(self.head.labels) == 1 or self.head.multi_label else "softmax"

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return the pair of the text and the event's other text. Raises FieldError if there is none."""
        return ((document.text, fields.text(document, self._config.against)),)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``paraphrase``, whether the ``score`` reaches the threshold, and the ``score``."""
        (reading,) = readings
        score = round(float(pick(reading, self._column, self._config.merge)[self._column]), DECIMALS)
        return {"paraphrase": score >= self._config.threshold, "score": score}
