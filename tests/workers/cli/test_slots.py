"""Which slot a worker gets."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from schemas.errors import FencedError, SettingError
from tests.noop import pipeline
from workers.cli.slots import first_free, slot_number, slot_option
from workers.process.journal import Journal

_OPTION = click.Option(["--slot"])
_CONTEXT = click.Context(click.Command("run"))


def test_slots_are_numbers_or_taken_from_the_host_name() -> None:
    assert slot_number("12", "anything") == 12
    assert slot_number("host", "worker-3") == 3
    assert slot_option(_CONTEXT, _OPTION, "auto") is None
    assert slot_option(_CONTEXT, _OPTION, "4") == 4
    for value, host in (("host", "f00dcafe"), ("-1", "a"), ("1.5", "a"), ("AUTO", "a"), ("9" * 10, "a")):
        with pytest.raises(click.BadParameter):
            slot_number(value, host)


def test_the_lowest_slot_that_nobody_has_is_taken(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"

    journals: dict[int, Journal] = {}

    def claim(slot: int) -> int:
        journals[slot] = Journal(state, pipeline().pipeline, slot)
        return slot

    assert [first_free(state, claim) for _ in range(3)] == [0, 1, 2]
    journals.pop(1).close()
    assert first_free(state, claim) == 1, "a worker that starts again finds the slot of the one that has ended"
    for journal in journals.values():
        journal.close()


def test_slots_cannot_be_told_apart_without_a_state_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="--slot auto needs a state folder"):
        first_free(tmp_path / "file" / "state", lambda slot: slot)


def test_when_all_slots_are_taken(tmp_path: Path) -> None:
    def claim(slot: int) -> int:
        raise FencedError(str(slot))

    with pytest.raises(FencedError, match="0 to 255"):
        first_free(tmp_path, claim)
