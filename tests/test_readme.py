"""What the README shows is true of the code beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from workers.models.packs import STARTER_FOLDER, HeadPack

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def _block(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(block)


def test_the_pipeline_file_can_be_run_and_the_event_is_what_it_writes() -> None:
    pipeline = parse(_block("yaml"), environ={})
    event = json.loads(_block("json"))
    jsonschema.validate(event, json.loads((ROOT / "schemas" / "event.schema.json").read_text()))
    assert event["pipeline"] == {"name": pipeline.pipeline, "config": config_hash(pipeline)}
    assert list(event["annotations"]) == [task.name for task in pipeline.tasks]
    for span in event["annotations"]["entities"]["spans"]:
        assert event["text"][span["start"] : span["end"]] == span["text"]
    revisions = {
        task: head["sha256"][:12]
        for head in HeadPack.open("starter", STARTER_FOLDER).manifest["heads"].values()
        for task in head["tasks"]
    }
    assert event["models"] == {
        task.name: {"model": "starter", "revision": revisions[task.task]} for task in pipeline.tasks
    }


def test_every_link_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
