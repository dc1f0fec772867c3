from __future__ import annotations

from pathlib import Path

from benchmarks.peers.rows import Rows


def test_rows_are_there_again_after_a_stop(tmp_path: Path) -> None:
    file = tmp_path / "results" / "peers.json"
    rows = Rows(file)
    rows.add(("latency", "glossator", 10, 0.7), {"p99 ms": 80.0})
    rows.add(("scale", "tasks", 4), {"events/s": 100.0})
    rows.add(("latency", "glossator", 10, 0.7), {"p99 ms": 81.0})
    again = Rows(file)
    assert ("latency", "glossator", 10, 0.7) in again
    assert ("latency", "glossator", 10, 0.3) not in again
    assert [row["p99 ms"] for row in again.of("latency")] == [81.0]
    assert again["scale", "tasks", 4]["events/s"] == 100.0
    assert "time" in again["scale", "tasks", 4]
