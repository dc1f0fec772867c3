"""``embedding``: a text as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Encoding

from schemas.config import EmbeddingTask
from schemas.document import Annotation, Document
from workers.tasks.base import Activation, HeadInfo, Scores, Task
from workers.tasks.scores import merge_windows, numbers


class Embedding(Task):
    """The pooled vector; of a long text the mean of its windows', weighted by length.

    With ``normalize`` it has length 1, after merging, as sentence-transformers' ``Normalize`` does.
    """

    head_kind = "embedding"

    def __init__(self, config: EmbeddingTask, head: HeadInfo) -> None:
        super().__init__(config, head)
        self._normalize = config.normalize

    def activation(self) -> Activation:
        return "none"

    def annotate(self, document: Document, windows: Sequence[Encoding], scores: Sequence[Scores]) -> Annotation:
        vector = merge_windows(windows, scores, "mean")
        if self._normalize:
            # A vector of zeros has no direction and stays as it is.
            vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return {"vector": numbers(vector)}
