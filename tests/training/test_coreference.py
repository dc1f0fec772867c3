"""The converter of F-coref checkpoints, on the tiny one of fixtures/coreference/make.py."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModel

from schemas.errors import ModelError
from tests.workers.heads.spoiling import Spoil, remove, write
from training.coreference import convert, main
from workers.heads.fcoref import load_head
from workers.models.checkpoints import load_tokenizer, resolve

FIXTURE = Path(__file__).parents[1] / "fixtures" / "coreference"
SOURCE = FIXTURE / "checkpoint"
RAN = Path(tempfile.gettempdir()) / f"glossator-pickle-ran-{os.getpid()}"
DOCUMENTS: list[dict[str, Any]] = json.loads((FIXTURE / "documents.json").read_bytes())


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coreference") / "out"
    convert(SOURCE, folder)
    return folder


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_the_converted_tokenizer_reads_words_as_fastcoref_does(number: int, converted: Path) -> None:
    document = DOCUMENTS[number]
    tokenizer = load_tokenizer(resolve(str(converted))).tokenizer
    words = [document["text"][start:end] for start, end in document["words"]]
    assert tokenizer.encode(words, is_pretokenized=True).ids == document["ids"]


def test_nothing_but_the_pooler_is_missing_from_the_trunk(converted: Path) -> None:
    _, info = AutoModel.from_pretrained(converted, output_loading_info=True)
    assert info["missing_keys"] == {"pooler.dense.weight", "pooler.dense.bias"}
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]


def test_the_settings_are_those_of_the_source(converted: Path) -> None:
    assert json.loads((converted / "coreference.json").read_bytes()) == {
        "format": "glossator.coreference/1",
        "max_segment_len": 32,
        "max_span_length": 6,
        "top_lambda": 0.4,
        "max_doc_len": None,
        "activation": "gelu",
        "layer_norm_eps": 1e-05,
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path / "source"))


def weights_of(source: Path) -> dict[str, Tensor]:
    return dict(torch.load(source / "pytorch_model.bin", weights_only=True))


def test_a_source_in_other_clothes_gives_the_same(source: Path, tmp_path: Path, converted: Path) -> None:
    """Safetensors, a buffer of older versions, no pooler, and a tokenizer without the space before the first word."""
    weights = {name: tensor for name, tensor in weights_of(source).items() if ".pooler." not in name}
    save_file(weights | {"roberta.embeddings.position_ids": torch.arange(34)[None]}, source / "model.safetensors")
    (source / "pytorch_model.bin").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (source / name).read_text()
        assert '"add_prefix_space": true' in text
        (source / name).write_text(text.replace('"add_prefix_space": true', '"add_prefix_space": false'))
    convert(source, tmp_path / "out")
    for name in ("coreference.safetensors", "coreference.json", "model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / "out" / name).read_bytes() == (converted / name).read_bytes(), name


def edit_config(**changes: Any) -> Spoil:
    def edit(source: Path) -> None:
        config = json.loads((source / "config.json").read_bytes())
        kept = {key: value for key, value in (config | changes).items() if value is not None}
        (source / "config.json").write_text(json.dumps(kept))

    return edit


def edit_head(**changes: Any) -> Spoil:
    said = json.loads((SOURCE / "config.json").read_bytes())["coref_head"]
    return edit_config(coref_head={key: value for key, value in (said | changes).items() if value is not None})


def edit_weights(name: str, tensor: Tensor | None) -> Spoil:
    def edit(source: Path) -> None:
        weights = weights_of(source) | {name: tensor}
        kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
        torch.save(kept, source / "pytorch_model.bin")

    return edit


class Code:
    """Code that a pickle must not be able to run."""

    def __reduce__(self) -> Any:
        return Path.touch, (RAN,)


REFUSED = {
    "no config": (remove("config.json"), "no readable config.json"),
    "broken config": (write("config.json", b"{"), "no readable config.json"),
    "no F-coref": (edit_config(coref_head=None), 'no "coref_head"'),
    "another trunk": (edit_config(model_type="longformer"), "a longformer, and only RoBERTa"),
    "no lambda": (edit_head(top_lambda=None), "lacks a setting.*top_lambda"),
    "lambda too large": (edit_head(top_lambda=1.5), "not those of F-coref's head"),
    "no number of layers": (edit_config(num_hidden_layers="two"), "of the trunk"),
    "segments too long": (edit_head(max_segment_len=33), "segments are longer"),
    "unknown activation": (edit_config(hidden_act="sine"), "not those of F-coref's head"),
    "no weights": (remove("pytorch_model.bin"), "neither model.safetensors nor"),
    "a pickle with code": (write("pytorch_model.bin", pickle.dumps({"weight": Code()}, 2)), "more than tensors"),
    "broken safetensors": (write("model.safetensors", b"none"), "weights cannot be read"),
    "a head short of a layer": (edit_weights("mention_s2e_classifier.bias", None), "F-coref's head"),
    "a head with more": (edit_weights("more.weight", torch.zeros(1)), "F-coref's head"),
    "a head of another size": (edit_weights("end_coref_mlp.dense.bias", torch.zeros(3)), "F-coref's head"),
    "a trunk short of a layer": (edit_weights("roberta.embeddings.LayerNorm.bias", None), "of the trunk"),
    "a trunk with more": (edit_weights("roberta.encoder.layer.9.output.dense.bias", torch.zeros(1)), "of the trunk"),
    "no tokenizer": (remove("tokenizer.json", "vocab.json", "merges.txt"), "no tokenizer files"),
    "a broken tokenizer": (write("tokenizer.json", b"{}"), "tokenizer cannot be loaded"),
}


@pytest.mark.parametrize(("spoil", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_f_coref_checkpoint_is_refused(spoil: Spoil, says: str, source: Path, tmp_path: Path) -> None:
    spoil(source)
    with pytest.raises(ModelError, match=says):
        convert(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not RAN.exists()


def test_a_folder_with_files_is_not_written_to(source: Path) -> None:
    with pytest.raises(ModelError, match="no empty folder"):
        convert(SOURCE, source)


def test_the_command_line(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, [str(SOURCE), str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert load_head(tmp_path / "out").max_segment_len == 32
    again = CliRunner().invoke(main, [str(SOURCE), str(tmp_path / "out")])
    assert again.exit_code == 1
    assert "no empty folder" in again.output
