"""The slot of a worker on the command line: given, taken from the host name, or the first that is free."""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from schemas.errors import FencedError, SettingError

AUTO = "auto"
_MOST_SLOTS = 256
Owner = TypeVar("Owner")


def slot_number(value: str, host: str) -> int:
    """Return the slot that ``--slot`` means on the machine called ``host``. Raises click.BadParameter."""
    if value == "host":
        ending = re.search(r"-(\d+)$", host)
        if ending is None:
            raise click.BadParameter(f'the host name "{host}" does not end in a number, as in worker-0')
        value = ending[1]
    if not value.isdecimal() or not value.isascii() or len(value) > 9:
        raise click.BadParameter("must be host, auto, or a whole number from 0 on")
    return int(value)


def slot_option(_context: click.Context, _option: click.Parameter, value: str) -> int | None:
    """Return the slot, or None for the first free one. Raises click.BadParameter."""
    return None if value == AUTO else slot_number(value, socket.gethostname())


def first_free(state: Path, claim: Callable[[int], Owner]) -> Owner:
    """Return what ``claim`` makes of the lowest slot that no other process has.

    Args:
        state: The folder that holds the locks of the slots, shared by the processes that share the slots.
        claim: Locks a slot, or raises FencedError if another process has it.

    Raises:
        SettingError: The folder cannot be written to, so slots cannot be locked.
        FencedError: All slots are taken.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state):
            pass
    except OSError as error:
        raise SettingError(
            f"--slot auto needs a state folder to lock its slot in, and {state} cannot be used ({error.strerror}); "
            "--state names another folder"
        ) from None
    for slot in range(_MOST_SLOTS):
        try:
            return claim(slot)
        except FencedError:
            continue
    raise FencedError(f"the slots 0 to {_MOST_SLOTS - 1} in {state} are all taken by running workers")
