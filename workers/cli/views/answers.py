"""Answers in the shape of a service, for people and for programs that follow a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
import orjson
from pydantic import ValidationError

from schemas.answers import ANSWERS
from schemas.conditions import variable
from schemas.document import Document
from schemas.record import Record
from workers.cli.filters import Filter
from workers.cli.views.events import FLAG, moment, readable
from workers.cli.views.feeds import Feed

VARIABLES = ("answer", "key", "headers")
"""What a condition about answers can use."""


class AnswerFeed(Feed):
    """Writes answers; without what a request had in them, unless ``original`` is set."""

    def __init__(self, shape: str, form: str, original: bool, decode: Callable[[bytes], bytes] | None = None) -> None:
        """Prepare the output.

        Args:
            shape: the name of the shape.
            form: how to write the answers.
            original: whether to show the token and the languages of requests.
            decode: returns the JSON of a value, or raises ValueError; None if values are JSON.

        Raises:
            click.UsageError: answers cannot be written in that form.
        """
        super().__init__()
        if form not in {"pretty", "json"}:
            raise click.UsageError(f"the topic has answers in the shape {shape}, not events; use pretty or json")
        self._shape, self._pretty, self._original, self._decode = shape, form == "pretty", original, decode

    def record(self, record: Record, chosen: Filter) -> bool:
        """Write one answer, if it is chosen; returns whether it was written."""
        answer = self._answer(record.value)
        if answer is None:
            self._other += record.value is not None
            return False
        if not chosen.passes(_variables(answer, record).__getitem__):
            return False
        if not self._original:
            answer = _without_input(answer)
        if self._pretty:
            place = f"{record.assignment.topic}[{record.assignment.partition}]@{record.offset}"
            described = "  ".join(_described(answer)) or "no scores"
            self._write(readable(f"{moment(record.timestamp_ms)} {place}  {described}").encode() + b"\n")
        else:
            self._write(orjson.dumps(answer) + b"\n")
        return True

    def complaints(self, failures: int) -> Iterator[str]:
        """Yield what a person should know at the end; ``failures``: records without an answer of the condition."""
        for complaint in super().complaints(failures):
            yield complaint.replace("enriched events", f"answers in the shape {self._shape}")

    def _answer(self, value: bytes | None) -> dict[str, Any] | None:
        """Return the answer in a record; None if it is something else."""
        try:
            decoded = value if value is None or self._decode is None else self._decode(value)
            answer = orjson.loads(decoded or b"null")
            ANSWERS[self._shape].model_validate(answer, extra="ignore")
        except (ValueError, ValidationError):
            return None
        return answer  # type: ignore[no-any-return]  # a model of an object fits


def _variables(answer: Mapping[str, Any], record: Record) -> dict[str, Any]:
    document = Document(record)
    return {"answer": answer, **{name: variable(name, document) for name in ("key", "headers")}}


def _without_input(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer without what is, or may be, from the input."""
    if "send_time" in answer:
        data = {name: answer["data"][name] for name in ("action_id", "action_name")}
        return {"send_time": answer["send_time"], "data": data}
    return {name: value for name, value in answer.items() if name not in {"clientToken", "languages"}}


def _described(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield each score of an answer in a few words."""
    for name, scores in answer.get("attributeScores", {}).items():
        yield f"{name} {scores['summaryScore']['value']:.2f}"
    if "send_time" in answer:
        yield f"{answer['data']['action_name']} {answer['data']['action_id']}"
    for result in answer.get("results", ()):
        for name, score in result["category_scores"].items():
            yield f"{FLAG + ' ' if result['categories'].get(name) else ''}{name} {score:.2f}"
