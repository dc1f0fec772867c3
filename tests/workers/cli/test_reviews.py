"""Decisions are read to where the topic ended at the start, and no further; a broker that is gone ends the reading."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from schemas.errors import BrokerError
from schemas.record import Assignment, Record
from tests.schemas.pipeline.pipelines import UNREACHABLE
from workers.cli import reviews


class FakeReader:
    """A topic of two partitions, of three and two records, of which more are written while it is read."""

    stalls = False

    def __init__(self, settings: Any, group: str) -> None:
        assert group == "tiny.train"
        self.starts = {("posts.review", 0): 1, ("posts.review", 1): 0}
        self.ends = {("posts.review", 0): 4, ("posts.review", 1): 2}
        self.polls = 0

    @property
    def done(self) -> bool:
        return not self.stalls and self.polls > 1

    def open(self, topics: list[str], start: str, patience: float) -> None:
        assert (topics, start, patience) == (["posts.review"], "beginning", 3.0)

    def poll(self, timeout: float) -> list[Record]:
        self.polls += 1
        number, offsets = (0, range(1, 6)) if self.polls == 1 else (1, range(4))
        value = [json.dumps({"text": f"{number} {offset}", "decision": {"label": "a"}}).encode() for offset in offsets]
        assignment = Assignment("posts.review", number)
        records = [Record(assignment, offset, None, raw, [], 0) for offset, raw in zip(offsets, value, strict=True)]
        return records if self.polls < 3 else []

    def close(self) -> None:
        pass


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    file = tmp_path / "pipeline.yaml"
    file.write_text(UNREACHABLE)
    monkeypatch.setattr(reviews, "Reader", FakeReader)

    def read() -> Any:
        with Progress(disable=True) as progress:
            return reviews.read_decisions(
                file, "posts.review", "sentiment", progress, path="$.decision", max_rows=10, patience=3.0
            )

    return read


def test_what_comes_while_it_reads_is_left_for_the_next_time(read: Any) -> None:
    assert read().counts["decisions"] == 3 + 2


def test_a_broker_that_says_nothing_more_ends_it(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeReader, "stalls", True)
    clock = itertools.count(step=10.0)
    monkeypatch.setattr("workers.cli.reviews.time.monotonic", lambda: next(clock))
    with pytest.raises(BrokerError, match="nothing has arrived for 60 s"):
        read()
