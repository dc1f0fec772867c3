"""The public face: what it exports, and that it notices packages that are not ours."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import glossator
from schemas.errors import GlossatorError
from workers import tasks

ROOT = Path(__file__).parents[1]
ISOLATION = [] if importlib.util.find_spec("setuptools") is None else ["--no-build-isolation"]
"""Options of pip: without setuptools here, it fetches one."""

PUBLIC = {
    "Activation", "AnnotateError", "Annotation", "BrokerError", "Chain", "ConfigError", "CustomTask", "DeviceError",
    "Document", "EnrichedEvent", "EventBuilder", "FieldError", "GlossatorError", "HeadInfo", "HeadKind", "Input",
    "ModelError", "Pipeline", "PoisonError", "Reader", "Reading", "Scores", "Side", "StuckError", "Task", "Worker",
    "load", "merge_windows", "numbers", "parse", "prepare_process",
}  # fmt: skip
"""Removing or renaming one of these breaks other people's programs."""


def test_the_public_names_are_these_and_all_can_be_imported() -> None:
    assert set(glossator.__all__) == PUBLIC
    assert set(tasks.__all__) <= PUBLIC
    for name in PUBLIC:
        assert getattr(glossator, name) is not None
    assert set(dir(glossator)) >= PUBLIC
    with pytest.raises(AttributeError):
        glossator.nothing  # noqa: B018


def test_the_status_is_that_of_the_error() -> None:
    assert GlossatorError.exit_status == glossator._SOFTWARE


def run(python: Path | str, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python away from the sources, with only ``path`` on PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [str(python), *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False
    )


def test_the_face_and_its_tasks_need_no_torch_and_help_needs_no_models() -> None:
    code = "import sys, glossator; glossator.Task, glossator.load; assert 'torch' not in sys.modules"
    assert run(sys.executable, "-c", code, path=ROOT).returncode == 0
    helped = run(sys.executable, "-m", "glossator", "--help", path=ROOT)
    assert helped.returncode == 0
    assert "Usage: glossator" in helped.stdout


@pytest.mark.parametrize("package", ["schemas", "stream", "workers"])
@pytest.mark.parametrize("namespace", [True, False])
def test_a_package_that_hides_ours_is_named(tmp_path: Path, package: str, namespace: bool) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / ("other.py" if namespace else "__init__.py")).write_text("raise SystemExit('imported')")
    sources = tmp_path / "ours"
    sources.mkdir()
    for name in {"schemas", "stream", "workers"} - ({package} if namespace else set()):
        (sources / name).symlink_to(ROOT / name)
    (sources / "glossator.py").symlink_to(ROOT / "glossator.py")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(sources)!r}]; import glossator; "
    ended = run(sys.executable, "-S", "-c", code + "glossator.main()")
    assert (ended.returncode, ended.stdout) == (70, "")
    assert f'the package "{package}" at {tmp_path / package} does not belong to glossator' in ended.stderr
    ended = run(sys.executable, "-S", "-c", code + "glossator.Pipeline")
    assert "ImportError: the package" in ended.stderr


def wheel(project: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *ISOLATION, "--wheel-dir", str(folder)]
    subprocess.run([*command, str(project)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def install(python: Path, built: Path, *options: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", *ISOLATION]
    subprocess.run([*command, *options, str(built)], check=True, capture_output=True)


def venv(folder: Path) -> tuple[Path, Path]:
    """Make an environment that also sees the packages of ours; return its interpreter and its site-packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin/python", site


@pytest.mark.slow
def test_an_installed_wheel_runs_and_notices_an_intruder(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "glossator.py"):
        shutil.copy(ROOT / name, sources)
    for name in ("schemas", "stream", "workers"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    intruder = tmp_path / "intruder"
    (intruder / "workers").mkdir(parents=True)
    (intruder / "workers/__init__.py").write_text("raise SystemExit('imported')\n")
    (intruder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "cloud-workers"\nversion = "7.1"\n[tool.setuptools]\npackages = ["workers"]\n'
    )
    python, site = venv(tmp_path / "venv")
    command = python.with_name("glossator")
    install(python, wheel(sources, tmp_path / "ours"))

    version = run(command, "--version")
    assert (version.returncode, version.stdout.split()[0]) == (0, "glossator"), version.stderr
    helped = run(python, "-m", "glossator", "--help")
    assert helped.returncode == 0, helped.stderr
    where = run(python, "-c", "import glossator; print(glossator.Task.__module__, glossator.__file__)")
    assert where.stdout.split() == ["workers.tasks.base", f"{site}/glossator.py"]

    hidden = tmp_path / "elsewhere"
    foreign = wheel(intruder, tmp_path / "theirs")
    install(python, foreign, "--target", str(hidden))
    ended = run(command, "--version", path=hidden)
    assert (ended.returncode, ended.stdout) == (70, "")
    assert f'"workers" at {hidden}/workers does not belong to glossator but to cloud-workers 7.1;' in ended.stderr

    install(python, foreign)  # in the same folder: it overwrites workers/__init__.py
    ended = run(python, "-m", "glossator", "--help")
    assert (ended.returncode, ended.stdout) == (70, "")
    assert f'"workers" at {site}/workers does not belong to glossator but to cloud-workers 7.1;' in ended.stderr

    python, _ = venv(tmp_path / "editable")
    install(python, sources, "--editable")
    version = run(python.with_name("glossator"), "--version")
    assert (version.returncode, version.stdout.split()[0]) == (0, "glossator"), version.stderr
