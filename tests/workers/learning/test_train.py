"""Training on labelled texts gives a pack that a pipeline can use, on the forward of the starter."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.progress import Progress

from schemas.document import Document
from schemas.errors import LabelsError, ModelError, OutputError
from schemas.pipeline.config import Compute, Pipeline
from tests.workers import tiny
from workers.chain.chain import Chain
from workers.learning.card import Result, card, suggested_taxonomy
from workers.learning.examples import Example, Labelled
from workers.learning.fit import new_head
from workers.learning.loading import Sources
from workers.learning.measuring import annotate, load_baseline
from workers.learning.metrics import Metric
from workers.learning.rows import Row
from workers.learning.scores import wilson
from workers.learning.states import POOLING, Adapting, Kept
from workers.learning.train import Options, _choose_transitions, train
from workers.learning.trunks import make_windows, open_trunk
from workers.learning.writing import beside, objection

PARTS = ("rotor", "valve", "pump", "gasket")


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def toned(folder: Path, count: int = 160) -> Path:
    words = ("pleasant", "lovely", "splendid"), ("dreadful", "nasty", "horrible")
    rows = [
        {"text": f"Lamp {n} is {words[n % 2][n % 3]}.", "label": ("positive", "negative")[n % 2]} for n in range(count)
    ]
    return write(folder / "toned.jsonl", rows)


def parts(folder: Path) -> Path:
    rows = []
    for number in range(120):
        part = PARTS[number % len(PARTS)]
        rows.append({"text": f"the {part} {number}", "spans": [{"start": 4, "end": 4 + len(part), "label": "PART"}]})
    return write(folder / "parts.jsonl", rows)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(options: Options) -> Result:
    with Progress(disable=True) as progress:
        return train(options, progress)


def pipeline(**models: tuple[str, str]) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "test", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "output": {"topic": "out"},
        "tasks": [
            {"name": name, "task": task, "model": model} for name, (task, model) in models.items()
        ],
    })  # fmt: skip


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("trained")
    return folder / "pack", run(Options(Sources(toned(folder)), "sentiment", folder / "pack"))


def test_a_rule_is_learnt_and_measured(pack: tuple[Path, Result]) -> None:
    folder, result = pack
    scores = {metric.name: metric for metric in result.metrics}
    assert scores["accuracy"].value == 1.0
    assert {metric.name for metric in result.baseline} == scores.keys()
    assert sorted(path.name for path in folder.iterdir()) == ["card.md", "glossator.json", "head.safetensors"]
    card = (folder / "card.md").read_text()
    low, high = wilson(len(result.parts["test"]), len(result.parts["test"]))
    assert f"| accuracy | 1.000 [{low:.3f}, {high:.3f}] | " in card and "Lamp" not in card


def test_the_pack_tells_how_dev_and_test_were_annotated(pack: tuple[Path, Result]) -> None:
    folder, result = pack
    texts = [*result.parts["dev"], *result.parts["test"]]
    reference = Chain.load(pipeline(mine=("sentiment", str(folder)))).references["mine"]
    assert reference is not None
    assert reference["events"] == len(texts) == sum(sum(bins["counts"]) for bins in reference["scores"].values())
    assert reference["labels"] == Counter(label for example in texts for label in example.labels)
    assert "Lamp" not in (folder / "glossator.json").read_text()


def test_it_shares_the_starter_s_forward(pack: tuple[Path, Result]) -> None:
    chain = Chain.load(
        pipeline(mine=("sentiment", str(pack[0])), tone=("sentiment", "starter"), who=("ner", "starter"))
    )
    assert len(chain.stages) == 1
    documents = [Document(None, "This lamp is lovely."), Document(None, "The pump is nasty.")]
    chain.run(documents)
    assert [document.annotations["mine"]["label"] for document in documents] == ["positive", "negative"]


def test_the_same_seed_gives_the_same_files(pack: tuple[Path, Result], tmp_path: Path) -> None:
    run(Options(Sources(toned(tmp_path)), "sentiment", tmp_path / "pack"))
    assert contents(tmp_path / "pack") == contents(pack[0])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_adapter_and_another_one_another(tmp_path: Path) -> None:
    trunk = str(tiny.checkpoint("bert", "sequence"))
    made = [Options(Sources(parts(tmp_path)), "ner", tmp_path / f"{n}", trunk, True, seed=n // 2) for n in range(3)]
    for options in made:
        run(options)
    first, again, other = (contents(options.out) for options in made)
    del first["card.md"], again["card.md"]
    assert first == again
    assert first["adapter.safetensors"] != other["adapter.safetensors"]
    assert first["head.safetensors"] != other["head.safetensors"]


@pytest.mark.slow
def test_the_starter_is_measured_where_it_knows_the_labels(tmp_path: Path) -> None:
    """Neutral is a polarity like the others; it means "nothing found" only for moderation."""
    words = {"positive": "splendid", "neutral": "brown", "negative": "horrible"}
    rows = [{"text": f"Lamp {n} is {words[label]}.", "label": label} for n in range(60) for label in words]
    result = run(Options(Sources(write(tmp_path / "three.jsonl", rows)), "sentiment", tmp_path / "pack"))
    assert {metric.name for metric in result.baseline} == {metric.name for metric in result.metrics}
    assert "F1 neutral" in {metric.name for metric in result.baseline}


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        (("harassment", "hate"), None),
        (("TOXICITY", "IDENTITY_ATTACK"), None),
        (("offensive_language", "hate_speech"), None),
        (("harassment", "spam"), "spam"),
        (("spam", "fraud"), "fraud, spam"),
    ],
    ids=["standard", "perspective", "the model's own", "one unknown", "all unknown"],
)
def test_a_moderation_is_compared_under_the_names_that_its_annotations_have(
    labels: tuple[str, ...], missing: str | None
) -> None:
    if missing == "fraud, spam":
        with pytest.raises(ModelError, match=r"^its head does not give fraud, spam$"):
            load_baseline("starter", "moderation", labels, "cpu")
        return
    chain, lacks = load_baseline("starter", "moderation", labels, "cpu")
    assert lacks == ({missing} if missing else set())
    ((annotation,),) = annotate(chain, [Example(Row(1, "a:1", {}), "You are an idiot.")], lambda _: None)
    assert {entry["label"] for entry in annotation["labels"]} >= set(labels) - lacks


@pytest.mark.parametrize("adapt", [pytest.param(False, marks=pytest.mark.slow), True])
def test_names_are_learnt_on_any_trunk(adapt: bool, tmp_path: Path) -> None:
    trunk = tiny.checkpoint("bert", "sequence")
    file = parts(tmp_path)
    result = run(Options(Sources(file), "ner", tmp_path / "pack", trunk=str(trunk), adapt=adapt))
    assert (tmp_path / "pack" / "adapter.safetensors").exists() == adapt
    assert {metric.name: metric.value for metric in result.metrics}["span F1"] > 0.9
    chain = Chain.load(pipeline(mine=("ner", str(tmp_path / "pack"))))
    document = Document(None, "the valve 7")
    chain.run([document])
    assert [(span["text"], span["label"]) for span in document.annotations["mine"]["spans"]] == [("valve", "PART")]


@pytest.mark.parametrize(("with_them", "kept"), [(0.7, True), (0.56, True), (0.54, False), (math.nan, True)])
def test_transitions_are_kept_unless_dev_loses_more_than_a_standard_error_by_them(
    with_them: float, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Result(
        tmp_path, "starter", False, Labelled("ner", ("PART",), [], 0, 0), {"train": [], "dev": [], "test": []}
    )
    without = Metric("span F1", 0.6, 0.5, 0.696)
    result.aggregation = "simple"
    head = new_head(["O", "B-PART", "I-PART"], 2, 4, kind="token", aggregation="simple")
    learnt, saved = torch.eye(3), list[torch.Tensor | None]()
    monkeypatch.setattr(
        "workers.learning.measuring.best_aggregation", lambda *_: ("max", without._replace(value=with_them))
    )
    options = Options(Sources(tmp_path), "ner", tmp_path)
    _choose_transitions(
        options, result, head, tmp_path, learnt=learnt, without=without, save=lambda: saved.append(head.transitions)
    )
    assert saved == [learnt]  # measured from the written pack
    assert (head.transitions is learnt, head.aggregation) == ((True, "max") if kept else (False, "simple"))
    assert ("dev lost by it" in card(result)) != kept


@pytest.mark.slow
def test_several_labels_a_text(tmp_path: Path) -> None:
    rude, odd = ("awful", "fine"), ("banana", "lamp")
    rows = [
        {
            "text": f"{number} {rude[number % 2]} {odd[number // 2 % 2]}",
            "labels": ["harassment"] * (number % 2 == 0) + ["odd"] * (number // 2 % 2 == 0),
        }
        for number in range(200)
    ]
    result = run(Options(Sources(write(tmp_path / "m.jsonl", rows)), "moderation", tmp_path / "pack"))
    scores = {metric.name: metric.value for metric in result.metrics}
    assert scores["AUROC harassment"] > 0.95 and scores["AUROC odd"] > 0.95
    assert all(0.0 < value < 1.0 for value in result.thresholds.values())
    assert {metric.name for metric in result.baseline} == {f"{of} harassment" for of in ("F1", "precision", "AUROC")}
    assert "Starter does not give odd: only the others are compared.\n" in (tmp_path / "pack/card.md").read_text()


def test_a_head_whose_labels_are_attributes_is_suggested_for_their_shape() -> None:
    assert suggested_taxonomy(["INSULT", "TOXICITY"]) == "perspective"
    assert suggested_taxonomy(["INSULT", "SPAM"]) == suggested_taxonomy(["insult"]) == "model"


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}] * 3
    with pytest.raises(LabelsError):
        run(Options(Sources(write(tmp_path / "few.jsonl", rows)), "sentiment", tmp_path / "pack"))
    with pytest.raises(ModelError):
        run(Options(Sources(toned(tmp_path)), "sentiment", tmp_path / "pack", trunk=str(tmp_path / "nowhere")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.jsonl", "toned.jsonl"]


def test_a_pack_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "pack"
    with beside(out) as folder:
        (folder / "glossator.json").write_text("{}")
        (folder / "states.tmp").write_text("")
    assert [path.name for path in out.iterdir()] == ["glossator.json"]
    assert "--force" in (objection(out, force=False) or "") and objection(out, force=True) is None
    with pytest.raises(RuntimeError), beside(out) as folder:
        (folder / "card.md").write_text("half")
        raise RuntimeError
    assert [path.name for path in out.iterdir()] == ["glossator.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_a_trunk_that_is_not_there_is_told_without_a_task_that_nobody_has_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        open_trunk(str(tmp_path / "nowhere"), Compute())
    assert str(caught.value)
    assert "task" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="/proc/nowhere cannot be written"), beside(Path("/proc/nowhere")):
        pass
    with pytest.raises(OutputError, match="pack cannot be written: No space left"), beside(tmp_path / "pack") as folder:
        (folder / "card.md").write_text("half")
        Path("/dev/full").write_text("more")
    assert not list(tmp_path.iterdir())


def test_foreign_folders_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert "other files" in (objection(tmp_path, force=True) or "")
    assert "not a folder" in (objection(tmp_path / "thesis.txt", force=True) or "")
    assert "cannot be created" in (objection(tmp_path / "thesis.txt" / "b", force=False) or "")


def test_missing_parents_of_a_pack_are_created(tmp_path: Path) -> None:
    out = tmp_path / "models" / "parts" / "pack"
    assert objection(out, force=False) is None
    assert not (tmp_path / "models").exists()
    with beside(out) as folder:
        (folder / "glossator.json").write_text("{}")
    assert [path.name for path in out.iterdir()] == ["glossator.json"]


def test_adapting_starts_from_what_the_pipeline_computes() -> None:
    """Before training, the trunk with an adapter gives a head the same states as the packed trunk."""
    examples = [Example(Row(n, f"f:{n}", {}), text, ("a",)) for n, text in enumerate(tiny.SENTENCES)]
    base = open_trunk(str(tiny.checkpoint("roberta", "embedding")), Compute(device="cpu"))
    windows = make_windows(base.stage, examples)
    chosen = np.arange(len(windows))
    torch.manual_seed(0)
    adapting = Adapting(base.model(), windows, 4, torch.device("cpu"))
    adapting.model.eval()
    for kind, shape in (("sequence", {"pooling": POOLING}), ("token", {"context": 1})):
        kept = Kept(base.stage, windows, kind, Path())
        head = new_head(["a", "b"], kept.layers, kept.size, kind=kind, **shape)
        with torch.no_grad():
            torch.testing.assert_close(
                adapting.logits(head, chosen), kept.logits(head, chosen), rtol=1e-2, atol=1e-2, msg=kind
            )
