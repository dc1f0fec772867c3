"""Offline language detection with py3langid: naive Bayes over byte n-grams (Lui and Baldwin 2012, "langid.py").

py3langid was chosen over lingua by measurement (``docs/tasks.md``): it is as accurate on short posts, several times as
fast, and needs a fraction of the memory. The library loads its tables; the lookups are done here, for several texts at
once.

The script is looked at first: only languages that are written in it are considered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib import import_module, metadata
from typing import Any

import numpy as np
import torch
from torch.nn.functional import embedding_bag

from schemas.errors import ModelError
from workers.encoder.packing import Ints, flat_starts
from workers.tasks.scripts import scripts_of, written

LIMIT = 2000
"""The first code points of a text, which are plenty to tell its language; the others are not used."""
UNDETERMINED = ("und", 0.0)
"""The answer for a text whose language cannot be told: the code of ISO 639-2, with probability 0."""

RARE = 0.2
"""The odds of a language that is not common, relative to a common one, for a careful answer."""
# The languages of at least about 0.1 % of all web sites (W3Techs).
_COMMON = frozenset({
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "uk", "vi", "zh",
})  # fmt: skip

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

    def __init__(self, languages: Sequence[str] | None = None, *, careful: bool = False) -> None:
        """Load the library's tables, which all detectors share.

        Args:
            languages: the codes to choose from. The default is every known code with two letters (ISO 639-1); the few
                with three (``yue``) must be named.
            careful: whether a text is undetermined if another language would win once common languages are preferred.
                On a few words, the library often takes English for Sesotho or Russian for Macedonian. Has no effect on
                chosen ``languages``.

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
        identifier = copy(_identifier(library))
        self.known = known = sorted(identifier.labels)
        careful = careful and languages is None
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
        self._unwritten = np.where(written(classes), 0.0, -np.inf).astype(np.float32)
        first = {code: column for column, code in reversed(list(enumerate(classes)))}
        self._codes = list(dict.fromkeys(classes))
        self._columns = [first[code] for code in self._codes]
        self._odds = np.array([1.0 if code in _COMMON else RARE for code in self._codes]) if careful else None
        self._aliases = [(first[code], column) for column, code in enumerate(classes) if first[code] != column]

    def detect(self, texts: Sequence[str], top: int | None = None) -> list[list[tuple[str, float]]]:
        """Return per text the ``top`` languages (all, by default) as (code, probability), the most probable first.

        The probabilities of all languages sum to 1. Only the first ``LIMIT`` code points count, without web addresses
        and handles. A language that is not written in the script of most letters has the probability 0. A text gets
        ``[UNDETERMINED]`` if it has no letters, none that hint at a language (``ok``), or letters in which none of the
        languages is written. A careful detector puts ``UNDETERMINED`` before the languages of a doubtful text.
        """
        return [
            ranking for at in range(0, len(texts), _TEXTS) for ranking in self._detect(texts[at : at + _TEXTS], top)
        ]

    def _detect(self, texts: Sequence[str], top: int | None) -> list[list[tuple[str, float]]]:
        plain = list(map(_plain, texts))
        encoded = [text.encode("utf-8", "surrogatepass") for text in plain]
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
        scores += self._unwritten[scripts_of([plain[number] for number in known])]
        highest = scores.max(axis=1, keepdims=True)
        unwritten = np.isneginf(highest[:, 0])
        highest[unwritten] = 0
        np.exp(scores - highest, out=scores)
        scores[unwritten] = 1
        scores /= scores.sum(axis=1, keepdims=True)
        for first, alias in self._aliases:
            scores[:, first] += scores[:, alias]
        scores = scores[:, self._columns]
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        shares = np.take_along_axis(scores, best, 1).tolist()
        doubtful = np.zeros(len(known), bool) if self._odds is None else (scores * self._odds).argmax(1) != best[:, 0]
        for number, columns, values, missing, doubt in zip(
            known, best.tolist(), shares, unwritten.tolist(), doubtful.tolist(), strict=True
        ):
            if not missing:
                ranking = zip(map(self._codes.__getitem__, columns), values, strict=True)
                rankings[number] = [UNDETERMINED, *ranking] if doubt else list(ranking)
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


@cache
def _identifier(library: Any) -> Any:
    """Read the model file of ``library``, which takes most of a second.

    ``set_languages`` changes what is returned: call it on a shallow copy.
    """
    return library.LanguageIdentifier.from_model_file(library.MODEL_FILE)


def _plain(text: str) -> str:
    """Return the text to look up, normalized as in the training of the library's model; empty without letters."""
    start = _FOREIGN.sub(" ", text[:LIMIT])
    if not any(map(str.isalpha, start)):
        return ""
    return unicodedata.normalize("NFC", start.lower() if start.isupper() else start)
