"""Mutated messages of every format are documents or failed documents: they never crash or hang."""

from __future__ import annotations

import pytest

from tests.stream.codecs.fuzz import FORMATS, outcomes


@pytest.mark.parametrize("name", FORMATS)
def test_no_mutation_crashes(name: str) -> None:
    assert min(outcomes(name, 600, 7)[0].values()) > 10
