"""Annotations kept for inputs that come again: bounded, the longest unused go first."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

from schemas.document import Annotation
from workers.encoder.reading import Input

Kept: TypeAlias = tuple[Annotation, list[dict[str, Any]]]
"""An annotation and the notices that came with it."""


class Cache:
    """``get`` and ``put`` from any thread; ``hits`` of ``lookups`` were answered.

    Of the inputs only a hash is kept. Whoever takes an annotation out must not change it.
    """

    def __init__(self, size: int) -> None:
        self.hits = 0
        self.lookups = 0
        self._size = size
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def resize(self, size: int) -> None:
        with self._lock:
            self._size = size
            while len(self._kept) > size:
                self._kept.popitem(last=False)

    def get(self, key: bytes) -> Kept | None:
        with self._lock:
            self.lookups += 1
            found = self._kept.get(key)
            if found is not None:
                self.hits += 1
                self._kept.move_to_end(key)
            return found

    def put(self, key: bytes, kept: Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)


def key(task: bytes, inputs: Sequence[Input]) -> bytes:
    """16 bytes for what ``task`` (model, revision and settings) is to say of ``inputs``."""
    digest = hashlib.blake2b(task, digest_size=16)
    for read in inputs:
        for text in (read,) if isinstance(read, str) else read:
            data = text.encode(errors="surrogatepass")
            digest.update(b"%d:" % len(data))
            digest.update(data)
        digest.update(b";")
    return digest.digest()
