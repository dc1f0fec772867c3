"""How long the group waits for a member: a killed one is forgotten soon, one that pauses for 5 s is not."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import Any

import pytest

from schemas.errors import SettingError
from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_machine_that_pauses_for_five_seconds_is_not_evicted(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, partitions=2, protocol=protocol)
    with case.member() as member:
        eventually(lambda: member.logged("assigned"))
        members = real_kafka.members(case.group)
        member.process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        member.process.send_signal(signal.SIGCONT)
        case.feed(100)
        eventually(lambda: case.count(case.output) == 100)
        assert real_kafka.members(case.group) == members
        assert not member.logged("lost")
        assert member.stop()["drained"]
    assert case.ids(case.output) == Counter(range(100))


def test_a_session_that_the_brokers_do_not_allow_is_named(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1, kafka={"session.timeout.ms": 900})  # the brokers' minimum is 1000
    with case.member() as member:
        assert member.process.wait(120) == SettingError.exit_status
        assert member.logged("SettingError: the brokers do not allow a session.timeout.ms of 900")
