"""What we ask the cluster about consumer groups: their names, members and committed offsets."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition

from schemas.record import Assignment
from stream.kafka.faults import require_answers, retry
from stream.kafka.settings import Settings, make_admin, with_slot


def groups_named(settings: Settings, prefix: str) -> list[str]:
    """Return the consumer groups whose names begin with ``prefix``; none if the cluster does not let us look.

    Blocks for up to ten seconds.
    """
    admin = make_admin(settings)  # must exist until the answer has come
    try:
        listed = admin.list_consumer_groups(request_timeout=5).result(10).valid
    except (KafkaException, TimeoutError):
        return []
    return [group.group_id for group in listed or () if group.group_id.startswith(prefix)]


def committed_offsets(settings: Settings, group: str, assignments: Iterable[Assignment]) -> dict[Assignment, int]:
    """Read the group's committed offsets, without what was noted with them. See ``committed_notes``."""
    return {assignment: offset for assignment, (offset, _) in committed_notes(settings, group, assignments).items()}


def committed_notes(
    settings: Settings, group: str, assignments: Iterable[Assignment]
) -> dict[Assignment, tuple[int, str]]:
    """Read the group's committed offsets, and what was noted with each of them, from any thread.

    Blocks until no transaction over them is open. Assignments without a committed offset are left out. Raises
    BrokerError or AccessError after a minute.
    """
    places = {(a.topic, a.partition): a for a in assignments}
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(*place) for place in places])
    admin = make_admin(settings)

    def ask() -> dict[Assignment, tuple[int, str]]:
        answer = admin.list_consumer_group_offsets([wanted], require_stable=True, request_timeout=10)[group].result(20)
        partitions = require_answers(answer.topic_partitions)
        return {places[p.topic, p.partition]: (p.offset, p.metadata or "") for p in partitions if p.offset >= 0}

    return retry(ask, "reading committed offsets")


def same_slot(settings: Settings, group: str, slot: int) -> list[str]:
    """Return the hosts of the members of ``group`` that have ``slot``, in any order.

    Such a member is alive, or died less than a session timeout ago. Blocks for up to ten seconds; any thread may call
    it. Empty if there is no such member, or if the cluster does not answer or does not let us look: raises nothing.
    ``settings`` are the user's settings of the Kafka client.
    """
    client = with_slot(settings, slot)["client.id"]
    return [host.lstrip("/") for _, name, host in _members(settings, group) or () if name == client]


def has_others(settings: Settings, group: str, known: Collection[str]) -> bool:
    """Whether ``group`` has members whose ids are not in ``known``, or may have, because the cluster does not tell.

    Blocks for up to ten seconds; any thread may call it. Raises nothing.
    """
    members = _members(settings, group)
    return members is None or any(member not in known for member, _, _ in members)


def _members(settings: Settings, group: str) -> list[tuple[str, str, str]] | None:
    """Return the id, ``client.id`` and host of each member of ``group``; None if the cluster does not tell."""
    admin = make_admin(settings)  # must exist until the answer has come
    try:
        members = admin.describe_consumer_groups([group], request_timeout=5)[group].result(10).members
    except KafkaException as error:
        return [] if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND else None
    except TimeoutError:
        return None
    return [(member.member_id, member.client_id, member.host) for member in members]
