"""The plan of a chain, for people and for programs: stages, trunks, heads, and the number of forwards per event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from schemas.pipeline.tasks import AnyTask
from workers.drift.choice import choose_references

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline
    from workers.chain.chain import Chain
    from workers.chain.placement import Planned


def plan_data(pipeline: Pipeline, chain: Chain) -> dict[str, Any]:
    """Return the plan as ``glossator lint --plan --format json`` shows it under ``plan``.

    ``forwards`` is the least and the greatest number of forwards per event; events of a micro-batch share theirs.
    ``sequences`` of a task is its number of inputs per event, null if that depends on the event; a long text becomes
    several sequences. ``reason`` is why a trunk computes in its precision, null if nothing was chosen.
    """
    configs = {task.name: task for task in pipeline.tasks}
    trunks: dict[int, int] = {}
    stages = []
    for index, stage in enumerate(chain.stages):
        members = [planned for planned in chain.plan if planned.stage == index]
        stages.append({
            "level": stage.level,
            "trunk": trunks.setdefault(id(stage.trunk), len(trunks)),
            "always": not stage.conditional,
            "max_length": stage.tokenization.cut.max_length,
            "stride": stage.tokenization.cut.stride,
            "heads": len(stage.outputs),
            "tasks": [_task(configs[planned.task.name], planned, chain.models) for planned in members],
        })  # fmt: skip
    by_id = {id(stage.trunk): stage.trunk for stage in chain.stages}
    outside = [planned for planned in chain.plan if planned.stage is None]
    return {
        "trunks": [
            {
                "weights": trunk.weights,
                "packed": trunk.packed,
                "fingerprint": (trunk.fingerprint or "")[:12],
                "precision": trunk.precision,
                "reason": trunk.reason,
            }
            for trunk in map(by_id.__getitem__, trunks)
        ],
        "stages": stages,
        "without_forward": [_task(configs[planned.task.name], planned, chain.models) for planned in outside],
        "drift": choose_references(pipeline, chain.references).origins,
        "forwards": [sum(bool(stage["always"]) for stage in stages), len(stages)],
    }


def plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines in which ``glossator lint --plan`` prints the result of ``plan_data``."""
    least, most = plan["forwards"]
    forwards = f"{least} to {_count(most, 'forward')}" if least < most else _count(most, "forward")
    stages, trunks = _count(len(plan["stages"]), "stage"), _count(len(plan["trunks"]), "trunk")
    yield f"  plan      {stages} on {trunks}, {forwards} per event" if most else "  plan      no model, no forward"
    for number, trunk in enumerate(plan["trunks"]):
        layout = "packed" if trunk["packed"] else "padded"
        weights = f"{trunk['weights'] / 1e6:,.1f} M weights in {trunk['precision']}"
        yield f"    trunk {number}   {weights}, {layout}, {trunk['fingerprint']}"
        if trunk["reason"]:
            yield f"              {trunk['precision']} on this machine: {trunk['reason']}"
    for number, stage in enumerate(plan["stages"]):
        events = "every event" if stage["always"] else "some events"
        yield (
            f"    stage {number}   level {stage['level']}, trunk {stage['trunk']}, {_count(stage['heads'], 'head')}, "
            f"{events}, windows of {stage['max_length']} tokens"
        )
        yield from (f"              {_about(task)}" for task in stage["tasks"])
    if plan["without_forward"]:
        yield "    without a forward"
        yield from (f"              {_about(task)}" for task in plan["without_forward"])
    origins: dict[str, list[str]] = {}
    for task, origin in plan["drift"].items():
        origins.setdefault(origin, []).append(task)
    for number, (origin, tasks) in enumerate(origins.items()):
        yield f"    {'' if number else 'drift':9} {', '.join(tasks)}: {origin}"


def _task(config: AnyTask, planned: Planned, models: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": config.name,
        "task": config.task,
        **models[config.name],
        "shadow": config.shadow,
        "when": config.when,
        "rides": planned.rides,
        "requires": sorted(planned.needs),
        "sequences": planned.task.sequences if planned.stage is not None else 0,
    }


def _about(task: Mapping[str, Any]) -> str:
    parts = [f"{task['name']} ({task['task']}, {task['model']}@{task['revision']})"]
    if task["sequences"] is None or task["sequences"] > 1:
        parts.append(f"{task['sequences'] or 'any number of'} sequences per event")
    if task["shadow"]:
        parts.append(f"shadow of {task['shadow']}")
    if task["when"]:
        parts.append(f"when {task['when']}" + (", computed with its neighbours" if task["rides"] else ""))
    elif task["requires"]:
        parts.append(f"after {', '.join(task['requires'])}")
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
