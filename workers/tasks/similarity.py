"""``similarity``: the cosine of the vectors of texts (Reimers and Gurevych 2019, "Sentence-BERT")."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.document import Annotation, Document, event_id
from schemas.errors import ModelError
from schemas.pipeline.tasks import SimilarityTask
from workers.encoder.reading import HeadInfo, Input, Reading
from workers.tasks import fields
from workers.tasks.base import Reader, Task
from workers.tasks.scores import DECIMALS, merge_windows, numbers

Vector = NDArray[np.float32]
_UNREAD = 0.5
"""The share of unknown characters above which the model has not read a text."""


class Similarity(Task):
    """The text compared with another text of the event, with fixed references, or with recent events.

    - ``against``: the cosine of both texts.
    - ``references``: the cosine with each reference, and the name of the most similar one.
    - ``window`` N: the id of the most similar of the last N events of this worker, if it is similar enough. An event
      that is repeated after a crash is not a duplicate of itself. The window is lost when the worker stops. A text
      most of which is unknown to the tokenizer has no duplicates and is none.
    """

    head_kind = "embedding"

    def __init__(self, config: SimilarityTask, head: HeadInfo) -> None:
        """Any embedding head fits."""
        super().__init__(config, head)
        self._config = config
        self.sequences = 1 if config.against is None else 2
        self._references: Vector | None = None
        self._recent = Recent(config.window) if config.window is not None else None
        self.cacheable = config.window is None

    def learn(self, read: Reader) -> None:
        """Compute the vectors of the references. Raises ModelError if one cannot be read, or is unknown."""
        if self._config.references is None:
            return
        readings = read(list(self._config.references.values()))
        for name, reading in zip(self._config.references, readings, strict=True):
            if reading.unknown > self._config.max_unknown:
                raise ModelError(
                    f'the tokenizer does not know {reading.unknown:.0%} of the reference "{name}", and max_unknown is '
                    f"{self._config.max_unknown:g}"
                )
        self._references = np.stack([_vector(reading) for reading in readings])

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return the text, with ``against`` also the event's other text. Raises FieldError if there is none."""
        if self._config.against is None:
            return (document.text,)
        return document.text, fields.text(document, self._config.against)

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return a ``score``; or a classification over the references; or ``duplicate_of`` and its ``score``."""
        vector = _vector(readings[0])
        if self._recent is not None and readings[0].unknown > _UNREAD:
            # Its vector says nothing of it, and is that of every other such text. It is not remembered, either.
            return {"duplicate_of": None, "score": None}
        if self._recent is not None:
            return self._nearest(document, vector, self._recent)
        if self._references is None or self._config.references is None:
            return {"score": _cosine(float(vector @ _vector(readings[1])))}
        scores = numbers(np.clip(self._references @ vector, -1.0, 1.0))
        names = list(self._config.references)
        best = int(np.argmax(scores))
        return {"label": names[best], "score": scores[best], "scores": dict(zip(names, scores, strict=True))}

    def _nearest(self, document: Document, vector: Vector, recent: Recent) -> Annotation:
        id_ = event_id(document, self.config_hash)
        nearest = recent.nearest(vector, id_)
        recent.add(vector, id_)
        if nearest is None:
            return {"duplicate_of": None, "score": None}
        similar, cosine = nearest
        score = _cosine(cosine)
        return {"duplicate_of": similar if score >= self._config.threshold else None, "score": score}


class Recent:
    """The vectors of the last ``size`` events, in a ring buffer. Not thread-safe."""

    def __init__(self, size: int) -> None:
        """``size``: how many events to remember, at least 1."""
        self._size = size
        self._vectors: Vector | None = None
        self._ids: list[str] = []
        self._next = 0

    def nearest(self, vector: Vector, excluded: str) -> tuple[str, float] | None:
        """Return the id and the cosine of the most similar event, except the one with the id ``excluded``.

        ``vector`` has length 1. Of equally similar events the latest is returned; None if there is none at all.
        """
        if self._vectors is None:
            return None
        scores = self._vectors[: len(self._ids)] @ vector
        for index, id_ in enumerate(self._ids):
            if id_ == excluded:
                scores[index] = -np.inf
        # Rolled so that the newest comes first, because argmax returns the first of equals.
        order = np.roll(scores[::-1], self._next) if len(self._ids) == self._size else scores[::-1]
        best = int(np.argmax(order))
        index = (self._next - 1 - best) % len(self._ids)
        return None if np.isneginf(order[best]) else (self._ids[index], float(order[best]))

    def add(self, vector: Vector, id_: str) -> None:
        """Remember an event's vector, of length 1, and its id; forget the oldest event if there are too many."""
        if self._vectors is None:
            self._vectors = np.empty((self._size, len(vector)), np.float32)
        self._vectors[self._next] = vector
        if self._next == len(self._ids):
            self._ids.append(id_)
        else:
            self._ids[self._next] = id_
        self._next = (self._next + 1) % self._size


def _vector(reading: Reading) -> Vector:
    vector = merge_windows(reading.windows, reading.scores, "mean")
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)


def _cosine(value: float) -> float:
    return round(min(1.0, max(-1.0, value)), DECIMALS)
