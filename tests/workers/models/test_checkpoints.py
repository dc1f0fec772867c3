from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from huggingface_hub import constants

from schemas.errors import ModelError
from tests.workers import tiny
from tests.workers.families import slow_but_for_some
from workers.models.checkpoints import Checkpoint, load_model, pooling_of, resolve


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    return shutil.copytree(tiny.checkpoint("bert", "sequence"), tmp_path / "model")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A cache of the hub, without a network."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_folder_is_named_by_the_hash_of_its_weights(folder: Path) -> None:
    whole = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert resolve(str(folder)).revision == whole[:12]


def test_so_is_a_sharded_one(folder: Path) -> None:
    first = resolve(str(folder)).revision
    load_model(resolve(str(folder)), "sequence").save_pretrained(folder / "shards", max_shard_size="20KB")
    shards = sorted((folder / "shards").glob("*.safetensors"))
    assert len(shards) > 1
    checkpoint = resolve(str(folder / "shards"))
    assert len(checkpoint.revision) == 12
    assert checkpoint.revision != first
    assert load_model(checkpoint, "sequence").config.num_labels == 3
    shards[-1].unlink()
    with pytest.raises(ModelError, match=r"safetensors is missing"):
        resolve(str(folder / "shards"))


def test_a_model_of_the_hub_is_named_by_its_commit(hub: Path, folder: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = hub / "models--some--model"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    assert resolve("some/model").revision == "0123456789ab"
    assert resolve("some/model", commit).folder == repository / "snapshots" / commit
    with pytest.raises(ModelError, match="at revision v2: no such folder, not in the cache"):
        resolve("some/model", "v2")


def test_a_missing_model_says_where_it_was_looked_for_and_how_to_get_it(hub: Path) -> None:
    with pytest.raises(ModelError) as caught:
        resolve("some/model")
    line = str(caught.value)
    assert "\n" not in line
    for part in ('"some/model"', str(hub), "HF_HUB_OFFLINE is set", "hf download some/model"):
        assert part in line


@pytest.mark.parametrize(
    ("name", "says"),
    [("./nowhere", "no such folder"), ("not a name", "neither a folder"), ("a/b/c", "neither a folder")],
)
def test_names_that_can_be_nothing_are_refused_without_asking_anybody(hub: Path, name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        resolve(name)


def test_a_folder_has_no_revisions(folder: Path) -> None:
    with pytest.raises(ModelError, match="has no revisions"):
        resolve(str(folder), "main")


def test_pickles_are_never_loaded(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (tmp_path.joinpath("sprung").touch, ())

    (folder / "model.safetensors").unlink()
    torch.save({"trap": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no safetensors"):
        resolve(str(folder))
    assert not (tmp_path / "sprung").exists()


def edit(folder: Path, **changes: Any) -> Any:
    config = json.loads((folder / "config.json").read_text())
    config.update(changes)
    (folder / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def test_code_that_comes_with_a_model_is_never_run(folder: Path, tmp_path: Path) -> None:
    (folder / "modeling.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\nclass Model: ...")
    remote = {"AutoConfig": "modeling.Config", "AutoModelForSequenceClassification": "modeling.Model"}
    edit(folder, auto_map=remote)
    # A type that transformers knows: its own class is used, and the code in the folder is ignored.
    assert load_model(resolve(str(folder)), "sequence").config.num_labels == 3
    edit(folder, model_type="someones-own", auto_map=remote)
    with pytest.raises(ModelError, match="code of its own, which is never run"):
        resolve(str(folder))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), 'type "None" is unknown'),
        (lambda folder: edit(folder, model_type="nonsense"), 'type "nonsense" is unknown'),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "model.safetensors.index.json"),
            "cannot be read",
        ),
    ],
)
def test_what_is_no_checkpoint_is_one_clear_line(folder: Path, break_it: Any, says: str) -> None:
    break_it(folder)
    with pytest.raises(ModelError, match=says) as caught:
        resolve(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all"])
def test_broken_weights_are_one_clear_line(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be loaded: model\.safetensors is not a safetensors file") as caught:
        resolve(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize(("has", "asked"), [("sequence", "token"), ("token", "sequence"), ("embedding", "token"),
                                            ("embedding", "sequence")])  # fmt: skip
def test_a_head_that_does_not_fit_is_refused_and_not_made_up(family: str, has: str, asked: Any) -> None:
    with pytest.raises(ModelError, match=f"no {asked} classification head"):
        load_model(resolve(str(tiny.checkpoint(family, has))), asked)


@pytest.mark.parametrize(("has", "asked"), [("token", "sequence"), ("embedding", "sequence"), ("embedding", "token")])
def test_even_when_the_config_does_not_say_what_it_is(tmp_path: Path, has: str, asked: Any) -> None:
    folder = shutil.copytree(tiny.checkpoint("bert", has), tmp_path / "model")
    edit(folder, architectures=None)
    with pytest.raises(ModelError, match=f"no trained {asked} classification head"):
        load_model(resolve(str(folder)), asked)


def test_a_head_of_another_size_than_the_config_says_is_refused(folder: Path) -> None:
    edit(folder, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    with pytest.raises(
        ModelError, match=r"cannot be loaded: classifier.* is 3.* in its weights, and 2.* by its config"
    ):
        load_model(resolve(str(folder)), "sequence")


@pytest.mark.parametrize("family", slow_but_for_some(tiny.FAMILIES))
@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_any_checkpoint_is_a_trunk_for_embeddings(family: str, kind: str) -> None:
    whole = load_model(resolve(str(tiny.checkpoint(family, kind))), cast(Any, kind))
    trunk = load_model(resolve(str(tiny.checkpoint(family, kind))), "embedding")
    ids = torch.tensor([[2, 9, 12, 3]])
    with torch.inference_mode():
        torch.testing.assert_close(
            trunk(input_ids=ids).last_hidden_state, whole.base_model(input_ids=ids).last_hidden_state
        )


def sentence_files(folder: Any, modules: list[str], pooling: dict[str, Any]) -> Checkpoint:
    (folder / "1_Pooling").mkdir()
    (folder / "modules.json").write_text(json.dumps([{"type": f"sentence_transformers.models.{m}"} for m in modules]))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return Checkpoint("some/model", folder, "0", {})


def test_pooling_is_what_the_sentence_transformers_files_say(tmp_path: Path) -> None:
    modules = ["Transformer", "Pooling", "Normalize"]
    for name, pooling in (("mean", "mean_tokens"), ("cls", "cls_token")):
        folder = tmp_path / name
        folder.mkdir()
        assert pooling_of(sentence_files(folder, modules, {f"pooling_mode_{pooling}": True})) == name
    assert pooling_of(Checkpoint("some/model", tmp_path, "0", {})) == "mean"


@pytest.mark.parametrize(
    ("modules", "pooling"),
    [
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True}),
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}),
        (["Transformer", "Pooling"], {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}),
    ],
)
def test_a_pooling_we_do_not_run_is_refused_because_the_vectors_would_be_wrong(
    tmp_path: Path, modules: Any, pooling: Any
) -> None:
    with pytest.raises(ModelError, match="not supported"):
        pooling_of(sentence_files(tmp_path, modules, pooling))
