"""The protocol of a task: what it needs of a head, and how scores become an annotation.

A task never sees the model. The encoder runs trunk and head over windows of the text; the task
turns the windows' scores into one annotation for the document. It is called on one thread, once
per document, in order, and keeps no state between documents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from schemas.config import TaskConfig
from schemas.document import Annotation, Document

Scores: TypeAlias = NDArray[np.float32]
HeadKind = Literal["sequence", "token", "embedding"]
Activation = Literal["softmax", "sigmoid", "none"]


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a loaded head says of itself.

    - ``labels``: the head's labels in the order of its outputs; empty for an embedding.
    - ``multi_label``: whether the checkpoint was trained with one sigmoid per label.
    - ``thresholds``: label -> calibrated threshold, where the head ships them.
    - ``word_aware``: the tokenizer marks continued words (WordPiece), so that a token's length
      against its text tells whether it starts a word.
    - ``aggregation``: how its tokens' labels become spans best, where the head says so.
    - ``unk_id``: the tokenizer's unknown token, which always starts a word; None where it has none.
    """

    labels: tuple[str, ...]
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    word_aware: bool = False
    unk_id: int | None = None
    aggregation: str | None = None


class Task(ABC):
    """One entry of ``tasks:`` in the pipeline file."""

    head_kind: ClassVar[HeadKind]

    def __init__(self, config: TaskConfig, head: HeadInfo) -> None:
        """Raises ModelError when the head's labels do not fit the task."""
        self.config = config
        self.head = head
        self.name = config.name

    @abstractmethod
    def activation(self) -> Activation:
        """What turns the head's logits into scores; runs on the device, over whole batches."""

    @abstractmethod
    def annotate(self, document: Document, windows: Sequence[Encoding], scores: Sequence[Scores]) -> Annotation:
        """The annotation of ``document`` from its windows (at least one, in text order).

        ``windows[i]`` is the tokenizer's encoding of a window, whose offsets count code points of
        ``document.text``; ``scores[i]`` its scores: ``[tokens, labels]`` for a token head (special
        tokens included), ``[labels]`` for a sequence head, ``[dimensions]`` for an embedding. All of
        them are finite: a document whose model gave anything else does not get here.
        Raises EventError for a document that cannot be annotated.
        """
