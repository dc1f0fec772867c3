"""Waiting for brokers and topics."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import AccessError, BrokerError, SettingError, TopicError
from schemas.pipeline.topics import InputTopics
from stream.kafka.faults import ErrorWatch
from stream.kafka.topics import await_topics


class Brokers:
    """A client whose brokers have some ``topics``, or of which each question fails with ``errors``."""

    def __init__(self, watch: ErrorWatch, topics: set[str], *errors: KafkaError, unanswered: int = 0) -> None:
        self.watch, self.topics, self.errors, self.unanswered = watch, topics, errors, unanswered

    def list_topics(self, topic: str, timeout: float) -> Any:
        if self.unanswered:
            self.unanswered -= 1
            for failure in self.errors:
                self.watch(failure)
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "Failed to get metadata"))
        error: KafkaError | None = None if topic in self.topics else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return SimpleNamespace(cluster_id="c", topics={topic: SimpleNamespace(error=error)})

    def poll(self, timeout: float) -> None:
        pass


def wait(brokers: Brokers, *topics: str, patience: float = 0.0) -> str | None:
    client: Any = brokers
    return await_topics(client, brokers.watch, {"bootstrap.servers": "a:1,b:2"}, topics, patience=patience)


@pytest.mark.parametrize(
    ("there", "complaint"),
    [
        ({"in", "out"}, "topic dead does not exist"),
        ({"out"}, "topics in and dead do not exist"),
        (set(), "topics in, out and dead do not exist"),
    ],
)
def test_all_topics_that_are_missing_are_named_at_once(there: set[str], complaint: str) -> None:
    with pytest.raises(TopicError) as raised:
        wait(Brokers(ErrorWatch("p"), there), "in", "out", "dead", "in")
    assert (
        str(raised.value) == f"{complaint}, and the cluster creates no topics by itself; create what is missing first"
    )


def test_all_topics_that_may_not_be_looked_up_are_named_at_once() -> None:
    class Guarded(Brokers):
        def list_topics(self, topic: str, timeout: float) -> Any:
            metadata = super().list_topics(topic, timeout)
            if topic.startswith("secret"):
                metadata.topics[topic].error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
            return metadata

    with pytest.raises(AccessError, match="looking up topics secret1 and secret2: TOPIC_AUTHORIZATION_FAILED"):
        wait(Guarded(ErrorWatch("p"), {"in"}), "in", "secret1", "absent", "secret2", patience=30)


def test_topics_that_appear_and_brokers_that_answer_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    brokers = Brokers(ErrorWatch("p"), {"in"}, unanswered=2)
    monkeypatch.setattr(time, "sleep", lambda _: brokers.topics.add("out"))
    assert wait(brokers, "in", "out", patience=30) == "c"


REFUSED = KafkaError(
    KafkaError._TRANSPORT, "a:1/bootstrap: Connect to ipv4#10.0.0.1:1 failed: Connection refused (after 0ms in state X)"
)
UNKNOWN = KafkaError(
    KafkaError._RESOLVE, "b:2/bootstrap: Failed to resolve 'b:2': Name or service not known (after 1ms in state X)"
)
TLS = KafkaError(
    KafkaError._TRANSPORT,
    "ssl://b:2/1: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? (after 5ms)",
)
SLOW = KafkaError(KafkaError._TRANSPORT, "b:2/bootstrap: Connection setup timed out in state CONNECT (after 30s in X)")
OTHER = KafkaError(KafkaError._BAD_MSG, "a:1/bootstrap: Receive failed: Invalid response size 1213486160 (after 0ms)")
ALL_DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "2/2 brokers are down")


@pytest.mark.parametrize(
    ("errors", "causes"),
    [
        ([REFUSED, UNKNOWN], "a:1: Connection refused; b:2: the host name cannot be resolved"),
        ([UNKNOWN, TLS], "b:2: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?"),
        ([SLOW], "b:2: Connection setup timed out in state CONNECT"),
        ([OTHER], "a:1: what answers does not speak Kafka without TLS"),
        ([ALL_DOWN], "Failed to get metadata"),
    ],
)
def test_brokers_that_do_not_answer_are_named_with_the_last_cause(errors: list[KafkaError], causes: str) -> None:
    with pytest.raises(BrokerError) as raised:
        wait(Brokers(ErrorWatch("p"), set(), *errors, unanswered=9), "in", "out")
    assert str(raised.value) == f"no broker answers at a:1,b:2 ({causes}); waited 0 s"


def test_a_certificate_that_is_not_accepted_is_named() -> None:
    bad = KafkaError(
        KafkaError._SSL, "ssl://a:1/bootstrap: SSL handshake failed: certificate verify failed (after 5ms)"
    )
    with pytest.raises(
        AccessError, match=r"denied access: _SSL \(a:1: SSL handshake failed: certificate verify failed\)"
    ):
        wait(Brokers(ErrorWatch("p"), set(), bad, unanswered=9), "in")


CONTROLLER = KafkaError(KafkaError._UNSUPPORTED_FEATURE, "Failed to get metadata: Required feature not supported")
NOT_IDEMPOTENT = KafkaError(KafkaError._UNSUPPORTED_FEATURE, "Idempotent producer not supported by any broker")


class Failing(Brokers):
    """Brokers that do not answer, and a client that fails for good with ``fatal`` when it is polled."""

    def __init__(self, fatal: KafkaError | None, answer: KafkaError) -> None:
        super().__init__(ErrorWatch("p"), set())
        self.fatal, self.answer = fatal, answer

    def list_topics(self, topic: str, timeout: float) -> Any:
        raise KafkaException(self.answer)

    def poll(self, timeout: float) -> None:
        if self.fatal is not None:
            raise KafkaException(self.fatal)


@pytest.mark.parametrize(
    ("fatal", "answer"),
    [(None, CONTROLLER), (NOT_IDEMPOTENT, CONTROLLER), (NOT_IDEMPOTENT, KafkaError(KafkaError._TRANSPORT))],
)
def test_a_kraft_controller_is_a_wrong_setting_and_is_not_waited_for(
    fatal: KafkaError | None, answer: KafkaError
) -> None:
    with pytest.raises(SettingError, match="what answers at a:1,b:2 is a KRaft controller, not a broker"):
        wait(Failing(fatal, answer), "in", patience=3600)


def test_a_client_that_has_failed_for_good_is_not_waited_for() -> None:
    with pytest.raises(BrokerError, match="looking for brokers: _FATAL: "):
        wait(Failing(KafkaError(KafkaError._FATAL), KafkaError(KafkaError._TRANSPORT)), "in", patience=3600)


class Listing:
    """A client of a cluster with some topics, which lists all of them if it is asked for none."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def list_topics(self, topic: str | None = None, timeout: float = 0.0) -> Any:
        there = self.answers[0] if topic is not None or len(self.answers) == 1 else self.answers.pop(0)
        missing = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        names = there if topic is None else [topic]
        listed = {name: SimpleNamespace(error=None if name in there else missing) for name in names}
        return SimpleNamespace(cluster_id="c", topics=listed)

    def poll(self, timeout: float) -> None:
        pass


def _wait_for_patterns(brokers: Any, *names: str, patience: float = 0.0) -> str | None:
    inputs = InputTopics([*names, "^p-", "^q-"], ["p-out"])
    return await_topics(brokers, ErrorWatch("producer"), {}, [*names, "p-out"], inputs=inputs, patience=patience)


def test_patterns_that_match_nothing_are_named_with_the_topics_that_are_missing() -> None:
    with pytest.raises(TopicError) as caught:
        _wait_for_patterns(Listing(["p-out", "q-a"]), "named")
    assert str(caught.value).startswith("topic named does not exist, and ^p- matches no topic that we may see")
    assert _wait_for_patterns(Listing(["p-out", "p-a", "q-a", "named"]), "named") == "c"


def test_a_topic_that_a_pattern_matches_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    brokers = Listing(["p-out"], ["p-out", "p-a"], ["p-out", "p-a", "q-a"])
    assert _wait_for_patterns(brokers, patience=60) == "c"
    assert len(brokers.answers) == 1
