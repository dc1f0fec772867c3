"""``pos``: the part of speech of every word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tokenizers import Encoding

from schemas.document import Annotation, Document
from schemas.pipeline.tasks import PosTask
from workers.encoder.reading import HeadInfo, Reading, Scores
from workers.tasks.scores import numbers
from workers.tasks.spans import Span, Spans
from workers.tasks.word_tokens import word_scores

# Universal Dependencies v2 (universaldependencies.org/u/pos).
UNIVERSAL = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
})  # fmt: skip

# Tags of the Penn Treebank (Marcus et al. 1993) -> universal tags, after the conversion table of Universal
# Dependencies (universaldependencies.org/tagset-conversion/en-penn-uposf.html). A tag that is ambiguous there gets its
# most frequent translation: IN is an adposition, a verb is not an auxiliary, TO is a particle.
PENN = {
    "#": "SYM", "$": "SYM", "''": "PUNCT", ",": "PUNCT", "-LRB-": "PUNCT", "-RRB-": "PUNCT", ".": "PUNCT",
    ":": "PUNCT", "``": "PUNCT", "HYPH": "PUNCT", "NFP": "PUNCT", "AFX": "ADJ", "CC": "CCONJ", "CD": "NUM",
    "DT": "DET", "EX": "PRON", "FW": "X", "IN": "ADP", "JJ": "ADJ", "JJR": "ADJ", "JJS": "ADJ", "LS": "X",
    "MD": "AUX", "NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "NNPS": "PROPN", "PDT": "DET", "POS": "PART",
    "PRP": "PRON", "PRP$": "PRON", "RB": "ADV", "RBR": "ADV", "RBS": "ADV", "RP": "ADP", "SYM": "SYM", "TO": "PART",
    "UH": "INTJ", "VB": "VERB", "VBD": "VERB", "VBG": "VERB", "VBN": "VERB", "VBP": "VERB", "VBZ": "VERB",
    "WDT": "PRON", "WP": "PRON", "WP$": "PRON", "WRB": "ADV", "ADD": "X", "GW": "X", "XX": "X", "(": "PUNCT",
    ")": "PUNCT", '"': "PUNCT",
}  # fmt: skip


class PartOfSpeech(Spans):
    """Every word with its universal tag; if the head has Penn tags, these are added as ``fine``.

    A head with other tags keeps them. Words are those of the tokenizer's pre-tokenization; if that splits at white
    space only (SentencePiece), punctuation becomes words of its own. A word that two windows contain gets the tag with
    the higher score.
    """

    def __init__(self, config: PosTask, head: HeadInfo) -> None:
        """Raises ModelError if the head has no labels."""
        super().__init__(config, head)
        tags = self._names = list(self._scheme.kinds)
        self._fine = all(tag in PENN for tag in tags) and not set(tags) <= UNIVERSAL

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        """Return ``spans``, one per word in text order, each with its tag."""
        annotation = super().annotate(document, readings)
        if self._fine:
            for span in annotation["spans"]:
                span["fine"] = span["label"]
                span["label"] = PENN[span["label"]]
        return annotation

    def _spans(self, window: Encoding, table: Scores, text: str) -> Iterable[Span]:
        offsets, names = window.offsets, self._names
        words = list(_words(window.word_ids, offsets, text))
        if not words:
            return []
        rows = word_scores(table, words, self._aggregation)
        return zip(
            [offsets[first][0] for first, _ in words], [offsets[last][1] for _, last in words],
            map(names.__getitem__, rows.argmax(axis=1).tolist()), numbers(rows.max(axis=1)), strict=True,
        )  # fmt: skip


def _words(owners: Sequence[int | None], offsets: Sequence[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last token of each word.

    ``owners`` holds per token the number of its word in the tokenizer's count, None for a special token.
    """
    first: int | None = None
    owner: int | None = None
    last = (0, 0)
    for token, (word, place) in enumerate(zip(owners, offsets, strict=True)):
        # Tokens with equal offsets are bytes of one character; they stay together, even those of a mark.
        if first is not None and (word != owner or (place != last and (_is_mark(text, place) or _is_mark(text, last)))):
            yield first, token - 1
            first = None
        if first is None and word is not None and place[0] < place[1]:
            first = token
        owner, last = word, place
    if first is not None:
        yield first, len(owners) - 1


def _is_mark(text: str, place: tuple[int, int]) -> bool:
    """Return whether there is no letter and no digit at ``place``."""
    piece = text[place[0] : place[1]]
    return not (piece.isalnum() or any(map(str.isalnum, piece)))
