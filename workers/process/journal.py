"""A record of the events in progress that survives the process, to find events that kill it again and again.

A model can take the whole process down: a fault in C code, a broken device, the kernel running out of memory. The
events in progress are then read again after the restart and would kill it again, forever. So what each thread is
working on is kept in a file, and the next process that finds it after a crash knows which events to suspect:

- in progress at one crash: suspected, but processed like any other;
- in progress at two crashes without passing all threads in between: processed alone, while all threads wait;
- in progress at one more crash, alone: turned into a dead letter of stage ``crash``.

An end that this program decides on, because of the brokers, say, is no crash, whatever is in progress at that time.

An event that passes all threads is no longer suspected, and after a clean end none is. A crash is no evidence about
events that were not in progress, so these keep their count; otherwise two such events within one commit interval could
alternate forever. The rules are in ``suspects.py``.

Only topics, partitions and offsets are written, never text.
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
from urllib.parse import quote

import orjson

from schemas.document import Document, Failure
from schemas.errors import CrashError, FencedError
from schemas.record import Assignment, Record
from workers.process.lanes import Closed
from workers.process.suspects import ALONE, Span, Suspect, Verdict, cleared, judge, may_begin, must_be_alone, raised

log = logging.getLogger("glossator.journal")

LaneName = Literal["prepare", "device", "finish", "ahead"]
_MOST = 4096
"""Suspects kept, in a file of about 100 kB."""
_ROOM = 1 << 16
"""Bytes for each lane in the file of what is in progress."""
_MEMBERS = 20
"""Ids of members kept: as many processes may die within a session timeout of the group."""
_HEADER = struct.Struct("<II")
"""Length and CRC-32 of a lane's data."""
_OFFSETS: dict[LaneName, int] = {"prepare": 0, "device": _ROOM, "finish": 2 * _ROOM, "ahead": 3 * _ROOM}


class Journal:
    """The journal of one slot. Only the prepare thread may call ``pieces``, and each lane's thread its own ``lane``.

    ``<pipeline>-<slot>.inflight`` holds what is in progress. It is memory-mapped, so it survives the process, but not a
    crash of the machine. ``<pipeline>-<slot>.suspects`` holds the suspects and the id of the run that writes the other
    file; what other runs left there is ignored. So replacing this one file makes a start or an end take effect at once.
    ``<pipeline>-<slot>.members`` holds the ids that the consumer group gave to the processes of the slot.

    Attributes:
        members: The last ids that the group gave to the slot, to this process or to others, which have ended.
    """

    def __init__(self, folder: Path, pipeline: str, slot: int) -> None:
        """Lock the slot and find out which events are suspected.

        Raises OSError if ``folder`` cannot be written to, and FencedError while another process holds the slot.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._suspects_file = folder / f"{pipeline}-{slot}.suspects"
        self._file = os.open(folder / f"{pipeline}-{slot}.inflight", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Writing to a hole in the mapped file would end the process with SIGBUS if the disk is full.
            os.posix_fallocate(self._file, 0, len(_OFFSETS) * _ROOM)
            self._map = mmap.mmap(self._file, len(_OFFSETS) * _ROOM)
            self._members_file = self._suspects_file.with_suffix(".members")
            self._member = ""
            self.members = self._read_members()
            self._suspects = self._open()
        except BlockingIOError:
            os.close(self._file)
            raise FencedError(
                f"another worker of {pipeline} on this machine has slot {slot}: each worker needs its own --slot "
                f"(the slot's file is in {folder}, see --state)"
            ) from None
        except BaseException:
            os.close(self._file)
            raise
        self._turn = threading.Condition()
        self._busy = 0
        self._alone = False
        self._broken = False

    def may_begin(self, records: Iterable[Record]) -> bool:
        """Whether the lane "ahead" may work on ``records`` while the lane "device" works on others. Does not block.

        Not as long as an event must be alone: it would wait for the lane "ahead", whose thread may be waiting for
        others to take what the lane "device" has finished. Other suspects wait for their turn: the fewer events are in
        progress with them at another crash, the fewer are blamed. Device thread.
        """
        return not self._suspects or may_begin(self._suspects, spans_of(records))

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        """Yield ``records`` in order, in pieces with one verdict each; a suspect that must be alone is a piece.

        If there are none, they are a piece, too.
        """
        suspects = self._suspects
        if not any(suspect.crashes >= ALONE for suspect in suspects):
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
        if together or not records:
            yield together, "clear"

    @contextmanager
    def lane(self, lane: LaneName, records: Iterable[Record]) -> Iterator[None]:
        """Record that ``records`` are in progress while the block runs; if the block raises, they stay recorded.

        Blocks while another lane works on an event that must be alone. Raises Closed after any block has raised.
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

    def joined(self, member: str) -> None:
        """Record the id ``member`` that the group has given us, so that the next process knows whose it was.

        Poll thread. May be called again and again; does nothing if the id is empty or has not changed.
        """
        if not member or member == self._member:
            return
        self._member = member
        self.members = [*self.members, member][-_MEMBERS:]
        with contextlib.suppress(OSError):  # without it the next start only takes longer
            self._members_file.write_bytes(orjson.dumps(self.members))

    def close(self) -> None:
        """Record a clean end, after which no event is suspected, and unlock the slot."""
        self._suspects_file.unlink(missing_ok=True)
        self._map.close()
        os.close(self._file)

    def set_aside(self) -> None:
        """Record an end that is no crash, although events may be in progress; earlier suspects remain.

        The slot stays locked until the process ends, because a thread may still be within its block.
        """
        with self._turn:
            self._broken = True
            self._turn.notify_all()
            self._run = ""  # the next run ignores what this one was working on
            try:
                if self._suspects:
                    self._save(self._suspects)
                else:
                    self._suspects_file.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._suspects_file.name, error.strerror)

    def _enter(self, lane: LaneName, spans: Sequence[Span]) -> None:
        """Wait until ``spans`` may be in progress. A suspect must be alone so that a crash is evidence against it."""
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
            except OSError as error:  # at worst, an event is processed alone once more than necessary
                log.warning("%s cannot be written: %s", self._suspects_file.name, error.strerror)

    def _open(self) -> list[Suspect]:
        """Return the suspects after whatever ended the last run, and begin a new run."""
        self._run, suspects = self._load()
        spans = [span for lane in _OFFSETS for span in self._read(lane)] if self._run else []
        if spans:
            events = sum(last - first + 1 for _, _, first, last in spans)
            log.warning("the last run died with up to %d events in progress", events)
            suspects = raised(suspects, spans)
            if len(suspects) > _MOST:
                log.warning("%d spans of events are suspected; only %d are remembered", len(suspects), _MOST)
                suspects = sorted(suspects, key=lambda suspect: (-suspect.crashes, suspect.age))[:_MOST]
        self._run = os.urandom(8).hex()
        self._save(suspects)
        return suspects

    def _load(self) -> tuple[str, list[Suspect]]:
        """Read the last run's id and its suspects; an empty id and none after a clean end."""
        try:
            run, rows = orjson.loads(self._suspects_file.read_bytes())
            if isinstance(run, str) and all(_is_row(row, 6) for row in rows):
                return run, [Suspect(*row) for row in rows]
        except FileNotFoundError:
            return "", []
        except (ValueError, TypeError):
            pass
        log.warning("%s cannot be read; starting a new one", self._suspects_file.name)
        return "", []

    def _read_members(self) -> list[str]:
        with contextlib.suppress(OSError, ValueError):
            ids = orjson.loads(self._members_file.read_bytes())
            if isinstance(ids, list):
                return [member for member in ids if isinstance(member, str)]
        return []

    def _save(self, suspects: Sequence[Suspect]) -> None:
        fresh = self._suspects_file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps((self._run, [tuple(suspect) for suspect in suspects])))
        fresh.replace(self._suspects_file)

    def _write(self, lane: LaneName, spans: Sequence[Span]) -> None:
        data = orjson.dumps((self._run, spans))
        while len(data) > _ROOM - _HEADER.size:  # a micro-batch of hundreds of partitions: record only some of them
            spans = spans[: len(spans) // 2]
            data = orjson.dumps((self._run, spans))
        at = _OFFSETS[lane]
        self._map[at : at + _HEADER.size + len(data)] = _HEADER.pack(len(data), zlib.crc32(data)) + data

    def _read(self, lane: LaneName) -> list[Span]:
        """Return what the last run was working on. A torn entry was being written, so the work was not under way."""
        at = _OFFSETS[lane]
        length, check = _HEADER.unpack(self._map[at : at + _HEADER.size])
        data = self._map[at + _HEADER.size : at + _HEADER.size + min(length, _ROOM - _HEADER.size)]
        if not length or zlib.crc32(data) != check:
            return []
        with contextlib.suppress(ValueError, TypeError):
            run, rows = orjson.loads(data)
            if run == self._run and all(_is_row(row, 4) for row in rows):
                return [(row[0], row[1], row[2], row[3]) for row in rows]
        return []


def spans_of(records: Iterable[Record]) -> list[Span]:
    """Return one span per assignment, from its first to its last offset in ``records``, which are in offset order."""
    firsts: dict[Assignment, int] = {}
    lasts: dict[Assignment, int] = {}
    place, offset = None, 0
    for record in records:  # the hot path: a poll returns runs of one partition
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
    """A journal that records nothing and suspects no event, for a worker without a folder to write to."""

    members: Sequence[str] = ()

    def joined(self, member: str) -> None:
        """Do nothing."""

    def may_begin(self, records: Iterable[Record]) -> bool:
        """Return true."""
        return True

    def pieces(self, records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Verdict]]:
        """Yield ``records`` in one piece."""
        yield records, "clear"

    def lane(self, lane: LaneName, records: Iterable[Record]) -> AbstractContextManager[None]:
        """Return a context manager that does nothing."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""

    def set_aside(self) -> None:
        """Do nothing."""


def cluster_folder(cluster: str) -> str:
    """Return the name of the folder for the journals of a cluster, given its id; empty for a cluster without one."""
    # A cluster may choose any id, also one that is a path.
    return f"cluster-{quote(cluster, safe='').replace('.', '%2E')}"


def guilty(record: Record) -> Document:
    """Return the failed document of an event that has killed the process."""
    document = Document(record)
    error = CrashError("the process died three times with this event in progress, the last time with no other")
    document.failure = Failure.of(error, "crash")
    return document


def _is_row(row: Any, length: int) -> bool:
    return (
        isinstance(row, list) and len(row) == length and isinstance(row[0], str)
        and all(type(value) is int for value in row[1:])
    )  # fmt: skip
