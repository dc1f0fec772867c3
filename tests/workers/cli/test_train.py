"""``glossator train`` on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.workers import tiny
from workers.cli.main import cli
from workers.cli.train import MOST_SHOWN, notes, table
from workers.learning import card
from workers.learning.examples import Labelled
from workers.learning.metrics import Metric

PIPELINE = """\
pipeline: test
kafka: {{bootstrap.servers: "localhost:9092"}}
input: {{topics: [in]}}
tasks:
  - {{name: mine, task: text-classification, model: "{model}"}}
  - {{name: tone, task: sentiment, model: starter}}
  - {{name: who, task: ner, model: starter}}
output: {{topic: out}}
"""


def labels_in(folder: Path) -> Path:
    words = ("splendid", "horrible")
    rows = [{"text": f"Lamp {n} is {words[n % 2]}.", "label": ("good", "bad")[n % 2]} for n in range(120)]
    file = folder / "labels.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return labels_in(tmp_path)


def train(labels: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["train", str(labels), "--task", "text-classification", "--out", str(out), *options])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A pack on the default trunk, the starter's, and what the command printed."""
    folder = tmp_path_factory.mktemp("trained")
    done = train(labels_in(folder), folder / "pack")
    assert done.exit_code == 0, done.output
    return folder / "pack", done


def test_a_table_and_how_to_go_on(trained: tuple[Path, Result], labels: Path) -> None:
    out, done = trained
    assert "train, " in done.stdout and "accuracy" in done.stdout
    assert f"model: {out}" in done.stdout
    assert "no comparison with starter: its head does not give " in done.stdout
    again = train(labels, out)
    assert again.exit_code == 2 and "--force" in again.stderr


def test_lint_shows_that_it_shares_the_starters_forward(trained: tuple[Path, Result], tmp_path: Path) -> None:
    check_forwards(trained[0], 1, tmp_path)


def test_lint_shows_that_a_trunk_of_its_own_has_its_own_forward(labels: Path, tmp_path: Path) -> None:
    done = train(labels, tmp_path / "pack", "--trunk", str(tiny.checkpoint("bert", "embedding")))
    assert done.exit_code == 0, done.output
    check_forwards(tmp_path / "pack", 2, tmp_path)


def check_forwards(pack: Path, stages: int, folder: Path) -> None:
    file = folder / "pipeline.yaml"
    file.write_text(PIPELINE.format(model=pack))
    done = CliRunner().invoke(cli, ["lint", str(file), "--plan", "--format", "json"])
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)["pipeline"]["plan"]
    assert plan["forwards"] == [stages, stages]
    assert plan["drift"] == {"mine": plan["drift"]["mine"], "tone": "no reference", "who": "no reference"}
    assert re.fullmatch(r"\d+ texts that it was trained with", plan["drift"]["mine"])
    assert len(plan["trunks"]) == stages


def test_a_device_that_is_none_is_a_wrong_command_line(labels: Path, tmp_path: Path) -> None:
    options = ["--task", "sentiment", "--out", str(tmp_path / "pack"), "--device", "tpu"]
    done = CliRunner().invoke(cli, ["train", str(labels), *options])
    assert done.exit_code == 2 and "cuda:N" in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ((), 2, "there is nothing to learn from"),
        (("--from-topic", "posts.review"), 2, "add --pipeline FILE"),
        (("--pipeline", "FILE"), 2, "add --from-topic TOPIC"),
        (("--from-topic", "a b", "--pipeline", "FILE"), 2, "the name of a topic has 1 to 249 letters"),
        (("--from-topic", "a", "--pipeline", "FILE", "--decision", "label"), 2, "must start with $"),
        (("--from-topic", "a", "--pipeline", "FILE", "--max-rows", "0"), 2, "0 is not in the range"),
        (("--from-topic", "a", "--pipeline", "nowhere.yaml"), 78, "nowhere.yaml"),
        (("--from-topic", "a", "--pipeline", "FILE", "--patience", "0.2"), 69, "no broker answers at 127.0.0.1:1"),
    ],
)
def test_a_topic_needs_a_pipeline_file_and_a_broker(
    options: tuple[str, ...], status: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE.format(model="starter").replace("localhost:9092", "127.0.0.1:1"))
    given = [str(file) if option == "FILE" else option for option in options]
    done = CliRunner().invoke(cli, ["train", "--task", "sentiment", "--out", str(tmp_path / "pack"), *given])
    assert done.exit_code == status, done.output
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "pack").exists()


def test_a_long_table_ends_in_the_card() -> None:
    result = card.Result(Path("pack"), "starter", False, Labelled("text-classification", (), [], 3, 2), {})
    result.parts = {"train": [], "dev": [], "test": []}
    result.metrics = [Metric(f"F1 {number}", 0.5, 0.4, 0.6) for number in range(MOST_SHOWN + 2)]
    assert table(result).row_count == MOST_SHOWN
    assert notes(result) == [
        "2 more metrics are in pack/card.md", "3 repeated texts were left out",
        "2 tasks without an annotation were left out",
    ]  # fmt: skip


def test_bad_rows_are_told_as_compilers_do(labels: Path, tmp_path: Path) -> None:
    labels.write_text(labels.read_text() + '\n{"text": "Rhabarber"}\nRhabarber\n')
    done = CliRunner().invoke(cli, ["train", str(labels), "--task", "sentiment", "--out", str(tmp_path / "pack")])
    assert done.exit_code == 65
    lines = [line for line in done.stderr.splitlines() if line.startswith(str(labels))]
    assert [line.split(":")[1] for line in lines] == ["121", "122"]
    assert "Rhabarber" not in done.output
    assert not (tmp_path / "pack").exists()


def test_help_has_an_example() -> None:
    done = CliRunner().invoke(cli, ["train", "--help"])
    assert done.exit_code == 0 and "glossator train reviews.jsonl --task sentiment" in done.output
