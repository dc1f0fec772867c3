"""Offline language detection with py3langid: naive Bayes over byte n-grams (Lui and Baldwin 2012, "langid.py").

py3langid was chosen over lingua by measurement (``docs/tasks.md``): it is as accurate on short posts, several times as
fast, and needs a fraction of the memory. The library loads its tables; the lookups are done here, for several texts at
once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from importlib import import_module, metadata

import numpy as np
import torch
from torch.nn.functional import embedding_bag

from schemas.errors import ModelError
from workers.encoder.packing import Ints, flat_starts

LIMIT = 2000
"""Only so many code points of a text are used, which are plenty to tell its language."""
UNDETERMINED = ("und", 0.0)
"""The answer for a text whose language cannot be told: the code of ISO 639-2, with probability 0."""

_TEXTS = 32
"""Texts that are processed together; bounds the memory that they take."""

# Web addresses and handles are in no language. Only ASCII, because Chinese or Japanese may follow without a space.
_FOREIGN = re.compile(r"(?:https?://|www\.)[!-~]+|@[\w.@-]+", re.ASCII | re.IGNORECASE)


class Detector:
    """A language detector that any number of threads may share.

    Equal texts get equal answers, whatever other texts are detected with them.

    Attributes:
        name: the library's name.
        version: the library's version.
        known: every language code that the library knows, sorted.
    """

    name = "py3langid"

    def __init__(self, languages: Sequence[str] | None = None) -> None:
        """Load the library's tables.

        Args:
            languages: the codes to choose from. The default is every known code with two letters (ISO 639-1); the few
                with three (``yue``) must be named.

        Raises:
            ModelError: if the library is not installed, or does not know one of ``languages``.
        """
        try:
            library = import_module("py3langid.langid")
        except ImportError as error:
            raise ModelError(
                "detecting languages needs py3langid, which is not installed: pip install 'glossator[language]'"
            ) from error
        self.version = metadata.version(self.name)
        identifier = library.LanguageIdentifier.from_model_file(library.MODEL_FILE)
        self.known = known = sorted(identifier.labels)
        if languages is None:
            languages = [code for code in known if len(code) == 2]
        elif unknown := sorted(set(languages) - set(known)):
            raise ModelError(f"{self.name} does not know {', '.join(unknown)}; it knows: {', '.join(known)}")
        identifier.set_languages(languages)
        self._next = np.asarray(identifier.tk_nextmove)
        self._rows = np.asarray(identifier.tk_row, np.int64) << 8
        self._features = np.asarray(identifier.tk_output)
        # A contiguous copy: choosing languages leaves a view whose rows are scattered over memory.
        self._table, self._prior = torch.tensor(identifier.nb_ptc, dtype=torch.float32), identifier.nb_pc
        # A language with two scripts has two columns; the first one gets the score of both.
        classes = identifier.nb_classes
        first = {code: column for column, code in reversed(list(enumerate(classes)))}
        self._codes = list(dict.fromkeys(classes))
        self._columns = [first[code] for code in self._codes]
        self._aliases = [(first[code], column) for column, code in enumerate(classes) if first[code] != column]

    def detect(self, texts: Sequence[str], top: int | None = None) -> list[list[tuple[str, float]]]:
        """Return per text the ``top`` languages (all, by default) as (code, probability), the most probable first.

        The probabilities of all languages sum to 1. Only the first ``LIMIT`` code points count, without web addresses
        and handles. A text that has no letters there, or none that hint at a language (``ok``), gets
        ``[UNDETERMINED]``.
        """
        return [
            ranking for at in range(0, len(texts), _TEXTS) for ranking in self._detect(texts[at : at + _TEXTS], top)
        ]

    def _detect(self, texts: Sequence[str], top: int | None) -> list[list[tuple[str, float]]]:
        encoded = list(map(_encoded, texts))
        owners, features, counts = self._counts(encoded)
        rankings = [[UNDETERMINED] for _ in texts]
        if not len(owners):
            return rankings
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        known = owners[starts].tolist()
        weights = torch.from_numpy(np.log1p(counts, dtype=np.float32))
        sums = embedding_bag(
            torch.from_numpy(features), self._table, torch.from_numpy(starts), mode="sum", per_sample_weights=weights
        )
        scores = sums.numpy() + self._prior
        # As in the library: the features of a long text are not independent, so their odds must be damped.
        scores /= np.sqrt([[len(encoded[number])] for number in known]).astype(np.float32)
        np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        for first, alias in self._aliases:
            scores[:, first] += scores[:, alias]
        scores = scores[:, self._columns]
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        highest = np.take_along_axis(scores, best, 1).tolist()
        for number, columns, values in zip(known, best.tolist(), highest, strict=True):
            rankings[number] = list(zip(map(self._codes.__getitem__, columns), values, strict=True))
        return rankings

    def _counts(self, texts: Sequence[bytes]) -> tuple[Ints, Ints, Ints]:
        """Return (text, feature, count) as three arrays of equal length, sorted by text, then by feature.

        The library runs its automaton (Aho and Corasick 1975) byte by byte. Here all bytes take a step at once, from
        the states of the bytes before them, and this is repeated until no state changes: as many times as the longest
        feature has bytes.
        """
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        letters = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64)
        begins = flat_starts(lengths)[:-1][lengths > 0]
        before, states = np.zeros(len(letters), np.int64), np.zeros(len(letters), np.int64)
        while True:
            moved = self._next[self._rows[before] + letters]
            if np.array_equal(moved, states):
                break
            states = moved
            before[1:] = moved[:-1]
            before[begins] = 0
        matches = self._features[states]
        owners = np.repeat(np.arange(len(texts)), lengths)
        keys, counts = np.unique((owners * len(self._table) + matches)[matches >= 0], return_counts=True)
        return (*np.divmod(keys, len(self._table)), counts)


def _encoded(text: str) -> bytes:
    """Return the bytes to look up, normalized as in the training of the library's model; none without letters."""
    start = _FOREIGN.sub(" ", text[:LIMIT])
    if not any(map(str.isalpha, start)):
        return b""
    start = start.lower() if start.isupper() else start
    return unicodedata.normalize("NFC", start).encode("utf-8", "surrogatepass")
