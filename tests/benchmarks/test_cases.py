from __future__ import annotations

import pytest

from benchmarks.peers.cases import cases, with_duplicates


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5])
def test_the_share_of_duplicates_is_as_asked_and_they_are_spread(share: float) -> None:
    texts = [f"text {n}" for n in range(400)]
    made = with_duplicates(texts, share)
    assert len(made) == len(texts)
    assert len(made) - len(set(made)) == pytest.approx(share * len(texts), abs=1)
    half = made[:200]
    assert len(half) - len(set(half)) == pytest.approx(share * 200, abs=1)


def test_every_case_has_a_key_of_its_own() -> None:
    keys = [(case.of, case.value) for case in cases(4000, 1_000_000)]
    assert len(keys) == len(set(keys))
    assert ("events", 1_000_000) in keys
