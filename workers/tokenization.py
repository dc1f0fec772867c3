"""Text into sequences: the checkpoint's own Rust tokenizer, cut into overlapping windows or truncated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import transformers
from tokenizers import Encoding, Tokenizer

from schemas.config import TaskConfig
from schemas.errors import EventError, ModelError, TokenizeError
from workers.models import Checkpoint

# Tokenizers say "no limit" with a number like 1e30.
_SANE = 1_000_000
_USUAL = 512


@dataclass(frozen=True, slots=True)
class CheckpointTokenizer:
    """The Rust tokenizer of a checkpoint.

    - ``limit``: tokens it says its model takes, None where it does not say.
    - ``unk_id``: its unknown token, None where it has none.
    """

    tokenizer: Tokenizer
    limit: int | None
    unk_id: int | None

    @property
    def word_aware(self) -> bool:
        """Whether it marks continued words (WordPiece)."""
        return bool(getattr(self.tokenizer.model, "continuing_subword_prefix", None))


class Tokenization:
    """How the sequences of a stage are made. Settled once, read by any thread, equal for equal work.

    - ``max_length``: tokens a sequence may have, special tokens included.
    - ``stride``: tokens two neighbouring windows share.
    - ``truncate``: one window a text, the rest is not read.
    - ``typed``: single texts get token types other than 0, so the model must be told.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int, stride: int, truncate: bool) -> None:
        # A copy, because the truncation set here is state; what the file says of padding is not wanted.
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length, stride=0 if truncate else stride)
        self.max_length = max_length
        self.stride = stride
        self.truncate = truncate
        self.typed = any(self._tokenizer.encode("a").type_ids)

    def encode(self, texts: Sequence[str]) -> list[list[Encoding] | EventError]:
        """The windows of each text, at least one each, in text order; or why a text has none.

        Offsets count code points of the text. When a batch fails it is halved until the text at fault
        stands alone, so that its neighbours lose nothing.
        """
        try:
            encodings = self._tokenizer.encode_batch(texts)
        except BaseException as error:
            # A panic of the Rust side is no Exception, yet it is this text's failure and not ours.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            if len(texts) == 1:
                return [TokenizeError(f"the tokenizer cannot read the text ({type(error).__name__})")]
            middle = len(texts) // 2
            return self.encode(texts[:middle]) + self.encode(texts[middle:])
        if self.truncate:
            return [[encoding] for encoding in encodings]
        return [[encoding, *encoding.overflowing] for encoding in encodings]


def kept(window: Encoding) -> int | None:
    """Code points of its text a truncated window has kept; None when it holds the whole text."""
    if not window.overflowing:
        return None
    return max(end for _, end in window.offsets)


def load_tokenizer(checkpoint: Checkpoint) -> CheckpointTokenizer:
    """Raises ModelError when the checkpoint has no Rust tokenizer: offsets are exact with those only."""
    if not any((checkpoint.folder / file).is_file() for file in ("tokenizer.json", "vocab.txt", "vocab.json")) and (
        not any(checkpoint.folder.glob("*.model"))
    ):
        raise ModelError(f'model "{checkpoint.name}" has no tokenizer files')
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            checkpoint.folder, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        what = type(error).__name__
        raise ModelError(f'model "{checkpoint.name}": its tokenizer cannot be loaded ({what})') from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f'model "{checkpoint.name}" has no fast tokenizer; save one as tokenizer.json')
    limit = tokenizer.model_max_length
    return CheckpointTokenizer(backend, int(limit) if limit and limit < _SANE else None, tokenizer.unk_token_id)


def settle(task: TaskConfig, tokenizer: CheckpointTokenizer, takes: int | None) -> tuple[int, int, bool]:
    """(max_length, stride, truncate) of a task, given the tokens its model takes, None for any number.

    Raises ModelError when the task asks for longer sequences than the model takes, or for windows
    that would make no headway.
    """
    max_length = task.max_length or min(limit for limit in (tokenizer.limit, takes, _SANE) if limit)
    if max_length == _SANE:
        max_length = _USUAL
    if takes is not None and max_length > takes:
        raise ModelError(f"max_length is {max_length}, but its model takes at most {takes} tokens")
    specials = tokenizer.tokenizer.num_special_tokens_to_add(is_pair=False)
    if max_length <= specials:
        raise ModelError(f"max_length {max_length} leaves no room beside {specials} special tokens")
    stride = task.stride if task.stride is not None else max_length // 4
    if stride >= max_length - specials:
        raise ModelError(
            f"stride {stride} must be below {max_length - specials}, which is max_length {max_length} "
            f"without {specials} special tokens"
        )
    return max_length, stride, task.long_text == "truncate"
