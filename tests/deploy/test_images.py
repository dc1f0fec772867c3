"""The Dockerfile and the compose file keep the promises of docs/deployment.md; tests/containers runs them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parents[2]
DOCKERFILE = (HERE / "Dockerfile").read_text()
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]


def compose() -> Any:
    return YAML(typ="safe").load(HERE / "docker-compose.yml")["services"]


def requirements(extras: str) -> subprocess.CompletedProcess[str]:
    script = HERE / "deploy/image/requirements.py"
    command = [sys.executable, str(script), str(HERE / "pyproject.toml"), extras]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_images_install_every_extra_but_those_for_development() -> None:
    optional = PROJECT["optional-dependencies"]
    everything = requirements("all").stdout.splitlines()
    assert set(PROJECT["dependencies"]) <= set(everything)
    for extra in sorted(set(optional) - {"all", "aws", "dev"}):  # what AWS needs is large, and few need it
        assert set(requirements(extra).stdout.splitlines()) <= set(everything), f'"{extra}" is not part of "all"'
    assert requirements("").stdout.splitlines() == sorted(PROJECT["dependencies"])
    assert re.search(r"^ARG EXTRAS=all$", DOCKERFILE, re.MULTILINE)


def test_an_extra_that_does_not_exist_ends_the_build() -> None:
    ended = requirements("language,pij")
    assert ended.returncode == 1
    assert ended.stderr.startswith('there is no extra "pij", only all, ')


def test_a_change_of_the_code_makes_one_small_layer() -> None:
    for target in ("cpu", "cuda"):
        (stage,) = re.findall(rf"^FROM base AS {target}\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
        steps = [line.split()[0] for line in stage.splitlines() if re.match(r"[A-Z]+ ", line)]
        assert [step for step in steps if step in {"RUN", "COPY"}] == ["RUN", "COPY", "RUN", "COPY"]
        assert re.findall(r"^COPY (.+)", stage, re.MULTILINE)[-1] == "--from=code /install /opt/glossator"
        assert steps[-1] == "USER"


def test_what_the_images_are_built_from_reaches_the_builder() -> None:
    sent = {line[1:] for line in (HERE / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for path in " ".join(copied).split():
        assert any(path == name or path.startswith(f"{name}/") for name in sent), path


def test_only_the_state_is_a_volume_because_volumes_hide_what_derived_images_add() -> None:
    assert re.findall(r"^VOLUME (.+)", DOCKERFILE, re.MULTILINE) == ["/state"]


def test_the_worker_of_the_compose_file_is_restarted_by_itself_and_has_time_to_stop() -> None:
    worker = compose()["worker"]
    assert {"--restart", "--slot"} <= set(worker["command"])
    assert worker["restart"] == "no"
    assert worker["stop_grace_period"] == "1m"
    assert "state:/state" in worker["volumes"]
