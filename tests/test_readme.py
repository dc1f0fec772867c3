"""What the README shows is true of the code beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
from click.testing import CliRunner

from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.output.event_builder import EventBuilder
from tests.rounding import rounded
from workers.chain.chain import Chain
from workers.cli.main import cli
from workers.models.packs import STARTER_FOLDER, HeadPack

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EVENT_PAGE, SEVERAL = (ROOT / "docs" / "event.md").read_text().split("### Several texts")


def _block(language: str, page: str = README) -> str:
    """The first block of the language on the page."""
    block, *_ = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
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


def test_the_event_is_what_the_product_prints() -> None:
    pipeline, event = parse(_block("yaml"), environ={}), json.loads(_block("json"))
    source, value = event["source"], json.dumps(event["event"]).encode()
    record = Record(
        Assignment(source["topic"], source["partition"]), source["offset"], source["key"].encode(), value, None,
        source["timestamp_ms"],
    )  # fmt: skip
    chain = Chain.load(pipeline)
    document = codec(pipeline.input).decode(record)
    chain.run([document])
    printed = EventBuilder(pipeline, chain.models).build(document)
    assert json.loads(printed) == rounded(event)
    tone = event["annotations"]["tone"]["scores"]
    second, best = sorted(tone.values())[-2:]
    assert best - second > 0.3, "the example is no coin toss"


CASES = """
tests:
  - name: a name is redacted wherever it is
    record:
      key: u77
      value: {body: Angela Merkel loves the wonderful coffee., author: Angela Merkel, by: By Angela Merkel}
    expect:
      routes: [audit]
      nowhere: [Merkel, u77]
      outputs:
        posts.clean: {text: <PERSON_1> loves the wonderful coffee., event: {by: By <PERSON_1>}}
        posts.audit: {text: null, event: null}
  - name: a flagged post keeps its text for people
    text: I will kill you, you stupid idiot.
    expect:
      routes: [audit, posts.review]
      outputs: {posts.clean: null, posts.review: {text: {contains: kill you}}}
"""


def test_routes_and_redaction_do_what_is_said(tmp_path: Path) -> None:
    base, section = _block("yaml").split("output:")[0], README.split("## Routes and redaction")[1]
    (tmp_path / "social.yaml").write_text(base + _block("yaml", section))
    (tmp_path / "social.test.yaml").write_text(CASES)
    environ = {"GLOSSATOR_HASH_KEY": "ab" * 32}
    ran = CliRunner().invoke(cli, ["test", str(tmp_path / "social.yaml")], env=environ)
    assert ran.exit_code == 0, ran.output


def test_the_event_of_several_texts_is_what_the_product_prints() -> None:
    paths = re.search(r"`text: (\[.*?\])`", SEVERAL)
    assert paths
    expected = json.loads(_block("json", SEVERAL))
    pipeline = parse(_block("yaml").replace("text: $.body", f"text: {paths[1]}"), environ={})
    chain = Chain.load(pipeline)
    record = Record(Assignment("in", 0), 0, None, json.dumps(expected["event"]).encode())
    document = codec(pipeline.input).decode(record)
    chain.run([document])
    printed = json.loads(EventBuilder(pipeline, chain.models).build(document))
    printed["annotations"] = {"entities": printed["annotations"]["entities"]}
    assert {key: printed[key] for key in expected} == rounded(expected)


def test_all_pages_show_the_same_event_and_sentence() -> None:
    event = json.loads(_block("json"))
    assert _block("json", EVENT_PAGE) == _block("json")
    assert f'glossator try "{event["text"]}"' in README
    for page in ("README.md", "docs/event.md", "docs/training.md", "docs/operations.md", "docs/pipeline-file.md"):
        assert ".venv/bin/glossator" not in (ROOT / page).read_text()


def test_every_link_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
