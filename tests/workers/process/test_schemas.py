"""While the Schema Registry is away, events wait: nothing is lost, and nothing becomes a dead letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from schemas.errors import AccessError, RegistryError
from schemas.record import Assignment, Record
from stream.telemetry.stats import Stats
from workers.process import schemas
from workers.process.lanes import Closed
from workers.process.schemas import await_schemas


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_FIRST", 0.001)
    monkeypatch.setattr(schemas, "_MOST", 0.001)
    monkeypatch.setattr(schemas, "_LOOK", 0.001)


def _records(count: int) -> list[Record]:
    return [Record(Assignment("posts", number), 0, None, b"") for number in range(count)]


def _away(times: int) -> Callable[[Sequence[Record]], None]:
    left = [times]

    def fetch(_: Sequence[Record]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise RegistryError("the Schema Registry cannot be asked")

    return fetch


def test_events_wait_and_readiness_tells_why() -> None:
    stats, records, seen = Stats(), _records(3), []

    def look(left: list[Record]) -> list[Record]:
        seen.append(dict(stats.away))
        return left

    fetch = _away(3)
    assert await_schemas(lambda: fetch, records, stats, look) == records
    assert seen
    assert all(reasons == {"registry": "the Schema Registry cannot be asked"} for reasons in seen)
    assert stats.away == {}


def test_events_that_leave_are_no_longer_waited_for() -> None:
    stats, records = Stats(), _records(3)
    fetch = _away(10**9)
    assert await_schemas(lambda: fetch, records, stats, lambda left: left[1:]) == []
    assert stats.away == {}


def test_a_reload_may_bring_another_registry() -> None:
    records = _records(1)
    fetches = [_away(10**9), _away(0)]
    assert await_schemas(lambda: fetches.pop(0), records, Stats(), lambda left: left) == records


def test_the_end_of_the_worker_and_wrong_credentials_end_the_wait() -> None:
    def end(_: object) -> list[Record]:
        raise Closed

    fetch = _away(10**9)
    with pytest.raises(Closed):
        await_schemas(lambda: fetch, _records(1), Stats(), end)

    def refuse(_: object) -> None:
        raise AccessError("no")

    with pytest.raises(AccessError):
        await_schemas(lambda: refuse, _records(1), Stats(), lambda left: left)
