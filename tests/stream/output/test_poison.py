"""Limits on the number of dead letters."""

from __future__ import annotations

from schemas.pipeline.config import DeadLetters
from stream.output.poison import PoisonLimit


def reason(limit: PoisonLimit) -> str:
    """Return why the limit is exceeded; empty if it is not."""
    return str(limit.exceeded() or "")


def test_so_many_in_a_row() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=3))
    for _ in range(10):
        limit.failed("decode")
        limit.failed("forward")
        limit.passed()
    limit.failed("decode")
    limit.failed("decode")
    assert reason(limit) == ""
    limit.failed("forward")
    assert reason(limit).startswith("3 dead letters in a row, the last failed at forward")


def test_a_row_that_ended_before_anybody_asked_is_not_forgotten() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=3))
    for _ in range(3):
        limit.failed("decode")
    limit.passed()
    assert reason(limit).startswith("3 dead letters in a row")


def test_so_many_a_minute_whatever_comes_between() -> None:
    now = [0.0]
    limit = PoisonLimit(DeadLetters(a_minute=3), lambda: now[0])
    for _ in range(20):
        limit.failed("decode")
        limit.passed()
        now[0] += 31
    limit.failed("decode")
    assert reason(limit) == ""
    limit.failed("decode")
    assert reason(limit).startswith("3 dead letters within a minute")


def test_no_limits() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=None))
    for _ in range(10_000):
        limit.failed("decode")
    assert reason(limit) == ""


def test_events_that_the_broker_refuses_count_though_they_came_out_well() -> None:
    """Until a batch has landed it is unknown whether the broker accepted the events before the rejected ones."""
    limit = PoisonLimit(DeadLetters(in_a_row=5))
    for _ in range(4):
        limit.passed()
        limit.refused("produce")
        assert reason(limit) == ""
    limit.landed(4)
    limit.passed()
    limit.refused("produce")
    assert reason(limit).startswith("5 dead letters in a row, the last failed at produce")


def test_one_event_that_the_broker_takes_ends_the_row() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=5))
    for _ in range(10):
        for _ in range(4):
            limit.refused("produce")
        assert reason(limit) == ""
        limit.landed(5)


def test_refusals_of_the_next_batch_may_come_before_the_first_has_landed() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=8))
    for _ in range(6):
        limit.refused("produce")
    limit.landed(4)
    for _ in range(2):
        limit.refused("produce")
    limit.landed(4)
    assert reason(limit).startswith("8 dead letters in a row")


def test_refusals_count_within_a_minute_too() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=None, a_minute=3), lambda: 0.0)
    for _ in range(3):
        limit.refused("produce")
        limit.landed(100)
    assert reason(limit).startswith("3 dead letters within a minute")
