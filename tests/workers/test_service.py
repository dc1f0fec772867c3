"""How a worker process ends: with what the worker raised, or by force where one of its threads hangs."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import BrokerError, FencedError, GlossatorError
from stream.telemetry.stats import Stats
from tests.noop import NoopChain, pipeline
from workers.chain.chain import Chain
from workers.process.journal import Journal
from workers.service import Service


class FakeChain(NoopChain):
    def warm_up(self) -> None:
        pass


class FakeWorker:
    """Raises ``error`` when it runs; ``hung`` says whether one of its threads still does."""

    def __init__(self, error: Exception | None, hung: bool) -> None:
        self.error, self.hung = error, hung
        self.stats = Stats()

    def run(self) -> bool:
        if self.error is not None:
            raise self.error
        return True


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chain, "load", lambda pipeline: FakeChain())


def service(error: Exception | None, hung: bool) -> Service:
    made = Service(pipeline(telemetry={"port": None}))
    worker: Any = FakeWorker(error, hung)
    made.worker = worker
    return made


def test_what_the_worker_raises_is_raised() -> None:
    with pytest.raises(BrokerError, match="no broker"):
        service(BrokerError("no broker"), hung=False).run()


@pytest.mark.parametrize(
    ("error", "status", "logged"),
    [
        (None, 0, None),
        (BrokerError("no broker"), BrokerError.exit_status, "BrokerError: no broker"),
        (ValueError("secret"), GlossatorError.exit_status, f"ValueError: {GlossatorError.summary}"),
    ],
)
def test_a_hung_thread_ends_the_process_with_the_status_of_the_error(
    error: Exception | None,
    status: int,
    logged: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    with caplog.at_level(logging.INFO, "glossator"):
        service(error, hung=True).run()
    assert statuses == [status]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ([logged] if logged else [])
    assert "read 0 events" in caplog.text


def test_without_a_folder_for_it_there_is_no_journal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with caplog.at_level(logging.WARNING, "glossator"):
        Service(pipeline(), state=place / "state")
    assert "no journal of events in hand" in caplog.text


def test_a_slot_in_use_is_refused(tmp_path: Path) -> None:
    held = Journal(tmp_path, "p", 0)
    with pytest.raises(FencedError):
        Service(pipeline(), state=tmp_path)
    del held
