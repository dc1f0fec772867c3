"""Standard output that cannot be written is one line and status 74; a reader that has gone is no error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import OutputError

ROOT = Path(__file__).parents[3]
FULL = "glossator: standard output cannot be written: No space left on device\n"

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command.replace("glossator", f"'{sys.executable}' -m glossator")],
        cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


ARGUMENTS = [
    "--help",
    "lint examples/starter.yaml",
    "--version",
    "run --help",
    "lint --format json examples/starter.yaml",
]


@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        *((arguments, "") for arguments in ARGUMENTS),
        *((arguments, "1") for arguments in ARGUMENTS[:2]),
        *(pytest.param(arguments, "1", marks=pytest.mark.slow) for arguments in ARGUMENTS[2:]),
    ],
)
def test_a_full_disk_is_one_line_and_a_status(arguments: str, unbuffered: str) -> None:
    done = shell(f"glossator {arguments} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (OutputError.exit_status, FULL)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["try hello", "try --pretty hello", "demo --plain --events 3 --rate 0"])
def test_a_full_disk_is_one_line_and_a_status_for_verbs_with_models(arguments: str) -> None:
    done = shell(f"glossator {arguments} > /dev/full")
    assert (done.returncode, done.stderr) == (OutputError.exit_status, FULL)


@pytest.mark.parametrize("arguments", ["--help", "lint examples/starter.yaml"])
def test_a_reader_that_has_gone_is_quiet(arguments: str) -> None:
    # The reader ends before anything is written.
    done = shell(f"(sleep 0.1; exec glossator {arguments}) | true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["try hello", "try --pretty hello", "tap examples/starter.yaml"])
def test_what_prints_results_does_not_lose_them_silently_if_standard_output_is_closed(command: str) -> None:
    done = shell(f"glossator {command} >&-")
    assert (done.returncode, done.stderr) == (OutputError.exit_status, "glossator: standard output is closed\n")


def test_what_is_written_arrives_unchanged() -> None:
    done = shell("glossator lint examples/starter.yaml | cat", PYTHONIOENCODING="utf-8")
    assert done.stdout.startswith("examples/starter.yaml: ok\n")
    assert done.stdout.endswith("dead letters to posts.dead\n")
