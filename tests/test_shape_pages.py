"""docs/shapes.md and docs/leaving-perspective.md: their YAML lints, their JSON is right, their commands work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from schemas.answers import OpenAIAnswer, OspreyAction, PerspectiveAnswer
from schemas.pipeline.loader import parse
from schemas.taxonomies import PERSPECTIVE, names, spelled
from tests.rounding import rounded
from tests.workers.tasks.test_moderation import TOXIC, UNBIASED
from workers.cli.main import cli

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text() for name in ("shapes", "leaving-perspective")}
FIRST = re.findall(r"```yaml\n(pipeline:.*?)```", PAGES["leaving-perspective"], re.DOTALL)[0]


def fences(language: str, page: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return [body for name, body in blocks if name == language]


def completed(fence: str) -> str:
    """A pipeline file that has the sections of a fence, and those of the page's first file for the rest."""
    yaml = YAML(typ="safe")
    whole, part = yaml.load(FIRST), yaml.load(fence)
    if "shape" in part.get("output", {}) and "openai" in part["output"]["shape"]:
        whole["tasks"] = [{"name": "safety", "task": "moderation", "model": "m", "taxonomy": "openai"}]
    return json.dumps({**whole, **part})


@pytest.mark.parametrize("page", PAGES)
def test_every_pipeline_of_a_page_lints(page: str) -> None:
    blocks = fences("yaml", page)
    assert blocks
    for block in blocks:
        parse(completed(block), environ={})


def test_the_cases_of_the_page_pass(tmp_path: Path) -> None:
    (cases,) = (block for block in fences("yaml", "leaving-perspective") if block.startswith("tests:"))
    file = tmp_path / "perspective.yaml"
    file.write_text(f"{FIRST}{cases}")
    result = CliRunner().invoke(cli, ["test", str(file)])
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout


def test_the_answers_have_their_shapes() -> None:
    answer, request, moderation, action = map(json.loads, fences("json", "shapes"))
    OspreyAction.model_validate(action, strict=True)
    PerspectiveAnswer.model_validate(answer, strict=True)
    OpenAIAnswer.model_validate(moderation, strict=True)
    text = request["comment"]["text"]
    spans = answer["attributeScores"]["TOXICITY"]["spanScores"]
    assert [text[span["begin"] : span["end"]] for span in spans] == ["You are an idiot.", "Sorry, I like your name."]


def test_the_command_of_the_page_gives_the_answer_of_the_other_page(tmp_path: Path) -> None:
    file = tmp_path / "perspective.yaml"
    file.write_text(FIRST)
    (command,) = (block for block in fences("sh", "leaving-perspective") if block.startswith("glossator try"))
    request = re.search(r"--events '(.*)'", command, re.DOTALL)
    assert request
    shown, asked, *_ = map(json.loads, fences("json", "shapes"))
    assert json.loads(request[1]) == asked
    result = CliRunner().invoke(cli, ["try", "--pipeline", str(file), "--events", json.dumps(asked)])
    assert result.exit_code == 0, result.stderr
    assert rounded(json.loads(result.stdout)) == rounded(shown)


def test_the_notice_of_the_page_is_that_of_lint(tmp_path: Path) -> None:
    file = tmp_path / "perspective.yaml"
    file.write_text(FIRST)
    shown, *_ = fences("", "leaving-perspective")
    result = CliRunner().invoke(cli, ["lint", "--plan", str(file)])
    lines = shown.strip().splitlines()
    assert lines and all(line in result.stderr for line in lines)


def test_the_table_of_labels_is_that_of_the_taxonomy() -> None:
    lines = re.findall(r"^\| `[A-Z_]+` .*$", PAGES["leaving-perspective"], re.MULTILINE)
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[0] for row in rows] == names("perspective")
    starter = ("offensive_language", "hate_speech", "threat", "self_harm")
    for column, labels in enumerate((UNBIASED, TOXIC, starter), 1):
        shown = {row[0]: row[column] for row in rows}
        expected = {PERSPECTIVE[spelled(label)]: label for label in labels if spelled(label) in PERSPECTIVE}
        assert {name: label for name, label in shown.items() if label} == expected


def _anchors(page: str) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", PAGES[page]):
        target = (DOCS / file).read_text() if file else PAGES[page]
        assert not anchor or anchor in _anchors(target), f"{file}#{anchor}"
