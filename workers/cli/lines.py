"""Lines of standard input, in batches that do not wait for input that is not there yet."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import IO, NamedTuple

_CHUNK = 1 << 16
"""Bytes to read at once."""
_BATCH_TEXTS = 256
_BATCH_BYTES = 1 << 20
"""Texts and bytes with which a batch is complete."""


class Line(NamedTuple):
    """A line of input without its line break.

    Attributes:
        data: Its bytes; only the first of them if the line is too long.
        size: The length of the whole line, in bytes.
    """

    data: bytes
    size: int


def lines(stream: IO[bytes], longest: int) -> Iterator[list[Line]]:
    """Yield the lines of ``stream`` in batches, as soon as the stream pauses or a batch is full.

    Memory is bounded: of a line longer than ``longest`` bytes, little more than that is kept.
    """
    batch: list[Line] = []
    parts: list[bytes] = []
    size = held = 0
    while True:
        if batch and not _ready(stream):
            yield batch
            batch, held = [], 0
        chunk: bytes = stream.read1(_CHUNK)  # type: ignore[attr-defined]
        if not chunk:
            break
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            batch.append(_line([*parts, end], size + len(end)))
            held += size + len(end)
            parts, size = [], 0
            if len(batch) >= _BATCH_TEXTS or held >= _BATCH_BYTES:
                yield batch
                batch, held = [], 0
        if size <= longest:
            parts.append(rest)
        size += len(rest)
    if size:
        batch.append(_line(parts, size))
    if batch:
        yield batch


def _line(parts: list[bytes], size: int) -> Line:
    data = b"".join(parts)
    return Line(data[:-1], size - 1) if data.endswith(b"\r") else Line(data, size)


def _ready(stream: IO[bytes]) -> bool:
    """Whether reading would return at once."""
    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):  # not something that select can wait for
        return True
