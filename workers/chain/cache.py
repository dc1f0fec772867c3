"""The annotation cache: annotations of inputs seen before, the least recently used evicted first."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

from schemas.document import Annotation, Part
from workers.encoder.reading import Input

Entry: TypeAlias = tuple[Annotation | None, list[dict[str, Any]]]
"""An annotation, None if it is left out of the event, and the notices that came with it."""


class Cache:
    """A bounded cache that any thread may use.

    It stores only a hash of the inputs, never their text. An annotation taken out of it is shared and must not be
    changed.

    Attributes:
        lookups: calls of ``get`` so far.
        hits: how many of them returned an entry.
    """

    def __init__(self, size: int) -> None:
        """Create a cache of at most ``size`` entries."""
        self.hits = 0
        self.lookups = 0
        self._size = size
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def resize(self, size: int) -> None:
        """Change the size to ``size`` entries, evicting as many as necessary."""
        with self._lock:
            self._size = size
            while len(self._entries) > size:
                self._entries.popitem(last=False)

    def get(self, key: bytes) -> Entry | None:
        """Return the entry under ``key`` and count the lookup."""
        with self._lock:
            self.lookups += 1
            entry = self._entries.get(key)
            if entry is not None:
                self.hits += 1
                self._entries.move_to_end(key)
            return entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Store ``entry`` under ``key``, evicting the least recently used one if the cache is full."""
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)


def key(task: bytes, inputs: Sequence[Input], parts: Sequence[Part] | None = None) -> bytes:
    """Return the 16-byte key of ``inputs`` for ``task``, the hash of a task's model, revision and settings.

    ``parts``: those of the document, if it has several texts: some tasks find nothing across their boundaries.
    """
    digest = hashlib.blake2b(task, digest_size=16)
    for text_or_pair in inputs:
        for text in (text_or_pair,) if isinstance(text_or_pair, str) else text_or_pair:
            data = text.encode(errors="surrogatepass")
            digest.update(b"%d:" % len(data))
            digest.update(data)
        digest.update(b";")
    for part in parts or ():
        digest.update(b"%d-%d;" % (part.start, part.end))
    return digest.digest()
