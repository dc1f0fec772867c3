"""Damaged and absurd checkpoints: one clear sentence each, within a second, and without a model in memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from schemas.errors import ModelError
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.cli.main import cli
from workers.encoder.panics import no_panic_report
from workers.models.checkpoints import load_model, resolve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(tiny.checkpoint("bert", "sequence"), tmp_path / "model")


def edit(folder: Path, name: str = "config.json", **changes: Any) -> None:
    file = folder / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def load(folder: Path, **settings: Any) -> Chain:
    return Chain.load(pipeline({"name": "mod", "task": "text-classification", "model": str(folder), **settings}))


def message(folder: Path, **settings: Any) -> str:
    with pytest.raises(ModelError) as caught:
        load(folder, **settings)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f'task "mod": model "{folder}"')
    assert line.count('task "mod"') == 1
    return line


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"])
def test_a_pipe_or_a_device_is_not_opened(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    assert f"{file.name} is not a regular file" in message(folder)
    file.unlink()
    file.symlink_to("/dev/zero")
    assert f"{file.name} is not a regular file" in message(folder)


def test_files_larger_than_any_real_one_are_not_read(folder: Path) -> None:
    with (folder / "config.json").open("ab") as file:
        file.truncate(10**10)
    assert "config.json has 10,000,000,000 bytes" in message(folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "\0" * 50])
def test_a_configuration_that_cannot_be_parsed_is_not_json(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    assert "its config.json is not JSON" in message(folder)


def test_a_folder_in_the_place_of_the_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    assert "config.json cannot be read" in message(folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"num_hidden_layers": 10**6}, "says num_hidden_layers 1,000,000, but its weights have 41 tensors"),
        ({"num_hidden_layers": 10**18}, "but its weights have 41 tensors"),
        ({"vocab_size": 10**12}, "says vocab_size 1,000,000,000,000, but at most 100,000,000 is supported"),
        ({"vocab_size": 10**8}, "word_embeddings.weight is 365 x 32 in its weights, and 100000000 x 32 by"),
        ({"hidden_size": 4096}, "LayerNorm.bias is 32 in its weights, and 4096 by its config.json"),
        ({"intermediate_size": 10**7}, "is 64 in its weights, and 10000000 by its config.json"),
        ({"max_position_embeddings": 10**9}, "at most 100,000,000 is supported"),
        ({"sliding_window": 10**9}, "at most 65,536 is supported"),
        ({"num_labels": 10**8}, "at most 1,000,000 is supported"),
        ({"num_hidden_groups": 10**6}, "says num_hidden_groups 1,000,000, but its weights have 41 tensors"),
        ({"block_sizes": [4, 10**6]}, "says block_sizes 1,000,000, but its weights have 41 tensors"),
        ({"nested": {"num_layers": 10**6}}, "says nested.num_layers 1,000,000"),
        ({"num_attention_heads": 5}, "cannot be loaded"),
        ({"hidden_size": "large"}, "cannot be loaded"),
    ],
)
def test_numbers_that_do_not_fit_the_weights_are_named(folder: Path, changes: Any, says: str) -> None:
    edit(folder, **changes)
    assert says in message(folder)


def test_a_configuration_that_describes_far_more_than_there_is(tmp_path: Path) -> None:
    """Also where the names of the tensors do not tell, so that no tensor can be compared."""
    folder = shutil.copytree(tiny.checkpoint("bert", "sequence"), tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    save_file({f"x.{name}": value for name, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    edit(folder, vocab_size=10**8)
    assert "describes 3,200,0" in message(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["bert.encoder.layer.1.output.dense.weight", "classifier.bias"])
def test_weights_that_are_no_numbers_are_blamed_and_not_the_head(folder: Path, name: str, value: float) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors[name].view(-1)[0] = value
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert f"its weights are damaged, {name} has values that are not numbers" in message(folder)


def test_weights_whose_sum_overflows_are_numbers(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.weight"][:] = 3e38
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert torch.isinf(load_model(resolve(str(folder)), "sequence").get_parameter("classifier.weight").sum())


def test_a_truncated_download_is_no_safetensors_file(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:500])
    assert "model.safetensors is not a safetensors file" in message(folder)
    (folder / "model.safetensors").write_bytes(content[:-100])
    assert "cannot be loaded" in message(folder)


PANICS: dict[str, dict[str, Any]] = {
    "when it is read": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
    "when it is used": {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
}


@pytest.mark.parametrize("name", PANICS)
def test_a_tokenizer_that_panics_is_one_clear_line(folder: Path, name: str, capfd: Any) -> None:
    edit(folder, "tokenizer.json", **PANICS[name])
    message(folder)
    assert "panicked" not in capfd.readouterr().err


def test_such_a_worker_ends_with_the_status_of_a_model(folder: Path, tmp_path: Path, capfd: Any) -> None:
    edit(folder, "tokenizer.json", **PANICS["when it is used"])
    file = tmp_path / "pipeline.yaml"
    file.write_text(json.dumps({
        "pipeline": "p", "kafka": {"bootstrap.servers": "127.0.0.1:9"}, "input": {"topics": ["a"]},
        "output": {"topic": "b"}, "tasks": [{"name": "t", "task": "text-classification", "model": str(folder)}],
    }))  # fmt: skip
    ended = CliRunner().invoke(cli, ["try", "--pipeline", str(file), "a fox"])
    assert ended.exit_code == 66
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("glossator: task ")
    assert "panicked" not in ended.stderr + capfd.readouterr().err


def test_a_full_disk_for_logs_is_no_fault_of_the_model() -> None:
    code = (
        "import os; from workers.encoder.panics import no_panic_report\n"
        "with no_panic_report():\n    os.write(2, b'a line')\nprint('loaded')"
    )
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code], stderr=full, stdout=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stdout) == (0, "loaded\n")


def test_what_else_is_written_meanwhile_is_not_lost(capfd: Any) -> None:
    with no_panic_report():
        os.write(2, b"a line of the log\n")
    assert capfd.readouterr().err == "a line of the log\n"
