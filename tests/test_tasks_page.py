"""docs/tasks.md is correct: its entries lint, its annotations have their shapes, its example runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any, cast, get_args

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from schemas.annotations import ANNOTATIONS
from schemas.conditions import Condition
from schemas.document import Document
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import parse
from schemas.pipeline.tasks import AnyTask
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.cli.views.plan import plan_data, plan_lines

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "tasks.md").read_text()
TOPICS = [
    "Conditions", "Ensembles", "How a chain is planned", "Cache", "Long documents", "Texts that a model cannot read",
    "Hot swap", "A task of your own", "Parity",
]  # fmt: skip
OWN = "A task of your own"
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TASKS = [name for model in get_args(get_args(AnyTask)[0]) for name in get_args(model.model_fields["task"].annotation)]
# Entries refer to tasks that the page has introduced before.
NER = "- {name: entities, task: ner, model: starter}\n"
NAMED: Any = TypeAdapter(cast(Any, EnrichedEvent.model_fields["annotations"].annotation))


def _fences(language: str, text: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [body for name, body in blocks if name == language]


def _entries(fence: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = YAML(typ="safe").load(fence)
    return entries


def _pipeline(fence: str) -> Pipeline:
    has_ner = any(entry["name"] == "entities" for entry in _entries(fence))
    tasks = indent(("" if has_ner else NER) + fence, "  ")
    head = "pipeline: page\nkafka: {bootstrap.servers: 'localhost:9092'}\ninput: {topics: [posts]}\n"
    return parse(f"{head}tasks:\n{tasks}\noutput: {{topic: posts.enriched}}\n", environ={})


def _tasks_of(heading: str) -> list[str]:
    return ["custom"] if heading == OWN else heading.split(", ")


def _annotated(heading: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], str | None]]:
    """Yield the entries of a section's YAML with their annotations and, if given, their texts."""
    entries = {entry["name"]: entry for fence in _fences("yaml", SECTIONS[heading]) for entry in _entries(fence)}
    shown = re.findall(
        r"(?:^For `([^`]+)`[^:]*:\n\n)?^```json\n(.*?)^```$", SECTIONS[heading], re.MULTILINE | re.DOTALL
    )
    for text, fence in shown:
        for name, annotation in json.loads("{" + fence + "}").items():
            yield entries[name], annotation, text or None


def _spans(value: Any) -> Iterator[dict[str, Any]]:
    """Yield everything within ``value`` that has a position in the text."""
    if isinstance(value, dict):
        if "start" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _spans(entry)


def test_every_task_has_a_section_and_every_section_is_a_task_or_a_topic() -> None:
    assert TASKS
    names = [name for heading in SECTIONS if heading not in TOPICS for name in _tasks_of(heading)]
    assert sorted([*names, "custom"]) == sorted(TASKS)
    assert [heading for heading in SECTIONS if heading in TOPICS] == TOPICS


def test_the_table_names_every_task_once() -> None:
    table = PAGE.split("\n## ")[0]
    assert sorted(re.findall(r"^\| \[`([a-z-]+)`\]", table, re.MULTILINE)) == sorted(TASKS)


@pytest.mark.parametrize("heading", [heading for heading in SECTIONS if _fences("yaml", SECTIONS[heading])])
def test_every_entry_lints(heading: str) -> None:
    for fence in _fences("yaml", SECTIONS[heading]):
        _pipeline(fence)


@pytest.mark.parametrize("heading", [heading for heading in SECTIONS if heading not in TOPICS or heading == OWN])
def test_every_task_is_shown_with_its_annotation(heading: str) -> None:
    shown = list(_annotated(heading))
    assert {entry["task"] for entry, _, _ in shown} & set(_tasks_of(heading))
    for entry, annotation, text in shown:
        shape = ANNOTATIONS.get(entry["task"])
        if shape is not None:
            shape.model_validate(annotation, strict=True)
        NAMED.validate_python({entry["name"]: annotation})
        for span in _spans(annotation):
            assert text is not None
            assert text[span["start"] : span["end"]] == span.get("text", span.get("aspect"))
        for scored in (annotation, *annotation.get("aspects", ()), *annotation.get("hypotheses", ())):
            if "scores" in scored:
                assert scored["score"] == max(scored["scores"].values()) == scored["scores"][scored["label"]]


def test_annotations_without_a_foreign_model_are_what_this_version_writes() -> None:
    shown = [
        entry
        for heading in SECTIONS
        if heading not in TOPICS
        for entry in _annotated(heading)
        if entry[0].get("model", "starter") == "starter" and "window" not in entry[0]
    ]
    assert len(shown) >= 7
    chain = Chain.load(pipeline(*(entry for entry, _, _ in shown), compute={"forward_tokens": 1024}))
    documents = [Document(None, text) for _, _, text in shown if text]
    chain.run(documents)
    for (entry, annotation, _), document in zip(shown, documents, strict=True):
        assert _close(document.annotations[entry["name"]], annotation), entry["name"]


def _close(value: Any, expected: Any) -> bool:
    """Equal except for rounding, which may differ between processors; int8 numbers may differ by one."""
    if isinstance(value, dict):
        return value.keys() == expected.keys() and all(_close(value[key], expected[key]) for key in value)
    if isinstance(value, list):
        return len(value) == len(expected) and all(map(_close, value, expected))
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value - expected) <= 1
    return value == pytest.approx(expected, abs=1e-3) if isinstance(value, float) else bool(value == expected)


def test_every_section_says_what_leads_to_a_dead_letter_and_where_it_is_from() -> None:
    for heading, body in SECTIONS.items():
        if heading not in TOPICS:
            assert re.search(r"^Dead letters", body, re.MULTILINE), heading
            assert re.search(r"^Source: ", body, re.MULTILINE), heading


def test_conditions_mean_what_the_page_says() -> None:
    undecided: dict[str, Any] = {"tongue": {}, "topic": "alerts", "text": "\N{THUMBS UP SIGN}"}
    for source, holds in [
        ('tongue.label != "en"', False),
        ('!(tongue.label == "en")', False),
        ("has(tongue.label)", False),
        ("!has(tongue.label)", True),
        ('topic == "alerts" || tongue.label == "en"', True),
        ("size(text) == 1", True),
    ]:
        condition = Condition(source)
        assert condition({name: undecided[name] for name in condition.names}) is holds, source


def test_the_plan_is_the_one_that_lint_shows() -> None:
    (fence,) = _fences("yaml", SECTIONS["How a chain is planned"])
    (shown,) = _fences("", SECTIONS["How a chain is planned"])
    file = _pipeline(fence)
    assert "\n".join(plan_lines(plan_data(file, Chain.load(file)))) + "\n" == shown


def test_the_task_of_ones_own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = _fences("python", SECTIONS[OWN])
    (fence,) = _fences("yaml", SECTIONS[OWN])
    (entry,) = _entries(fence)
    module, _ = entry["use"].split(":")
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    classifier = {"model": str(tiny.checkpoint("bert", "sequence"))}
    chain = Chain.load(pipeline(entry | classifier, {"name": "tone", "task": "text-classification", **classifier}))
    document = Document(None, "the quick brown fox")
    chain.run([document])
    assert document.failure is None
    doubt, scores = document.annotations["doubt"]["custom"], document.annotations["tone"]["scores"]
    _, second, best = sorted(scores.values())
    assert doubt["margin"] == pytest.approx(best - second, abs=2e-6)
    assert doubt["doubtful"] == (best - second < entry["options"]["least"])
    assert len(chain.stages) == 1


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_to_this_page_and_from_it_find_their_places() -> None:
    links = 0
    for page in DOCS.glob("*.md"):
        for target, anchor in re.findall(r"\]\(([\w./-]*\.md)?#([\w-]+)\)", page.read_text()):
            linked = DOCS / target if target else page
            if "tasks.md" in (page.name, linked.name):
                assert anchor in _anchors(linked), f"{page.name}: {target}#{anchor}"
                links += 1
    assert links > len(TASKS)


def test_the_parity_table_has_its_place() -> None:
    assert re.search(r"<!-- parity:begin -->\n.*<!-- parity:end -->", SECTIONS["Parity"], re.DOTALL)
