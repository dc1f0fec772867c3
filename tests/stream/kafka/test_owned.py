"""Owned partitions: what they are, where they begin, and which offsets are handed out for them once."""

from __future__ import annotations

from confluent_kafka import OFFSET_BEGINNING

from stream.kafka.owned import OwnedPartitions

FIRST, SECOND = ("posts", 0), ("posts", 1)


def _own(begin: int = 5) -> OwnedPartitions:
    owned = OwnedPartitions()
    for place in (FIRST, SECOND):
        owned.add(place, begin)
    return owned


def test_each_ownership_is_a_new_assignment() -> None:
    owned = _own()
    earlier = owned.assignments[FIRST]
    assert owned.remove([FIRST, ("posts", 9)]) == [earlier]
    assert list(owned.assignments) == [SECOND]
    owned.add(FIRST, 8)
    assert owned.assignments[FIRST] is not earlier
    assert owned.begin(FIRST) == 8


def test_a_beginning_that_is_no_number_counts_as_zero() -> None:
    assert _own(OFFSET_BEGINNING).begin(FIRST) == 0
    assert OwnedPartitions().begin(FIRST) == 0


def test_what_was_polled_to_its_end_is_not_behind() -> None:
    owned = _own()
    owned.note_end(FIRST, 7)
    assert owned.behind() == [owned.assignments[SECOND]]
    owned.at_end.discard(FIRST)
    assert len(owned.behind()) == 2


def test_an_end_is_handed_out_once_and_not_where_we_began() -> None:
    owned = _own(begin=5)
    owned.note_end(FIRST, 7)
    owned.note_end(SECOND, 5)
    assert owned.take_ends() == {owned.assignments[FIRST]: 7}
    assert owned.take_ends() == {}


def test_the_end_of_a_partition_that_is_not_ours_says_nothing() -> None:
    owned = _own()
    owned.note_end(("posts", 9), 7)
    assert (owned.take_ends(), owned.at_end) == ({}, set())


def test_what_is_noted_of_a_partition_is_forgotten_with_it() -> None:
    owned = _own()
    owned.note_first(FIRST, 3)
    owned.note_first(SECOND, 4)
    owned.note_end(FIRST, 7)
    owned.remove([FIRST])
    assert owned.take_firsts() == {owned.assignments[SECOND]: 4}
    assert owned.take_firsts() == owned.take_ends() == {}
    owned.add(FIRST, 3)
    assert len(owned.behind()) == 2


def test_failed_commits_are_handed_out_once() -> None:
    owned = _own()
    owned.note_failure(owned.assignments[FIRST])
    assert owned.take_failures() == {owned.assignments[FIRST]}
    assert owned.take_failures() == set()
