"""Imports that static analysis cannot check: what is loaded when a module is imported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PACKAGES = ("chain", "models", "heads", "tasks", "encoder", "pii")
PROGRAM = """
import importlib, json, pkgutil, sys
for package in sys.argv[1:]:
    folder = importlib.import_module(f"workers.{package}")
    for module in pkgutil.walk_packages(folder.__path__, f"workers.{package}."):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.slow
def test_the_chain_and_all_below_it_load_nothing_of_stream() -> None:
    """Runs in a new process, because this one has already imported everything."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *PACKAGES], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(ran.stdout)
    assert {f"workers.{package}" for package in PACKAGES} <= set(loaded)
    assert "workers.models.library" in loaded
    assert [name for name in loaded if name.partition(".")[0] in {"stream", "confluent_kafka"}] == []
