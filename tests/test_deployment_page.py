"""The YAML on docs/deployment.md can be used as it is, and the page and the images agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from schemas.pipeline.loader import parse_file
from stream.kafka.checking import client_mistakes
from tests.deploy.chart import HERE, SCHEMA, read

PAGE = (HERE / "docs/deployment.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
YAMLS = [text for language, text in BLOCKS if language == "yaml"]
REST = """
pipeline: p
input: {topics: [posts]}
tasks: [{name: tone, task: sentiment, model: starter}]
output: {topic: out}
"""


def first_key(text: str) -> str:
    return text.partition(":")[0]


KAFKA = [text for text in YAMLS if first_key(text) == "kafka"]
VALUES = [text for text in YAMLS if first_key(text) != "kafka"]


@pytest.mark.parametrize("text", KAFKA, ids=range(len(KAFKA)))
def test_ways_to_reach_kafka_pass_lint(text: str) -> None:
    environment = dict.fromkeys(re.findall(r"\$\{(\w+)", text), "value")
    settings = parse_file(text + REST, "page.yaml", environment, check=client_mistakes).pipeline.kafka
    assert settings["security.protocol"] in {"SSL", "SASL_SSL"}
    assert not re.search(r"(password|secret): (?!\$\{)", text), "secrets come from the environment"


@pytest.mark.parametrize("text", VALUES, ids=range(len(VALUES)))
def test_values_of_the_chart_are_values(text: str) -> None:
    values = YAML(typ="safe").load(text)
    jsonschema.validate(values, SCHEMA)


def test_every_protocol_that_people_ask_for_is_there() -> None:
    for word in ("SCRAM-SHA-512", "ssl.key.location", "oidc", "azure_imds", "aws_iam"):
        assert any(word in text for text in KAFKA), word
    assert any("gpu" in text for text in VALUES)


def rows(heading: str) -> list[str]:
    """Return the first cells of the table with ``heading`` in its first row."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    return [cell.strip(" `") for cell in re.findall(r"^\| (.+?) \|", table[1], re.MULTILINE)]


def test_build_arguments_are_those_of_the_dockerfile() -> None:
    dockerfile = (HERE / "Dockerfile").read_text()
    assert set(rows("Build argument")) == set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))
    (folders,) = re.findall(r"install --directory .*? (/\S+(?: /\S+)*) \\", dockerfile)
    assert {row for row in rows("In the image") if row.startswith("/")} == set(folders.split())
    (port,) = (row.removeprefix("port ") for row in rows("In the image") if row.startswith("port"))
    assert re.findall(r"^EXPOSE (\d+)", dockerfile, re.MULTILINE) == [port]


def test_commands_name_what_is_there() -> None:
    shell = "".join(text for language, text in BLOCKS if language == "sh")
    makefile = (HERE / "Makefile").read_text()
    for target in re.findall(r"^make (\S+)", shell, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for target in re.findall(r"--target (\S+)", shell):
        assert re.search(rf"^FROM \S+ AS {target}$", (HERE / "Dockerfile").read_text(), re.MULTILINE), target
    services: Any = read(HERE / "docker-compose.yml")["services"]
    named = {name for pair in re.findall(r"compose exec (?:-T )?(\S+)|--scale (\w+)=", shell) for name in pair if name}
    assert {"kafka", "worker"} <= named <= services.keys()
    profiles = {profile for service in services.values() for profile in service.get("profiles", ())}
    assert set(re.findall(r"--profile (\w+)", shell)) == profiles
    for path in re.findall(r"deploy/\S+", PAGE):
        assert (HERE / path.rstrip("`.,")).exists(), path


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_links_lead_somewhere(link: str) -> None:
    file, _, anchor = link.partition("#")
    page = (HERE / "docs" / file).read_text() if file else PAGE
    assert Path(HERE / "docs" / file).exists()
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)", page, re.MULTILINE)
    }
    assert not anchor or anchor in anchors
