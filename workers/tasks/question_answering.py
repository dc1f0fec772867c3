"""``question-answering``: where the text answers a question, if it does."""

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
    """An answer for every question, as a span of the text, or none, with the semantics of SQuAD 2.0.

    The text is the second of each pair and is read in windows, so it may be as long as a book; see ``answers.py``
    for how windows are decoded.
    """

    head_kind = "span"
    paired = True
    windowed = 1

    def __init__(self, config: QuestionTask, head: HeadInfo) -> None:
        super().__init__(config, head)
        self._config = config
        self.sequences = None if config.questions is None else len(config.questions)

    def inputs(self, document: Document) -> Sequence[Input]:
        return [(question, document.text) for question in self._questions(document)]

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        config, made = self._config, []
        for question, reading in zip(self._questions(document), readings, strict=True):
            found = decode(
                document.text, reading.windows, reading.scores, n_best=config.n_best,
                max_answer_tokens=config.max_answer_tokens, null_threshold=config.null_threshold,
                can_be_unanswerable=config.unanswerable,
            )  # fmt: skip
            answer: dict[str, Any] = {
                "question": question,
                "answer": None if found.best is None else _plain(found.best, document.text),
                "null_score": round(found.null_score, DECIMALS),
            }
            if config.n_best > 1:
                answer["alternatives"] = [_plain(other, document.text) for other in found.alternatives]
            made.append(answer)
        return {"answers": made}

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
