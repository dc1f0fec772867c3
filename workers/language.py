"""Which language a text is in, offline: py3langid, naive Bayes over byte n-grams (Lui and Baldwin 2012, "langid.py").

Chosen over lingua by measurement (``docs/tasks.md``): as accurate on short posts, several times as fast, a tenth of
the memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module, metadata

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ModelError

LIMIT = 2000
"""Code points of a text that count: the language of a long one is settled long before."""
UNDETERMINED = ("und", 0.0)
"""ISO 639-2's code for a text in no language that could be told."""

# Addresses and handles are letters of no language. ASCII alone: Chinese or Japanese may follow without a space.
_FOREIGN = re.compile(r"(?:https?://|www\.)[!-~]+|@[\w.@-]+", re.ASCII | re.IGNORECASE)


class Detector:
    """Safe to share between threads; equal texts get equal answers, whatever is detected beside them.

    ``name`` and ``version`` are the library's, ``known`` the codes it was made with.
    """

    name = "py3langid"

    def __init__(self, languages: Sequence[str] | None = None) -> None:
        """``languages``: codes to choose from; default: every one the library knows that has two letters (ISO 639-1).

        A few have three (``yue``), and can be asked for. Raises ModelError for a code the library does not
        know, and when it is not installed.
        """
        try:
            library = import_module("py3langid.langid")
        except ImportError as error:
            raise ModelError(
                "detecting languages needs py3langid, which is not installed: pip install 'glossator[language]'"
            ) from error
        self.version = metadata.version(self.name)
        self._identifier = library.LanguageIdentifier.from_model_file(library.MODEL_FILE, norm_probs=True)
        self.known = known = sorted(self._identifier.labels)
        if languages is None:
            languages = [code for code in known if len(code) == 2]
        elif unknown := sorted(set(languages) - set(known)):
            raise ModelError(f"{self.name} does not know {', '.join(unknown)}; it knows: {', '.join(known)}")
        self._identifier.set_languages(languages)
        # Choosing leaves the columns of its table apart, and in half precision, which a processor does not multiply in.
        self._identifier.nb_ptc = np.ascontiguousarray(self._identifier.nb_ptc, np.float32)
        # A language of two scripts has two columns, and the first of them the score of both.
        codes = self._identifier.nb_classes
        self._columns = [number for number, code in enumerate(codes) if code not in codes[:number]]
        self._codes = [codes[column] for column in self._columns]
        # What the library says when it has found none of its features.
        self._nothing = self._scores("")

    def detect(self, texts: Sequence[str], top: int | None = None) -> list[list[tuple[str, float]]]:
        """For each text the ``top`` languages, or all, with their probabilities, best first; those of all sum to 1.

        Only the first ``LIMIT`` code points count, without web addresses and handles. A text without a letter in
        them, or with letters that say nothing (``ok``), gets ``[UNDETERMINED]``.
        """
        return [self._detect(text, top) for text in texts]

    def _detect(self, text: str, top: int | None) -> list[tuple[str, float]]:
        own = _FOREIGN.sub(" ", text[:LIMIT])
        if not any(map(str.isalpha, own)):
            return [UNDETERMINED]
        scores = self._scores(own)
        if np.array_equal(scores, self._nothing):
            return [UNDETERMINED]
        best = (-scores).argsort(kind="stable")[:top]
        return [
            (self._codes[number], score) for number, score in zip(best.tolist(), scores[best].tolist(), strict=True)
        ]

    def _scores(self, text: str) -> NDArray[np.float32]:
        """As ``rank`` of the library has them, which spends more time on sorting all than on finding them."""
        scores: NDArray[np.float32] = self._identifier._decide(text)[self._columns]
        return scores
