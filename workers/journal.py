"""What is being worked on, written down so that it outlives the process: for events that kill it again and again.

A model can take the process with it (a fault in C, a broken device, the kernel out of memory). The events in flight
are then read again after the start, and would kill it again, for ever. So what each thread has in hand stands in a
file, and whoever finds it there after a crash knows whom to suspect:

- in flight at one crash: suspected, and treated like any other;
- at two in a row: worked on alone, with nothing else in hand;
- died with once more, alone: a dead letter of stage ``crash``.

Surviving clears of suspicion. Only topics, partitions and offsets are written, never a text.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Literal, TypeAlias

import orjson

from schemas.document import Document, Failure
from schemas.errors import CrashError, FencedError
from schemas.record import Record

log = logging.getLogger("glossator.journal")

Lane = Literal["prepare", "device"]
Verdict = Literal["clear", "alone", "guilty"]
Span: TypeAlias = tuple[str, int, int, int]
"""Topic, partition, first and last offset."""
Suspect: TypeAlias = tuple[str, int, int, int, int]
"""A span, and at how many crashes in a row it was in flight."""

_ALONE, _GUILTY = 2, 3
_ROOM = 1 << 16
_HEADER = struct.Struct("<II")
_OFFSETS: dict[Lane, int] = {"prepare": 0, "device": _ROOM}
_PATIENCE = 300.0
"""Seconds that suspects are waited for: their partitions may be another worker's now."""


class Journal:
    """The journal of one slot; ``lane`` from the lane's own thread, the rest from the thread that prepares."""

    def __init__(self, folder: Path, pipeline: str, slot: int) -> None:
        """Raises OSError where ``folder`` cannot be written to, FencedError while another process has the slot."""
        folder.mkdir(parents=True, exist_ok=True)
        self._suspects_file = folder / f"{pipeline}-{slot}.suspects"
        self._file = os.open(folder / f"{pipeline}-{slot}.inflight", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise FencedError(
                f"another worker of {pipeline} on this machine has slot {slot}: start each with a --slot of its own"
            ) from None
        os.ftruncate(self._file, 2 * _ROOM)
        self._map = mmap.mmap(self._file, 2 * _ROOM)
        self._suspects = self._open()
        self._alone = threading.Lock()
        self._until = time.monotonic() + _PATIENCE

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        """``records`` in order, cut so that whoever must be alone is."""
        if not self._careful():
            yield records, "clear"
            return
        together: list[Record] = []
        for record in records:
            verdict = self._judge(record)
            if verdict == "clear":
                together.append(record)
                continue
            if together:
                yield together, "clear"
                together = []
            yield (record,), verdict
        if together:
            yield together, "clear"

    @contextmanager
    def lane(self, lane: Lane, records: Iterable[Record]) -> Iterator[None]:
        """Writes down that ``records`` are in hand while the block runs; what it raises leaves them there."""
        spans = spans_of(records)
        # While somebody is suspected no other lane may have anything in hand, or the wrong one is blamed.
        with self._alone if self._careful() else nullcontext():
            self._write(lane, spans)
            yield
            self._write(lane, ())
            if lane == "device" and self._suspects:
                self._suspects = [left for one in self._suspects for left in _without(one, spans)]

    def close(self) -> None:
        """A clean end: nobody is suspected any more."""
        for lane in _OFFSETS:
            self._write(lane, ())
        self._suspects_file.unlink(missing_ok=True)
        self._map.close()
        os.close(self._file)

    def _careful(self) -> bool:
        if self._suspects and time.monotonic() > self._until:
            self._suspects = []
        return bool(self._suspects)

    def _judge(self, record: Record) -> Verdict:
        place = record.assignment
        for topic, partition, first, last, count in self._suspects:
            if first <= record.offset <= last and (topic, partition) == (place.topic, place.partition):
                return "guilty" if count >= _GUILTY else "alone"
        return "clear"

    def _open(self) -> list[Suspect]:
        """Who was in flight when the process died, and how often in a row; those to be careful with are returned."""
        before = self._read_suspects()
        in_flight = [span for lane in _OFFSETS for span in self._read(lane)]
        # A process that died with nothing in hand says nothing about anybody.
        suspects = before if not in_flight else []
        for span in dict.fromkeys(in_flight):
            suspects += _raised(span, before)
        if in_flight:
            count = sum(last - first + 1 for _, _, first, last in in_flight)
            log.warning("the last run died with %d events in hand", count)
        for lane in _OFFSETS:
            self._write(lane, ())
        fresh = self._suspects_file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(suspects))
        fresh.replace(self._suspects_file)
        return [one for one in suspects if one[4] >= _ALONE]

    def _read_suspects(self) -> list[Suspect]:
        try:
            return [tuple(one) for one in orjson.loads(self._suspects_file.read_bytes()) if _is_suspect(one)]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            log.warning("%s cannot be read and is begun anew", self._suspects_file.name)
            return []

    def _write(self, lane: Lane, spans: Iterable[Span]) -> None:
        data = orjson.dumps(list(spans))
        if len(data) > _ROOM - _HEADER.size:  # thousands of partitions: then nobody can be told apart
            data = b"[]"
        at = _OFFSETS[lane]
        self._map[at : at + _HEADER.size + len(data)] = _HEADER.pack(len(data), zlib.crc32(data)) + data

    def _read(self, lane: Lane) -> list[Span]:
        at = _OFFSETS[lane]
        length, check = _HEADER.unpack(self._map[at : at + _HEADER.size])
        data = self._map[at + _HEADER.size : at + _HEADER.size + min(length, _ROOM - _HEADER.size)]
        if not length or zlib.crc32(data) != check:  # never written, or the process died writing it
            return []
        return [(one[0], one[1], one[2], one[3]) for one in orjson.loads(data)]


def spans_of(records: Iterable[Record]) -> list[Span]:
    """The spans of ``records``, which come in the order of their offsets."""
    ends: dict[tuple[str, int], list[int]] = {}
    for record in records:
        ends.setdefault((record.assignment.topic, record.assignment.partition), [record.offset, 0])[1] = record.offset
    return [(topic, partition, first, last) for (topic, partition), (first, last) in ends.items()]


class NoJournal:
    """Suspects nobody: for a worker without a folder to write to."""

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        yield records, "clear"

    def lane(self, lane: Lane, records: Iterable[Record]) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None: ...


def guilty(record: Record) -> Document:
    """The document of an event that has killed the process."""
    document = Document(record)
    why = CrashError("the process died with this event in hand three times, the last time with it alone")
    document.failure = Failure.of(why, "crash")
    return document


def _cut(suspect: Suspect, span: Span) -> tuple[int, int] | None:
    """The offsets both have."""
    first, last = max(suspect[2], span[2]), min(suspect[3], span[3])
    return (first, last) if suspect[:2] == span[:2] and first <= last else None


def _without(suspect: Suspect, spans: Iterable[Span]) -> list[Suspect]:
    """What is left of ``suspect``: the rest went through the device and survived."""
    left = [suspect]
    for span in spans:
        parts: list[Suspect] = []
        for one in left:
            both = _cut(one, span)
            ends = [(one[2], one[3])] if both is None else [(one[2], both[0] - 1), (both[1] + 1, one[3])]
            parts += [(one[0], one[1], first, last, one[4]) for first, last in ends if first <= last]
        left = parts
    return left


def _raised(span: Span, before: Sequence[Suspect]) -> list[Suspect]:
    """``span`` as suspects: what of it was suspected before counts one more, the rest one."""
    topic, partition, at, last = span
    found: list[Suspect] = []
    for suspect in sorted(before, key=lambda one: one[2]):
        both = _cut(suspect, (topic, partition, at, last))
        if both is None:
            continue
        if at < both[0]:
            found.append((topic, partition, at, both[0] - 1, 1))
        found.append((topic, partition, *both, suspect[4] + 1))
        at = both[1] + 1
    if at <= last:
        found.append((topic, partition, at, last, 1))
    return found


def _is_suspect(one: object) -> bool:
    return isinstance(one, list) and len(one) == 5 and isinstance(one[0], str) and all(type(n) is int for n in one[1:])
