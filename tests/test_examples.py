"""Every file of examples/, unmodified, with the tiny models of ``tests/hub.py`` instead of those it names."""

from __future__ import annotations

import logging
import math
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from click.testing import CliRunner, Result
from huggingface_hub import constants

from schemas.annotations import ANNOTATIONS
from schemas.errors import ModelError
from schemas.labels import ENTITIES
from schemas.pipeline.loader import load
from schemas.pipeline.tasks import CustomTask
from tests import examples, hub
from tests.examples import (
    DOZEN,
    ENGLISH,
    EXAMPLES,
    OTHERS,
    annotated,
    comment,
    decoded,
    events,
    loaded,
    places,
    said,
)
from tests.workers.chain.test_chain import close, sizes
from workers.chain.chain import Chain
from workers.cli.main import cli
from workers.cli.views.plan import plan_data
from workers.encoder.reading import HeadInfo
from workers.tasks.pos import UNIVERSAL
from workers.tasks.registry import task_class

every_example = pytest.mark.parametrize("name", EXAMPLES)


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with examples.place(tmp_path_factory.mktemp("examples")):
        yield


def run_cli(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.stderr
    return result


def test_the_hub_has_the_models_that_the_examples_name_and_no_others() -> None:
    named = {task.model for name in EXAMPLES for task in load(EXAMPLES[name]).tasks}
    assert named - {None, "starter", os.environ["COREFERENCE_MODEL"]} == hub.MODELS.keys()


@every_example
def test_lint_finds_no_mistake_and_gives_notice_of_models_that_are_not_pinned(name: str) -> None:
    result = run_cli("lint", f"examples/{name}.yaml")
    hub_models = {task.model for task in load(EXAMPLES[name]).tasks if task.model in hub.MODELS}
    assert result.stdout.startswith(f"examples/{name}.yaml: ok\n")
    notices = result.stderr.splitlines()
    if name == "pii-redaction":
        assert "no task reads fields outside input.text, headers" in notices.pop(0)
    assert len(notices) == len(hub_models)
    assert all(notice.endswith("set revision: to a commit (notice)") for notice in notices)


@every_example
def test_the_plan_names_every_task_with_the_model_it_got(name: str) -> None:
    plan = plan_data(*loaded(name))
    planned = [task for stage in plan["stages"] for task in stage["tasks"]] + plan["without_forward"]
    expected = {
        task.name: (task.model, hub.commit(task.model)[:12])
        for task in load(EXAMPLES[name]).tasks
        if task.model in hub.MODELS
    }
    made = {task["name"]: (task["model"], task["revision"]) for task in planned}
    assert expected.items() <= made.items()
    assert len(made) == len(load(EXAMPLES[name]).tasks)


@every_example
def test_a_dozen_events_as_the_comment_describes_them_are_enriched(name: str) -> None:
    tasks = loaded(name).pipeline.tasks
    several = len(loaded(name).pipeline.input.paths)
    for event, text in zip(annotated(name, DOZEN), DOZEN, strict=True):
        if loaded(name).pipeline.output.text != "redacted":
            assert event["text"] == "\n\n".join([text] * several)
        wanted = {task.name for task in tasks if task.when is None}
        assert wanted <= event["annotations"].keys() <= {task.name for task in tasks}
        for task in tasks:
            made = event["annotations"].get(task.name)
            if made is not None and task.task in ANNOTATIONS:
                ANNOTATIONS[task.task].model_validate(made, strict=True)
            for place in places(made):
                assert event["text"][place["start"] : place["end"]] == place["text"]
                assert ("field" in place) == (several > 1)


@every_example
def test_a_bad_event_fails_with_a_reason_and_its_neighbours_do_not(name: str) -> None:
    good = events(name, ENGLISH[:2])
    (bad,) = events(name, ["heliotrope"])
    # The last field that the comment names: the text, or the one that is read with it.
    field = list(bad)[-1]
    del bad[field]
    if loaded(name).pipeline.input.several:
        bad.clear()
    before, failed, after = documents = decoded(name, [good[0], bad, good[1]])
    loaded(name).chain.run(documents)
    assert before.failure is after.failure is None
    assert failed.failure is not None
    assert failed.failure.stage in {"decode", "fields"}
    assert f"$.{field}" in failed.failure.message
    assert "heliotrope" not in failed.failure.message
    if name != "similarity":  # which remembers earlier events
        alone = decoded(name, good)
        loaded(name).chain.run(alone)
        assert close([before.annotations, after.annotations], [document.annotations for document in alone])


@pytest.mark.slow
@every_example
def test_the_commands_in_the_comment_run(name: str) -> None:
    # A command is indented; environment variables may precede it, and an explanation may follow after some spaces.
    commands = re.findall(r"^ {3}(?:\w+=\w+ )?glossator (.+?)(?: {3,}.*)?$", comment(name), re.MULTILINE)
    for command in commands:
        verb, *arguments = shlex.split(command)
        assert f"examples/{name}.yaml" in arguments
        if verb != "run":
            run_cli(verb, *arguments)
    assert f"glossator run examples/{name}.yaml" in comment(name)
    assert len(commands) >= 2


@pytest.mark.slow
def test_without_cuda_the_log_says_that_there_is_no_flash_attention(caplog: pytest.LogCaptureFixture) -> None:
    for name, file in EXAMPLES.items():
        caplog.clear()
        with caplog.at_level(logging.INFO, "glossator"):
            Chain.load(load(file))
        logged = [record.message for record in caplog.records]
        assert [("flash" in line, "CPU" in line) for line in logged] == [(True, True)] * (name == "classification")


def test_a_document_of_thousands_of_tokens_is_one_sequence_for_modernbert() -> None:
    (stage,) = loaded("classification").chain.stages
    (windows,) = stage.tokenization.encode([ENGLISH[3] * 5])
    assert isinstance(windows, list)
    assert [len(window) > 3000 for window in windows] == [True]


def test_the_support_desk_reads_english_tickets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = loaded("support-desk").chain
    forwards = sizes(chain, monkeypatch)
    assert [event["annotations"].keys() for event in annotated("support-desk", OTHERS)] == [{"language"}] * len(OTHERS)
    assert [language["label"] for language in said("support-desk", "language", OTHERS)] == ["de", "fr", "es", "de"]
    assert forwards == []
    for event in annotated("support-desk", ENGLISH):
        made = event["annotations"]
        assert list(made) == ["language", "tone", "subject", "demands", "facts"]
        assert made["language"]["label"] == "en"
        assert made["tone"]["scores"].keys() == {"negative", "positive"}
        assert made["subject"]["scores"].keys() == {"billing", "delivery", "a technical problem", "praise"}
        assert [
            hypothesis["label"] in {"entailment", "not_entailment"} for hypothesis in made["demands"]["hypotheses"]
        ] == [True] * 2
        assert len(made["facts"]["answers"]) == 3
    assert forwards


def test_the_support_desk_holds_and_runs_a_model_that_two_tasks_name_once() -> None:
    plan = plan_data(*loaded("support-desk"))
    assert [[task["name"] for task in stage["tasks"]] for stage in plan["stages"]] == [
        ["tone"], ["subject", "demands"], ["facts"],
    ]  # fmt: skip
    assert len(plan["trunks"]) == 3
    assert plan["forwards"] == [0, 3]


def test_each_task_speaks_in_the_words_that_its_comment_promises() -> None:
    assert {annotation["label"] for annotation in said("sentiment", "tone")} <= {"negative", "positive"}
    entities = [span["label"] for annotation in said("ner", "entities") for span in annotation["spans"]]
    assert entities
    assert set(entities) <= {*ENTITIES.values(), "MISC"}
    findings = [
        span["label"] for annotation in said("token-classification", "findings") for span in annotation["spans"]
    ]
    assert set(findings) == {"DISEASE"}
    assert {label["label"] for annotation in said("moderation", "safety") for label in annotation["labels"]} == {
        "toxicity", "severe_toxicity", "profanity", "violence", "harassment", "hate",
    }  # fmt: skip
    assert {span["label"] for annotation in said("pos", "grammar") for span in annotation["spans"]} <= UNIVERSAL
    assert [annotation["aspect"] for annotation in said("aspect-sentiment", "opinions")[0]["aspects"]] == [
        "food", "service", "price",
    ]  # fmt: skip
    assert said("nli", "verdict")[0]["scores"].keys() == {"entailment", "neutral", "contradiction"}
    assert len(said("classification", "subject")[0]["scores"]) == 26
    assert len(said("question-answering", "facts")[0]["answers"][0]["alternatives"]) == 3
    assert math.hypot(*said("embedding", "vector")[0]["vector"]) == pytest.approx(1, abs=1e-3)
    languages = [annotation["label"] for annotation in said("language", "language", [*OTHERS, "???"])]
    assert languages == ["de", "fr", "es", "de", "und"]


def test_personal_data_is_found_by_patterns_of_ours_and_of_the_file() -> None:
    spans = said("pii", "personal", [ENGLISH[4]])[0]["spans"]
    texts = {span["label"]: span["text"] for span in spans if span["label"] not in {"PERSON", "LOCATION"}}
    assert texts == {
        "EMAIL_ADDRESS": "anna@example.org", "IBAN_CODE": "DE89 3704 0044 0532 0130 00", "CUSTOMER_NUMBER": "K-204817",
    }  # fmt: skip
    nearby, alone = said("pii", "personal", ["My account is 204817.", "It took 204817 steps."])
    assert [span["text"] for span in nearby["spans"] if span["label"] == "CUSTOMER_NUMBER"] == ["204817"]
    assert not [span for span in alone["spans"] if span["label"] == "CUSTOMER_NUMBER"]


def test_a_post_that_comes_again_is_a_duplicate_of_the_first() -> None:
    first, other, again = annotated("similarity", ["A quick brown fox", "Москва and 東京", "A quick brown fox"])
    assert again["annotations"]["again"] == {"duplicate_of": first["id"], "score": pytest.approx(1)}
    assert other["annotations"]["again"]["duplicate_of"] != again["id"]


def test_the_custom_task_says_the_mean_of_the_stars() -> None:
    name = "nlptown/bert-base-multilingual-uncased-sentiment"
    folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" / "snapshots" / hub.commit(name)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    encoded = transformers.AutoTokenizer.from_pretrained(folder)(ENGLISH[0], return_tensors="pt")
    with torch.inference_mode():
        row = model(**encoded).logits.softmax(-1)[0].double()
    stars = torch.arange(1.0, 6.0, dtype=torch.float64)
    mean = float(row @ stars)
    spread = float(row @ (stars - mean) ** 2) ** 0.5
    (made,) = said("custom", "rating", ENGLISH[:1])
    assert made["custom"] == {
        "stars": pytest.approx(mean, abs=0.006), "spread": pytest.approx(spread, abs=0.006), "low": mean < 2.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "labels", "says"),
    [
        ({"lo": 2}, ("1 star", "2 stars"), '"low"'),
        ({"low": "two"}, ("1 star", "2 stars"), '"low"'),
        (None, ("NEGATIVE", "POSITIVE"), "NEGATIVE"),
    ],
)
def test_the_custom_task_refuses_what_does_not_fit(
    options: dict[str, Any] | None, labels: tuple[str, ...], says: str
) -> None:
    config = CustomTask.model_validate({"name": "x", "task": "custom", "use": "custom_task:Stars", "options": options})
    with pytest.raises(ModelError, match=says):
        task_class(config)(config, HeadInfo(labels))
