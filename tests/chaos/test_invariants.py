"""Each promise that is broken by hand is reported, and no other; a clean round is green."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.invariants import Logs, Sample, judge
from tests.chaos.model import Event, Kind, annotation, events, unusual
from tests.kafka.cluster import Row

PREFIX = "__glossator.errors."
DEAD: tuple[Kind, ...] = ("poison", "tombstone", "poison")
STAGES = {"poison": b"forward", "tombstone": b"decode", "large": b"produce"}


def output(source: tuple[int, int], event: Event, at: int, partition: int = 0) -> Row:
    asked = json.loads(event.value or b"")
    made = {
        "source": {"partition": source[0], "offset": source[1]},
        "event": asked,
        "text": asked["text"],
        "annotations": {"tone": annotation(asked["text"])},
    }
    return Row(partition, at, event.key, json.dumps(made).encode(), [], 0)


def letter(source: tuple[int, int], event: Event, at: int) -> Row:
    headers: list[tuple[str, bytes | None]] = [
        (f"{PREFIX}partition", b"%d" % source[0]),
        (f"{PREFIX}offset", b"%d" % source[1]),
        (f"{PREFIX}stage", STAGES[event.kind]),
    ]
    return Row(0, at, event.key, event.value, headers, 0)


def clean() -> Logs:
    """Twenty events with two keys in two partitions, three of them dead letters, committed in two steps."""
    plain = events("x")
    made = [next(plain)._replace(key=b"a") for _ in range(10)] + [next(plain)._replace(key=b"b") for _ in range(7)]
    made += [unusual("x", 17 + n, kind)._replace(key=b"b") for n, kind in enumerate(DEAD)]
    sent = {(0, n): event for n, event in enumerate(made[:10])} | {(1, n): e for n, e in enumerate(made[10:])}
    enriched = [(source, event) for source, event in sent.items() if event.fate == "enriched"]
    dead = [(source, event) for source, event in sent.items() if event.fate == "dead"]
    return Logs(
        sent,
        [output(source, event, at) for at, (source, event) in enumerate(enriched)],
        [letter(source, event, at) for at, (source, event) in enumerate(dead)],
        [
            Sample(1.0, {0: 4}, {("out", 0): 5, ("dead", 0): 0}),
            Sample(2.0, {0: 10, 1: 10}, {("out", 0): 17, ("dead", 0): 3}),
        ],
        [("out", 0, at) for at in range(17)] + [("dead", 0, at) for at in range(3)],
        {0: 10, 1: 10},
        {("out", 0): 20, ("dead", 0): 4},
        {("out", 0): 20, ("dead", 0): 4},
    )


def routed() -> Logs:
    """The same events in a round with routes, all of them in one partition of each topic."""
    sent = clean().sent
    rows: dict[str, list[Row]] = {"out": [], "copy": [], "dead": []}
    for source, event in sent.items():
        for topic in event.goes_to(True):
            at = len(rows[topic])
            if topic == "dead":
                rows[topic].append(letter(source, event, at))
                continue
            row = output(source, event, at)
            made = json.loads(row.value or b"")
            if topic == "copy":
                made = {**{name: made[name] for name in ("source", "annotations")}, "routed": ["copy"]}
            rows[topic].append(row._replace(value=json.dumps(made).encode()))
    return Logs(
        sent, rows["out"], rows["dead"], [Sample(1.0, {0: 10, 1: 10}, {(topic, 0): 20 for topic in rows})], None,
        {0: 10, 1: 10}, copies=rows["copy"], routes=True,
    )  # fmt: skip


@pytest.mark.parametrize("exactly_once", [False, True])
def test_a_clean_round_with_routes_is_green(exactly_once: bool) -> None:
    logs = routed()
    assert [len(rows) for rows in logs.rows.values()] == [13, 3, 6]
    assert judge(logs, exactly_once).broken == []


def test_each_copy_counts() -> None:
    logs = replace(routed(), samples=[])
    assert judge(replace(logs, copies=logs.copies[1:]), True).broken == ["lost 1"]
    assert judge(replace(logs, output=logs.output[1:]), True).broken == ["lost 1"]
    twice = [*logs.copies, logs.copies[2]._replace(offset=50)]
    assert "duplicated 1" in judge(replace(logs, copies=twice), True).broken
    crashed = replace(logs, copies=twice, disruptions=1, in_flight=1)
    assert (judge(crashed, False).broken, judge(crashed, False).bound) == ([], 2)
    dropped = next(source for source, event in logs.sent.items() if event.goes_to(True) == frozenset())
    row = output(dropped, logs.sent[dropped], 50)
    assert judge(replace(logs, output=[*logs.output, row]), False).wrong == 1, "it had to be dropped"
    with_text = output((0, 0), logs.sent[0, 0], 0)
    assert judge(replace(logs, copies=[with_text, *logs.copies[1:]]), True).broken == ["wrong 1"]
    first, second, *rest = logs.copies
    swapped = [first._replace(offset=1), second._replace(offset=0), *rest]
    assert judge(replace(logs, copies=swapped), True).broken == ["disordered 1"]


def test_an_offset_waits_for_all_copies() -> None:
    logs = routed()
    early = Sample(0.5, {0: 4}, {("out", 0): 20, ("copy", 0): 1, ("dead", 0): 20})
    assert judge(replace(logs, samples=[early, *logs.samples]), True).broken == ["ahead 1"], "the copy of event 3"


def test_a_large_event_has_a_copy_without_its_text() -> None:
    large = unusual("x", 3, "large")
    assert large.goes_to(True) == {"copy", "dead"}
    assert unusual("x", 6, "large").goes_to(True) == {"copy"}
    assert unusual("x", 2, "large").goes_to(True) == unusual("x", 3, "poison").goes_to(True) == {"dead"}
    assert unusual("x", 3, "large").goes_to(False) == {"dead"}


@pytest.mark.parametrize("exactly_once", [False, True])
def test_a_clean_round_is_green(exactly_once: bool) -> None:
    verdict = judge(clean(), exactly_once)
    assert verdict.broken == []
    assert verdict.sent == 20


def again(logs: Logs) -> Logs:
    seen = [*(logs.glimpsed or ()), ("out", 0, 17)]
    return replace(logs, output=[*logs.output, logs.output[3]._replace(offset=17)], glimpsed=seen)


BREAK: dict[str, Callable[[Logs], Logs]] = {
    "left_open": lambda logs: replace(logs, stable={**logs.stable, ("out", 0): 19}),
    "uncommitted": lambda logs: replace(logs, committed={0: 10, 1: 9}),
    "strange_ids": lambda logs: replace(logs, strangers=["other"]),
    "retracted": lambda logs: replace(logs, glimpsed=[*(logs.glimpsed or ()), ("out", 0, 99)]),
    "unseen": lambda logs: replace(logs, glimpsed=[*(logs.glimpsed or ())][1:]),
    "orphaned": lambda logs: replace(logs, open_at_once=3, slots=2),
    "moved_back": lambda logs: replace(logs, samples=[*logs.samples, Sample(3.0, {0: 9}, logs.samples[1].ends)]),
    "ahead": lambda logs: replace(logs, samples=[Sample(1.0, {0: 6}, {("out", 0): 5}), *logs.samples[1:]]),
}


@pytest.mark.parametrize("exactly_once", [False, True])
@pytest.mark.parametrize("promise", BREAK)
def test_a_broken_promise_is_called_by_its_name(promise: str, exactly_once: bool) -> None:
    assert judge(BREAK[promise](clean()), exactly_once).broken == [f"{promise} 1"]


def by_leader(logs: Logs, epoch: int, from_offset: int = 0) -> Logs:
    """The same round, in which the leader ``epoch`` of ``out`` has written what is at ``from_offset`` and later."""
    rows = [row._replace(leader_epoch=epoch) if row.offset >= from_offset else row for row in logs.output]
    return replace(logs, output=rows)


def test_an_answer_of_a_deposed_leader_says_nothing_about_what_later_leaders_wrote() -> None:
    logs = by_leader(clean(), 1, from_offset=5)
    for leaders in ({("out", 0): 0}, {("out", 0): 0, ("dead", 0): 0}):
        stale = Sample(1.5, {0: 8}, {("out", 0): 5, ("dead", 0): 3}, leaders)
        assert judge(replace(logs, samples=[stale, logs.samples[1]]), False).broken == []


@pytest.mark.parametrize("leaders", [{("out", 0): 1}, {("out", 0): 2}, {("dead", 0): 0}, {}])
def test_an_offset_ahead_of_what_its_leader_or_one_before_wrote_is_seen(leaders: dict[tuple[str, int], int]) -> None:
    """Also right after an outdated answer, in the next sample."""
    logs = by_leader(clean(), 1, from_offset=5)
    stale = Sample(1.4, {0: 5}, {("out", 0): 4, ("dead", 0): 3}, {("out", 0): 0})
    early = Sample(1.5, {0: 8}, {("out", 0): 6, ("dead", 0): 3}, leaders)
    assert judge(replace(logs, samples=[early, logs.samples[1]]), False).broken == ["ahead 2"]
    assert judge(replace(logs, samples=[stale, early, logs.samples[1]]), False).broken == ["ahead 3"]


def test_a_transaction_left_open_by_who_left_in_order() -> None:
    assert judge(replace(clean(), left_open=["g-1"]), True).broken == ["left_open 1"]


def test_an_event_that_is_nowhere_is_lost() -> None:
    logs = clean()
    for less in (replace(logs, output=logs.output[1:]), replace(logs, dead=logs.dead[1:])):
        verdict = judge(replace(less, samples=[], glimpsed=None), True)
        assert verdict.broken == ["lost 1"]


def test_what_is_not_committed_is_still_to_come() -> None:
    logs = replace(clean(), samples=[], glimpsed=None)
    less = [*logs.output[:9], *logs.output[10:]]
    assert judge(replace(logs, output=less, committed={0: 9, 1: 10}), True).broken == ["uncommitted 1"]


def test_twice_is_once_too_often_unless_a_crash_explains_it() -> None:
    logs = again(clean())
    assert "duplicated 1" in judge(logs, True).broken
    assert judge(logs, False).broken == ["duplicated 1"]
    assert judge(replace(logs, disruptions=1, in_flight=1), False).broken == []
    assert "duplicated 1" in judge(replace(logs, disruptions=1, in_flight=1), True).broken
    both = replace(clean(), dead=[*clean().dead, letter((0, 0), unusual("x", 0, "poison"), 3)])
    assert "duplicated 1" in judge(both, True).broken, "an event in both topics"


def test_the_order_within_a_key() -> None:
    logs = replace(clean(), samples=[])
    rows = [*logs.output]
    rows[2], rows[3] = rows[2]._replace(offset=3), rows[3]._replace(offset=2)
    swapped = replace(logs, output=rows)
    assert judge(swapped, True).broken == ["disordered 1"]
    assert judge(swapped, False).broken == ["disordered 1"]
    assert judge(replace(again(logs), disruptions=1, in_flight=1), False).broken == [], "only first appearances count"
    elsewhere = replace(logs, output=[*logs.output[:9], logs.output[9]._replace(partition=1, offset=0), *rows[10:]])
    assert any(promise.startswith("disordered") for promise in judge(elsewhere, False).broken)
    letters = [*logs.dead]
    letters[0], letters[1] = letters[0]._replace(offset=1), letters[1]._replace(offset=0)
    assert judge(replace(logs, dead=letters, glimpsed=None), True).broken == ["disordered 1"]
    assert judge(replace(logs, dead=letters, glimpsed=None), False).broken == []


def test_what_is_not_made_of_its_source_is_wrong() -> None:
    logs = replace(clean(), samples=[], glimpsed=None)
    first = logs.output[0]
    value = json.loads(first.value or b"")
    wrong = [
        first._replace(key=b"other"),
        first._replace(value=json.dumps({**value, "annotations": {"tone": annotation("other")}}).encode()),
        first._replace(value=json.dumps({**value, "text": "other"}).encode()),
        first._replace(value=json.dumps({**value, "event": {}}).encode()),
    ]
    for row in wrong:
        assert judge(replace(logs, output=[row, *logs.output[1:]]), True).broken == ["wrong 1"]
    nobody = replace(logs, output=[*logs.output, first._replace(value=b"no json", offset=17)])
    assert judge(nobody, True).broken == ["wrong 1"]
    poison = logs.dead[0]
    for row in (poison._replace(value=b"other"), poison._replace(key=None)):
        assert judge(replace(logs, dead=[row, *logs.dead[1:]]), True).broken == ["wrong 1"]
    good_one_dead = letter((0, 0), unusual("x", 0, "poison"), 3)
    verdict = judge(replace(logs, output=logs.output[1:], dead=[*logs.dead, good_one_dead]), True)
    assert verdict.wrong == 1


@given(st.lists(st.integers(0, 9), min_size=1, max_size=10, unique=True), st.lists(st.integers(0, 9), max_size=10))
def test_lost_and_duplicated_are_counted_each(missing: list[int], repeated: list[int]) -> None:
    logs = replace(clean(), samples=[], glimpsed=None)
    rows = [row for row in logs.output if not (row.key == b"a" and row.offset in missing)]
    there = [n for n in repeated if n not in missing]
    rows += [logs.output[n]._replace(offset=100 + at) for at, n in enumerate(there)]
    verdict = judge(replace(logs, output=rows), False)
    assert (verdict.lost, verdict.duplicated) == (len(missing), len(there))
