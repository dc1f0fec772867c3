"""What is written down twice is the same in both places."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

HERE = Path(__file__).parents[1]


def _yaml(name: str) -> Any:
    return YAML(typ="safe").load(HERE / name)


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    wanted = map(Requirement, chain(project["dependencies"], *project["optional-dependencies"].values()))
    lines = (HERE / "constraints.txt").read_text().splitlines()
    pins = {canonicalize_name(pin.name): pin for pin in map(Requirement, (line for line in lines if line[0] != "#"))}
    for requirement in wanted:
        if requirement.name == project["name"]:  # an extra made of others
            continue
        (pin,) = pins[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version)


def test_compose_makes_the_topics_of_its_pipeline() -> None:
    pipeline, services = _yaml("examples/starter.yaml"), _yaml("docker-compose.yml")["services"]
    (made,) = re.findall(r"for topic in (.+); do", services["topics"]["command"][0])
    output = pipeline["output"]
    assert set(made.split()) == {*pipeline["input"]["topics"], output["topic"], output["dead_letter"]}
    assert services["worker"]["command"][-1] == "/pipelines/starter.yaml"


def test_one_version_of_kafka_everywhere() -> None:
    versions = {
        name: set(re.findall(r"(?:apache/kafka:|<version>)(4\.[\d.]+)", (HERE / name).read_text()))
        for name in ("docker-compose.yml", "tests/kafka/choice.py", "tests/kafka/pom.xml")
    }
    assert all(versions.values()), versions
    assert len(set().union(*versions.values())) == 1, versions


def test_hooks_run_the_checks_of_make_lint() -> None:
    recipe = (HERE / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    commands = [command.removesuffix(" .") for command in re.findall(r"\$\(BIN\)/(.+)", recipe)]
    hooks = [hook for repo in _yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert [hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in hooks] == commands


def test_the_design_shows_the_layout_as_it_is() -> None:
    tree = (HERE / "docs/design.md").read_text().split("```\n")[1]
    shown, parent = set(), ""
    for indent, name in re.findall(r"^( {0,2})(\w[\w.]*/?)(?= {2,}\S)", tree, re.MULTILINE):
        parent = parent if indent else name
        shown.add(Path(parent, name) if indent else Path(name))
    for path in shown:
        assert (HERE / path).exists() or (HERE / path).with_suffix(".py").exists(), path
    packages = [HERE / "schemas", HERE / "stream", HERE / "workers"]
    inside = chain.from_iterable(package.iterdir() for package in packages)
    folders = {path.relative_to(HERE) for path in inside if path.is_dir() and (path / "__init__.py").exists()}
    assert folders <= shown


def test_no_merge_is_left_half_done() -> None:
    files = [*HERE.glob("*.*"), *HERE.glob("docs/*.md"), *HERE.glob("examples/*"), *HERE.glob("deploy/**/*.y*ml")]
    texts = {file.name: file.read_text() for file in files if file.suffix in {".md", ".yaml", ".yml", ".toml", ".txt"}}
    assert "CHANGELOG.md" in texts
    assert [name for name, text in texts.items() if re.search(r"^(<{7}|>{7})( |$)", text, re.MULTILINE)] == []
