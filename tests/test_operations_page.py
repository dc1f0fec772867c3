"""docs/operations.md has the table of metrics, and lists every exit status."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import every_error
from stream.telemetry.table import TABLE, markdown

PAGE = (Path(__file__).parents[1] / "docs/operations.md").read_text()


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    assert markdown() in PAGE, "python -m stream.telemetry.table prints the table"
    assert set(re.findall(r"glossator_\w+", PAGE)) <= {row.name for row in TABLE}, "the text names no other metrics"


def test_every_exit_status_of_a_worker_is_listed_and_whether_a_restart_helps() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| .+? \| (yes|no)\b", PAGE.partition("## Exit statuses")[2], re.MULTILINE)
    table = {int(status): answer for statuses, answer in rows for status in statuses.split(",")}
    assert table == {kind.exit_status: "yes" if kind.restart else "no" for kind in every_error()}
