"""``aspect-sentiment``: the sentiment of a text about each of several aspects."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.document import Annotation, Document
from schemas.errors import FieldError
from schemas.pipeline.tasks import AspectTask, FromSpans
from workers.encoder.reading import HeadInfo, Input, Reading
from workers.tasks import fields
from workers.tasks.classification import Classification
from workers.tasks.parts import part_of
from workers.tasks.scores import merge_windows, numbers


class _Aspect(NamedTuple):
    text: str
    start: int | None = None
    end: int | None = None


class AspectSentiment(Classification):
    """One classification per aspect, from the pair of text and aspect.

    After Sun et al. 2019, "Utilizing BERT for Aspect-Based Sentiment Analysis via Constructing Auxiliary Sentence".
    Aspects come from the pipeline file, from the event (texts, or ``{"start": .., "end": ..}`` in code points of
    the text, which must not overlap), or from the spans of another task, where a repeated text counts once, at its
    first position.
    """

    paired = True

    def __init__(self, config: AspectTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has fewer than two labels."""
        super().__init__(config, head)
        self._aspects = config.aspects
        self.sequences = len(config.aspects) if isinstance(config.aspects, list) else None
        # Aspects from events or spans carry positions, which the inputs do not show.
        self.cacheable = isinstance(config.aspects, list)

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return one (text, aspect) pair per aspect. Raises FieldError for unusable or too many aspects."""
        return [(document.text, aspect.text) for aspect in self._aspects_of(document)]

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``aspects``: per aspect its text, its position if known, and its classification."""
        entries = []
        for aspect, reading in zip(self._aspects_of(document), readings, strict=True):
            row = merge_windows(reading.windows, reading.scores, self._merge)
            values = numbers(row)
            best = int(row.argmax())
            position = {} if aspect.start is None else {"start": aspect.start, "end": aspect.end}
            entries.append({
                "aspect": aspect.text, **position, "label": self.labels[best], "score": values[best],
                "scores": dict(zip(self.labels, values, strict=True)),
            })  # fmt: skip
        return {"aspects": entries}

    def _aspects_of(self, document: Document) -> list[_Aspect]:
        """Return the document's aspects. Raises FieldError if the event's are not valid, or if there are too many."""
        aspects = self._aspects
        if isinstance(aspects, list):
            return [_Aspect(text) for text in aspects]
        if isinstance(aspects, FromSpans):
            firsts: dict[str, _Aspect] = {}
            for span in document.annotations[aspects.spans]["spans"]:
                if aspects.labels is None or span["label"] in aspects.labels:
                    firsts.setdefault(span["text"], _Aspect(span["text"], span["start"], span["end"]))
            if len(firsts) > fields.MOST:
                raise FieldError(
                    f'the spans of task "{aspects.spans}" give {len(firsts)} aspects, the limit is {fields.MOST}'
                )
            return list(firsts.values())
        listed = fields.value(document, aspects)
        if not isinstance(listed, list) or len(listed) > fields.MOST:
            raise FieldError(f"the value at {aspects} is not a list of at most {fields.MOST} aspects")
        parsed = [_parse(entry, document.text, aspects) for entry in listed]
        if document.parts is not None:
            for aspect in parsed:
                if aspect.start is not None and aspect.end and not part_of(aspect.start, aspect.end, document.parts):
                    raise FieldError(f"an aspect at {aspects} is not within a single text of the event")
        positions = sorted((aspect.start, aspect.end) for aspect in parsed if aspect.start is not None and aspect.end)
        if any(start < end for (_, end), (start, _) in pairwise(positions)):
            raise FieldError(f"the aspects at {aspects} overlap")
        return list(dict.fromkeys(parsed))


def _parse(entry: Any, text: str, path: str) -> _Aspect:
    if isinstance(entry, str):
        return _Aspect(fields.checked(entry, path))
    if isinstance(entry, dict):
        start, end = entry.get("start"), entry.get("end")
        # Not isinstance, because True is an int too.
        if type(start) is int and type(end) is int and 0 <= start < end <= len(text):
            return _Aspect(fields.checked(text[start:end], path), start, end)
    raise FieldError(f'an aspect at {path} is neither a text nor a {{"start": .., "end": ..}} within the text')
