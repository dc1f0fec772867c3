"""Hidden states of the frozen trunk, computed once and kept in training/cache/.

A cache file is named after its tokens, and appears only when it is whole: an interrupted run goes
on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from rich.progress import Progress
from tokenizers import Encoding, Tokenizer
from transformers import BertModel

# What all-MiniLM-L6-v2 was tuned for; its position embeddings go on to 512.
MAX_TOKENS = 256
TOKENS_PER_FORWARD = 1024
TEXTS_PER_FILE = 1000

Halves = NDArray[np.float16]


class Trunk:
    """all-MiniLM-L6-v2, frozen, with a cache of what it said."""

    def __init__(self, folder: Path, cache: Path, progress: Progress) -> None:
        self.model = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
        self.model.eval()  # type: ignore[no-untyped-call]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The file as shipped cuts at 128 tokens and pads to as many.
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.layers: int = self.model.config.num_hidden_layers + 1
        self.size: int = self.model.config.hidden_size
        self.cache = cache
        self.progress = progress

    def tokens(self, name: str, texts: Sequence[str]) -> tuple[list[Encoding], Halves, NDArray[np.int64]]:
        """Encodings, hidden states ``[T, layers, size]`` and starts ``[N + 1]`` of the packed texts."""
        encodings = self.tokenizer.encode_batch(list(texts))
        starts = np.cumsum([0] + [len(encoding) for encoding in encodings])
        path = self._path(name, "tokens", encodings)
        if not path.exists():
            with _whole(path, (int(starts[-1]), self.layers, self.size)) as out:
                for indices, states in self._forwards(name, encodings):
                    for index, rows in zip(indices, states, strict=True):
                        out[starts[index] : starts[index + 1]] = rows[: len(encodings[index])]
        return encodings, np.load(path, mmap_mode="r"), starts

    def pooled(self, name: str, texts: Sequence[str]) -> Halves:
        """Mean and first token of every layer, ``[N, layers, 2 * size]``, of texts cut at 256 tokens."""
        parts = [texts[first : first + TEXTS_PER_FILE] for first in range(0, len(texts), TEXTS_PER_FILE)]
        return np.concatenate([self._pooled(name, part) for part in parts])

    def _pooled(self, name: str, texts: Sequence[str]) -> Halves:
        encodings = self.tokenizer.encode_batch(list(texts))
        path = self._path(name, "pooled", encodings)
        if not path.exists():
            with _whole(path, (len(texts), self.layers, 2 * self.size)) as out:
                for indices, states in self._forwards(name, encodings):
                    for index, rows in zip(indices, states, strict=True):
                        mean = rows[: len(encodings[index])].mean(axis=0)
                        out[index] = np.concatenate([mean, rows[0]], axis=1)
        return np.load(path)  # type: ignore[no-any-return]

    def _path(self, name: str, what: str, encodings: Sequence[Encoding]) -> Path:
        digest = hashlib.sha256(b"".join(np.array(encoding.ids, dtype="<i4").tobytes() for encoding in encodings))
        return self.cache / f"{name.replace('/', '_')}.{what}.{digest.hexdigest()[:12]}.npy"

    @torch.inference_mode()
    def _forwards(self, name: str, encodings: Sequence[Encoding]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Texts of like length together: their indices and states ``[n, length, layers, size]``."""
        order = sorted(range(len(encodings)), key=lambda index: len(encodings[index]))
        bar = self.progress.add_task(name, total=sum(map(len, encodings)))
        while order:
            length = len(encodings[order[-1]])
            count = max(1, TOKENS_PER_FORWARD // length)
            indices, order = order[-count:], order[:-count]
            ids = torch.zeros(len(indices), length, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, index in enumerate(indices):
                size = len(encodings[index])
                ids[row, :size] = torch.tensor(encodings[index].ids)
                mask[row, :size] = 1
            states = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
            yield indices, torch.stack(states, dim=2).numpy()
            self.progress.advance(bar, sum(len(encodings[index]) for index in indices))
        self.progress.remove_task(bar)


@contextmanager
def _whole(path: Path, shape: tuple[int, ...]) -> Iterator[Halves]:
    """A float16 array on disk that takes its name only when it was written to the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    array = open_memmap(part, mode="w+", dtype=np.float16, shape=shape)
    yield array
    array.flush()
    part.rename(path)
