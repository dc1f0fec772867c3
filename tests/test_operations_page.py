"""docs/operations.md lists every metric with its labels, and every exit status."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from schemas.errors import every_error
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats

PAGE = (Path(__file__).parents[1] / "docs/operations.md").read_text()


def test_every_metric_is_listed_with_its_labels() -> None:
    stats = Stats(failed=Counter("d"), routed=Counter("r"), unread=Counter("t"), rebalances=Counter("a"))
    stats.redacted["l", "o"] = 1
    stats.stuck = {"device": ""}
    found = {
        sample.name: set(sample.labels) - {"pipeline", "slot"}
        for metric in Exposition(stats, "p", 0).collect()
        for sample in metric.samples
    }
    rows = re.findall(r"^\| `(glossator_\w+)` \| (.*?) ?\|", PAGE, re.MULTILINE)
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in rows} == found


def test_every_exit_status_of_a_worker_is_listed_and_whether_a_restart_helps() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| .+? \| (yes|no)\b", PAGE.partition("## Exit statuses")[2], re.MULTILINE)
    table = {int(status): answer for statuses, answer in rows for status in statuses.split(",")}
    assert table == {kind.exit_status: "yes" if kind.restart else "no" for kind in every_error()}
