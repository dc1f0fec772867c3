"""Where a partition starts: what is committed, what was added later, and several members that start at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import AccessError
from schemas.pipeline.topics import InputTopics
from stream.kafka import offsets
from stream.kafka.offsets import starting_offsets

BEGINNING = OFFSET_BEGINNING
IN = InputTopics(["in"], ())


class Group:
    """A topic called "in" with ten events in each partition, and the offsets that a group has committed."""

    def __init__(self, partitions: int, committed: dict[int, int] | None = None) -> None:
        self.ends = dict.fromkeys(range(partitions), 10)
        self.committed = dict(committed or {})
        self.commits: list[dict[int, int]] = []


class Admin:
    """The part of an admin client that looks up partitions."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.group: Group = settings["group"]

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=dict(self.group.ends))})


class Member:
    """The part of a consumer that looks up and commits offsets.

    It has no ``list_topics``: a consumer that is asked for topics in one of its callbacks ends the process.
    """

    def __init__(self, group: Group, before_commit: Callable[[], object] = lambda: None) -> None:
        self.group = group
        self.before_commit = before_commit
        self.refusals: list[KafkaError] = []

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, self.group.committed.get(p.partition, -1001)) for p in partitions]

    def offsets_for_times(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert {p.offset for p in partitions} == {OFFSET_END}
        return [TopicPartition(p.topic, p.partition, self.group.ends[p.partition]) for p in partitions]

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        self.before_commit()
        if self.refusals:
            raise KafkaException(self.refusals.pop(0))
        self.group.commits.append({p.partition: p.offset for p in offsets})
        self.group.committed |= self.group.commits[-1]
        return offsets


def _starts(member: Member, *partitions: int, start: Literal["earliest", "latest"] = "latest") -> dict[int, int]:
    asked = [TopicPartition("in", partition) for partition in partitions]
    settings: Any = {"group": member.group}
    return {p.partition: p.offset for p in starting_offsets(cast(Consumer, member), settings, asked, start, IN)}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets, "_LOOK", 0.01)
    monkeypatch.setattr(offsets, "make_admin", Admin)
    monkeypatch.setattr("stream.kafka.faults._RETRY_PAUSE", 0.01)


def test_earliest_starts_at_the_commit_or_at_the_beginning() -> None:
    group = Group(3, {0: 5})
    assert _starts(Member(group), 0, 1, start="earliest") == {0: 5, 1: BEGINNING}
    assert group.commits == []


def test_latest_commits_the_ends_of_all_partitions_at_once_when_the_group_begins() -> None:
    group = Group(4)
    assert _starts(Member(group), 0, 1) == {0: 10, 1: 10}
    assert group.commits == [{0: 10, 1: 10, 2: 10, 3: 10}]
    group.ends = dict.fromkeys(range(4), 20)
    assert _starts(Member(group), 2, 3) == {2: 10, 3: 10}, "a later member decided anew"
    assert len(group.commits) == 1


@pytest.mark.parametrize("mine", [(2, 3), (0, 1, 2, 3), (3,)])
def test_a_partition_added_later_is_read_from_its_beginning(mine: tuple[int, ...]) -> None:
    group = Group(2, {0: 10, 1: 10})
    group.ends = dict.fromkeys(range(4), 15)
    assert _starts(Member(group), *mine) == {p: group.committed.get(p, BEGINNING) for p in mine}
    assert group.commits == []


def test_one_committed_partition_is_enough_to_tell_that_the_group_has_begun() -> None:
    assert _starts(Member(Group(4, {3: 0})), 0, 1, 2) == {0: BEGINNING, 1: BEGINNING, 2: BEGINNING}


def test_members_that_start_at_once_leave_the_decision_to_the_owner_of_the_first_partition() -> None:
    group = Group(4)
    starts: dict[int, int] = {}
    waiting = threading.Thread(target=lambda: starts.update(_starts(Member(group), 2, 3)))
    waiting.start()
    time.sleep(0.1)
    assert group.commits == []
    group.ends = dict.fromkeys(range(4), 12)
    assert _starts(Member(group), 0, 1) == {0: 12, 1: 12}
    waiting.join(60)
    assert starts == {2: 12, 3: 12}
    assert len(group.commits) == 1


def test_an_owner_of_the_first_partition_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offsets, "_YIELD", 0.1)
    group = Group(4)
    assert _starts(Member(group), 2, 3) == {2: 10, 3: 10}
    assert group.commits == [dict.fromkeys(range(4), 10)]


def test_ends_that_have_become_outdated_are_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of the first partition stalls, and another member decides in its place."""
    monkeypatch.setattr(offsets, "_OUTDATED", 0.05)
    group = Group(2)

    class Slow(Member):
        def offsets_for_times(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
            ends = super().offsets_for_times(partitions, timeout)
            if not group.committed:
                time.sleep(0.1)
                group.committed = {0: 11, 1: 17}  # decided, and worked on since
            return ends

    assert _starts(Slow(group), 0) == {0: 11}
    assert group.commits == []
    assert group.committed == {0: 11, 1: 17}


def test_a_refused_commit_is_repeated_and_decides_anew() -> None:
    group = Group(2)
    member = Member(group)
    member.refusals = [KafkaError(KafkaError.REBALANCE_IN_PROGRESS)]
    member.before_commit = lambda: group.ends.update({0: group.ends[0] + 1})
    assert _starts(member, 0, 1) == {0: 11, 1: 10}
    assert group.commits == [{0: 11, 1: 10}]


def test_a_group_that_must_not_commit_stops_at_once() -> None:
    member = Member(Group(2))
    member.refusals = [KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)]
    with pytest.raises(AccessError, match="committing where to start in in"):
        _starts(member, 0, 1)


class Listed(Admin):
    """Lists the topics of ``Several``."""

    def list_topics(self, topic: str | None = None, timeout: float = 0.0) -> Any:
        listed = {name: SimpleNamespace(error=None, partitions={0: 0, 1: 1}) for name in self.group.topics}  # type: ignore[attr-defined]
        return SimpleNamespace(topics=listed if topic is None else {topic: listed[topic]})


class Several:
    """A group that reads what ``^p-`` matches: topics of two partitions with ten events each."""

    def __init__(self, *topics: str, committed: tuple[str, ...] = ()) -> None:
        self.topics = topics
        self.committed = {(topic, partition): 10 for topic in committed for partition in (0, 1)}
        self.commits = 0

    def starts(self, *topics: str, partitions: tuple[int, ...] = (0, 1)) -> dict[str, int]:
        """Return where each of ``topics`` starts for a member that has these partitions of them."""

        class OfSeveral:
            def committed(_, asked: list[TopicPartition], timeout: float) -> list[TopicPartition]:  # noqa: N805
                known = self.committed
                return [TopicPartition(p.topic, p.partition, known.get((p.topic, p.partition), -1001)) for p in asked]

            def offsets_for_times(_, asked: list[TopicPartition], timeout: float) -> list[TopicPartition]:  # noqa: N805
                return [TopicPartition(p.topic, p.partition, 10) for p in asked]

            def commit(_, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:  # noqa: N805
                self.commits += 1
                self.committed |= {(p.topic, p.partition): p.offset for p in offsets}
                return offsets

        asked = [TopicPartition(topic, partition) for topic in topics for partition in partitions]
        inputs = InputTopics(["named", "^p-"], ["p-out"])
        settings: Any = {"group": self}
        starts = starting_offsets(cast(Consumer, OfSeveral()), settings, asked, "latest", inputs)
        return {p.topic: p.offset for p in starts}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets, "make_admin", Listed)


@pytest.mark.usefixtures("listed")
def test_the_topics_of_a_pattern_begin_together() -> None:
    """Otherwise the owner of the second topic would take the ends of the first for a sign that the group has begun."""
    group = Several("named", "p-a", "p-b", "p-out", "q")
    assert group.starts("p-a") == {"p-a": 10}
    assert {topic for topic, _ in group.committed} == {"p-a", "p-b"}
    assert group.starts("p-b") == {"p-b": 10}
    assert group.commits == 1
    assert group.starts("named") == {"named": 10}, "what is named is decided by itself"


@pytest.mark.usefixtures("listed")
def test_a_topic_that_appears_later_is_read_from_its_beginning() -> None:
    group = Several("named", "p-0", "p-a", committed=("p-a",))
    assert group.starts("p-0", "p-a") == {"p-0": BEGINNING, "p-a": 10}
    assert group.commits == 0


@pytest.mark.usefixtures("listed")
def test_the_owner_of_the_first_partition_of_the_first_topic_decides_for_all() -> None:
    group = Several("p-a", "p-b")
    starts: dict[str, int] = {}
    waiting = threading.Thread(target=lambda: starts.update(group.starts("p-b") | group.starts("p-a", partitions=(1,))))
    waiting.start()
    time.sleep(0.1)
    assert group.commits == 0
    assert group.starts("p-a", partitions=(0,)) == {"p-a": 10}
    waiting.join(60)
    assert starts == {"p-a": 10, "p-b": 10}
    assert group.commits == 1
