"""``ner`` and ``token-classification`` with ``sentences: true``: each sentence is read on its own."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.document import Document
from workers.encoder.reading import Input
from workers.tasks.sentences import sentences
from workers.tasks.spans import Spans


class SentenceSpans(Spans):
    """Spans of the sentences of a text, as most heads have learnt to find them.

    A class of its own, because it cannot share a forward with tasks that read the text.
    """

    sequences = None

    def inputs(self, document: Document) -> Sequence[Input]:
        """Return the sentences of the text."""
        return [document.text[start:end] for start, end in self._ranges(document)]

    def _ranges(self, document: Document) -> list[tuple[int, int]]:
        return sentences(document.text, document.parts)
