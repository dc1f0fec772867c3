"""Convert an F-coref checkpoint (biu-nlp/f-coref, or one that fastcoref trained) to a folder that workers can load.

python -m training.coreference SOURCE_FOLDER OUT_FOLDER

OUT_FOLDER gets config.json and model.safetensors of the bare RoBERTa trunk, its tokenizer, and the head
in coreference.json and coreference.safetensors.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import click
import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.errors import ModelError
from workers.heads.fcoref import FORMAT, SETTINGS, WEIGHTS, CoreferenceHead

TRUNK = "roberta."
# Older versions of transformers saved this buffer; the pooler is never called.
UNUSED = ("embeddings.position_ids", "pooler.")
# RoBERTa counts positions from here.
FIRST_POSITION = 2


def convert(source: Path, out: Path) -> None:
    """Raises ModelError if ``source`` is not an F-coref checkpoint on a RoBERTa, or if ``out`` is not empty."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError(f"{out} exists, and is no empty folder")
    config = read_config(source)
    settings = settings_of(config, source)
    tensors = read_tensors(source)
    head = {name: tensor for name, tensor in tensors.items() if not name.startswith(TRUNK)}
    try:
        CoreferenceHead(settings, head)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{source}: its weights are not those of F-coref's head") from error
    trunk = trunk_of(config, {name.removeprefix(TRUNK): tensors[name] for name in tensors.keys() - head.keys()}, source)
    tokenizer = tokenizer_of(source)
    out.mkdir(parents=True, exist_ok=True)
    trunk.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    save_file({name: tensor.float().contiguous() for name, tensor in head.items()}, out / WEIGHTS)


def read_config(source: Path) -> dict[str, Any]:
    try:
        config = json.loads((source / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{source} has no readable config.json") from error
    if not isinstance(config, dict) or not isinstance(config.get("coref_head"), dict):
        raise ModelError(f'{source}: config.json has no "coref_head", so it is no F-coref checkpoint')
    if config.get("model_type") != "roberta":
        raise ModelError(f"{source}: its trunk is a {config.get('model_type')}, and only RoBERTa is converted")
    return config


def settings_of(config: dict[str, Any], source: Path) -> dict[str, Any]:
    """Return the content of coreference.json. fastcoref skips documents longer than ``max_doc_len``, if it is set."""
    head = config["coref_head"]
    try:
        settings = {
            "format": FORMAT,
            **{key: head[key] for key in ("max_segment_len", "max_span_length", "top_lambda")},
            "max_doc_len": head.get("max_doc_len"),
            "activation": config["hidden_act"],
            "layer_norm_eps": config["layer_norm_eps"],
        }
        fits = settings["max_segment_len"] <= config["max_position_embeddings"] - FIRST_POSITION
    except (KeyError, TypeError) as error:
        raise ModelError(f"{source}: config.json lacks a setting that F-coref has ({error})") from error
    if not fits:
        raise ModelError(f"{source}: its segments are longer than its trunk can read")
    return settings


def read_tensors(source: Path) -> dict[str, Tensor]:
    """Return the weights of the whole model. A pickle with anything but tensors is refused without loading it."""
    try:
        if (source / "model.safetensors").is_file():
            return load_file(source / "model.safetensors")
        return dict(torch.load(source / "pytorch_model.bin", map_location="cpu", weights_only=True))
    except FileNotFoundError as error:
        raise ModelError(f"{source} has neither model.safetensors nor pytorch_model.bin") from error
    except pickle.UnpicklingError as error:
        raise ModelError(f"{source}: pytorch_model.bin holds more than tensors, and is not read") from error
    except (OSError, SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{source}: its weights cannot be read") from error


def trunk_of(config: dict[str, Any], tensors: dict[str, Tensor], source: Path) -> transformers.RobertaModel:
    plain = {key: value for key, value in config.items() if key != "coref_head"}
    try:
        trunk = transformers.RobertaModel(transformers.RobertaConfig.from_dict(plain), add_pooling_layer=False)
        trunk.load_state_dict({name: tensor for name, tensor in tensors.items() if not name.startswith(UNUSED)})
    except Exception as error:
        raise ModelError(f"{source}: its weights are not those of the trunk in config.json") from error
    return trunk


def tokenizer_of(source: Path) -> Any:
    """Return the tokenizer as fastcoref loads it: every word is preceded by a space, the first one too."""
    # Without its files transformers creates an empty one.
    if not any((source / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        raise ModelError(f"{source} has no tokenizer files")
    try:
        return transformers.AutoTokenizer.from_pretrained(
            source, add_prefix_space=True, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise ModelError(f"{source}: its tokenizer cannot be loaded ({type(error).__name__})") from error


@click.command(help=__doc__)
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def main(source: Path, out: Path) -> None:
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        convert(source, out)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: trunk, tokenizer and coreference head")


if __name__ == "__main__":
    main()
