"""Who was in hand at every crash in a row is suspected, and nobody else; whatever stands in the files is survived."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FencedError
from schemas.record import Assignment, Record
from workers.journal import Journal, spans_of

PARTITIONS = [Assignment("posts", 0), Assignment("posts", 1), Assignment("other", 0)]


def _records(partition: int, offsets: Iterable[int]) -> list[Record]:
    return [Record(PARTITIONS[partition], offset, None, b"v") for offset in offsets]


def _die(journal: Journal) -> None:
    """What the kernel does when a process dies: the lock goes, the pages stay."""
    journal._map.close()
    import os

    os.close(journal._file)


def _crash(folder: Path, records: list[Record], lane: str = "device") -> None:
    journal = Journal(folder, "p", 0)
    with pytest.raises(KeyboardInterrupt), journal.lane(lane, records):  # type: ignore[arg-type]
        raise KeyboardInterrupt
    _die(journal)


def _verdicts(journal: Journal, records: list[Record]) -> dict[int, str]:
    return {record.offset: verdict for piece, verdict in journal.pieces(records) for record in piece}


def test_three_strikes(tmp_path: Path) -> None:
    records = _records(0, range(10))
    for lives, verdict in enumerate(["clear", "clear", "alone", "guilty"]):
        journal = Journal(tmp_path, "p", 0)
        assert _verdicts(journal, records)[5] == verdict, lives
        _die(journal)
        _crash(tmp_path, records if lives < 2 else records[5:6])
    journal = Journal(tmp_path, "p", 0)
    assert _verdicts(journal, records)[4] == "clear", "it was not in hand the last time"
    _die(journal)


def test_a_clean_end_forgets(tmp_path: Path) -> None:
    records = _records(0, range(10))
    for _ in range(2):
        _crash(tmp_path, records)
    journal = Journal(tmp_path, "p", 0)
    assert set(_verdicts(journal, records).values()) == {"alone"}
    journal.close()
    journal = Journal(tmp_path, "p", 0)
    assert set(_verdicts(journal, records).values()) == {"clear"}
    journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["p-0.inflight"]


def test_whoever_survives_the_device_is_cleared_and_nobody_else(tmp_path: Path) -> None:
    records = _records(0, range(10))
    for _ in range(2):
        _crash(tmp_path, records)
    journal = Journal(tmp_path, "p", 0)
    with journal.lane("prepare", records[4:5]):
        pass
    with journal.lane("device", records[5:7]):
        pass
    assert [offset for offset, verdict in _verdicts(journal, records).items() if verdict == "alone"] == [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        9,
    ]
    pieces = list(journal.pieces(records))
    assert [record.offset for piece, _ in pieces for record in piece] == list(range(10))
    assert all(len(piece) == 1 for piece, verdict in pieces if verdict == "alone")
    _die(journal)


def test_a_slot_has_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "p", 0)
    with pytest.raises(FencedError, match="slot 0"):
        Journal(tmp_path, "p", 0)
    Journal(tmp_path, "p", 1).close()
    Journal(tmp_path, "q", 0).close()
    journal.close()
    Journal(tmp_path, "p", 0).close()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 40, 65_536, 131_072])
@pytest.mark.parametrize("byte", [b"\0", b"\xff", b"["])
def test_rubbish_is_no_suspicion(tmp_path: Path, size: int, byte: bytes) -> None:
    for name in ("p-0.inflight", "p-0.suspects"):
        (tmp_path / name).write_bytes(byte * size)
    journal = Journal(tmp_path, "p", 0)
    assert set(_verdicts(journal, _records(0, range(10))).values()) == {"clear"}
    journal.close()


def test_a_torn_write_at_any_byte_is_survived(tmp_path: Path) -> None:
    records = _records(0, range(10))
    _crash(tmp_path, records)
    file = tmp_path / "p-0.inflight"
    whole = file.read_bytes()
    length = len(whole[65_536:].rstrip(b"\0"))
    for cut in range(length):
        torn = bytearray(whole)
        torn[65_536 + cut : 65_536 + length] = b"\x5a" * (length - cut)
        file.write_bytes(torn)
        journal = Journal(tmp_path, "p", 0)
        assert set(_verdicts(journal, records).values()) == {"clear"}
        _die(journal)


def test_more_than_fits_is_let_go(tmp_path: Path) -> None:
    many = [Record(Assignment("topic-" * 20 + str(n), n), n, None, b"") for n in range(5000)]
    _crash(tmp_path, many)
    journal = Journal(tmp_path, "p", 0)
    assert {verdict for _, verdict in journal.pieces(many)} == {"clear"}
    journal.close()


_in_hand = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 12)), max_size=3)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(_in_hand, _in_hand), min_size=1, max_size=6))
def test_as_a_count_per_event_says(
    crashes: list[tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]],
) -> None:
    counts: dict[tuple[int, int], int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for lanes in crashes:
            journal = Journal(Path(folder), "p", 0)
            in_hand: set[tuple[int, int]] = set()
            for lane, ranges in zip(("prepare", "device"), lanes, strict=True):
                records = [
                    record
                    for partition in range(3)
                    for record in _records(
                        partition,
                        sorted(
                            {
                                offset
                                for own, first, more in ranges
                                if own == partition
                                for offset in range(first, first + more + 1)
                            }
                        ),
                    )
                ]
                journal._write(lane, spans_of(records))  # type: ignore[arg-type]
                for topic, partition, first, last in spans_of(records):
                    place = next(
                        n for n, one in enumerate(PARTITIONS) if (one.topic, one.partition) == (topic, partition)
                    )
                    in_hand |= {(place, offset) for offset in range(first, last + 1)}
            _die(journal)
            if in_hand:
                counts = {key: counts.get(key, 0) + 1 for key in in_hand}
        journal = Journal(Path(folder), "p", 0)
        for partition in range(3):
            for offset, verdict in _verdicts(journal, _records(partition, range(50))).items():
                count = counts.get((partition, offset), 0)
                assert verdict == ("guilty" if count >= 3 else "alone" if count == 2 else "clear"), (partition, offset)
        _die(journal)
