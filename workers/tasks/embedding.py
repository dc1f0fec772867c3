"""``embedding``: one vector for a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.document import Annotation, Document
from schemas.errors import AnnotateError
from schemas.pipeline.tasks import EmbeddingTask
from workers.encoder.reading import HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import merge_windows, numbers


class Embedding(Task):
    """The pooled vector; for a long text the mean over its windows, weighted by their lengths.

    - ``dimensions``: how many to keep, from the first (Kusupati et al. 2022, "Matryoshka Representation Learning").
    - ``normalize``: scales it to length 1, after merging and cutting, like sentence-transformers' ``Normalize``.
    - ``precision``: float16 rounds the numbers to that type; int8 writes integers from -127 to 127 and the ``scale``
      to multiply them by.
    """

    head_kind = "embedding"

    def __init__(self, config: EmbeddingTask, head: HeadInfo) -> None:
        """Any embedding head fits."""
        super().__init__(config, head)
        self._normalize = config.normalize
        self._dimensions = config.dimensions
        self._precision = config.precision

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the ``vector``, with int8 also its ``scale``.

        Raises:
            AnnotateError: if the vector has fewer dimensions than asked for.
        """
        (reading,) = readings
        vector = merge_windows(reading.windows, reading.scores, "mean")[: self._dimensions]
        if self._dimensions is not None and len(vector) < self._dimensions:
            raise AnnotateError(f"the vector has {len(vector)} dimensions, fewer than the {self._dimensions} requested")
        if self._normalize:
            # A vector of zeros has no direction and stays as it is.
            vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        if self._precision == "int8":
            scale = float(np.abs(vector).max()) / 127 or 1.0
            return {"vector": np.rint(vector / scale).astype(np.int8).tolist(), "scale": scale}
        if self._precision == "float16":
            # The string of a float16 is the shortest decimal that parses back to it: at most five digits.
            return {"vector": [float(str(value)) for value in vector.astype(np.float16)]}
        return {"vector": numbers(vector)}
