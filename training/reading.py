"""The input of the joint recipe: tokens, their types, and the targets of the heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from workers.encoder.casing import SIDES, cases
from workers.encoder.words import words

MAX_TOKENS = 256


@dataclass(slots=True)
class Item:
    """One sequence: token ids and token types (see ``workers.encoder.casing``), both ``[n]``."""

    ids: NDArray[np.int32]
    types: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(slots=True)
class Unit:
    """Sequences that are learnt from together, usually one, and the targets of their heads."""

    items: list[Item]
    target: Any
    weight: float = 1.0

    def __len__(self) -> int:
        return sum(map(len, self.items))


@dataclass
class Source:
    """Examples of one head; a run uses ``tokens`` tokens of them, starting over if there are fewer."""

    name: str
    head: str
    units: list[Unit]
    tokens: int

    def batches(self, random: np.random.Generator, size: int) -> list[NDArray[np.int64]]:
        """Return the units of each batch: about ``size`` tokens with their padding, of similar length."""
        out: list[NDArray[np.int64]] = []
        left = self.tokens
        lengths = np.array([max(map(len, unit.items)) for unit in self.units])
        counts = np.array([len(unit.items) for unit in self.units])
        while left > 0:
            order = random.permutation(len(self.units))
            # Sorted within large pieces only, so that batches stay random.
            for first in range(0, len(order), 2000):
                part = order[first : first + 2000]
                part = part[np.argsort(lengths[part], kind="stable")]
                made, longest, rows = [], 0, 0
                batch: list[Any] = []
                for index in part:
                    longest_now, rows_now = max(longest, lengths[index]), rows + counts[index]
                    if batch and longest_now * rows_now > size:
                        made.append(np.array(batch))
                        batch, longest_now, rows_now = [], lengths[index], counts[index]
                    batch.append(index)
                    longest, rows = longest_now, rows_now
                made.append(np.array(batch))
                for at in random.permutation(len(made)):
                    if left <= 0:
                        return out
                    out.append(made[at])
                    left -= sum(len(self.units[index]) for index in made[at])
        return out


class Reader:
    """The trunk's tokenizer, with types."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def text(self, text: str) -> tuple[Item, Encoding]:
        """A text, cut at 256 tokens."""
        self.tokenizer.enable_truncation(MAX_TOKENS)
        encoding = self.tokenizer.encode(text)
        return self._item(encoding, (text, "")), encoding

    def pair(self, first: str, second: str, *, cut: str = "only_first", stride: int = 0) -> tuple[Item, Encoding]:
        self.tokenizer.enable_truncation(MAX_TOKENS, strategy=cut, stride=stride)
        encoding = self.tokenizer.encode(first, second)
        return self._item(encoding, (first, second)), encoding

    def windows(self, first: str, second: str, stride: int) -> list[tuple[Item, Encoding]]:
        """A pair whose second text is cut into windows."""
        _, encoding = self.pair(first, second, cut="only_second", stride=stride)
        return [(self._item(window, (first, second)), window) for window in (encoding, *encoding.overflowing)]

    def segments(self, text: str) -> tuple[list[Item], NDArray[np.int64]]:
        """A text for coreference, cut every 256 tokens, and its tokens' offsets ``[T, 2]``, (0, 0) if special."""
        self.tokenizer.no_truncation()
        places = words(text)
        encoding = self.tokenizer.encode([text[start:end] for start, end in places], is_pretokenized=True)
        spans = np.array([
            (0, 0) if word is None else (places[word][0] + start, places[word][0] + end)
            for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True)
        ])  # fmt: skip
        ids = np.array(encoding.ids, np.int32)
        types = (SIDES * cases(text, spans)).astype(np.int8)
        cuts = range(0, len(ids), MAX_TOKENS)
        return [Item(ids[at : at + MAX_TOKENS], types[at : at + MAX_TOKENS]) for at in cuts], spans

    def _item(self, encoding: Encoding, texts: tuple[str, str]) -> Item:
        sides, spans = np.array(encoding.type_ids, np.int64), np.array(encoding.offsets, np.int64)
        types = sides.copy()
        for side, text in enumerate(texts):
            if text:
                types[sides == side] += SIDES * cases(text, spans[sides == side])
        return Item(np.array(encoding.ids, np.int32), types.astype(np.int8))


def collate(items: Sequence[Item], random: np.random.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, types and mask ``[N, longest]``; ``random`` turns some sequences into lower case or capitals."""
    longest = max(map(len, items))
    ids, types, mask = (np.zeros((len(items), longest), np.int64) for _ in range(3))
    for row, item in enumerate(items):
        size = len(item)
        ids[row, :size] = item.ids
        types[row, :size] = item.types
        mask[row, :size] = 1
    if random is not None:
        chance = random.random(len(items))
        types[chance < 0.15] %= SIDES
        loud = chance > 0.97
        types[loud] = types[loud] % SIDES + 2 * SIDES * mask[loud]
    return torch.from_numpy(ids), torch.from_numpy(types), torch.from_numpy(mask)


def flat(hidden: Sequence[Tensor], types: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return hidden states ``[1, T, H]`` without padding, sequence starts ``[N + 1]``, and token sides ``[T]``."""
    real = mask.bool()
    starts = torch.nn.functional.pad(mask.sum(1).cumsum(0), (1, 0))
    return [layer[real].unsqueeze(0) for layer in hidden], starts, types[real] % SIDES


def in_parts(units: Sequence[Unit], size: int) -> Iterator[list[Unit]]:
    """Return units of similar length in batches of about ``size`` tokens, for measuring."""
    part: list[Unit] = []
    for unit in sorted(units, key=len):
        if part and (len(part) + 1) * len(unit) > size:
            yield part
            part = []
        part.append(unit)
    if part:
        yield part
