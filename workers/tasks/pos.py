"""``pos``: the part of speech of every word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tokenizers import Encoding

from schemas.document import Annotation, Document
from schemas.tasks import PosTask
from workers.tasks.base import HeadInfo, Reading, Scores
from workers.tasks.scores import DECIMALS
from workers.tasks.spans import Span, Spans

# Universal Dependencies v2 (universaldependencies.org/u/pos).
UNIVERSAL = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
})  # fmt: skip

# The Penn Treebank's tags (Marcus et al. 1993) to universal ones, after the conversion table of Universal
# Dependencies (universaldependencies.org/tagset-conversion/en-penn-uposf.html). What depends on more than the tag
# takes its most frequent reading: IN an adposition, verbs no auxiliaries, TO a particle.
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
    """Every word with its universal tag; with a head of Penn tags also with the ``fine`` one.

    A head that knows neither keeps its own tags. A word is what the tokenizer splits off before it makes pieces,
    and where that is by white space alone (SentencePiece), pieces of punctuation stand for themselves. Of a word
    that two windows saw the surer tag stands.
    """

    def __init__(self, config: PosTask, head: HeadInfo) -> None:
        """Raises ModelError for a head without labels."""
        super().__init__(config, head)
        tags = [label[2:] if label.startswith(("B-", "I-")) else label for label in head.labels]
        self._names = tags
        self._fine = all(tag in PENN for tag in tags) and not set(tags) <= UNIVERSAL

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        made = super().annotate(document, readings)
        if self._fine:
            for span in made["spans"]:
                span["fine"] = span["label"]
                span["label"] = PENN[span["label"]]
        return made

    def _spans(self, window: Encoding, table: Scores, text: str) -> Iterator[Span]:
        offsets, settled = window.offsets, self._settled(table)
        for first, last in _words(window, offsets, text):
            label, score = settled(first, last)
            yield Span(offsets[first][0], offsets[last][1], self._names[label], round(score, DECIMALS))


def _words(window: Encoding, offsets: Sequence[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """The first and the last token of each word."""
    first: int | None = None
    word, mark, last = None, False, (0, 0)
    for token, (own, place) in enumerate(zip(window.word_ids, offsets, strict=True)):
        piece = text[place[0] : place[1]]
        is_mark = not (piece.isalnum() or any(map(str.isalnum, piece)))
        # The bytes of one character stay together, mark or not.
        if first is not None and (own != word or ((is_mark or mark) and place != last)):
            yield first, token - 1
            first = None
        if own is not None and place[0] < place[1]:
            first = token if first is None else first
        word, mark, last = own, is_mark, place
    if first is not None:
        yield first, len(window) - 1
