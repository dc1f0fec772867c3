"""A group that has processed all its input has no lag, as kafka-consumer-groups.sh counts it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration

DELIVERIES = ("at_least_once", "exactly_once")


def lags(case: Case) -> dict[int, int | None]:
    """The column LAG: the end of the log, with control records, less the committed offset; None without one ("-")."""
    committed = case.broker.committed(case.group, case.input)
    return {
        partition: end - committed[partition] if partition in committed else None
        for partition, end in case.broker.ends(case.input).items()
    }


def transaction(case: Case, numbers: range, partition: int, commit: bool = True) -> None:
    """Produce the events ``numbers`` in a transaction, which ends with a control record."""
    producer = Producer({"bootstrap.servers": case.broker.bootstrap_servers, "transactional.id": f"{case.group}-input"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in numbers:
        producer.produce(case.input, json.dumps({"id": number, "text": "an event"}).encode(), partition=partition)
    producer.flush(30)
    (producer.commit_transaction if commit else producer.abort_transaction)(30)


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_control_records_are_no_lag(real_kafka: Any, protocol: str, delivery: str) -> None:
    case = Case(real_kafka, partitions=4, protocol=protocol, delivery=delivery)
    transaction(case, range(10), 0)
    transaction(case, range(100, 110), 1, commit=False)
    none = dict.fromkeys(range(4), 0)
    with case.member() as member:
        eventually(lambda: lags(case) == none)
        transaction(case, range(10, 20), 0)
        transaction(case, range(110, 120), 0, commit=False)
        transaction(case, range(20, 30), 2)
        eventually(lambda: lags(case) == none and case.count(case.output) >= 30)
        member.stop()
    with case.member() as member:
        eventually(lambda: member.logged("assigned"))
        transaction(case, range(30, 31), 3)
        eventually(lambda: lags(case) == none and len(case.ids(case.output)) == 31)
        member.stop()
    assert case.ids(case.output) == Counter(range(31))
    assert lags(case) == none


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_group_that_has_finished_nothing_shows_its_lag(real_kafka: Any, delivery: str) -> None:
    case = Case(real_kafka, partitions=2, delivery=delivery, drain_timeout_ms=0)
    case.broker.produce_all(case.input, [b'{"text": "slow"}'] * 7, 0)
    with case.member(delay=30.0):
        eventually(lambda: lags(case) == {0: 7, 1: 0})
