"""Settings: our defaults, the user's, and rejected values, which are not quoted."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from schemas.errors import SettingError
from schemas.pipeline.checks import CLASSIC_ONLY
from stream.kafka.faults import ErrorWatch
from stream.kafka.settings import (
    consumer_settings,
    is_cooperative,
    make_admin,
    make_consumer,
    make_producer,
    producer_settings,
    with_slot,
)


def test_promises_are_in_the_settings() -> None:
    consumer = consumer_settings({"bootstrap.servers": "b:1"}, "group")
    assert consumer["group.id"] == "group"
    assert consumer["enable.auto.commit"] is False
    assert consumer["auto.offset.reset"] == "error"
    assert consumer["partition.assignment.strategy"] == "cooperative-sticky"
    assert producer_settings({"bootstrap.servers": "b:1"})["enable.idempotence"] is True


@pytest.mark.parametrize(
    ("settings", "session", "heartbeat"),
    [
        ({}, 8000, 1000),
        ({"session.timeout.ms": 45_000}, 45_000, 1000),
        ({"session.timeout.ms": "6000"}, "6000", 1000),
        ({"session.timeout.ms": 1500}, 1500, 500),
        ({"session.timeout.ms": 30_000, "heartbeat.interval.ms": 10_000}, 30_000, 10_000),
    ],
)
def test_heartbeats_fit_into_the_session(settings: dict[str, Any], session: object, heartbeat: int) -> None:
    merged = consumer_settings(settings, "g")
    assert (merged["session.timeout.ms"], merged["heartbeat.interval.ms"]) == (session, heartbeat)


def test_a_session_that_is_no_number_is_left_to_the_client() -> None:
    with pytest.raises(SettingError, match=r"session\.timeout\.ms"):
        make_consumer({"bootstrap.servers": "b:1", "session.timeout.ms": "soon"}, "g", ErrorWatch("consumer"))


def test_any_other_setting_passes_through() -> None:
    assert consumer_settings({"fetch.wait.max.ms": 7}, "g")["fetch.wait.max.ms"] == 7
    assert producer_settings({"linger.ms": 50})["linger.ms"] == 50


def test_the_new_group_protocol_leaves_assignment_to_the_broker() -> None:
    assert not set(CLASSIC_ONLY) & set(consumer_settings({"group.protocol": "consumer"}, "g"))


def test_a_refusal_does_not_quote_the_value() -> None:
    with pytest.raises(SettingError) as refused:
        make_producer({"bootstrap.servers": "b:1", "security.protocol": "s3cret"}, ErrorWatch("producer"))
    assert "s3cret" not in str(refused.value)
    assert "security.protocol" in str(refused.value)


def test_a_refusal_is_one_error_whichever_client_is_made() -> None:
    settings = {"bootstrap.servers": "b:1", "security.protocol": "ssl", "ssl.ca.location": "/nowhere/ca.pem"}
    watch = ErrorWatch("client")
    for make in (
        lambda: make_producer(settings, watch), lambda: make_consumer(settings, "g", watch),
        lambda: make_admin(settings),
    ):  # fmt: skip
        with pytest.raises(SettingError) as refused:
            make()
        assert str(refused.value) == "the Kafka client rejects its settings: ssl.ca.location: the file cannot be read"
        assert refused.value.exit_status == 78


@pytest.mark.parametrize(
    ("settings", "cooperative"),
    [
        ({}, True),
        ({"group.protocol": "consumer"}, True),
        ({"partition.assignment.strategy": "range"}, False),
        ({"group.instance.id": "w"}, False),
        ({"group.instance.id": "w", "partition.assignment.strategy": "cooperative-sticky"}, True),
        ({"group.instance.id": "w", "group.protocol": "consumer"}, True),
    ],
)
def test_static_members_of_classic_groups_are_not_cooperative(settings: dict[str, Any], cooperative: bool) -> None:
    assert is_cooperative(settings) is cooperative
    assert ("group.instance.id" in settings) == (with_slot(settings, 3).get("group.instance.id") == "w-3")


@pytest.mark.parametrize("debug", [{"debug": "broker,conf"}, {}])
def test_the_clients_own_lines_reach_the_log_only_if_debug_is_set(
    debug: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings = {"bootstrap.servers": "127.0.0.1:1", "sasl.password": "hunter2", **debug}
    producer = make_producer(settings, ErrorWatch("producer"))

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if "librdkafka" in record.name]

    until = time.monotonic() + 5
    while not lines() and time.monotonic() < until and debug.get("debug"):
        producer.poll(0.05)
    producer.poll(0.05)
    assert bool(lines()) == bool(debug.get("debug"))
    assert "hunter2" not in caplog.text
