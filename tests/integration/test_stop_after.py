"""A pipeline file that fits no event: what is in the dead-letter topic when the worker has stopped, again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PoisonError
from tests.integration.lib import Case

pytestmark = pytest.mark.integration

LIMIT = 100
STARTED = 6 * 50 + 1000
"""Events in six micro-batches, and those polled with the last of them."""


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_the_letters_are_there_and_no_start_takes_the_last_for_a_crash(
    real_kafka: Any, tmp_path: Path, delivery: str
) -> None:
    case = Case(
        real_kafka, partitions=1, delivery=delivery, input={"text": "$.body"}, stop_after={"in_a_row": LIMIT}
    )  # fmt: skip
    case.feed(5000)
    sent = 0
    for _ in range(5):
        with case.member(state=tmp_path) as member:
            assert member.process.wait(120) == PoisonError.exit_status
            assert not member.logged("died with")
            assert member.logged(f"{LIMIT} dead letters in a row, the last failed at decode")
        letters = case.read(case.dead)
        assert sent + LIMIT <= len(letters) <= sent + LIMIT + STARTED
        sent = len(letters)
        assert case.committed() == sent, "each event once, and the next start goes on behind it"
        assert {dict(letter.headers)["__glossator.errors.stage"] for letter in letters} == {b"decode"}
    assert not list(tmp_path.glob("*.suspects"))
    assert case.count(case.output) == 0
