"""Text into sequences: the checkpoint's own Rust tokenizer, cut into overlapping windows or truncated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tokenizers import Encoding, Tokenizer

from schemas.errors import EventError, ModelError, TokenizeError
from schemas.pipeline.tasks import TaskConfig
from workers.encoder.reading import Input, Side
from workers.encoder.words import words

NO_LIMIT = 1_000_000
"""A length no model takes: tokenizers without a limit report a number like 1e30."""
_USUAL = 512
_SHORT = 1000
_STRATEGIES = ("only_first", "only_second")
_ORDINALS = ("first", "second")


class Cut(NamedTuple):
    """How long inputs become sequences.

    - ``max_length``: tokens a sequence may have, special tokens included.
    - ``stride``: tokens two neighbouring windows share.
    - ``truncate``: one window an input, the rest is not read.
    - ``side``: which text of a pair is cut.
    - ``segments``: as F-coref reads: the text goes in as words (``encoder/words.py``), special tokens stand at the
      two ends of the whole text alone, and offsets are not of the text, so that one asks for ``word_ids``.
    """

    max_length: int
    stride: int
    truncate: bool = False
    side: Side = 0
    segments: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointTokenizer:
    """The Rust tokenizer of a checkpoint.

    - ``limit``: tokens it says its model takes, None where it does not say.
    - ``unk_id``: its unknown token, None where it has none.
    - ``types``: whether its model wants to be told which text of a pair a token belongs to.
    """

    tokenizer: Tokenizer
    limit: int | None
    unk_id: int | None
    types: bool = True

    @property
    def word_aware(self) -> bool:
        """Whether it marks continued words (WordPiece)."""
        return bool(getattr(self.tokenizer.model, "continuing_subword_prefix", None))


class Tokenization:
    """How the sequences of a stage are made. Settled once, read by any thread, equal for equal work.

    ``typed``, ``typed_pairs``: single texts, or pairs, get token types other than 0.
    """

    def __init__(self, tokenizer: Tokenizer, cut: Cut, types: bool = True) -> None:
        """``types``: whether the model's tokenizer hands token types to it at all."""
        self.cut = cut
        self._source = tokenizer
        # A copy, because the truncation set here is state; what the file says of padding is not wanted.
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        stride = 0 if cut.truncate else cut.stride
        if not cut.segments:
            self._tokenizer.enable_truncation(cut.max_length, stride=stride, strategy=_STRATEGIES[cut.side])
        self._room = cut.max_length - tokenizer.num_special_tokens_to_add(is_pair=True) - stride
        self._plain = Tokenizer.from_str(tokenizer.to_str())
        self._plain.no_padding()
        self._plain.enable_truncation(cut.max_length)
        self._length = lru_cache(maxsize=4096)(self._count)
        self.typed = types and any(self._tokenizer.encode("a").type_ids)
        self.typed_pairs = types and any(self._tokenizer.encode("a", "b").type_ids)

    def encode(self, inputs: Sequence[Input]) -> list[list[Encoding] | EventError]:
        """The windows of each input, at least one each, in text order; or why it has none.

        Offsets count code points of the text, of a pair each in its own.
        """
        try:
            for read in inputs:
                if isinstance(read, tuple):
                    self._require_room(read[1 - self.cut.side])
            if self.cut.segments:
                split = [[text[start:end] for start, end in words(text)] for text in inputs if isinstance(text, str)]
                encodings = self._tokenizer.encode_batch(split, is_pretokenized=True)
            else:
                encodings = self._tokenizer.encode_batch(inputs)
        except BaseException as error:
            # A panic of the Rust side is no Exception, yet it is this text's failure and not ours.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            # Halved until the input at fault stands alone, so that its neighbours lose nothing.
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

    def _require_room(self, text: str) -> None:
        """Whether ``text``, the side of a pair that is never cut, leaves the other some room. Raises TokenizeError."""
        # Hypotheses and questions come again and again; long texts are not worth the memory.
        length = self._length(text) if len(text) <= _SHORT else self._count(text)
        if length >= self._room:
            which = _ORDINALS[1 - self.cut.side]
            raise TokenizeError(
                f"the {which} text of the pair leaves the other no room in {self.cut.max_length} tokens"
            )

    def _count(self, text: str) -> int:
        return len(self._plain.encode(text, add_special_tokens=False))


def kept(window: Encoding, side: Side = 0) -> int | None:
    """Code points of its text (of a pair: of the one on ``side``) a truncated window has kept; None for all."""
    if not window.overflowing:
        return None
    return max(
        (end for (_, end), own in zip(window.offsets, window.sequence_ids, strict=True) if own == side), default=0
    )


def choose_cut(
    task: TaskConfig, tokenizer: CheckpointTokenizer, takes: int | None, side: Side = 0, paired: bool = False
) -> Cut:
    """How a task's inputs are cut, given the tokens its model takes, None for any number.

    Raises ModelError when the task asks for longer sequences than the model takes, or for windows
    that would make no headway.
    """
    max_length = task.max_length or min(limit for limit in (tokenizer.limit, takes, NO_LIMIT) if limit)
    if max_length == NO_LIMIT:
        max_length = _USUAL
    if takes is not None and max_length > takes:
        raise ModelError(f"max_length is {max_length}, but its model takes at most {takes} tokens")
    specials = tokenizer.tokenizer.num_special_tokens_to_add(is_pair=paired)
    if max_length <= specials:
        raise ModelError(f"max_length {max_length} leaves no room beside {specials} special tokens")
    stride = task.stride if task.stride is not None else max_length // 4
    if stride >= max_length - specials:
        raise ModelError(
            f"stride {stride} must be below {max_length - specials}, which is max_length {max_length} "
            f"without {specials} special tokens"
        )
    return Cut(max_length, stride, task.long_text == "truncate", side)
