"""``question-answering``: the span of the text that answers a question, if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.document import Annotation, Document
from schemas.pipeline.tasks import QuestionTask
from workers.encoder.reading import HeadInfo, Input, Reading
from workers.tasks import fields
from workers.tasks.answers import Answer, decode
from workers.tasks.base import Task
from workers.tasks.scores import DECIMALS


class QuestionAnswering(Task):
    """For every question a span of the text, or no answer, with the semantics of SQuAD 2.0.

    The text is the second of each pair and is cut into windows, so it may be as long as a book;
    ``workers/tasks/answers.py`` decodes the windows.
    """

    head_kind = "span"
    paired = True
    windowed = 1

    def __init__(self, config: QuestionTask, head: HeadInfo) -> None:
        """Any span head fits."""
        super().__init__(config, head)
        self._config = config
        self._window_margin = head.window_margin if config.window_margin is None else config.window_margin
        self.sequences = None if config.questions is None else len(config.questions)

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return one (question, text) pair per question. Raises FieldError if the event lacks its questions."""
        return [(question, document.text) for question in self._questions(document)]

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``answers``: per question the ``answer`` or None, the ``null_score``, and ``alternatives``.

        Alternatives are listed if ``n_best`` is above 1.
        """
        config, entries = self._config, []
        for question, reading in zip(self._questions(document), readings, strict=True):
            decoded = decode(
                document.text, reading.windows, reading.scores, n_best=config.n_best,
                max_answer_tokens=config.max_answer_tokens, null_threshold=config.null_threshold,
                can_be_unanswerable=config.unanswerable, parts=document.parts, window_margin=self._window_margin,
            )  # fmt: skip
            entry: dict[str, Any] = {
                "question": question,
                "answer": None if decoded.best is None else _plain(decoded.best, document.text),
                "null_score": round(decoded.null_score, DECIMALS),
            }
            if config.n_best > 1:
                entry["alternatives"] = [_plain(answer, document.text) for answer in decoded.alternatives]
            entries.append(entry)
        return {"answers": entries}

    def _questions(self, document: Document) -> list[str]:
        if self._config.questions is not None:
            return self._config.questions
        assert self._config.question is not None
        return list(dict.fromkeys(fields.texts(document, self._config.question)))


def _plain(answer: Answer, text: str) -> dict[str, Any]:
    return {
        "start": answer.start, "end": answer.end, "score": round(answer.score, DECIMALS),
        "text": text[answer.start : answer.end],
    }  # fmt: skip
