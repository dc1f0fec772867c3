"""Registers the marker of tests that play rounds."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: breaks workers, broker and network on purpose; takes a minute")
