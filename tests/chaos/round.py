"""One round: new topics and a new group, members at work, faults, a quiet time, and the verdict."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from tests.chaos import usage
from tests.chaos.crew import HARMLESS, SLOTS, Crew
from tests.chaos.faults import Faults
from tests.chaos.feed import Feed
from tests.chaos.invariants import Logs, Sample, Verdict, judge, places_of
from tests.chaos.model import MAX_BYTES, routes
from tests.chaos.node import Brokers
from tests.chaos.report import percentiles
from tests.chaos.schedule import MAX_POLL, SESSION, Scenario
from tests.chaos.transactions import ongoing
from tests.chaos.watch import Watch
from tests.integration.lib import Case
from tests.kafka.cluster import Cluster

PARTITIONS = 6
_HIGH = 400
_POLL = 1000
_TRANSACTION_MS = 5000
_DRAIN = 15.0
_LEFT_WITHIN = _DRAIN + 5 + 15 + 20
"""Seconds from a SIGTERM to the end: the drain, the last commit, closing, and time for a busy machine."""
_DRAINED_WITHIN = 240.0
_EXPECTED_STATUSES = {*HARMLESS, -9, 71}
"""In addition: it was killed, or ran out of memory that the harness took away."""
_UNREACHED = {69}
"""A static id is in use until the session of a dead member is over (KIP-848), so a member that is back sooner leaves
again. A member whose clock is set back does not wait for brokers (see clock.py), so a slow one counts as missing."""


def play(
    scenario: Scenario, brokers: Brokers, folder: Path, mutant: str | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Play ``scenario`` and return its entry for the report. What was observed is in ``folder``, as JSON lines.

    There must be as many ``brokers`` as the scenario wants. Call it from the main thread, which must outlive them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begun, cut_before = time.monotonic(), brokers.cuts
    brokers.forget()
    cluster = Cluster(brokers.bootstrap_servers, True, "behind proxies", copies=len(brokers.nodes))
    case = Case(
        cluster,
        PARTITIONS,
        "consumer" if scenario.protocol == "consumer" else "classic",
        **_settings(scenario, brokers.clients),
    )
    (folder / "scenario.json").write_text(json.dumps({**scenario.as_dict(), "mutant": mutant}, indent=1))
    topics = {"out": case.output, "dead": case.dead}
    if scenario.routes:
        topics["copy"] = f"{case.group}.copy"
        cluster.create_topic(topics["copy"], PARTITIONS)
        case.settings["output"]["routes"] = routes(topics["copy"])
    watch = Watch(
        brokers.bootstrap_servers, case.group, case.input, topics, PARTITIONS, folder / "commits.jsonl"
    )  # fmt: skip
    left_open: list[str] = []
    exits_judged = 0

    def left(slot: int) -> None:
        nonlocal exits_judged
        try:
            transactions = ongoing(brokers.bootstrap_servers)
        except OSError:  # a node is away
            return
        exits_judged += 1
        left_open.extend(transactions & {f"{case.group}-{slot}"})

    crew = Crew(
        case.settings, scenario.delay, folder, mutant, stall=MAX_POLL + 2,
        clocks=any(fault.kind.startswith("clock-") for fault in scenario.faults), within=_LEFT_WITHIN, left=left,
    )  # fmt: skip
    crew.wanted = set(range(scenario.members))
    feed = Feed(
        brokers.bootstrap_servers, case.input, scenario.seed, scenario.events, scenario.produce_for,
        folder / "events.jsonl",
    )  # fmt: skip
    try:
        crew.start()
        faults = Faults(scenario.faults, crew, brokers, feed, folder / "faults.jsonl", case.group)
        feed.start()
        while not (faults.over and feed.done):
            faults.turn()
            crew.look_after()
            tell(f"{len(feed.acknowledged)} sent, {sum(watch.committed().values())} committed")
            time.sleep(0.02)
        faults.heal()
        quiet = time.monotonic()
        lengths = Counter(partition for partition, _ in feed.acknowledged)

        def meanwhile() -> None:
            crew.look_after()
            tell(f"{sum(watch.committed().values())} of {sum(lengths.values())} committed")

        drained = _until(lambda: watch.committed().items() >= lengths.items(), meanwhile)
        drained_after = time.monotonic() - quiet
        stuck = [] if drained else [f"not drained: {watch.owners()}"]
        tell("leaving")
        crew.dismiss()
        settled = _until(lambda: watch.ends() == watch.ends(committed_only=True), lambda: None, 30.0)
        high, stable = watch.ends(), watch.ends(committed_only=True)
        rows = {name: case.read(topic) for name, topic in topics.items()}
        tell("the reader catches up")
        _until(lambda: watch.glimpsed >= places_of(rows), lambda: None, 30.0)
    finally:
        crew.kill()
        for node in brokers.nodes:
            node.proxy.heal()
        watch.close()
    logs = Logs(
        feed.acknowledged, rows["out"], rows["dead"], watch.samples, watch.glimpsed,
        cluster.committed(case.group, case.input), stable, high, left_open,
        max((len(ids & brokers.transactional_ids) for ids in watch.open), default=0), len(crew.slots),
        brokers.transactional_ids - {f"{case.group}-{slot}" for slot in SLOTS}, crew.disruptions(), _HIGH + _POLL,
        rows.get("copy", ()), scenario.routes,
    )  # fmt: skip
    verdict = judge(logs, scenario.delivery == "exactly_once")
    broken = verdict.broken
    broken += [f"refused {reason}" for reason in feed.refused]
    broken += stuck
    broken += [] if settled else ["a transaction stays open"]
    broken += [f"{crew.overdue} members did not leave within {_LEFT_WITHIN:.0f} s"] if crew.overdue else []
    broken += [f"the reader died: {watch.dead}"] if watch.dead else []
    broken += usage.broken(crew.usage.members)
    taken = scenario.static and scenario.protocol == "consumer"
    hurried = any(fault.kind == "clock-back" for fault in scenario.faults)
    expected = _EXPECTED_STATUSES | (_UNREACHED if taken or hurried else set())
    broken += [f"{count} members ended with {status}" for status, count in (crew.statuses - crew.starved).items()
               if status not in expected]  # fmt: skip
    healed, missed = faults.tally()
    summary = {
        **_summary(scenario, verdict, broken),
        "faults": [kind for kind, _, _ in healed],
        "missed": missed,
        "usage": usage.maxima(crew.usage.members),
        "left_after": percentiles(crew.left_after),
        "exits_judged": exits_judged,
        "reader_errors": dict(watch.errors),
        "disruptions": logs.disruptions,
        "statuses": {str(status): count for status, count in sorted(crew.statuses.items())},
        "responses_cut": brokers.cuts - cut_before,
        "recovery": recoveries(healed, watch.samples, lengths),
        "drained_after": round(drained_after, 1),
        "seconds": round(time.monotonic() - begun, 1),
    }
    (folder / "verdict.json").write_text(json.dumps(summary, indent=1))
    return summary


def failed(scenario: Scenario, error: Exception, seconds: float) -> dict[str, Any]:
    """Return the entry of a round without a verdict, because the harness itself failed."""
    return {
        **_summary(scenario, Verdict(), [f"no verdict: {type(error).__name__}"]),
        "recovery": [],
        "seconds": round(seconds, 1),
    }


def recoveries(
    healed: Sequence[tuple[str, float, float]], samples: Sequence[Sample], lengths: dict[int, int]
) -> list[tuple[str, float]]:
    """Return for each fault the seconds from its end until every partition had made progress or was finished.

    If faults overlap, the time of the others is included.
    """
    times = []
    for kind, _, over in healed:
        later = [sample for sample in samples if sample.at > over]
        for sample in later[1:]:
            if all(
                sample.committed.get(partition, 0) > later[0].committed.get(partition, 0)
                or sample.committed.get(partition) == length
                for partition, length in lengths.items()
            ):
                times.append((kind, round(sample.at - over, 2)))
                break
    return times


def _summary(scenario: Scenario, verdict: Verdict, broken: list[str]) -> dict[str, Any]:
    return {
        "seed": scenario.seed,
        "delivery": scenario.delivery,
        "protocol": scenario.protocol,
        "static": scenario.static,
        "members": scenario.members,
        "nodes": scenario.nodes,
        "routes": scenario.routes,
        "faults": [fault.kind for fault in scenario.faults],
        "sent": verdict.sent,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "bound": verdict.bound,
        "broken": broken,
        "examples": verdict.evidence,
    }


def _settings(scenario: Scenario, servers: str) -> dict[str, Any]:
    kafka: dict[str, Any] = {
        "bootstrap.servers": servers,
        "compression.type": "none",
        "max.poll.interval.ms": int(MAX_POLL * 1000),
        "reconnect.backoff.max.ms": 1000,
    }
    if scenario.protocol != "consumer":
        kafka["session.timeout.ms"] = int(SESSION * 1000)
        kafka["heartbeat.interval.ms"] = int(SESSION * 1000 / 4)
    if scenario.protocol == "classic-eager":
        kafka["partition.assignment.strategy"] = "range"
    if scenario.static:
        kafka["group.instance.id"] = "member"
    if scenario.delivery == "exactly_once":
        kafka["transaction.timeout.ms"] = _TRANSACTION_MS
    return {
        "kafka": kafka,
        "delivery": scenario.delivery,
        "input": {"max_bytes": MAX_BYTES, "tombstones": "dead_letter"},
        "batching": {"max_events": 40, "linger_ms": 5},
        "backpressure": {"high_events": _HIGH, "low_events": _HIGH // 2},
        "commit_interval_ms": 150,
        "drain_timeout_ms": int(_DRAIN * 1000),
    }


def _until(condition: Callable[[], bool], meanwhile: Callable[[], object], within: float = _DRAINED_WITHIN) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        meanwhile()
        try:
            if condition():
                return True
        except (KafkaException, TimeoutError):
            pass
        time.sleep(0.1)
    return False
