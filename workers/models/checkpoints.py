"""Finds and loads checkpoints, without ever running code or unpickling files that come with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from schemas.errors import ModelError
from workers.encoder.panics import is_panic, no_panic_report
from workers.encoder.reading import HeadKind
from workers.encoder.tokenization import NO_LIMIT, CheckpointTokenizer
from workers.models.inspection import (
    Shapes,
    require_files,
    require_finite,
    require_fit,
    require_plausible,
    tensor_shapes,
)

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
# The files of a checkpoint that are downloaded: no pickles, no Python.
_FILES = [
    "config.json", _WEIGHTS, _INDEX, "model-*.safetensors",
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", "*.model",
    "modules.json", "1_Pooling/config.json", "coreference.json", "coreference.safetensors",
]  # fmt: skip

_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json")

_AUTO: dict[HeadKind, Any] = {
    "sequence": AutoModelForSequenceClassification,
    "token": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
    "embedding": AutoModel,
}
_ARCHITECTURE: dict[HeadKind, str] = {
    "sequence": "SequenceClassification", "token": "TokenClassification", "span": "QuestionAnswering",
}  # fmt: skip
_HEADS: dict[HeadKind, str] = {
    "sequence": "sequence classification", "token": "token classification", "span": "question answering",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on this machine.

    - ``name``: as written in the pipeline file.
    - ``folder``: contains config.json, the tokenizer and safetensors.
    - ``revision``: 12 hex digits: of the hub's commit, or of the SHA-256 of the weights in a local folder.
    - ``config``: the content of config.json.
    - ``shapes``: the shapes of the weights, by their names.
    """

    name: str
    folder: Path
    revision: str
    config: dict[str, Any]
    shapes: Shapes = field(default_factory=dict)


def resolve(name: str, revision: str | None = None) -> Checkpoint:
    """Return the checkpoint for a hub id or a local folder, and download it if necessary.

    Raises ModelError if it is missing, has no safetensors, needs to run its own code, or has files or a configuration
    that no model has.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ModelError(f'model "{name}" is a local folder, which has no revisions')
        commit = None
    elif name.startswith((".", "/", "~")):
        raise ModelError(f'model "{name}": there is no such folder')
    else:
        folder = _download(name, revision)
        commit = folder.name
    require_files(name, folder)
    config = _read_config(name, folder)
    weights = _weights(name, folder)
    shapes = tensor_shapes(name, weights)
    require_plausible(name, config, shapes)
    weights += folder.glob("coreference.safetensors")
    return Checkpoint(name, folder, commit[:12] if commit else _digest(weights), config, shapes)


def load_model(checkpoint: Checkpoint, kind: HeadKind) -> PreTrainedModel:
    """Load the model with a head of ``kind``, in float32 on the CPU, in evaluation mode.

    Raises ModelError if it cannot be loaded, if its weights are damaged, or if it has no trained head of that kind:
    transformers would make one up.
    """
    name = checkpoint.name
    wanted = _ARCHITECTURE.get(kind)
    architectures = checkpoint.config.get("architectures") or []
    if wanted and architectures and not any(wanted in str(architecture) for architecture in architectures):
        raise ModelError(f'model "{name}" has no {_HEADS[kind]} head: it is a {", ".join(architectures)}')
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = transformers.AutoConfig.from_pretrained(
            checkpoint.folder, trust_remote_code=False, local_files_only=True
        )
        with torch.device("meta"):
            outline = _AUTO[kind].from_config(config, trust_remote_code=False)
        require_fit(name, outline, checkpoint.shapes, outline.base_model_prefix)
        model, info = _AUTO[kind].from_pretrained(
            checkpoint.folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f'model "{name}" cannot be loaded: {_brief(error)}') from error
    require_finite(name, model.named_parameters())
    # Only classification heads use a pooler.
    missing = sorted(key for key in info["missing_keys"] if kind == "sequence" or not key.startswith("pooler."))
    if missing:
        raise ModelError(
            f'model "{name}" has no trained {_HEADS[kind]} head: {len(missing)} of its weights '
            f"are missing, {missing[0]} for one"
            if wanted
            else f'model "{name}" is incomplete: {len(missing)} weights are missing, {missing[0]} for one'
        )
    return model.eval()  # type: ignore[no-any-return]


def load_tokenizer(checkpoint: Checkpoint) -> CheckpointTokenizer:
    """Load the Rust tokenizer of a checkpoint.

    Raises ModelError if it has none; only the Rust tokenizers give exact offsets.
    """
    folder, model = checkpoint.folder, f'model "{checkpoint.name}"'
    is_sentencepiece = any(folder.glob("*.model"))
    if not is_sentencepiece and not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        raise ModelError(f"{model} has no tokenizer files")
    try:
        with no_panic_report():
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        hint = ""
        if is_sentencepiece and not (folder / "tokenizer.json").is_file():
            hint = "; a tokenizer built from a SentencePiece model needs pip install sentencepiece protobuf"
        raise ModelError(f"{model}: its tokenizer cannot be loaded ({type(error).__name__}){hint}") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{model} has no fast tokenizer; save one as tokenizer.json")
    limit = tokenizer.model_max_length
    return CheckpointTokenizer(
        backend,
        int(limit) if limit and limit < NO_LIMIT else None,
        tokenizer.unk_token_id,
        "token_type_ids" in tokenizer.model_input_names,
    )


def _download(name: str, revision: str | None) -> Path:
    where = f'model "{name}"' + (f" at revision {revision}" if revision else "")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=_FILES))
    except HFValidationError as error:
        raise ModelError(f"{where}: neither a folder on this machine nor a hub id such as org/model") from error
    except GatedRepoError as error:
        raise ModelError(f"{where} is gated: accept its terms on the hub and set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{where}: the hub has no such revision") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"{where}: the hub has no such model, or HF_TOKEN does not permit it") from error
    except LocalEntryNotFoundError as error:
        why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub cannot be reached"
        raise ModelError(
            f"{where}: no such folder, not in the cache {constants.HF_HUB_CACHE}, and {why}; "
            f"where there is a network, get it with: hf download {name}"
        ) from error
    except Exception as error:
        raise ModelError(f"{where} cannot be downloaded: {_brief(error)}") from error


def _read_config(name: str, folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f'model "{name}" has no config.json, so it is not a transformers checkpoint') from error
    except OSError as error:
        raise ModelError(f'model "{name}": its config.json cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f'model "{name}": its config.json is not JSON') from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in CONFIG_MAPPING:
        code = " and it comes with code of its own, which is never run" if kind and "auto_map" in config else ""
        raise ModelError(f'model "{name}": its type "{kind}" is unknown to transformers{code}')
    return config  # type: ignore[no-any-return]


def _weights(name: str, folder: Path) -> list[Path]:
    """Return the safetensors of a folder, one or several shards, in a fixed order."""
    index = folder / _INDEX
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if index.is_file():
        try:
            shards = [folder / shard for shard in sorted(set(json.loads(index.read_bytes())["weight_map"].values()))]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f'model "{name}": its {_INDEX} cannot be read') from error
        for shard in shards:
            if not shard.is_file():
                raise ModelError(f'model "{name}": {shard.name} is missing')
        return shards
    if "coref_head" in _read_config(name, folder):
        raise ModelError(
            f'model "{name}" is F-coref as it was published; convert it with python -m training.coreference'
        )
    raise ModelError(
        f'model "{name}" has no safetensors, and pickled weights are never loaded because they can run code; '
        "convert it with save_pretrained, or choose a revision that has them"
    )


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()[:12]


def _brief(error: Exception) -> str:
    """Return a short line for an exception about files and settings; its message cannot quote an event."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {line[:200]}" if line else type(error).__name__


def pooling_of(checkpoint: Checkpoint) -> Literal["mean", "cls"]:
    """Return the pooling that the checkpoint's sentence-transformers files ask for; mean if there are none.

    Raises ModelError for other poolings and for extra layers, because the vectors would be wrong.
    """
    modules = checkpoint.folder / "modules.json"
    pooling = checkpoint.folder / "1_Pooling" / "config.json"
    try:
        kinds = [str(module["type"]).rpartition(".")[2] for module in json.loads(modules.read_bytes())]
        modes = json.loads(pooling.read_bytes())
    except FileNotFoundError:
        return "mean"
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f'model "{checkpoint.name}": its sentence-transformers files cannot be read') from error
    strange = [kind for kind in kinds if kind not in {"Transformer", "Pooling", "Normalize"}]
    chosen = [key for key, value in modes.items() if key.startswith("pooling_mode_") and value is True]
    if strange or chosen not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        modules_used = ", ".join(strange or chosen) or "no pooling"
        raise ModelError(f'model "{checkpoint.name}" makes its vectors with {modules_used}, which is not supported')
    return "mean" if chosen == ["pooling_mode_mean_tokens"] else "cls"
