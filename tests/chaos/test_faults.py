"""A fault counts only once it has happened. No broker is needed."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.chaos.crew import Crew
from tests.chaos.faults import Faults
from tests.chaos.schedule import Fault


class Member:
    """A process that ignores everything it is told."""

    pid = 7

    def poll(self) -> None: ...

    def send_signal(self, number: int) -> None: ...


def test_what_was_armed_and_not_passed_is_missed(tmp_path: Path) -> None:
    crew = Crew({}, 0.0, tmp_path, None, 0.0)
    proxy: Any = SimpleNamespace(cut_at=[], cut=lambda *_: None)
    brokers: Any = SimpleNamespace(network=lambda _: [proxy])
    feed: Any = SimpleNamespace(inserted=[], insert=lambda kind, count: None)
    kinds = ["kill-sent", "memory", "stall", "cut-end-txn", "poison", "kill"]
    faults = tuple(Fault(0.0, kind, 0.0, 0, 3) for kind in kinds)
    absent = Faults(faults[:1], crew, brokers, feed, tmp_path / "absent.jsonl", "group")
    absent.turn()
    assert absent.tally() == ([], ["kill-sent"]), "there was nobody"
    member: Any = Member()
    crew.members, crew.wanted = {0: member}, {0}
    armed = Faults(faults, crew, brokers, feed, tmp_path / "faults.jsonl", "group")
    while not armed.over:
        armed.turn()
    healed, missed = armed.tally()
    assert [kind for kind, _, _ in healed] == ["kill"]
    assert missed == kinds[:-1]
    for what in ("kill:sent:3", "memory:forward:3", "stall"):
        (tmp_path / f"struck-7-{what}").write_text("")
    proxy.cut_at.append(time.time() + 1)
    feed.inserted.append(("poison", time.time() + 1))
    healed, missed = armed.tally()
    assert [kind for kind, _, _ in healed] == kinds
    assert missed == []
