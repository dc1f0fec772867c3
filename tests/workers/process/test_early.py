"""When a worker may be in its group before its models are loaded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from tests.noop import pipeline
from workers.process import early
from workers.process.early import EarlyMember
from workers.process.journal import Journal, NoJournal


class Group:
    """The members of the group; None if the cluster does not tell."""

    def __init__(self, *members: str) -> None:
        self.members: set[str] | None = set(members)
        self.looks = 0

    def has_others(self, _settings: object, _group: object, known: Collection[str]) -> bool:
        self.looks += 1
        return self.members is None or not self.members <= set(known)


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    group = Group()
    monkeypatch.setattr(early, "has_others", group.has_others)
    monkeypatch.setattr(early, "_LOOK", 0.0)
    return group


def test_an_empty_group_may_be_joined_until_somebody_else_is_there(group: Group) -> None:
    member = EarlyMember(pipeline(), NoJournal())
    assert member.may_join()
    group.members = {"me"}
    assert not member.must_leave("me")
    group.members = {"me", "other"}
    assert member.must_leave("me")
    group.members = set()
    assert not member.may_join(), "workers that start together would join and leave in turns"


@pytest.mark.parametrize("members", [{"other"}, {"other", "dead"}, None])
def test_a_group_with_members_that_may_be_alive_is_not_joined(group: Group, members: set[str] | None) -> None:
    group.members = members
    assert not EarlyMember(pipeline(), NoJournal()).may_join()


def test_before_the_group_has_given_us_an_id_it_is_not_left(group: Group) -> None:
    group.members = {"me"}
    assert not EarlyMember(pipeline(), NoJournal()).must_leave("")
    assert group.looks == 0


def test_predecessors_in_the_slot_are_known_to_be_dead(group: Group, tmp_path: Path) -> None:
    for name in ("first", "second"):
        journal = Journal(tmp_path, "p", 0)
        EarlyMember(pipeline(), journal).must_leave(name)
        journal.set_aside()
        journal.close()
    group.members = {"first", "second"}
    assert not EarlyMember(pipeline(), NoJournal()).may_join()
    assert EarlyMember(pipeline(), Journal(tmp_path, "p", 0)).may_join()
    assert not EarlyMember(pipeline(), Journal(tmp_path, "p", 1)).may_join()


def test_groups_that_give_out_partitions_at_once_are_not_joined_early(group: Group) -> None:
    assert not EarlyMember(
        pipeline(kafka={"bootstrap.servers": "b:1", "group.protocol": "consumer"}), NoJournal()
    ).may_join()
    assert group.looks == 0
