"""A complete custom task: how many stars a review would give, as one number.

A classifier for one to five stars gives every number of stars a probability. The most probable number alone is coarse.
The mean of the stars, weighted by their probabilities, says more, and the standard deviation says how certain it is.

To write your own: copy this file, name your class in the pipeline file (``use: module:Class``), and make it importable,
by installing it or with ``PYTHONPATH``. The docstrings of ``Task`` in workers/tasks/base.py describe every method.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.tasks import (
    Activation,
    Annotation,
    CustomTask,
    Document,
    HeadInfo,
    ModelError,
    Reading,
    Task,
    merge_windows,
)


class Stars(Task):
    """``{"custom": {"stars": 3.62, "spread": 0.81, "low": false}}``.

    Options: ``low``, the mean below which a review counts as low; default 2.5.
    """

    # The kind of model it needs. The chain loads the model, runs it, and shares its forward with other tasks.
    head_kind = "sequence"

    def __init__(self, config: CustomTask, head: HeadInfo) -> None:
        """Raises ModelError if the model or the options do not fit, so that the worker does not start."""
        super().__init__(config, head)
        options = {"low": 2.5, **(config.options or {})}
        if options.keys() != {"low"} or type(options["low"]) not in {int, float}:
            raise ModelError('Stars has one option, "low", a number')
        self._low = float(options["low"])
        try:
            self._stars = [int(label.split()[0]) for label in head.labels]
        except (ValueError, IndexError):
            raise ModelError(
                f"Stars needs labels such as 1 star, 2 stars; this model has: {', '.join(head.labels)}"
            ) from None

    def activation(self) -> Activation:
        """How the head's logits become scores."""
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Called once per event. Raise AnnotateError to reject it: it becomes a dead letter, other events do not."""
        # There is one reading per input; unless ``inputs`` is overridden, the only input is the text.
        (reading,) = readings
        # A text that is longer than the model allows is read in several windows, each with its own scores.
        scores = merge_windows(reading.windows, reading.scores, "mean").tolist()
        mean = sum(score * stars for score, stars in zip(scores, self._stars, strict=True))
        variance = sum(score * (stars - mean) ** 2 for score, stars in zip(scores, self._stars, strict=True))
        return {"custom": {"stars": round(mean, 2), "spread": round(variance**0.5, 2), "low": mean < self._low}}
