"""``embedding``: a text as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.document import Annotation, Document
from schemas.errors import AnnotateError
from schemas.pipeline.tasks import EmbeddingTask
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.scores import merge_windows, numbers


class Embedding(Task):
    """The pooled vector; of a long text the mean of its windows', weighted by length.

    - ``dimensions``: the first so many alone (Kusupati et al. 2022, "Matryoshka Representation Learning").
    - ``normalize``: it has length 1, after merging and cutting, as sentence-transformers' ``Normalize`` does.
    - ``precision``: float16 rounds the numbers to what that type can say; int8 writes whole numbers from -127 to
      127 and the ``scale`` to multiply them with.
    """

    head_kind = "embedding"

    def __init__(self, config: EmbeddingTask, head: HeadInfo) -> None:
        super().__init__(config, head)
        self._normalize = config.normalize
        self._dimensions = config.dimensions
        self._precision = config.precision

    def activation(self) -> Activation:
        return "none"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        (reading,) = readings
        vector = merge_windows(reading.windows, reading.scores, "mean")[: self._dimensions]
        if self._dimensions is not None and len(vector) < self._dimensions:
            raise AnnotateError(f"the vector has {len(vector)} dimensions, fewer than the {self._dimensions} asked for")
        if self._normalize:
            # A vector of zeros has no direction and stays as it is.
            vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        if self._precision == "int8":
            scale = float(np.abs(vector).max()) / 127 or 1.0
            return {"vector": np.rint(vector / scale).astype(np.int8).tolist(), "scale": scale}
        if self._precision == "float16":
            # As text the shortest decimal that float16 reads back is at most five digits.
            return {"vector": [float(str(value)) for value in vector.astype(np.float16)]}
        return {"vector": numbers(vector)}
