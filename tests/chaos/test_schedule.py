"""The same seed breaks the same things, all kinds occur, and a report adds up and can be resumed."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.faults import OF_BROKERS
from tests.chaos.invariants import Sample
from tests.chaos.model import UNUSUAL, annotation, events, unusual
from tests.chaos.mutants import MUTANTS
from tests.chaos.report import Report, percentiles
from tests.chaos.round import recoveries
from tests.chaos.run import main
from tests.chaos.schedule import DELIVERIES, KINDS, PROTOCOLS, scenario


def test_the_seed_decides_everything() -> None:
    rounds = [scenario(5, number) for number in range(30)]
    assert rounds == [scenario(5, number) for number in range(30)]
    assert rounds != [scenario(6, number) for number in range(30)]
    assert list(islice(events("a"), 50)) == list(islice(events("a"), 50)) != list(islice(events("b"), 50))
    assert unusual("a", 3, "large") == unusual("a", 3, "large")


def test_rounds_take_deliveries_and_protocols_in_turn() -> None:
    turns = Counter((planned.delivery, planned.protocol) for planned in (scenario(1, number) for number in range(12)))
    assert turns == {(delivery, protocol): 2 for delivery in DELIVERIES for protocol in PROTOCOLS}
    assert scenario(1, 3, ["exactly_once"], ["consumer"]).protocol == "consumer"


def test_some_rounds_are_on_three_nodes_where_both_are_wanted() -> None:
    met = Counter((planned.nodes, planned.delivery) for planned in (scenario(1, number) for number in range(400)))
    assert 30 < met[3, "at_least_once"] < 70
    assert 30 < met[3, "exactly_once"] < 70
    assert {scenario(1, number, nodes=[3]).nodes for number in range(20)} == {3}


def test_every_kind_of_fault_comes_up_and_is_in_its_bounds() -> None:
    met: Counter[str] = Counter()
    for number in range(600):
        case = scenario(2, number)
        assert 3 <= len(case.faults) <= 8
        assert [fault.at for fault in case.faults] == sorted(fault.at for fault in case.faults)
        for fault in case.faults:
            kind = KINDS[fault.kind]
            met[fault.kind] += 1
            spans = [kind.seconds, kind.seldom]
            assert any(first <= fault.seconds <= last for first, last in spans)
            assert 0 < fault.at <= case.produce_for
            assert fault.kind != "cut-end-txn" or case.delivery == "exactly_once"
            assert fault.kind != "coordinator-kill" or case.nodes == 3
        of_brokers = sum(fault.kind in OF_BROKERS for fault in case.faults)
        assert of_brokers <= 1
        assert of_brokers or case.nodes == 1, "three nodes are there for one of them to break"
    assert met.keys() == KINDS.keys()
    assert scenario(2, 0, only=["reset"]).faults
    assert {fault.kind for fault in scenario(2, 0, only=["reset"]).faults} == {"reset"}


def test_the_model_says_of_a_text_what_the_text_alone_decides() -> None:
    said = {json.dumps(annotation(str(n))) for n in range(200)}
    assert len(said) == 200
    assert annotation("a") == annotation("a")
    kinds = {kind: unusual("s", 1, kind) for kind in UNUSUAL}
    assert {event.fate for event in kinds.values()} == {"dead"}
    assert len(kinds["large"].value or b"") < 700_000 < len(kinds["huge"].value or b"")


def test_recovery_is_from_the_end_of_a_fault_until_every_partition_has_gone_on() -> None:
    ends: dict[tuple[str, int], int] = {}
    samples = [
        Sample(1.0, {0: 5, 1: 5}, ends),
        Sample(2.0, {0: 5, 1: 5}, ends),
        Sample(3.0, {0: 9, 1: 5}, ends),
        Sample(4.0, {0: 9, 1: 6}, ends),
        Sample(5.0, {0: 9, 1: 8}, ends),
    ]
    healed = [("kill", 1.2, 1.5), ("reset", 2.5, 2.5), ("stall", 4.5, 4.9)]
    assert recoveries(healed, samples, {0: 9, 1: 8}) == [("kill", 2.5), ("reset", 1.5)]


def played(**values: Any) -> dict[str, Any]:
    return {"seed": "1/0", "delivery": "exactly_once", "protocol": "classic", "nodes": 1, "faults": ["kill", "reset"],
            "sent": 10, "lost": 0, "duplicated": 0, "bound": 0, "broken": [], "recovery": [["kill", 2.0]],
            "seconds": 3.0, **values}  # fmt: skip


def test_a_report_adds_up_and_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "report.json"
    report = Report(file, 1, {"a": [1]}, resume=True)
    report.add(played())
    again = Report(file, 1, {"a": [1]}, resume=True)
    again.add(played(nodes=3, lost=2, broken=["lost 2"], recovery=[["kill", 4.0]]))
    written = json.loads(file.read_text())
    assert written["total"]["rounds"] == 2
    assert written["total"]["red"] == 1
    assert written["total"]["lost"] == 2
    assert written["total"]["faults_by_kind"] == {"kill": 2, "reset": 2}
    assert written["recovery_by_kind"] == {"kill": {"p50": 2.0, "p90": 4.0, "p99": 4.0}}
    assert len(written["rounds"]) == 2
    assert again.red == again.rounds[1:]
    assert again.table().row_count == 4
    assert "kill 2, reset 2" in str(again.table().caption)
    assert {nodes: sums["rounds"] for nodes, sums in written["by_nodes"].items()} == {"1": 1, "3": 1}
    with pytest.raises(ValueError, match="of seed 1"):
        Report(file, 2, {"a": [1]}, resume=True)
    assert Report(file, 2, {}, resume=False).rounds == []


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50, "p90": 90, "p99": 99}
    assert percentiles([3.0]) == {"p50": 3.0, "p90": 3.0, "p99": 3.0}
    assert percentiles([]) == {}


@pytest.mark.parametrize(
    "wrong", [["--only", "storm"], ["--resume"], ["--mutant", "none"], ["--protocols", "x"], ["--nodes", "2"]]
)
def test_a_wrong_command_line_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(wrong)


def test_every_mutant_is_a_mistake_somewhere() -> None:
    assert all(deliveries and set(deliveries) <= set(DELIVERIES) for _, deliveries in MUTANTS.values())
