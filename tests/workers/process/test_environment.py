"""Only entry points change the process; importing the packages does not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from schemas.errors import SettingError
from stream.kafka.broker import EmbeddedBroker
from workers.process.environment import use_temporary_folder

ROOT = Path(__file__).parents[3]

IMPORT_ALL = """
import ctypes, importlib, os, pkgutil, sys

mallopt = []
real = ctypes.CDLL.__getattr__
ctypes.CDLL.__getattr__ = lambda self, name: mallopt.append(name) if name == "mallopt" else real(self, name)
before = dict(os.environ)
import workers
for module in pkgutil.walk_packages(workers.__path__, "workers."):
    importlib.import_module(module.name)
changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
changed.discard("TORCHINDUCTOR_CACHE_DIR")  # set by torch itself
assert "torch" in sys.modules
print(sorted(changed), mallopt)
"""


def run(code: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean | environment, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


@pytest.mark.slow
def test_importing_every_module_leaves_the_environment_and_the_allocator_alone() -> None:
    assert run(IMPORT_ALL) == "[] []"


def test_an_entry_point_sets_what_the_environment_leaves_open() -> None:
    code = "import os; from workers.process.environment import prepare_process; prepare_process(); print(os.environ{})"
    assert run(code.format('["OMP_WAIT_POLICY"]')) == "PASSIVE"
    assert run(code.format('["OMP_WAIT_POLICY"]'), OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"


def test_the_first_folder_that_can_be_written_holds_temporary_files_if_no_usual_one_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tempfile.gettempdir()
    use_temporary_folder([tmp_path])
    assert tempfile.gettempdir() == usual
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/1/none"])
    monkeypatch.setenv("TMPDIR", "/proc/1/none")
    with pytest.raises(SettingError, match="--tmpfs /tmp"):
        use_temporary_folder([tmp_path / "none" / "tmp", Path("/proc/1/none")])
    assert tempfile.tempdir is None
    use_temporary_folder([tmp_path / "none" / "tmp", tmp_path / "tmp"])
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path / "tmp")


def test_a_quota_of_cores_limits_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    code = """
import os, workers.process.environment as environment
environment.usable_cores = lambda: {}
os.cpu_count = lambda: 64
environment.prepare_process()
print(os.environ.get("OMP_NUM_THREADS"))
"""
    assert run(code.format(3)) == "3"
    assert run(code.format(64)) == "None"
    assert run(code.format(3), OMP_NUM_THREADS="5") == "5"


def test_the_verbs_that_load_models_prepare_before_torch_is_imported(tmp_path: Path) -> None:
    """Each in a fork of one process, which has imported what verbs share."""
    code = """
import builtins, os, sys
real = builtins.__import__
def watched(name, *rest):
    if name == "torch" and "torch" not in sys.modules:
        os.write(1, ("torch with " + os.environ.get("OMP_WAIT_POLICY", "nothing") + chr(10)).encode())
        os._exit(0)
    return real(name, *rest)
builtins.__import__ = watched
from workers.cli import lint
from workers.cli.main import cli
for arguments in {}:
    if not os.fork():
        cli(arguments)
    os.wait()
"""
    pipeline = str(ROOT / "examples/starter.yaml")
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"text": "a", "label": "b"}\n')
    with EmbeddedBroker() as broker:  # run loads models only when there is a broker
        verbs = [
            ["try", "a text"],
            ["lint", "--plan", pipeline],
            ["run", pipeline, "--state", str(tmp_path)],
            ["train", str(labels), "--task", "sentiment", "--out", str(tmp_path / "out")],
            ["demo", "--plain"],
        ]
        output = run(code.format(verbs), KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers)
    assert [line for line in output.splitlines() if line.startswith("torch")] == ["torch with PASSIVE"] * len(verbs)
