"""Ensembles in a chain: a cascade reads only what is doubtful, and members may be missing, cached or replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.document import Document
from schemas.errors import ModelError
from schemas.event import EnrichedEvent
from stream.output.event_builder import EventBuilder
from tests.workers import tiny
from tests.workers.chain.test_chain import TEXTS, close, sizes
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.chain.trial import check, labels
from workers.cli.main import cli

CATEGORIES = ("insult", "threat", "spam")


def model(seed: int, names: tuple[str, ...] = CATEGORIES) -> str:
    """A checkpoint on a trunk of its own."""
    kind = {"problem_type": "multi_label_classification"}
    return str(tiny.checkpoint("bert", "sequence", seed, names, trunk=seed, **kind))


def quick(**more: Any) -> dict[str, Any]:
    return {"name": "quick", "task": "moderation", "model": model(21), "taxonomy": "model", **more}


def careful(**more: Any) -> dict[str, Any]:
    return {"name": "careful", "task": "moderation", "model": model(22), "taxonomy": "model", **more}


def both(rule: str = "last", **more: Any) -> dict[str, Any]:
    return {"name": "both", "task": "moderation", "ensemble": {"of": ["quick", "careful"], "rule": rule}, **more}


def annotated(chain: Chain, texts: list[str] = TEXTS) -> list[dict[str, Any]]:
    documents = [Document(None, text) for text in texts]
    chain.run(documents)
    assert not any(document.failure for document in documents)
    return [document.annotations for document in documents]


def doubtful(texts: list[str] = TEXTS) -> str:
    """A condition that is true for some of the texts."""
    highest = sorted(made["quick"]["labels"][0]["score"] for made in annotated(Chain.load(pipeline(quick())), texts))
    return f"quick.labels[0].score > {highest[len(highest) // 2]}"


def test_a_cascade_reads_only_the_doubtful_texts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # The ensemble is first in the file, so that it comes before what it needs.
    chain = Chain.load(pipeline(both(), careful(when=doubtful()), quick()))
    check(chain.plan, chain.stages)
    assert [(stage.level, list(stage.tasks)) for stage in chain.stages] == [(0, ["quick"]), (1, ["careful"])]
    forwards = sizes(chain, monkeypatch)
    made = annotated(chain)
    read = [sum(map(len, forwards[:1])), sum(map(len, forwards[1:]))]
    assert read[0] >= len(TEXTS) > read[1] > 0
    assert 0 < sum("careful" in each for each in made) < len(TEXTS)
    for each in made:
        assert next(iter(each)) == "both"
        assert each["both"] == each.get("careful", each["quick"])


@pytest.mark.parametrize("rule", ["max", "mean", "last"])
def test_the_cache_changes_nothing(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [quick(), careful(when=doubtful()), both(rule)]
    plain = annotated(Chain.load(pipeline(*tasks)))
    chain = Chain.load(pipeline(*tasks, compute={"cache": 100}))
    for _ in range(3):
        assert close(annotated(chain), plain)
    forwards = sizes(chain, monkeypatch)
    assert close(annotated(chain), plain)
    assert forwards == []


def test_a_hot_swap_replaces_a_member() -> None:
    before = Chain.load(pipeline(quick(), careful(), both("mean"), compute={"cache": 100}))
    old = annotated(before)
    swapped = pipeline(quick(), careful(model=model(23)), both("mean"), compute={"cache": 100})
    after = Chain.load(swapped, before=before)
    after.take_over()
    fresh = Chain.load(swapped)
    assert close(annotated(after), annotated(fresh))
    assert not close(annotated(after), old)


def test_without_any_member_there_is_no_annotation_and_conditions_see_that() -> None:
    chain = Chain.load(pipeline(
        quick(when="size(text) > 8"), careful(when="size(text) > 12"), both("max"),
        {"name": "then", "task": "moderation", "model": model(24), "when": "both.labels[0].score >= 0.0"},
    ))  # fmt: skip
    short, longer, longest = annotated(chain, ["short", "some words", "some more words"])
    assert list(short) == []
    assert list(longer) == ["quick", "both", "then"]
    assert list(longest) == ["quick", "careful", "both", "then"]
    assert chain.stages[-1].level == 1


def test_it_may_have_a_condition_of_its_own() -> None:
    chain = Chain.load(pipeline(quick(), careful(), both(when="quick.labels[0].score < 0.0")))
    assert all("both" not in made for made in annotated(chain))


def test_a_member_that_left_its_annotation_out_did_not_run() -> None:
    tasks = [quick(unknown_text="leave_out", max_unknown=0.3), careful(), both("max")]
    (made,) = annotated(Chain.load(pipeline(*tasks)), ["\N{ETHIOPIC SYLLABLE SA} \N{ETHIOPIC SYLLABLE LAA}"])
    assert "quick" not in made
    assert made["both"] == made["careful"]


def test_the_event_has_it_and_the_package_as_its_model() -> None:
    loaded = pipeline(quick(), careful(), both("mean"))
    chain = Chain.load(loaded)
    document = Document(None, TEXTS[0], b"{}", fields={})
    chain.run([document])
    event = EnrichedEvent.model_validate_json(EventBuilder(loaded, chain.models).build(document))
    assert event.models["both"].model == "glossator.ensemble"
    assert list(event.annotations) == ["quick", "careful", "both"]


def test_its_labels_are_known_to_conditions_and_cases() -> None:
    chain = Chain.load(pipeline(quick(), careful(model=model(25, ("insult", "rude"))), both()))
    assert labels(chain.plan, chain.stages)["both"] == ["insult", "threat", "spam", "rude"]


def test_members_that_do_not_fit_are_reported_at_the_ensemble(tmp_path: Path) -> None:
    tasks = [quick(), careful(model=model(26, ("rude",))), both("mean")]
    with pytest.raises(ModelError, match='task "both": "quick" shares no label'):
        Chain.load(pipeline(*tasks))
    file = tmp_path / "p.yaml"
    file.write_text(json.dumps({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["a"]},
        "tasks": tasks, "output": {"topic": "b"},
    }))  # fmt: skip
    result = CliRunner().invoke(cli, ["lint", "--plan", str(file)])
    assert result.exit_code == ModelError.exit_status
    assert "tasks[2].ensemble: " in result.stderr
    assert "rule: mean needs labels in common" in result.stderr
