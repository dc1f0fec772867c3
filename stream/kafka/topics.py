"""What we ask the cluster about topics: whether they exist, what we may do with them, how large a batch may be."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AclOperation, ConfigResource  # type: ignore[attr-defined]

from schemas.errors import AccessError, BrokerError, SettingError, TopicError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.topics import InputTopics
from stream.kafka.broker import is_embedded
from stream.kafka.faults import ErrorWatch, Meaning, fault, meaning, retry
from stream.kafka.settings import Settings, make_admin, make_producer, producer_settings

log = logging.getLogger("glossator.kafka")

_LOOKUP = 5.0
"""Longest time in seconds for which one lookup of a topic waits for an answer."""


def check_cluster(pipeline: Pipeline, patience: float) -> str:
    """Check that all topics of ``pipeline`` exist and that it may use them, before the models are loaded.

    Returns the cluster's id, empty for a cluster without one. Blocks and raises as ``await_topics`` does, and for some
    seconds more. Also raises AccessError, naming all topics that may not be used.
    """
    watch = ErrorWatch("producer")
    inputs, outputs = pipeline.reads, pipeline.output.written
    topics = [*inputs.names, *outputs]
    cluster = await_topics(
        make_producer(pipeline.kafka, watch), watch, pipeline.kafka, topics, inputs=inputs, patience=patience
    )
    if not is_embedded(cluster):
        existing = existing_topics(pipeline.kafka) if inputs.patterns else ()
        _require_rights(pipeline.kafka, inputs.expanded(existing), outputs)
    return cluster or ""


def _require_rights(settings: Settings, inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """Raise AccessError if an input may not be read or an output not be written.

    A route may send its first event after days, so that its topic is forbidden must not be found out by that event.
    A cluster that does not tell our rights is taken to grant them.
    """
    wanted = {**dict.fromkeys(inputs, AclOperation.READ), **dict.fromkeys(outputs, AclOperation.WRITE)}
    admin = make_admin(settings)  # must exist until the answer has come
    asked = TopicCollection(list(wanted))
    try:
        answers = admin.describe_topics(asked, include_authorized_operations=True, request_timeout=10)
        granted = {topic: answer.result(20).authorized_operations for topic, answer in answers.items()}
    except (KafkaException, TimeoutError):
        return
    reasons = []
    for right, verb in ((AclOperation.READ, "read"), (AclOperation.WRITE, "write to")):
        topics = [topic for topic in wanted if wanted[topic] is right and granted.get(topic)]
        if denied := [topic for topic in topics if right not in granted[topic]]:
            reasons.append(f"{verb} {_named(denied)}")
    if reasons:
        raise AccessError(f"the cluster does not permit to {', nor to '.join(reasons)}")


def check_topics(settings: Settings, topics: Iterable[str], patience: float) -> None:
    """Check that brokers answer and that ``topics`` exist. Blocks and raises as ``await_topics`` does."""
    watch = ErrorWatch("producer")
    await_topics(make_producer(settings, watch), watch, settings, topics, patience=patience)


def existing_topics(settings: Settings) -> frozenset[str]:
    """Return the topics of the cluster, as far as it lets us see them. Blocks for up to a minute.

    Raises BrokerError if the cluster does not answer, and AccessError at once.
    """
    admin = make_admin(settings)
    return frozenset(retry(lambda: admin.list_topics(timeout=_LOOKUP), "looking up topics").topics)


def await_topics(
    producer: Producer,
    watch: ErrorWatch,
    settings: Settings,
    topics: Iterable[str],
    *,
    inputs: InputTopics | None = None,
    patience: float,
    stop: Callable[[], bool] = lambda: False,
) -> str | None:
    """Wait until the cluster answers, every topic exists, and every pattern matches one; blocks the calling thread.

    Args:
        producer: the client that asks; ``watch`` must be its error callback.
        watch: tells a cluster that denies access from one that is not there.
        settings: the client's; they name the brokers.
        topics: their names.
        inputs: what has the patterns; None if there are none.
        patience: seconds to wait, because brokers and topics may still be starting.
        stop: ends the wait early when it returns true.

    Returns:
        The cluster's id, or None if ``stop`` ended the wait before a broker answered.

    Raises:
        AccessError: at once, if the cluster denies access; it names all topics that may not be looked up.
        SettingError: at once, if what answers is no broker, or ``settings`` are rejected.
        TopicError: topics do not exist, or patterns match none, when ``patience`` is over; it names all of them.
        BrokerError: no broker answers when ``patience`` is over, or at once, if the client cannot be used with them.
    """
    deadline = time.monotonic() + patience
    missing = list(dict.fromkeys(topics))
    cluster: str | None = None
    warned = False
    while not stop():
        failure: KafkaError | None = None
        denial: KafkaError | None = None
        absent: list[str] = []
        unmatched: list[str] = []
        forbidden: list[str] = []
        for topic in missing:
            try:
                metadata = producer.list_topics(topic, timeout=min(_LOOKUP, patience))
                cluster, error = metadata.cluster_id, metadata.topics[topic].error
            except KafkaException as exception:
                error = exception.args[0]
            _serve(settings, producer)
            if error is None:
                watch.recovered()
            elif meaning(error) in {Meaning.NO_TOPIC, Meaning.NO_LEADER}:
                absent.append(topic)
            else:
                _require_access(watch, error)
                if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    forbidden.append(topic)
                    denial = error
                    continue
                _require_broker(settings, error)
                failure = error
                break
        if denial is not None:
            raise fault(denial, f"looking up {_named(forbidden)}")
        if failure is None and inputs is not None and inputs.patterns:
            try:
                unmatched = inputs.unmatched(producer.list_topics(timeout=min(_LOOKUP, patience)).topics)
            except KafkaException as exception:
                failure = exception.args[0]
        if failure is None and not (absent or unmatched):
            break
        if failure is None:
            missing = absent
        problem = _missing(absent, unmatched) if failure is None else _unanswered(settings, watch, failure)
        if time.monotonic() > deadline:
            if failure is None:
                raise TopicError(
                    f"{problem}, and the cluster creates no topics by itself; create what is missing first"
                )
            raise BrokerError(f"{problem}; waited {patience:.0f} s")
        if not warned:
            log.warning("%s; waiting up to %.0f s", problem, patience)
            warned = True
        time.sleep(0.2)
    return cluster


def _serve(settings: Settings, producer: Producer) -> None:
    """Let the client call its callbacks.

    Raises SettingError or BrokerError if the client has failed for good: it raises that instead of calling its error
    callback.
    """
    try:
        producer.poll(0)
    except KafkaException as exception:
        _require_broker(settings, exception.args[0])
        raise fault(exception.args[0], "looking for brokers") from None


def _require_broker(settings: Settings, error: KafkaError) -> None:
    """Raise SettingError if what answers is a KRaft controller: every broker can be asked about topics."""
    if error.code() == KafkaError._UNSUPPORTED_FEATURE:
        raise SettingError(
            f"what answers at {settings.get('bootstrap.servers')} is a KRaft controller, not a broker; kafka's "
            "bootstrap.servers must name brokers only, which listen on other ports than controllers"
        )


def _require_access(watch: ErrorWatch, error: KafkaError) -> None:
    """Raise AccessError if the cluster has denied access, unless it is to a single topic."""
    if watch.denied:
        causes = "".join(f" ({address}: {cause})" for address, cause in watch.causes.items())
        raise AccessError(f"the cluster denied access: {watch.denied}{causes}; check the credentials in kafka:")
    if meaning(error) is Meaning.ACCESS and error.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise fault(error, "looking up topics")


def _missing(topics: list[str], patterns: list[str]) -> str:
    reasons = [f"{_named(topics)} {'does' if len(topics) == 1 else 'do'} not exist"] if topics else []
    reasons += [f"{pattern} matches no topic that we may see" for pattern in patterns]
    return ", and ".join(reasons)


def _named(topics: list[str]) -> str:
    return f"topic {topics[0]}" if len(topics) == 1 else f"topics {', '.join(topics[:-1])} and {topics[-1]}"


def _unanswered(settings: Settings, watch: ErrorWatch, error: KafkaError) -> str:
    """Say which brokers do not answer and why; ``error`` is what to say where no connection has failed."""
    causes = "; ".join(f"{address}: {cause}" for address, cause in watch.causes.items()) or error.str()
    return f"no broker answers at {settings.get('bootstrap.servers')} ({causes})"


def largest_batch(settings: Settings, topics: Iterable[str]) -> int:
    """Return the largest batch in bytes that every topic accepts; blocks for some seconds.

    A broker rejects a batch as a whole, so it must fit the smallest ``max.message.bytes`` of ``topics``. The result is
    at most the producer's own ``batch.size``, and equal to it if the cluster does not let us look.
    """
    batch_size = int(producer_settings(settings)["batch.size"])
    try:
        configs = describe_topics(settings, topics).values()
        return min(batch_size, *(int(config["max.message.bytes"]) for config in configs))
    except (KafkaException, TimeoutError, KeyError, ValueError) as error:
        log.warning(
            "max.message.bytes of the output topics is unknown (%s); below %d, events that fit could be rejected",
            error.args[0].name() if isinstance(error, KafkaException) else type(error).__name__, batch_size,
        )  # fmt: skip
        return batch_size


def describe_topics(settings: Settings, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the configuration of each of ``topics``, without values that the cluster hides; blocks for some seconds.

    Raises KafkaException and TimeoutError.
    """
    admin = make_admin(settings)  # must exist until the answers have come
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in set(topics)]
    answers = {r.name: answer.result(10) for r, answer in admin.describe_configs(resources, request_timeout=10).items()}
    return {
        topic: {name: entry.value for name, entry in config.items() if entry.value is not None}
        for topic, config in answers.items()
    }
