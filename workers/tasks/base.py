"""The protocol of a task: the inputs it gives to the model, and how the model's scores become an annotation.

A task never sees the model. The chain tokenizes the task's inputs, runs trunk and head over their windows, and hands
the scores back as ``Reading`` objects. A task without a model gets no readings and works from the document alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from schemas.document import Annotation, Document
from schemas.pipeline.tasks import TaskConfig
from workers.encoder.reading import Activation, HeadInfo, HeadKind, Input, Reading, Side

Reader: TypeAlias = Callable[[Sequence[Input]], list[Reading]]
"""Runs the model over inputs and returns one reading per input, in their order."""


class Task(ABC):
    """One entry of ``tasks:`` in the pipeline file.

    Lifecycle: when a pipeline file is loaded (at startup, and on a hot swap, which makes new instances), one thread
    calls ``__init__``, then ``activation`` and ``learn`` or, without a model, ``reference``, once each. It then tries
    the task on a plain sentence. After that, every event leads to one call of ``inputs`` (if there is a model) and one
    of ``annotate``. Both are skipped for events that the task's ``when`` excludes and for events that have already
    failed; ``annotate`` is also skipped if ``compute.cache`` holds the annotation.

    Threads: ``inputs`` is always called by the same thread, and so is ``annotate``, but these may be two threads that
    run at the same time, on different micro-batches. State that only ``annotate`` uses needs no lock, and sees the
    events in the order in which the worker consumed them. State that both methods change needs a lock.

    Errors: an exception from ``inputs`` or ``annotate`` turns that event, and no other, into a dead letter. Raise
    ``FieldError`` or ``AnnotateError`` to put your own message into the dead letter; it must not quote the text. Of
    any other exception only the class name is published, because its message might quote the text. An exception
    during loading stops the worker (on a hot swap, the old pipeline keeps running).

    Attributes:
        config: the entry of the pipeline file; of a custom task a ``CustomTask``, with ``options`` as they are written.
        head: the labels and properties of the model's head; an empty ``HeadInfo()`` for a task without a model.
        name: ``config.name``, the key of the annotation in the enriched event.
        config_hash: the hash of the pipeline's configuration that ends the ``id`` of every enriched event. The chain
            sets it after ``learn``; until then it is empty.
    """

    head_kind: ClassVar[HeadKind | None] = None
    """The kind of head the task needs; None for a task that needs no model."""
    windowed: ClassVar[Side] = 0
    """Which text of a pair is cut into windows if the pair is too long: 0 for the first, 1 for the second. The
    other one is repeated whole in every window. Ignored unless ``paired``."""
    paired: ClassVar[bool] = False
    """Whether every input is a pair of texts. A task's inputs are either all texts or all pairs."""
    cacheable: bool = True
    """Whether the annotation depends on nothing but the inputs, the model and the settings. Set it to False, on the
    class or in ``__init__``, if ``annotate`` uses other parts of the event or keeps state: ``compute.cache`` then does
    not reuse its annotations, and the trial at startup, whose document has no fields, does not call ``annotate``."""
    reads_fields: ClassVar[bool] = False
    """Whether a custom task uses ``document.fields``. The event is only decoded into fields if some task needs them."""
    quicker_together: ClassVar[bool] = False
    """Whether ``annotate_all`` should be called instead of ``annotate``; only for a task without a model."""

    remarks: Sequence[str] = ()
    """What a person should know about how the model fits the settings; ``glossator lint --plan`` shows it."""

    first_decides: ClassVar[bool] = False
    """Whether the model has read a document if it knows enough of the first input, whatever it knows of the others.
    If not set, it must know enough of each (``max_unknown``)."""

    sequences: int | None = 1
    """How many inputs it has per event; None if the event decides. Only ``glossator lint --plan`` shows it."""

    def __init__(self, config: TaskConfig, head: HeadInfo) -> None:
        """Check that the options and the head fit the task.

        Args:
            config: the entry of the pipeline file, already validated.
            head: labels and properties of the model's head.

        Raises:
            ModelError: if they do not fit. The worker then stops with this message instead of failing on every event.
        """
        self.config = config
        self.head = head
        self.config_hash = ""
        self.name = config.name

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return what the model reads for ``document``; by default its text.

        Called once per event, on the prepare thread; on the device thread if the task's ``when`` refers to a task
        with a model. Must not change the document. The trial at startup passes a document without record and fields
        and ignores exceptions.

        Returns:
            Texts, or (text, text) pairs if ``paired``; equal inputs are computed once. May be empty: ``annotate`` then
            gets no readings.

        Raises:
            FieldError: if the event lacks a field that the task needs.
        """
        return (document.text,)

    def activation(self) -> Activation:
        """Return the function that turns the head's logits into the scores of the readings; by default "none".

        Called once, and only if there is a model. "softmax" is taken over the labels, "sigmoid" of each label, both in
        float32 on the model's device.
        """
        return "none"

    @abstractmethod
    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return the annotation of ``document``.

        Called on the finish thread, while the device thread computes the next micro-batch; or, if other tasks wait for
        this one, on the device or the prepare thread. It delays every event, so keep it to microseconds.

        Args:
            document: the event. Its ``text``, ``parts`` and ``annotations`` may be used, but not changed. ``record`` is
                None for texts that did not come from Kafka (``glossator try``, the trial at startup).
            readings: one per input, in the order of ``inputs``. Each has at least one window, and ``[labels]`` scores
                per window for a sequence head, ``[tokens, labels]`` for a token head, ``[tokens, 2]`` for a span head,
                ``[dimensions]`` for an embedding; all float32 and finite. ``merge_windows`` merges the windows of
                sequence heads and embeddings into one row.

        Returns:
            A dict in one of the shapes of ``docs/event.md``; for a custom task also ``{"custom": value}`` with any
            JSON value. It may be cached and shared between events, so the task must not change it later.

        Raises:
            AnnotateError: if this document cannot be annotated.
        """

    def annotate_all(self, documents: Sequence[Document]) -> list[Annotation]:
        """Return the annotations of several documents at once, one per document and in their order.

        Called instead of ``annotate``, on the same thread, if ``quicker_together`` is set and the task has no model.
        If it raises anything, ``annotate`` is called for each document, so that only the document at fault fails.
        """
        raise NotImplementedError

    def reference(self) -> dict[str, str] | None:
        """Return ``{"model": ..., "revision": ...}`` as the enriched event shows it for a task without a model.

        Called once, after ``__init__``, and only if there is no model. None, the default, means that the task cannot
        work without a model: the worker does not start.
        """
        return None

    def learn(self, read: Reader) -> None:  # noqa: B027, most tasks have nothing to learn
        """Prepare what depends on the model but not on the events, such as the vectors of reference texts.

        Called once, after every model is loaded and before the first event; only if the task has a model.

        Args:
            read: runs the model over inputs and returns their readings. Usable during this call only.

        Raises:
            ModelError: if an input cannot be read. The worker then does not start.
        """
