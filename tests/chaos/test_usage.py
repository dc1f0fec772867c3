"""Resource usage is measured, and growth is told from usage that is high but stable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.usage import MIB, MOST_FILES, Use, broken, growth, maxima, use_of


def life(seconds: int, resident: float = 0.0, files: float = 0.0, at_first: int = 20) -> list[Use]:
    """Samples every half second that grow by so many MiB and files per second from the start."""
    ages = [number / 2 for number in range(2 * seconds)]
    return [Use(age, int((60 + age * resident) * MIB), int(at_first + age * files)) for age in ages]


def test_what_stays_is_green_and_what_grows_is_not() -> None:
    assert broken([life(40), life(40, resident=5, files=1), life(3, files=100), []]) == []
    assert broken([life(60, resident=20)])[0].startswith("memory of a member grew by ")
    assert broken([life(60, files=4)])[0].startswith("file descriptors of a member grew by ")
    assert broken([life(40, at_first=MOST_FILES)]) == [f"a member had {MOST_FILES} file descriptors"]


def test_a_peak_is_no_growth() -> None:
    uses = life(40)
    uses[50] = uses[50]._replace(resident=1 << 40)
    assert broken([uses]) == []
    assert maxima([uses])["resident_mib"] == (1 << 40) // MIB


def test_a_short_life_says_nothing_of_growth() -> None:
    assert growth(life(9)) is None
    assert maxima([life(9), life(40, files=2)])["judged"] == 1
    assert maxima([])["files"] == 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_process_is_looked_at() -> None:
    before = use_of(os.getpid(), 1.0)
    with Path(os.devnull).open():
        after = use_of(os.getpid(), 2.0)
    assert before
    assert after
    assert after.files == before.files + 1
    assert after.resident > MIB
    assert use_of(2**22 + 1, 1.0) is None
