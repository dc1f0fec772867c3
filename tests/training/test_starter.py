"""The command that trains the starter: what it refuses before it starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from rich.progress import Progress

from training import calibration, polish, starter
from training.data import Data
from training.reading import Reader
from training.shipped import LearnerLike, Shipped
from training.starter import main
from workers.learning.fit import new_head
from workers.models.packs import MANIFEST, STARTER_FOLDER, HeadPack


def test_single_heads_are_fitted_only_on_the_shipped_adapter(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path), "--only", "pii"])
    assert result.exit_code == 2
    assert "--only needs --last" in result.output


def test_one_head_is_written_into_a_copy_of_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = Path(HeadPack.open("starter", STARTER_FOLDER).trunk().model)

    def polished(
        learner: LearnerLike, data: Data, reader: Reader, progress: Progress, only: list[str], *, resumed: list[str]
    ) -> dict[str, float]:
        assert only == ["pii"] and "pii" not in resumed
        torch.manual_seed(1)
        learner.heads["pii"] = new_head(["O", "B-PERSON"], 7, 384, kind="token", aggregation="first")
        return {}

    monkeypatch.setattr(polish, "polish", polished)
    monkeypatch.setattr(calibration, "token_heads", lambda *args: {})
    with Progress() as progress:
        starter._last(Data(tmp_path), Reader(trunk), progress, ["pii"], tmp_path / "pack")
    before, after = (
        json.loads((folder / MANIFEST).read_bytes())["heads"] for folder in (STARTER_FOLDER, tmp_path / "pack")
    )
    assert after["pii"]["labels"] == ["O", "B-PERSON"]
    assert HeadPack.open("pack", tmp_path / "pack").trunk().model
    assert {name: entry for name, entry in after.items() if name != "pii"} == {
        name: entry for name, entry in before.items() if name != "pii"
    }


def test_a_shipped_head_is_taken_as_it_is_but_for_its_temperature() -> None:
    shipped = Shipped()
    shipped.take("ner")
    head: Any = shipped.heads["ner"]
    pack = HeadPack.open("starter", STARTER_FOLDER)
    entry = pack.manifest["heads"]["ner"]
    assert list(head.labels) == entry["labels"]
    assert float(head.temperature) == 1.0 != entry["temperature"]
    assert torch.equal(head.out.weight, pack.tensors(entry)["out.weight"].float())
