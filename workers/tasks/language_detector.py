"""Which language a text is in, offline: py3langid, naive Bayes over byte n-grams (Lui and Baldwin 2012, "langid.py").

Chosen over lingua by measurement (``docs/tasks.md``): as accurate on short posts, several times as fast, a fraction of
the memory. The library reads its tables; they are looked up here, for several texts at once.
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
"""Code points of a text that count: the language of a long one is settled long before."""
UNDETERMINED = ("und", 0.0)
"""ISO 639-2's code for a text in no language that could be told."""

_TEXTS = 32
"""Texts that are gone through together, so that what they take in memory is bounded."""

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
        read = library.LanguageIdentifier.from_model_file(library.MODEL_FILE)
        self.known = known = sorted(read.labels)
        if languages is None:
            languages = [code for code in known if len(code) == 2]
        elif unknown := sorted(set(languages) - set(known)):
            raise ModelError(f"{self.name} does not know {', '.join(unknown)}; it knows: {', '.join(known)}")
        read.set_languages(languages)
        self._next = np.asarray(read.tk_nextmove)
        self._rows = np.asarray(read.tk_row, np.int64) << 8
        self._features = np.asarray(read.tk_output)
        # Choosing leaves the columns apart: a row would be read from as many places as it has languages.
        self._table, self._prior = torch.tensor(read.nb_ptc, dtype=torch.float32), read.nb_pc
        # A language of two scripts has two columns: the first is to have the score of both.
        first = {code: column for column, code in reversed(list(enumerate(read.nb_classes)))}
        self._codes = list(dict.fromkeys(read.nb_classes))
        self._columns = [first[code] for code in self._codes]
        self._aliases = [(first[code], column) for column, code in enumerate(read.nb_classes) if first[code] != column]

    def detect(self, texts: Sequence[str], top: int | None = None) -> list[list[tuple[str, float]]]:
        """For each text the ``top`` languages, or all, with their probabilities, best first; those of all sum to 1.

        Only the first ``LIMIT`` code points count, without web addresses and handles. A text without a letter in
        them, or with letters that say nothing (``ok``), gets ``[UNDETERMINED]``.
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
        # The library's: of a long text the features agree too well for odds to be multiplied as they are.
        scores /= np.sqrt([[len(encoded[number])] for number in known]).astype(np.float32)
        np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        for first, other in self._aliases:
            scores[:, first] += scores[:, other]
        scores = scores[:, self._columns]
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        for number, own, values in zip(known, best.tolist(), np.take_along_axis(scores, best, 1).tolist(), strict=True):
            rankings[number] = list(zip(map(self._codes.__getitem__, own), values, strict=True))
        return rankings

    def _counts(self, texts: Sequence[bytes]) -> tuple[Ints, Ints, Ints]:
        """Which texts have which features, and how often; by text, then by feature.

        The library walks its automaton (Aho and Corasick 1975) byte by byte. Here all bytes move at once, from the
        states that those before them were in, until nothing changes: as often as the longest feature has bytes.
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
        found = self._features[states]
        owners = np.repeat(np.arange(len(texts)), lengths)
        keys, counts = np.unique((owners * len(self._table) + found)[found >= 0], return_counts=True)
        return (*np.divmod(keys, len(self._table)), counts)


def _encoded(text: str) -> bytes:
    """What counts of it, as the library's model was trained on it; nothing of a text without letters."""
    own = _FOREIGN.sub(" ", text[:LIMIT])
    if not any(map(str.isalpha, own)):
        return b""
    own = own.lower() if own.isupper() else own
    return unicodedata.normalize("NFC", own).encode("utf-8", "surrogatepass")
