"""Builds the cpu image once for all tests of this folder, which run only when they are asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.engine import TOOLS, Engine

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.container)
            item.add_marker(pytest.mark.timeout(1500, func_only=True))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Buildah and podman with storage of their own, and the base image in it.

    Skips the test where they are not asked for, not installed, or cannot run a container.
    """
    if os.environ.get("GLOSSATOR_CONTAINERS") != "1":
        pytest.skip("builds images for minutes: make test-containers")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}: apt-get install --no-install-recommends {' '.join(TOOLS)}")
    if os.geteuid() != 0:
        pytest.skip("needs root, for user ids and mounts in images")
    with Engine() as made:
        if reason := made.refusal():
            pytest.skip(f"no container runs here: {reason}")
        yield made


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The name of the cpu image, built from this checkout; ``Engine.options`` mounts torch into it."""
    try:
        engine.build_glossator()
    except subprocess.TimeoutExpired as reason:
        pytest.skip(f"the image was not built in {reason.timeout:.0f} s")
    return engine.image
