"""What a terminal shows while models are loading, and that nothing else is told of it."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from workers.cli.loading import loading


def wait_for(wanted: bytes, screen: int) -> None:
    """Read what is shown until it contains ``wanted``."""
    shown = b""
    while wanted not in shown:
        shown += os.read(screen, 4096)


def test_a_terminal_sees_what_is_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, terminal = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(terminal, "w") as stderr, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        with loading() as progress:
            wait_for(b"loading the libraries", screen)
            progress("loading a model")
            wait_for(b"loading a model", screen)
    os.close(screen)


def test_a_pipe_gets_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with loading() as progress:
        progress("loading a model")
    assert capfd.readouterr() == ("", "")
