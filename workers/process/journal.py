"""What is being worked on, written down so that it outlives the process: for events that kill it again and again.

A model can take the process with it (a fault in C, a broken device, the kernel out of memory). The events in hand are
then read again after the start, and would kill it again, for ever. So what each thread has in hand stands in a file,
and whoever finds it there after a crash knows whom to suspect:

- in hand at one crash: suspected, and treated like any other;
- at two, without having come through all threads in between: worked on alone, with nothing else in hand in any thread;
- at one more, alone: a dead letter of stage ``crash``.

Coming through clears of suspicion, a clean end clears everybody. A crash says nothing of those who were not
in hand: they keep what stands against them, for otherwise two such events within one commit interval would take turns
for ever. `suspects.py` has the rules.

Only topics, partitions and offsets are written, never a text.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import orjson

from schemas.document import Document, Failure
from schemas.errors import CrashError, FencedError
from schemas.record import Assignment, Record
from workers.process.lanes import Closed
from workers.process.suspects import ALONE, Span, Suspect, Verdict, cleared, judge, must_be_alone, raised

log = logging.getLogger("glossator.journal")

LaneName = Literal["prepare", "device", "finish"]
_MOST = 4096
"""Suspects kept: a file of some 100 kB."""
_ROOM = 1 << 16
_HEADER = struct.Struct("<II")
_OFFSETS: dict[LaneName, int] = {"prepare": 0, "device": _ROOM, "finish": 2 * _ROOM}


class Journal:
    """The journal of one slot: ``pieces`` belongs to the thread that prepares, ``lane`` to each lane's own thread.

    ``<pipeline>-<slot>.inflight`` holds what is in hand: memory of the kernel's, which outlives the process, not the
    machine. ``<pipeline>-<slot>.suspects`` holds who is suspected, and which run writes the other file: what another
    run has left there counts for nothing, so that one replaced file settles a start or an end as a whole.
    """

    def __init__(self, folder: Path, pipeline: str, slot: int) -> None:
        """Raises OSError where ``folder`` cannot be written to, FencedError while another process has the slot."""
        folder.mkdir(parents=True, exist_ok=True)
        self._suspects_file = folder / f"{pipeline}-{slot}.suspects"
        self._file = os.open(folder / f"{pipeline}-{slot}.inflight", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # On a full disk a hole in the file would end the process with SIGBUS.
            os.posix_fallocate(self._file, 0, len(_OFFSETS) * _ROOM)
            self._map = mmap.mmap(self._file, len(_OFFSETS) * _ROOM)
            self._suspects = self._open()
        except BlockingIOError:
            os.close(self._file)
            raise FencedError(
                f"another worker of {pipeline} on this machine has slot {slot}: start each with a --slot of its own"
            ) from None
        except BaseException:
            os.close(self._file)
            raise
        self._turn = threading.Condition()
        self._busy = 0
        self._alone = False
        self._broken = False

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        """``records`` in order, cut so that whoever must be alone is."""
        suspects = self._suspects
        if not any(one.crashes >= ALONE for one in suspects):
            yield records, "clear"
            return
        together: list[Record] = []
        for record in records:
            verdict = judge(record, suspects)
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
    def lane(self, lane: LaneName, records: Iterable[Record]) -> Iterator[None]:
        """Writes down that ``records`` are in hand while the block runs; what it raises leaves them there.

        Waits while another lane has somebody in hand who must be alone. Raises Closed after a block has raised.
        """
        spans = spans_of(records)
        self._enter(lane, spans)
        try:
            yield
        except BaseException:
            with self._turn:
                self._broken = True
                self._turn.notify_all()
            raise
        with self._turn:
            self._write(lane, ())
            self._busy -= 1
            self._alone = False
            if lane == "finish" and self._suspects:
                self._clear(spans)
            self._turn.notify_all()

    def close(self) -> None:
        """A clean end: nobody is suspected any more."""
        self._suspects_file.unlink(missing_ok=True)
        self._map.close()
        os.close(self._file)

    def _enter(self, lane: LaneName, spans: Sequence[Span]) -> None:
        """With one in hand who must be alone, a crash says whom to blame only if nobody else is in hand."""
        with self._turn:
            alone = must_be_alone(self._suspects, spans)
            while (self._alone or (alone and self._busy)) and not self._broken:
                self._turn.wait()
            if self._broken:
                raise Closed
            self._busy += 1
            self._alone = alone
            self._write(lane, spans)

    def _clear(self, spans: Sequence[Span]) -> None:
        left = cleared(self._suspects, spans)
        if left != self._suspects:
            self._suspects = left
            try:
                self._save(left)
            except OSError as error:  # somebody is worked on alone once more than needed
                log.warning("%s cannot be written: %s", self._suspects_file.name, error.strerror)

    def _open(self) -> list[Suspect]:
        """Who is suspected from now on."""
        self._run, suspects = self._load()
        spans = [span for lane in _OFFSETS for span in self._read(lane)] if self._run else []
        if spans:
            events = sum(last - first + 1 for _, _, first, last in spans)
            log.warning("the last run died with up to %d events in hand", events)
            suspects = raised(suspects, spans)
            if len(suspects) > _MOST:
                log.warning("%d spans are suspected: %d are kept in mind", len(suspects), _MOST)
                suspects = sorted(suspects, key=lambda one: (-one.crashes, one.age))[:_MOST]
        self._run = os.urandom(8).hex()
        self._save(suspects)
        return suspects

    def _load(self) -> tuple[str, list[Suspect]]:
        """The last run and its suspects; "" and none after a clean end."""
        try:
            run, rows = orjson.loads(self._suspects_file.read_bytes())
            if isinstance(run, str) and all(_is_row(row, 6) for row in rows):
                return run, [Suspect(*row) for row in rows]
        except FileNotFoundError:
            return "", []
        except (ValueError, TypeError):
            pass
        log.warning("%s cannot be read and is begun anew", self._suspects_file.name)
        return "", []

    def _save(self, suspects: Sequence[Suspect]) -> None:
        fresh = self._suspects_file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps((self._run, [tuple(one) for one in suspects])))
        fresh.replace(self._suspects_file)

    def _write(self, lane: LaneName, spans: Sequence[Span]) -> None:
        data = orjson.dumps((self._run, spans))
        while len(data) > _ROOM - _HEADER.size:  # hundreds of partitions in one micro-batch: some must do
            spans = spans[: len(spans) // 2]
            data = orjson.dumps((self._run, spans))
        at = _OFFSETS[lane]
        self._map[at : at + _HEADER.size + len(data)] = _HEADER.pack(len(data), zlib.crc32(data)) + data

    def _read(self, lane: LaneName) -> list[Span]:
        """What the last run had in hand. Torn means that work had not begun, or was over: nothing."""
        at = _OFFSETS[lane]
        length, check = _HEADER.unpack(self._map[at : at + _HEADER.size])
        data = self._map[at + _HEADER.size : at + _HEADER.size + min(length, _ROOM - _HEADER.size)]
        if not length or zlib.crc32(data) != check:
            return []
        with contextlib.suppress(ValueError, TypeError):
            run, rows = orjson.loads(data)
            if run == self._run and all(_is_row(row, 4) for row in rows):
                return [(one[0], one[1], one[2], one[3]) for one in rows]
        return []


def spans_of(records: Iterable[Record]) -> list[Span]:
    """The spans of ``records``, which come in the order of their offsets."""
    firsts: dict[Assignment, int] = {}
    lasts: dict[Assignment, int] = {}
    place, offset = None, 0
    for record in records:  # runs of one partition: the poll brings them so, and this is the hot path
        if record.assignment is not place:
            if place is not None:
                lasts[place] = offset
            place = record.assignment
            firsts.setdefault(place, record.offset)
        offset = record.offset
    if place is not None:
        lasts[place] = offset
    return [(place.topic, place.partition, first, lasts[place]) for place, first in firsts.items()]


class NoJournal:
    """Suspects nobody: for a worker without a folder to write to."""

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        yield records, "clear"

    def lane(self, lane: LaneName, records: Iterable[Record]) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None: ...


def guilty(record: Record) -> Document:
    """The document of an event that has killed the process."""
    document = Document(record)
    why = CrashError("the process died with this event in hand three times, the last time with it alone")
    document.failure = Failure.of(why, "crash")
    return document


def _is_row(row: Any, length: int) -> bool:
    return (
        isinstance(row, list) and len(row) == length and isinstance(row[0], str)
        and all(type(value) is int for value in row[1:])
    )  # fmt: skip
