"""The protocol of a task: what it reads, what it needs of a head, and how scores become an annotation.

A task never sees the model. The encoder runs trunk and head over windows of each of the task's inputs; the
task turns the windows' scores into one annotation for the document. It is called on one thread at a time,
once per document, in order. A task without a model gets no readings and works from the document alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from schemas.document import Annotation, Document
from schemas.pipeline.tasks import TaskConfig
from workers.encoder.reading import Activation, HeadInfo, HeadKind, Input, Reading, Side


class Task(ABC):
    """One entry of ``tasks:`` in the pipeline file. ``config_hash``, set by the chain, ends every event's id."""

    head_kind: ClassVar[HeadKind | None] = None
    """The head it needs of its model; None: it needs no model."""
    windowed: ClassVar[Side] = 0
    """Which text of a pair is cut into windows when the pair is too long."""
    paired: ClassVar[bool] = False
    """Whether its inputs are pairs."""
    cacheable: ClassVar[bool] = True
    """Whether equal inputs always get equal annotations: not if the task reads anything else of the event."""
    reads_fields: ClassVar[bool] = False
    """Whether a task of the user's own reads ``document.fields``, which are decoded only if somebody does."""

    quicker_together: ClassVar[bool] = False
    """Whether a task without a model would rather annotate several documents at once."""

    sequences: int | None = 1
    """How many inputs it has read per event; None where the event decides."""

    def __init__(self, config: TaskConfig, head: HeadInfo) -> None:
        """Raises ModelError when the head's labels do not fit the task."""
        self.config = config
        self.head = head
        self.config_hash = ""
        self.name = config.name

    def inputs(self, document: Document) -> Sequence[Input]:
        """What the model shall read for ``document``: its text, unless a task says otherwise.

        An empty sequence is allowed and leads to no readings. Raises FieldError when the event lacks
        what the task needs.
        """
        return (document.text,)

    def activation(self) -> Activation:
        """What turns the head's logits into scores; runs on the device, over whole batches."""
        return "none"

    @abstractmethod
    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """The annotation of ``document`` from the readings of its inputs, one each and in their order.

        Raises EventError for a document that cannot be annotated.
        """

    def annotate_all(self, documents: Sequence[Document]) -> list[Annotation]:
        """The same of several documents, of a task without a model that is ``quicker_together``.

        When it raises, each document is annotated alone.
        """
        raise NotImplementedError

    def reference(self) -> dict[str, str] | None:
        """``model`` and ``revision`` for the event, of a task that works without a checkpoint."""
        return None

    def learn(self, read: Callable[[Sequence[Input]], list[Reading]]) -> None:  # noqa: B027, most have nothing to learn
        """Called once when the model is loaded, with a way to read inputs that are the same for all events.

        Raises ModelError when they cannot be read.
        """
