"""``nli``, ``zero-shot`` and ``paraphrase``: what a cross-encoder says of a pair of texts."""

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

# How published checkpoints spell the three classes of SNLI (Bowman et al. 2015) and the binary one.
_ENTAILS = ("entail",)
_CONTRADICTS = ("contradict", "not_entail", "not entail", "non_entail", "non-entail")
_PARAPHRASES = ("paraphrase", "equivalent", "duplicate", "entailment", "similar", "label_1")


def named(labels: Sequence[str], beginnings: Sequence[str]) -> int | None:
    """The first label that begins like one of ``beginnings``, the first of them first."""
    spelled = [label.lower().removeprefix("is_") for label in labels]
    for beginning in beginnings:
        for index, label in enumerate(spelled):
            if label.startswith(beginning):
                return index
    return None


def entailment(config: NliTask | ZeroShotTask, head: HeadInfo) -> int:
    """Which label means that the premise entails the hypothesis. Raises ModelError when none says so."""
    found = named(head.labels, _ENTAILS)
    if found is None or len(head.labels) < 2:
        raise ModelError(
            f'model "{config.model}" is no model for {config.task}: it has the labels '
            f"{', '.join(head.labels[:10])} and none of them is called entailment"
        )
    return found


def pick(reading: Reading, column: int, how: str, against: int | None = None) -> Scores:
    """One row for a pair from those of its windows: the mean, or that of the window with the most in ``column``.

    ``against``: with the most more in ``column`` than here.
    """
    if how == "mean" or len(reading.scores) == 1:
        return merge_windows(reading.windows, reading.scores, "mean")
    return max(reading.scores, key=lambda row: float(row[column]) - (0.0 if against is None else float(row[against])))


class Nli(Task):
    """Whether the premise entails the hypothesis, contradicts it, or neither.

    Of a long premise the window that entails most decides (``merge: max``), as in SummaC (Laban et al. 2022):
    what is said anywhere is said. Labels are written entailment, neutral and contradiction where they are known.
    """

    head_kind = "sequence"
    paired = True

    def __init__(self, config: NliTask, head: HeadInfo) -> None:
        """Raises ModelError for a head without a label that begins with "entail"."""
        super().__init__(config, head)
        self._config = config
        self.sequences = len(config.hypotheses or ("",))
        self._entails = entailment(config, head)
        self._labels = [_spelled(label) for label in head.labels]
        if len(set(self._labels)) < len(self._labels):
            self._labels = list(head.labels)

    def activation(self) -> Activation:
        return "softmax"

    def inputs(self, document: Document) -> Sequence[Input]:
        premise = fields.text(document, self._config.premise)
        if self._config.hypotheses is not None:
            return [(premise, hypothesis) for hypothesis in self._config.hypotheses]
        return ((premise, fields.text(document, self._config.hypothesis)),)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        found = [self._classify(reading) for reading in readings]
        if self._config.hypotheses is None:
            return found[0]
        return {
            "hypotheses": [
                {"hypothesis": hypothesis, **own}
                for hypothesis, own in zip(self._config.hypotheses, found, strict=True)
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


def _spelled(label: str) -> str:
    low = label.lower()
    if low.startswith(_CONTRADICTS):
        return "contradiction" if low.startswith("contradict") else "not_entailment"
    if low.startswith(_ENTAILS):
        return "entailment"
    return "neutral" if low.startswith("neutral") else label


class ZeroShot(Task):
    """Labels nobody has trained: each is put into the template, and a model of inference says whether the text
    entails it (Yin et al. 2019, "Benchmarking Zero-shot Text Classification").

    Against one another: a softmax over the labels' entailment logits. ``multi_label``: per label a softmax of
    entailment against contradiction. Both as transformers' ZeroShotClassificationPipeline does it. All pairs of
    document and label go through the same packed forwards.
    """

    head_kind = "sequence"
    paired = True

    def __init__(self, config: ZeroShotTask, head: HeadInfo) -> None:
        """Raises ModelError for a head without a label that begins with "entail"."""
        super().__init__(config, head)
        self._config = config
        self._entails = entailment(config, head)
        contradicts = named(head.labels, _CONTRADICTS)
        self._contradicts = contradicts if contradicts is not None else 0 if self._entails else len(head.labels) - 1
        self.sequences = len(config.labels)
        self._hypotheses = [config.template.replace("{}", label) for label in config.labels]

    def inputs(self, document: Document) -> Sequence[Input]:
        return [(document.text, hypothesis) for hypothesis in self._hypotheses]

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
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
    """Whether two texts say the same: one score, from the label that says so by its name."""

    head_kind = "sequence"
    paired = True

    def __init__(self, config: ParaphraseTask, head: HeadInfo) -> None:
        """Raises ModelError when no label of the head says that two texts are paraphrases."""
        super().__init__(config, head)
        self._config = config
        found = 0 if len(head.labels) == 1 else named(head.labels, _PARAPHRASES)
        if found is None:
            raise ModelError(
                f'model "{config.model}" is no model for paraphrase: none of its labels '
                f"({', '.join(head.labels[:10])}) says that two texts mean the same"
            )
        self._column = found

    def activation(self) -> Activation:
        return "sigmoid" if len(self.head.labels) == 1 or self.head.multi_label else "softmax"

    def inputs(self, document: Document) -> Sequence[Input]:
        return ((document.text, fields.text(document, self._config.against)),)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        score = round(float(pick(reading, self._column, self._config.merge)[self._column]), DECIMALS)
        return {"paraphrase": score >= self._config.threshold, "score": score}
