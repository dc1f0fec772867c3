from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workers import flaws


@pytest.fixture(scope="package", autouse=True)
def flawed_heads() -> Iterator[None]:
    """Some of the random tasks fail on some texts."""
    with flaws.installed():
        yield
