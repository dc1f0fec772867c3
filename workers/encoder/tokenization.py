"""Texts to sequences: the checkpoint's own Rust tokenizer, with long texts cut into windows or truncated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from tokenizers import Encoding, Tokenizer

from schemas.errors import EventError, ModelError, TokenizeError
from schemas.pipeline.tasks import TaskConfig
from workers.encoder.panics import is_panic
from workers.encoder.reading import Input, Side
from workers.encoder.symbols import SymbolSplitter
from workers.encoder.words import words

NO_LIMIT = 1_000_000
"""A length no model takes: tokenizers without a limit report a number like 1e30."""
_DEFAULT_LENGTH = 512
_CACHED_CHARACTERS = 1000
_STRATEGIES = ("only_first", "only_second")
_ORDINALS = ("first", "second")


class Cut(NamedTuple):
    """How inputs are cut into sequences.

    - ``max_length``: the most tokens a sequence may have, special tokens included.
    - ``stride``: how many tokens two neighbouring windows share.
    - ``truncate``: whether an input has one window only, and the rest of it is not read.
    - ``side``: which text of a pair is cut; the other one is in every window.
    - ``segments``: cut as F-coref does. The text is tokenized word by word (``encoder/words.py``), special tokens are
      only at the two ends of the whole text, and offsets count from the start of a word: use ``word_ids``.
    """

    max_length: int
    stride: int
    truncate: bool = False
    side: Side = 0
    segments: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointTokenizer:
    """The Rust tokenizer of a checkpoint.

    - ``limit``: the most tokens the model takes according to the tokenizer; None if it does not say.
    - ``unk_id``: the id of the unknown token; None if there is none.
    - ``types``: whether the model takes token types, which tell the two texts of a pair apart.
    - ``symbols``: the emoji and symbols at which texts are split; empty if they are read as transformers reads them.
    """

    tokenizer: Tokenizer
    limit: int | None
    unk_id: int | None
    types: bool = True
    symbols: str = ""

    @property
    def word_aware(self) -> bool:
        """Whether the tokenizer marks continued words (WordPiece)."""
        return bool(getattr(self.tokenizer.model, "continuing_subword_prefix", None))


class Tokenization:
    """Tokenizes the inputs of a stage. It does not change after ``__init__``, and any thread may use it.

    - ``cut``: how inputs are cut into sequences.
    - ``typed``, ``typed_pairs``: whether single texts, or pairs, get token types other than 0.
    - ``unk_id``: the id of the unknown token; None if there is none.
    """

    def __init__(
        self, tokenizer: Tokenizer, cut: Cut, types: bool = True, symbols: str = "", unk_id: int | None = None
    ) -> None:
        """Prepare copies of ``tokenizer`` for ``cut``; see ``CheckpointTokenizer`` for the other arguments."""
        self.cut = cut
        self.unk_id = unk_id
        # Copies, because truncation is part of a tokenizer's state. Padding settings of the file are not wanted.
        # A vocabulary takes some tens of milliseconds to write, and to read.
        written = tokenizer.to_str()
        stride = 0 if cut.truncate else cut.stride

        def copy() -> Tokenizer:
            made = Tokenizer.from_str(written)
            made.no_padding()
            made.no_truncation()
            if not cut.segments:
                made.enable_truncation(cut.max_length, stride=stride, strategy=_STRATEGIES[cut.side])
            return made

        self._tokenizer = copy()
        self._room = cut.max_length - tokenizer.num_special_tokens_to_add(is_pair=True) - stride
        self._plain = Tokenizer.from_str(written)
        self._plain.no_padding()
        self._plain.enable_truncation(cut.max_length)
        self._splitter = SymbolSplitter(symbols) if symbols else None
        if self._splitter is not None:
            self._splitting = copy()
            for made in (self._splitting, self._plain):
                self._splitter.split(made)
        self._length = lru_cache(maxsize=4096)(self._count)
        self.typed = types and any(self._tokenizer.encode("a").type_ids)
        self.typed_pairs = types and any(self._tokenizer.encode("a", "b").type_ids)

    def encode(self, inputs: Sequence[Input]) -> list[list[Encoding] | EventError]:
        """Return the windows of each input, at least one, in text order; or the error, if it cannot be tokenized.

        Offsets count code points; in a pair, each text has its own.
        """
        try:
            for text_or_pair in inputs:
                if isinstance(text_or_pair, tuple):
                    self._require_room(text_or_pair[1 - self.cut.side])
            if self.cut.segments:
                split = [[text[start:end] for start, end in words(text)] for text in inputs if isinstance(text, str)]
                encodings = self._tokenizer.encode_batch(split, is_pretokenized=True)
            else:
                encodings = self._encode_batch(inputs)
        except BaseException as error:
            # A Rust panic is not an Exception, but it is a failure of this text only.
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            # Halve until the input at fault is alone, so that it fails alone.
            if len(inputs) > 1:
                middle = len(inputs) // 2
                return self.encode(inputs[:middle]) + self.encode(inputs[middle:])
            if isinstance(error, EventError):
                return [error]
            return [TokenizeError(f"the tokenizer cannot read the text ({type(error).__name__})")]
        if self.cut.segments:
            for encoding in encodings:
                encoding.truncate(self.cut.max_length)
        if self.cut.truncate:
            return [[encoding] for encoding in encodings]
        return [[encoding, *encoding.overflowing] for encoding in encodings]

    def _encode_batch(self, inputs: Sequence[Input]) -> list[Encoding]:
        """Tokenize all inputs; those with symbols that hide words are split there."""
        splitter = self._splitter
        if splitter is None:
            return self._tokenizer.encode_batch(inputs)
        concerned = [
            splitter.concerns(item) if isinstance(item, str) else any(map(splitter.concerns, item)) for item in inputs
        ]
        if not any(concerned):
            return self._tokenizer.encode_batch(inputs)
        others = [item for item, split in zip(inputs, concerned, strict=True) if not split]
        whole = iter(self._tokenizer.encode_batch(others))
        parted = iter(self._splitting.encode_batch([splitter.read(item) for item in compress(inputs, concerned)]))
        return [next(parted if split else whole) for split in concerned]

    def _require_room(self, text: str) -> None:
        """Raise TokenizeError if ``text``, the side of a pair that is never cut, leaves no room for the other."""
        # Hypotheses and questions are repeated for every event; long texts are not worth the memory.
        length = self._length(text) if len(text) <= _CACHED_CHARACTERS else self._count(text)
        if length >= self._room:
            which = _ORDINALS[1 - self.cut.side]
            raise TokenizeError(
                f"the {which} text of the pair leaves the other no room in {self.cut.max_length} tokens"
            )

    def _count(self, text: str) -> int:
        return len(self._plain.encode(text, add_special_tokens=False))


def kept(window: Encoding, side: Side = 0) -> int | None:
    """Return how many code points of the text (the one on ``side`` of a pair) a truncated window has kept.

    None if nothing was cut off.
    """
    if not window.overflowing:
        return None
    return max(
        (end for (_, end), text in zip(window.offsets, window.sequence_ids, strict=True) if text == side), default=0
    )


def choose_cut(
    task: TaskConfig, tokenizer: CheckpointTokenizer, capacity: int | None, side: Side = 0, paired: bool = False
) -> Cut:
    """Decide how a task's inputs are cut.

    Args:
        task: the task's settings.
        tokenizer: its model's tokenizer.
        capacity: the most tokens a sequence of the model may have; None for any number.
        side: which text of a pair is cut.
        paired: whether the inputs are pairs.

    Raises:
        ModelError: if the task asks for longer sequences than the model takes, or for a stride so long that windows
            would not advance.
    """
    max_length = task.max_length or min(limit for limit in (tokenizer.limit, capacity, NO_LIMIT) if limit)
    if max_length == NO_LIMIT:
        max_length = _DEFAULT_LENGTH
    if capacity is not None and max_length > capacity:
        raise ModelError(f"max_length is {max_length}, but its model takes at most {capacity} tokens")
    specials = tokenizer.tokenizer.num_special_tokens_to_add(is_pair=paired)
    if max_length <= specials:
        raise ModelError(f"max_length {max_length} leaves no room for text besides {specials} special tokens")
    stride = task.stride if task.stride is not None else max_length // 4
    if stride >= max_length - specials:
        raise ModelError(
            f"stride {stride} must be below {max_length - specials}, which is max_length {max_length} "
            f"without {specials} special tokens"
        )
    return Cut(max_length, stride, task.long_text == "truncate", side)
