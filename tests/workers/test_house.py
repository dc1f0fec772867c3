"""What may be imported by whom, as far as static analysis cannot tell."""

from __future__ import annotations

import json
import subprocess
import sys

PACKAGES = ("chain", "models", "heads", "tasks", "encoder", "pii")
PROGRAM = """
import importlib, json, pkgutil, sys
for package in sys.argv[1:]:
    folder = importlib.import_module(f"workers.{package}")
    for module in pkgutil.walk_packages(folder.__path__, f"workers.{package}."):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def test_the_chain_and_all_below_it_load_nothing_of_stream() -> None:
    """In a new process, since this one has imported everything already."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *PACKAGES], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(ran.stdout)
    assert {f"workers.{package}" for package in PACKAGES} <= set(loaded)
    assert "workers.models.library" in loaded
    assert [name for name in loaded if name.partition(".")[0] in {"stream", "confluent_kafka"}] == []
