"""docs/operations.md lists every metric with its labels, and every exit status."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from schemas.errors import GlossatorError
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats

PAGE = (Path(__file__).parents[1] / "docs/operations.md").read_text()


def test_every_metric_is_listed_with_its_labels() -> None:
    stats = Stats(failed=Counter("d"), rebalances=Counter("a"), stuck={"device": ""})
    found = {
        sample.name: set(sample.labels) - {"pipeline", "slot"}
        for metric in Exposition(stats, "p", 0).collect()
        for sample in metric.samples
    }
    rows = re.findall(r"^\| `(glossator_\w+)` \| (.*?) ?\|", PAGE, re.MULTILINE)
    assert {name: {label.strip("` ")} - {""} for name, label in rows} == found


def test_every_exit_status_of_a_worker_is_listed() -> None:
    def kinds(kind: type[GlossatorError]) -> set[type[GlossatorError]]:
        return {kind}.union(*map(kinds, kind.__subclasses__()))

    table = PAGE.partition("## Exit statuses")[2]
    for kind in kinds(GlossatorError):
        assert re.search(rf"\b{kind.exit_code}\b", table), kind
