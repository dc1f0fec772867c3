"""Topics that match a pattern are read, also those that are created while the group reads, each event once."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_topics_of_a_pattern_are_read_from_where_the_group_begins_and_later_ones_whole(
    real_kafka: Any, protocol: str
) -> None:
    refresh = {"topic.metadata.refresh.interval.ms": 500}
    case = Case(real_kafka, partitions=2, protocol=protocol, input={"start": "latest"}, kafka=refresh)
    case.settings["input"]["topics"] = [f"^{case.group}[.]"]  # matches the output and the dead letters, too
    second = real_kafka.create_topic(f"{case.group}.second", 2)
    for topic in (case.input, second):
        real_kafka.produce_all(topic, [b'{"id": -1, "text": "before"}'] * 5)
    with ExitStack() as stack:
        members = [stack.enter_context(case.member(slot=slot)) for slot in (0, 1)]
        eventually(lambda: all(member.logged("assigned") for member in members))
        eventually(lambda: len(case.broker.committed(case.group, second)) == 2)
        later = real_kafka.create_topic(f"{case.group}.third", 2)
        for index, topic in enumerate((case.input, second, later)):
            events = (json.dumps({"id": 10 * index + n, "text": f"event {n}"}).encode() for n in range(10))
            real_kafka.produce_all(topic, list(events))
        eventually(lambda: case.count(case.output) >= 30)
        assert any(member.logged(f"found {later}") for member in members)
        for member in members:
            member.stop()
    assert case.ids(case.output) == Counter(range(30))
    assert case.count(case.dead) == 0
