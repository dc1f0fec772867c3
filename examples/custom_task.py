"""A task of your own, whole: how many stars a review would give, as one number.

A classifier of one to five stars gives each number of stars a probability. The label with the highest one is coarse;
the mean of the stars, weighted by their probabilities, says more, and its standard deviation says how sure it is.

To make it yours: copy this file, name your class in the pipeline file (``use: module:Class``), and have Python find
it, by installing it or with ``PYTHONPATH``. The protocol and all that can be overridden is in workers/tasks/base.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Annotation, Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import CustomTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import merge_windows


class Stars(Task):
    """``{"custom": {"stars": 3.62, "spread": 0.81, "low": false}}``.

    Options: ``low``, the mean under which a review counts as low; default 2.5.
    """

    # What the model must have; the chain loads it, runs it, and shares its forward with other tasks of the model.
    head_kind = "sequence"

    def __init__(self, config: CustomTask, head: HeadInfo) -> None:
        """Raises ModelError when the model or the options do not fit, so that the worker does not even start."""
        super().__init__(config, head)
        options = {"low": 2.5, **(config.options or {})}
        if options.keys() != {"low"} or type(options["low"]) not in {int, float}:
            raise ModelError('the one option of Stars is "low", a number')
        self._low = float(options["low"])
        try:
            self._stars = [int(label.split()[0]) for label in head.labels]
        except (ValueError, IndexError):
            raise ModelError(f"Stars needs labels such as 1 star, 2 stars; this model's are {head.labels}") from None

    def activation(self) -> Activation:
        """What makes scores of the head's logits."""
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Called once an event. Raise AnnotateError to refuse it: it becomes a dead letter, its neighbours do not."""
        # One reading for each input; without ``inputs`` of our own there is one input, the text.
        (reading,) = readings
        # A text longer than the model takes has several windows, each with scores of its own.
        scores = merge_windows(reading.windows, reading.scores, "mean").tolist()
        mean = sum(score * stars for score, stars in zip(scores, self._stars, strict=True))
        variance = sum(score * (stars - mean) ** 2 for score, stars in zip(scores, self._stars, strict=True))
        return {"custom": {"stars": round(mean, 2), "spread": round(variance**0.5, 2), "low": mean < self._low}}
