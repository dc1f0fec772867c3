"""Workers whose forwards run side by side and begin ahead, killed and rebalanced in the middle of them."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.pipeline.config import Pipeline
from tests.integration.lanes import BEGUN
from tests.integration.lib import Case, Member, eventually
from tests.kafka.cluster import Row
from tests.workers import tiny
from tests.workers.chain.test_chain import documents
from workers.chain.chain import Chain

pytestmark = pytest.mark.integration
SOME = 5
"""How many micro-batches must have begun ahead before and after each thing that happens."""
MOST = 400
"""Events that are sent and not committed."""


def text(number: int) -> str:
    """Texts of many lengths, all different: forwards side by side do not end at the same time."""
    return f"{'the brown ' * (number % 5)}fox {'dog ' * (number % 7)}{'lazy ' * (30 * (number % 17 == 0))}{number}"


class Backlog:
    """Sends events as long as something is waited for, but not many more than are processed."""

    def __init__(self, case: Case) -> None:
        self._case, self.sent = case, 0

    def fill(self) -> None:
        if self.sent - self._case.committed() < MOST // 2:
            numbers = range(self.sent, self.sent + MOST // 2)
            self._case.send(json.dumps({"id": number, "text": text(number)}).encode() for number in numbers)
            self.sent += len(numbers)

    def until(self, condition: Callable[[], bool]) -> None:
        def holds() -> bool:
            self.fill()
            return condition()

        eventually(holds)


def begins_ahead(*members: Member) -> Callable[[], bool]:
    """Whether each of ``members`` has begun some micro-batches ahead since this was called."""
    before = [member.times_logged(BEGUN) for member in members]
    return lambda: all(m.times_logged(BEGUN) >= count + SOME for m, count in zip(members, before, strict=True))


def require_order(rows: list[Row]) -> None:
    """In each output partition, the events of an input partition come in their order, apart from repeats."""
    newest: dict[tuple[int, int], int] = {}
    met: set[tuple[int, int]] = set()
    for row in rows:
        source = json.loads(row.value or b"")["source"]
        partition, offset = source["partition"], source["offset"]
        if (partition, offset) not in met:
            met.add((partition, offset))
            assert offset > newest.get((row.partition, partition), -1)
            newest[row.partition, partition] = offset


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_kill_and_rebalances_while_micro_batches_are_begun_ahead(
    real_kafka: Any, tmp_path: Path, delivery: str
) -> None:
    tasks = [{"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}]
    case = Case(
        real_kafka, delivery=delivery, commit_interval_ms=100, tasks=tasks,
        batching={"max_events": 12, "linger_ms": 5}, kafka={"session.timeout.ms": 6000, "heartbeat.interval.ms": 500},
    )  # fmt: skip
    backlog = Backlog(case)

    def member(slot: int, dies_after: int = 0) -> Any:
        return case.member(dies_after, slot, tmp_path, program="lanes")

    with member(0, SOME) as killed, member(1) as leaving:
        backlog.until(lambda: killed.process.poll() is not None)
        assert killed.process.returncode == -signal.SIGKILL
        with member(0) as staying:
            backlog.until(lambda: staying.logged("assigned ") and staying.logged(BEGUN))
            backlog.until(begins_ahead(leaving, staying))
            assert leaving.stop()["drained"]
            backlog.until(begins_ahead(staying))
            eventually(lambda: case.committed() == backlog.sent)
            assert staying.stop()["drained"]
    rows = case.read(case.output)
    require_order(rows)
    found = [json.loads(row.value or b"") for row in rows]
    ids = Counter(made["event"]["id"] for made in found)
    assert set(ids) == set(range(backlog.sent))
    assert case.count(case.dead) == 0
    assert delivery == "at_least_once" or set(ids.values()) == {1}
    one_at_a_time = documents([text(number) for number in range(backlog.sent)])
    Chain.load(Pipeline.model_validate(case.settings)).run(one_at_a_time)
    for made in found:
        expected = one_at_a_time[made["event"]["id"]].annotations["tone"]
        assert made["annotations"]["tone"]["scores"] == pytest.approx(expected["scores"], abs=1e-4)
