"""The option ``--key`` of verbs that decrypt."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from schemas.errors import SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import KEY_ID, EncryptionKey
from stream.output.redaction.keys import Key, read_key

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PLACE = re.compile(rf"({KEY_ID[1:-1]})=(env|file):(.+)")


def key_option(command: _Command) -> _Command:
    """Add the option ``--key`` to a command, whose parameter ``key`` is for ``decryption_keys``."""
    return click.option(
        "--key",
        multiple=True,
        metavar="ID=env:NAME|ID=file:PATH",
        callback=_places,
        help="A key to decrypt with: its id, and the environment variable or the file that has it in hex digits. "
        "Can be repeated.",
    )(command)


def _places(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[EncryptionKey]:
    places = []
    for value in values:
        match = _PLACE.fullmatch(value)
        if match is None:  # the value is not quoted, because by mistake it could be the key
            raise click.BadParameter("must be ID=env:NAME or ID=file:PATH, for example k1=env:GLOSSATOR_KEY_1")
        key_id, kind, name = match.groups()
        # Not validated: variables that are set by hand may have any name.
        places.append(
            EncryptionKey.model_construct(
                id=key_id, env=name if kind == "env" else None, file=name if kind == "file" else None
            )
        )
    return places


def decryption_keys(
    places: list[EncryptionKey], pipeline: Pipeline | None = None, environ: Mapping[str, str] = os.environ
) -> dict[str, Key]:
    """Return key id -> key of all keys that can be read.

    Args:
        places: Where keys are; those of ``--key``. All of them must be there.
        pipeline: Where more keys are; those of them that are missing are left out, because nobody needs to have all.
        environ: The environment.

    Raises:
        SettingError: A key of ``places`` cannot be read, or there is no key at all.
    """
    problems: list[str] = []
    missing: list[str] = []
    keys: dict[str, Key] = {}
    offered = pipeline.redact.keys.encrypt or [] if pipeline is not None and pipeline.redact is not None else []
    for place in [*offered, *places]:
        try:
            keys[place.id] = read_key(place, environ)
        except ValueError as error:
            (problems if place in places else missing).append(f"key {place.id}: {error}")
    if problems or not keys:
        reasons = problems or missing or ["use --key, or --pipeline with a file that has redact.keys.encrypt"]
        raise SettingError("no key to decrypt with: " + "; ".join(reasons))
    return keys
