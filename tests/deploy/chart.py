"""The Helm chart: its values, and what helm makes of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

HERE = Path(__file__).parents[2]
CHART = HERE / "deploy/helm/glossator"
TOOLS = HERE / ".cache/bin"
"""Where ``make chart-tools`` puts helm and kubeconform."""

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
VALUE_FILES = sorted((CHART / "ci").glob("*-values.yaml"))


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file)


def tool(name: str) -> str:
    """Return the path of a program; skip the test if it is not here, or fail it if GLOSSATOR_REQUIRE_HELM=1."""
    path = shutil.which(name) or shutil.which(name, path=TOOLS)
    if path is None:
        complaint = f"needs {name}: make chart-tools builds it with Go"
        if os.environ.get("GLOSSATOR_REQUIRE_HELM") == "1":
            pytest.fail(complaint)
        pytest.skip(complaint)
    return path


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm as for a cluster of this version: one that is not a release takes Kubernetes 1.20 as the default."""
    return subprocess.run(
        [tool("helm"), *arguments, "--kube-version", "1.30"], capture_output=True, text=True, check=False, timeout=120
    )


def rendered(*arguments: str) -> dict[str, Any]:
    """Return the manifests of ``helm template posts``, by kind; each kind is there at most once."""
    ended = helm("template", "posts", str(CHART), *arguments)
    assert ended.returncode == 0, ended.stderr
    manifests = [manifest for manifest in YAML(typ="safe").load_all(ended.stdout) if manifest]
    kinds = {manifest["kind"]: manifest for manifest in manifests}
    assert len(kinds) == len(manifests)
    return kinds


def refused(*arguments: str) -> str:
    """Return what ``helm template`` says about values that it refuses."""
    ended = helm("template", "posts", str(CHART), *arguments)
    assert ended.returncode != 0
    return ended.stderr
