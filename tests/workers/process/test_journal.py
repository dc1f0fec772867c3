"""The journal finds the event that kills the process and blames no other, however often and wherever it dies."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.errors import FencedError
from schemas.record import Assignment, Record
from tests.thoroughness import examples
from tests.workers.process.dying import EVENTS
from workers.process.journal import Journal, LaneName, cluster_folder, spans_of
from workers.process.lanes import Closed

PLACES = [Assignment("posts", 0), Assignment("posts", 1), Assignment("other", 0)]
LANES: tuple[LaneName, ...] = ("prepare", "ahead", "device", "finish")


def _records(offsets: Iterable[int], place: int = 0) -> list[Record]:
    return [Record(PLACES[place], offset, None, b"v") for offset in offsets]


def _die(journal: Journal) -> None:
    """Do what the kernel does when a process dies: release the lock, keep the pages."""
    journal._map.close()
    os.close(journal._file)


def crash(folder: Path, records: Sequence[Record], lane: LaneName = "device") -> None:
    """Run a process that dies with ``records`` in progress."""
    journal = Journal(folder, "p", 0)
    in_hand = journal.lane(lane, records)
    in_hand.__enter__()
    _die(journal)


def _verdicts(journal: Journal, records: Sequence[Record]) -> dict[int, str]:
    return {record.offset: verdict for piece, verdict in journal.pieces(records) for record in piece}


def _after(folder: Path, records: Sequence[Record]) -> dict[int, str]:
    """Return the verdicts of a process that dies with nothing in progress."""
    journal = Journal(folder, "p", 0)
    verdicts = _verdicts(journal, records)
    _die(journal)
    return verdicts


@pytest.mark.parametrize("lane", LANES)
def test_three_strikes(tmp_path: Path, lane: LaneName) -> None:
    records = _records(range(10))
    assert set(_after(tmp_path, records).values()) == {"clear"}
    crash(tmp_path, records, lane)
    assert set(_after(tmp_path, records).values()) == {"clear"}
    crash(tmp_path, records, lane)
    assert set(_after(tmp_path, records).values()) == {"alone"}
    crash(tmp_path, records[5:6], lane)
    verdicts = _after(tmp_path, records)
    assert verdicts.pop(5) == "guilty"
    assert set(verdicts.values()) == {"alone"}, "that crash says nothing of the others"


def test_nobody_is_guilty_who_was_not_alone(tmp_path: Path) -> None:
    records = _records(range(10))
    for _ in range(9):
        crash(tmp_path, records)
    assert set(_after(tmp_path, records).values()) == {"alone"}


def test_one_alone_beside_another_lane_is_not_guilty(tmp_path: Path) -> None:
    for _ in range(5):
        journal = Journal(tmp_path, "p", 0)
        for lane, offset in zip(LANES[:2], (7, 3), strict=True):
            journal._write(lane, spans_of(_records([offset])))
        _die(journal)
    assert _after(tmp_path, _records([3, 7])) == {3: "alone", 7: "alone"}


def test_a_life_that_dies_before_any_work_changes_nothing(tmp_path: Path) -> None:
    records = _records(range(10))
    for _ in range(2):
        crash(tmp_path, records)
    crash(tmp_path, records[5:6])
    before = _after(tmp_path, records)
    for _ in range(40):
        assert _after(tmp_path, records) == before


def test_a_clean_end_forgets(tmp_path: Path) -> None:
    records = _records(range(10))
    for _ in range(2):
        crash(tmp_path, records)
    crash(tmp_path, records[5:6])
    journal = Journal(tmp_path, "p", 0)
    journal.lane("device", records).__enter__()
    journal.close()
    for _ in range(3):
        assert set(_after(tmp_path, records).values()) == {"clear"}
    Journal(tmp_path, "p", 0).close()
    assert [path.name for path in tmp_path.iterdir()] == ["p-0.inflight"]


@pytest.mark.parametrize("lane", LANES)
def test_an_end_of_our_own_choice_is_no_crash_and_forgets_no_crash(tmp_path: Path, lane: LaneName) -> None:
    records = _records(range(10))
    for crashes in range(3):
        for _ in range(5):
            journal = Journal(tmp_path, "p", 0)
            journal.lane(lane, records).__enter__()
            journal.set_aside()
            _die(journal)
        assert set(_after(tmp_path, records).values()) == {"clear" if crashes < 2 else "alone"}
        crash(tmp_path, records)


def test_after_such_an_end_nothing_is_left_of_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "p", 0)
    with journal.lane("device", _records([1])):
        journal.set_aside()  # the thread is still busy
    with pytest.raises(Closed), journal.lane("finish", _records([1])):
        pass
    _die(journal)
    assert [path.name for path in tmp_path.iterdir()] == ["p-0.inflight"]


@pytest.mark.parametrize("cluster", ["", ".", "..", "../x", "/etc", "MkU3OEVBNTcwNTJENDM2Qk", "redpanda.0-1", "a b\0"])
def test_any_id_of_a_cluster_is_one_folder(cluster: str, tmp_path: Path) -> None:
    folder = tmp_path / cluster_folder(cluster)
    folder.mkdir()
    assert [path.resolve() for path in tmp_path.iterdir()] == [folder.resolve()]
    assert cluster_folder(cluster) != cluster_folder(cluster + "x")


def test_who_comes_through_is_cleared_for_the_lives_to_come(tmp_path: Path) -> None:
    records = _records(range(10))
    for _ in range(2):
        crash(tmp_path, records)
    journal = Journal(tmp_path, "p", 0)
    for lane in ("prepare", "device"):
        with journal.lane(lane, records[:9]):
            pass
    assert set(_verdicts(journal, records).values()) == {"alone"}
    with journal.lane("finish", records[:7]):
        pass
    expected = {offset: "clear" if offset < 7 else "alone" for offset in range(10)}
    assert _verdicts(journal, records) == expected
    _die(journal)
    assert _after(tmp_path, records) == expected


def test_pieces_keep_the_order_and_cut_out_who_must_be_alone(tmp_path: Path) -> None:
    records = [record for n in range(10) for record in (*_records([n]), *_records([n + 100], 1))]
    for _ in range(2):
        crash(tmp_path, _records(range(3, 6)))
    crash(tmp_path, _records([4]))
    journal = Journal(tmp_path, "p", 0)
    pieces = list(journal.pieces(records))
    assert [record for piece, _ in pieces for record in piece] == records
    assert [(len(piece), verdict) for piece, verdict in pieces] == [
        (6, "clear"), (1, "alone"), (1, "clear"), (1, "guilty"), (1, "clear"), (1, "alone"), (9, "clear"),
    ]  # fmt: skip
    journal.close()


@pytest.mark.parametrize("crashes", range(4))
def test_no_records_are_one_empty_piece_whatever_is_suspected(tmp_path: Path, crashes: int) -> None:
    for _ in range(crashes):
        crash(tmp_path, _records([5]))
    journal = Journal(tmp_path, "p", 0)
    assert [(list(piece), verdict) for piece, verdict in journal.pieces([])] == [([], "clear")]
    journal.close()


@pytest.mark.parametrize(("first", "second", "waits"), [(90, 5, True), (5, 90, True), (90, 91, False)])
def test_nothing_else_is_in_hand_beside_who_must_be_alone(tmp_path: Path, first: int, second: int, waits: bool) -> None:
    for _ in range(2):
        crash(tmp_path, _records([5]))
    journal = Journal(tmp_path, "p", 0)
    begun = threading.Event()

    def work() -> None:
        with journal.lane("device", _records([second])):
            begun.set()

    thread = threading.Thread(target=work, daemon=True)
    with journal.lane("prepare", _records([first])):
        thread.start()
        assert begun.wait(0.1 if waits else 10) != waits
    assert begun.wait(60)
    thread.join(60)
    journal.close()


@pytest.mark.parametrize(
    ("crashes", "present", "others", "may"),
    [
        (0, 90, [5], True),
        (1, 90, [4, 5], False),
        (1, 5, [90], True),
        (2, 90, [5], False),
        (2, 5, [90], False),
        (2, 90, [91], False),
        (2, 90, [], False),
        (3, 90, [5], True),
        (3, 5, [90], True),
    ],
)
def test_what_may_begin_beside_what_is_on_the_device(
    tmp_path: Path, crashes: int, present: int, others: list[int], may: bool
) -> None:
    """Not a suspect, and nothing as long as one must be alone. The guilty are not computed, so they may."""
    for _ in range(crashes):
        crash(tmp_path, _records([5]))
    journal = Journal(tmp_path, "p", 0)
    with journal.lane("device", _records([present])):
        assert journal.may_begin(_records(others)) == may
        if may:
            with journal.lane("ahead", _records(others)):
                pass
    journal.close()


@pytest.mark.parametrize("crashes", [1, 2])
def test_when_the_suspects_have_passed_all_may_begin_before_their_turn_again(tmp_path: Path, crashes: int) -> None:
    for _ in range(crashes):
        crash(tmp_path, _records(range(5)))
    journal = Journal(tmp_path, "p", 0)
    for passed in range(6):
        with journal.lane("device", _records([90])):
            assert [journal.may_begin(_records([n])) for n in range(6)] == [
                n < passed if crashes == 1 and n < 5 else crashes == 1 or passed == 5 for n in range(6)
            ]
        with journal.lane("finish", _records([passed])):
            pass
    journal.close()


def test_after_a_failure_nobody_else_is_taken_in_hand(tmp_path: Path) -> None:
    """Otherwise the next event would be in progress with the one that broke the device, and neither could be blamed."""
    for _ in range(2):
        crash(tmp_path, _records([5]))
    journal = Journal(tmp_path, "p", 0)
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(Closed), journal.lane("prepare", _records([6])):
            pass
        ended.set()

    thread = threading.Thread(target=work, daemon=True)
    with pytest.raises(ZeroDivisionError), journal.lane("device", _records([5])):
        thread.start()
        raise ZeroDivisionError
    assert ended.wait(60)
    _die(journal)
    assert _after(tmp_path, _records([5, 6])) == {5: "guilty", 6: "clear"}


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
    assert set(_after(tmp_path, _records(range(10))).values()) == {"clear"}


@pytest.mark.parametrize("data", [b"", b"1", b"{}", b"[]", b'["r"]', b'["r", 1]', b"[1, []]", b'["\xff", []]'])
def test_a_file_of_another_shape_is_begun_anew(tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "p-0.suspects").write_bytes(data)
    assert set(_after(tmp_path, _records(range(10))).values()) == {"clear"}
    assert "cannot be read; starting a new one" in caplog.text


@pytest.mark.parametrize("row", ["1", '["posts", 0, 0, 9, 2]', '["posts", 0, 0, 9, 2, null]', "[0, 0, 0, 9, 2, 0]"])
def test_so_is_one_with_rows_of_another_shape(tmp_path: Path, row: str) -> None:
    (tmp_path / "p-0.suspects").write_text(f'["r", [{row}]]')
    assert set(_after(tmp_path, _records(range(10))).values()) == {"clear"}


@pytest.mark.parametrize("lane", LANES)
def test_a_torn_write_at_any_byte_is_survived(tmp_path: Path, lane: LaneName) -> None:
    """A torn entry is read as the new one, the old one or none, never as other events."""
    everyone = _records(range(10, 40))
    crash(tmp_path, everyone, lane)
    idle = _after(tmp_path, everyone)
    suspects = (tmp_path / "p-0.suspects").read_bytes()
    journal = Journal(tmp_path, "p", 0)
    run = (tmp_path / "p-0.suspects").read_bytes()
    images = []
    for offsets in (range(30, 40), range(10, 20)):  # the beginning of one with the end of the other would cover all
        journal._write(lane, spans_of(_records(offsets)))
        images.append(journal._map[:])
    _die(journal)
    assert suspects != run, "each run has a name"
    possible = [idle]
    for image in images:
        (tmp_path / "p-0.suspects").write_bytes(run)
        (tmp_path / "p-0.inflight").write_bytes(image)
        possible.append(_after(tmp_path, everyone))
    assert [sum(verdict == "alone" for verdict in verdicts.values()) for verdicts in possible] == [0, 10, 10]
    differing = [n for n, (a, b) in enumerate(zip(*images, strict=True)) if a != b]
    for cut in range(differing[0], differing[-1] + 2):
        (tmp_path / "p-0.suspects").write_bytes(run)
        (tmp_path / "p-0.inflight").write_bytes(images[1][:cut] + images[0][cut:])
        assert _after(tmp_path, everyone) in possible


def test_suspects_are_bounded(tmp_path: Path) -> None:
    rows = ",".join(f'["posts", 0, {n * 2}, {n * 2}, {2 if n == 4999 else 1}, 0]' for n in range(5000))
    (tmp_path / "p-0.suspects").write_text(f'["r", [{rows}]]')
    for _ in range(2):
        crash(tmp_path, _records([100], 1))
    assert (tmp_path / "p-0.suspects").read_bytes().count(b'"posts"') == 4096
    assert _after(tmp_path, _records([9998])) == {9998: "alone"}


def test_a_half_written_file_of_suspects_changes_nothing(tmp_path: Path) -> None:
    records = _records(range(10))
    for _ in range(2):
        crash(tmp_path, records)
    before = _after(tmp_path, records)
    (tmp_path / "p-0.new").write_bytes(b'["0123", [["posts", 0, 0, ')
    assert _after(tmp_path, records) == before


def test_a_full_disk_stops_nobody_who_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = _records(range(10))
    for _ in range(2):
        crash(tmp_path, records)
    journal = Journal(tmp_path, "p", 0)

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with journal.lane("finish", records[:5]):
        pass
    assert _verdicts(journal, records)[4] == "clear"
    assert _verdicts(journal, records)[5] == "alone"
    _die(journal)


def test_many_partitions_leave_room_for_some(tmp_path: Path) -> None:
    many = [Record(Assignment("topic-" * 20 + str(n), n), n, None, b"") for n in range(5000)]
    for _ in range(2):
        crash(tmp_path, many)
    verdicts = set(_after(tmp_path, many).values())
    assert verdicts == {"alone", "clear"}


def test_no_text_is_written(tmp_path: Path) -> None:
    secret = Record(PLACES[0], 5, b"s3cret", b"s3cret", [("s3cret", b"s3cret")])
    for _ in range(3):
        crash(tmp_path, [secret])
    for path in tmp_path.iterdir():
        assert b"s3cret" not in path.read_bytes()


class JournalMachine(RuleBasedStateMachine):
    """Lanes begin and end their work on events, and the process dies; compared with a count per event."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Journal(Path(self.folder.name), "p", 0)
        self.open: dict[LaneName, AbstractContextManager[None]] = {}
        self.in_hand: dict[LaneName, set[tuple[int, int]]] = {}
        self.crashes: dict[tuple[int, int], int] = {}
        self.ages = dict.fromkeys(range(3), 0)

    def _must_be_alone(self, events: Iterable[tuple[int, int]]) -> bool:
        return any(self.crashes.get(event) == 2 for event in events)

    @rule(
        lane=st.sampled_from(LANES),
        ranges=st.dictionaries(st.integers(0, 2), st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=3),
        single=st.booleans(),
    )
    def enter(self, lane: LaneName, ranges: dict[int, tuple[int, int]], single: bool) -> None:
        if single:
            ranges = {place: (start, 1) for place, (start, _) in [*ranges.items()][:1]}
        events = {(place, n) for place, (start, count) in ranges.items() for n in range(start, start + count)}
        if lane in self.in_hand:
            return
        others = [*self.in_hand.values()]
        if others and (self._must_be_alone(events) or any(map(self._must_be_alone, others))):
            return  # it would block
        self.open[lane] = self.journal.lane(lane, [r for p, n in sorted(events) for r in _records([n], p)])
        self.open[lane].__enter__()
        self.in_hand[lane] = events

    @rule(lane=st.sampled_from(LANES))
    def leave(self, lane: LaneName) -> None:
        if lane not in self.in_hand:
            return
        self.open.pop(lane).__exit__(None, None, None)
        events = self.in_hand.pop(lane)
        if lane == "finish":
            for place in {place for place, _ in events}:
                last = max(n for p, n in events if p == place)
                for event in [e for e in self.crashes if e[0] == place and e[1] <= last and self.crashes[e] < 3]:
                    del self.crashes[event]

    @rule()
    def crash(self) -> None:
        _die(self.journal)
        died = set().union(*self.in_hand.values())
        for event in died:
            before = self.crashes.get(event, 0)
            self.crashes[event] = max(before, min(before + 1, 3 if len(died) == 1 else 2))
        if died:
            for place in self.ages:
                self.ages[place] = 0 if any(p == place for p, _ in died) else self.ages[place] + 1
                if self.ages[place] > 16:
                    self.crashes = {event: count for event, count in self.crashes.items() if event[0] != place}
        self._restart()

    @rule(lane=st.sampled_from(LANES), place=st.integers(0, 2), start=st.integers(0, 12), count=st.integers(1, 6))
    def crash_again(self, lane: LaneName, place: int, start: int, count: int) -> None:
        self.crash()
        for _ in range(2):
            self.enter(lane, {place: (start, count)}, False)
            self.crash()

    @rule(place=st.integers(0, 2), times=st.integers(1, 17))
    def crash_elsewhere(self, place: int, times: int) -> None:
        self.crash()
        for n in range(times):
            self.enter("device", {place: (20 + n, 1)}, True)
            self.crash()

    @rule()
    def end(self) -> None:
        self.journal.close()
        self.crashes = {}
        self._restart()

    def _restart(self) -> None:
        self.open, self.in_hand = {}, {}
        self.ages = {place: age if any(p == place for p, _ in self.crashes) else 0 for place, age in self.ages.items()}
        self.journal = Journal(Path(self.folder.name), "p", 0)

    @invariant()
    def verdicts_are_as_counted(self) -> None:
        names = ("clear", "clear", "alone", "guilty")
        for place in range(3):
            expected = {n: names[self.crashes.get((place, n), 0)] for n in range(40)}
            assert _verdicts(self.journal, _records(range(40), place)) == expected

    @invariant()
    def no_suspect_may_begin_and_nothing_while_one_must_be_alone(self) -> None:
        alone = self._must_be_alone(self.crashes)
        for place in range(3):
            for n in range(40):
                may = not alone and self.crashes.get((place, n)) != 1
                assert self.journal.may_begin(_records([n], place)) == may

    def teardown(self) -> None:
        _die(self.journal)
        self.folder.cleanup()


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)


def _live(folder: Path, poison: dict[int, LaneName], cut: int, steps: int) -> set[int] | None:
    """Read all events, dying with a poisonous one or after some steps; return the dead letters, None after a death."""
    journal = Journal(folder, "p", 0)
    dead: set[int] = set()
    for piece, verdict in journal.pieces(_records(range(30))):
        if verdict == "guilty":
            dead |= {record.offset for record in piece}
            continue
        for start in range(0, len(piece), cut):
            batch = piece[start : start + cut]
            for lane in LANES:
                in_hand = journal.lane(lane, batch)
                in_hand.__enter__()
                steps -= 1
                if not steps or any(poison.get(record.offset) == lane for record in batch):
                    _die(journal)
                    return None
                in_hand.__exit__(None, None, None)
    journal.close()
    return dead


@settings(max_examples=examples(40), deadline=None)
@given(
    st.dictionaries(st.integers(0, 29), st.sampled_from(LANES), max_size=6),
    st.integers(1, 30),
    st.lists(st.integers(1, 40), max_size=2),
)
def test_poison_within_one_commit_interval_is_found_event_by_event(
    poison: dict[int, LaneName], cut: int, killed: list[int]
) -> None:
    """Nothing is committed before the end, and an operator kills twice: each poisonous event takes three processes."""
    with tempfile.TemporaryDirectory() as folder:
        for lives in range(3 * len(poison) + len(killed) + 1):
            steps = killed[lives] if lives < len(killed) else -1
            dead = _live(Path(folder), poison, cut, steps)
            if dead is not None:
                assert dead == set(poison)
                return
        raise AssertionError("it dies for ever")


def _live_ahead(folder: Path, poison: set[int], cut: int, steps: int) -> set[int] | None:
    """As ``_live``, but the next micro-batch begins during the present one where it may, and both can kill."""
    journal = Journal(folder, "p", 0)
    batches: list[Sequence[Record]] = []
    dead: set[int] = set()
    for piece, verdict in journal.pieces(_records(range(30))):
        if verdict == "guilty":
            dead |= {record.offset for record in piece}
        batches += [piece[start : start + cut] for start in range(0, len(piece), cut)]
    begun: AbstractContextManager[None] | None = None
    for batch, following in itertools.zip_longest(batches, batches[1:], fillvalue=()):
        on_device = journal.lane("device", batch)
        on_device.__enter__()
        if begun is not None:
            begun.__exit__(None, None, None)
        begun = journal.lane("ahead", following) if following and journal.may_begin(following) else None
        if begun is not None:
            begun.__enter__()
        steps -= 1
        in_hand = {record.offset for record in (*batch, *(following if begun else ()))} - dead
        if not steps or in_hand & poison:
            _die(journal)
            return None
        on_device.__exit__(None, None, None)
        with journal.lane("finish", batch):
            pass
    journal.close()
    return dead


@settings(max_examples=examples(40), deadline=None)
@given(st.sets(st.integers(0, 29), max_size=6), st.integers(1, 30), st.lists(st.integers(1, 40), max_size=2))
def test_what_begins_ahead_costs_no_more_processes(poison: set[int], cut: int, killed: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for lives in range(3 * len(poison) + len(killed) + 1):
            steps = killed[lives] if lives < len(killed) else -1
            dead = _live_ahead(Path(folder), poison, cut, steps)
            if dead is not None:
                assert dead == poison
                return
        raise AssertionError("it dies for ever")


@pytest.mark.parametrize(
    ("prepare", "device", "finish"), [([], [17], []), ([31], [], []), ([], [], [25]), ([9, 31], [10, 12], [33])]
)
def test_a_process_that_dies_in_c_gets_through(
    tmp_path: Path, prepare: list[int], device: list[int], finish: list[int]
) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.workers.process.dying",
        str(tmp_path),
        str(prepare),
        str(device),
        str(finish),
    ]
    poison = {*prepare, *device, *finish}
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=240)
    statuses: list[int] = json.loads(ended.stdout)
    assert statuses[-1] == 0
    assert set(statuses[:-1]) == {-11}
    assert len(statuses) <= 3 * len(poison) + 1
    assert {int(line) for line in (tmp_path / "dead").read_text().split()} == poison
    assert {int(line) for line in (tmp_path / "enriched").read_text().split()} == set(range(EVENTS)) - poison
    assert not (tmp_path / "p-0.suspects").exists()
