"""Rewrites annotations and notices for a text that is not the original one, or for another unit of offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from schemas.document import Annotation, Part
from schemas.pipeline.tasks import AspectTask, QuestionTask, TaskConfig
from stream.output.redaction.offsets import Offsets
from stream.output.units import Unit, table


class Ranges:
    """The ranges of one event: where they are in the text that is published. ``text`` is that text."""

    __slots__ = ("_fields", "_length", "_offsets", "_originals", "_table", "text")

    def __init__(
        self,
        text: str,
        unit: Unit,
        offsets: Offsets | None = None,
        originals: bool = False,
    ) -> None:
        """Prepare the ranges of ``text``.

        Args:
            text: the text that the tasks have read.
            unit: what offsets in the event count.
            offsets: how the text was changed; None if it was not.
            originals: ranges also get their place in ``text``, as ``original_start`` and ``original_end``.
        """
        self._fields: dict[str, str] = {}
        self._length = len(text)
        self._offsets = offsets
        self.text = text if offsets is None else offsets.text
        self._table = None if unit == "code_point" else table(self.text, unit)
        self._originals = (table(text, unit) or range(len(text) + 1)) if originals else None

    @property
    def same(self) -> bool:
        """Whether nothing is to be rewritten."""
        return self._offsets is None and self._table is None and self._originals is None

    def moved(self, entry: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Return a copy of ``entry`` whose ``start`` and ``end``, and its text under ``key``, are those published."""
        moved = dict(entry)
        first, last = start, end = entry["start"], entry["end"]
        if (offsets := self._offsets) is not None:
            start, end = offsets.start(first), offsets.end(last)
            if key in moved:
                moved[key] = self.text[start:end]
        if self._table is not None:
            start, end = self._table[start], self._table[end]
        moved["start"], moved["end"] = start, end
        if self._originals is not None:
            moved["original_start"], moved["original_end"] = self._originals[first], self._originals[last]
        if self._fields and "field" in moved:
            moved["field"] = self._fields.get(moved["field"], moved["field"])
        return moved

    def moved_spans(self, spans: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return copies of ``spans``, which have their texts under ``text``, as ``moved`` does one by one."""
        offsets = self._offsets
        if offsets is None or self._table is not None or self._originals is not None or self._fields:
            return [self.moved(span, "text") for span in spans]
        moved_spans: list[dict[str, Any]] = []
        starts, ends, text = offsets.starts, offsets.ends, self.text
        for span in spans:
            # What was redacted is asked for most of the time.
            start, end = starts.get(span["start"]), ends.get(span["end"])
            if start is None or end is None or "text" not in span:
                moved_spans.append(self.moved(span, "text"))
                continue
            moved = dict(span)
            moved["start"], moved["end"], moved["text"] = start, end, text[start:end]
            moved_spans.append(moved)
        return moved_spans

    def moved_parts(self, parts: Iterable[Part], string: Callable[[str], str]) -> tuple[Part, ...]:
        """Return the texts of the event as they are published; ``string`` redacts their paths.

        Then ``moved`` also rewrites the paths of ranges.
        """
        moved = []
        for path, start, end, steps in parts:
            published = string(path)
            if published != path:
                self._fields[path] = published
            moved.append(Part(published, self.start(start), self.end(end), steps))
        return tuple(moved)

    def holds(self, start: Any, end: Any) -> bool:
        """Return whether ``start`` and ``end`` can be a range of the text. True and False are no numbers."""
        return type(start) is int and type(end) is int and 0 <= start <= end <= self._length

    def start(self, offset: int) -> int:
        """Return where a range starts in the published text that started at ``offset``."""
        if self._offsets is not None:
            offset = self._offsets.start(offset)
        return offset if self._table is None else self._table[offset]

    def end(self, offset: int) -> int:
        """Return where a range ends in the published text that ended at ``offset``."""
        if self._offsets is not None:
            offset = self._offsets.end(offset)
        return offset if self._table is None else self._table[offset]


class Annotations:
    """Rewrites the annotations of a pipeline's tasks. Any thread may use it."""

    def __init__(self, tasks: Iterable[TaskConfig]) -> None:
        """``tasks``: those of the pipeline file."""
        self._rewrites: dict[str, Callable[[Annotation, Ranges, Callable[[str], str]], Annotation]] = {}
        for task in tasks:
            rewrite = _REWRITES.get(getattr(task, "task"))  # noqa: B009
            if rewrite is None:
                continue
            from_file = isinstance(task, QuestionTask) and task.questions is not None
            from_file = from_file or (isinstance(task, AspectTask) and isinstance(task.aspects, list))
            self._rewrites[task.name] = _with_own_words(rewrite) if from_file else rewrite

    def rewritten(
        self, annotations: Mapping[str, Annotation], ranges: Ranges, string: Callable[[str], str]
    ) -> dict[str, Annotation]:
        """Return ``annotations`` with their ranges as ``ranges`` says.

        ``string``: returns what is published of a text of the event that is not a part of the document's text. Words of
        the pipeline file, such as fixed questions, are published as they are.
        """
        rewrites = self._rewrites
        return {
            name: annotation if (rewrite := rewrites.get(name)) is None else rewrite(annotation, ranges, string)
            for name, annotation in annotations.items()
        }


def rewritten_notices(
    notices: Iterable[dict[str, Any]], ranges: Ranges, string: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return ``notices`` with their numbers of characters and the paths of the event as they are published."""
    return [_notice(notice, ranges, string) for notice in notices]


def _notice(notice: dict[str, Any], ranges: Ranges, string: Callable[[str], str]) -> dict[str, Any]:
    if notice.get("kind") == "truncated":
        return {**notice, "kept": ranges.end(notice["kept"]), "of": ranges.end(notice["of"])}
    if notice.get("kind") == "replaced":
        return {**notice, "paths": [string(path) for path in notice["paths"]]}
    return notice


def _spans(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    return {**annotation, "spans": ranges.moved_spans(annotation["spans"])}


def _sentences(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    if "sentences" not in annotation:
        return annotation
    return {**annotation, "sentences": ranges.moved_spans(annotation["sentences"])}


def _clusters(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    clusters = [_spans(cluster, ranges, string) for cluster in annotation["clusters"]]
    return {**annotation, "clusters": clusters}


def _aspects(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    aspects = []
    for aspect in annotation["aspects"]:
        if "start" in aspect:
            aspects.append(ranges.moved(aspect, "aspect"))
        elif "aspect" in aspect:
            aspects.append({**aspect, "aspect": string(aspect["aspect"])})
        else:
            aspects.append(aspect)
    return {**annotation, "aspects": aspects}


def _answers(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    answers = []
    for answered in annotation["answers"]:
        moved = dict(answered)
        if "question" in moved:
            moved["question"] = string(moved["question"])
        if moved["answer"] is not None:
            moved["answer"] = ranges.moved(moved["answer"], "text")
        if moved.get("alternatives") is not None:
            moved["alternatives"] = [ranges.moved(answer, "text") for answer in moved["alternatives"]]
        answers.append(moved)
    return {**annotation, "answers": answers}


def _custom(annotation: Annotation, ranges: Ranges, string: Callable[[str], str]) -> Annotation:
    rewritten: Annotation = _any(annotation, ranges, string)
    return rewritten


def _any(value: Any, ranges: Ranges, string: Callable[[str], str]) -> Any:
    """Rewrite what a custom task returned: an object with ``start`` and ``end`` within the text is a range of it."""
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list | tuple):
        return [_any(entry, ranges, string) for entry in value]
    if type(value) is int:
        # A number may be a value, too. A fraction is a score, which may contain any digits.
        published = string(str(value))
        return value if published == str(value) else published
    if value is None or isinstance(value, bool | float):
        return value
    if not isinstance(value, dict):
        try:
            encoded = orjson.dumps(value)
        except TypeError:
            return value  # the event builder refuses it
        return _any(orjson.loads(encoded), ranges, string)
    ranged = ranges.holds(value.get("start"), value.get("end"))
    rewritten = {
        string(name) if isinstance(name, str) else name: _any(entry, ranges, string) for name, entry in value.items()
    }
    if ranged:
        place = {name: value[name] for name in ("start", "end", "text") if name in value}
        rewritten.update(ranges.moved(place, "text"))
    return rewritten


def _with_own_words(
    rewrite: Callable[[Annotation, Ranges, Callable[[str], str]], Annotation],
) -> Callable[[Annotation, Ranges, Callable[[str], str]], Annotation]:
    return lambda annotation, ranges, _: rewrite(annotation, ranges, str)


_REWRITES = {
    "ner": _spans,
    "token-classification": _spans,
    "pos": _spans,
    "pii": _spans,
    "moderation": _sentences,
    "coreference": _clusters,
    "aspect-sentiment": _aspects,
    "question-answering": _answers,
    "custom": _custom,
}
"""The value of ``task`` -> what rewrites its annotation, for tasks whose annotation has ranges or text."""
