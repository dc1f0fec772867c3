"""How a worker process ends: with what the worker raised, or by force where one of its threads hangs."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import BrokerError, FencedError, PoisonError
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
    made.await_models()
    worker: Any = FakeWorker(error, hung)
    made.worker = worker
    return made


def test_what_the_worker_raises_is_raised() -> None:
    with pytest.raises(BrokerError, match="no broker"):
        service(BrokerError("no broker"), hung=False).run()


@pytest.mark.parametrize("hung", [False, True])
@pytest.mark.parametrize("error", [None, PoisonError("1000 dead letters in a row"), ValueError("secret")])
def test_every_end_reports_what_was_done_and_raises_what_ended_it(
    error: Exception | None, hung: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ending = pytest.raises(type(error)) if error is not None else nullcontext()
    with caplog.at_level(logging.INFO, "glossator"), ending:
        service(error, hung).run()
    assert "read 0 events" in caplog.messages[-1]
    assert all(record.levelname == "INFO" for record in caplog.records)


def test_without_a_folder_for_it_there_is_no_journal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with caplog.at_level(logging.WARNING, "glossator"):
        Service(pipeline(), state=place / "state")
    assert f"the state folder {place}/state cannot be used (Not a directory): " in caplog.text
    assert "--state names another folder" in caplog.text


def test_a_slot_in_use_is_refused(tmp_path: Path) -> None:
    held = Journal(tmp_path, "p", 0)
    with pytest.raises(FencedError):
        Service(pipeline(), state=tmp_path)
    del held
