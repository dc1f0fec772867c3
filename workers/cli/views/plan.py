"""The plan of a chain for people and programs: stages, trunks, heads, and how many forwards an event takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from schemas.pipeline.tasks import AnyTask

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline
    from workers.chain.chain import Chain
    from workers.chain.plan import Planned


def planned(pipeline: Pipeline, chain: Chain) -> dict[str, Any]:
    """What ``glossator lint --plan --format json`` shows under ``plan``.

    ``forwards``: how many an event takes at least and at most, events in a micro-batch sharing theirs.
    ``sequences``: inputs that a task has read per event, null where the event decides; a long text makes several.
    """
    configs = {task.name: task for task in pipeline.tasks}
    trunks: dict[int, int] = {}
    stages = []
    for index, stage in enumerate(chain.stages):
        trunk = stage.trunk
        members = [own for own in chain.plan if own.stage == index]
        stages.append({
            "level": stage.level,
            "trunk": trunks.setdefault(id(trunk), len(trunks)),
            "always": not stage.conditional,
            "max_length": stage.tokenization.cut.max_length,
            "stride": stage.tokenization.cut.stride,
            "heads": len(stage.outputs),
            "tasks": [_task(configs[own.task.name], own, chain.models) for own in members],
        })  # fmt: skip
    held = {id(stage.trunk): stage.trunk for stage in chain.stages}
    return {
        "trunks": [
            {
                "weights": held[own].weights,
                "packed": held[own].packed,
                "fingerprint": (held[own].fingerprint or "")[:12],
            }
            for own in trunks
        ],
        "stages": stages,
        "without_forward": [
            _task(configs[own.task.name], own, chain.models) for own in chain.plan if own.stage is None
        ],
        "forwards": [sum(bool(stage["always"]) for stage in stages), len(stages)],
    }


def described(plan: Mapping[str, Any]) -> Iterable[str]:
    """The same, line by line."""
    least, most = plan["forwards"]
    many = f"{least} to {_count(most, 'forward')}" if least < most else _count(most, "forward")
    stages, trunks = _count(len(plan["stages"]), "stage"), _count(len(plan["trunks"]), "trunk")
    yield f"  plan      {stages} on {trunks}, {many} an event" if most else "  plan      no model, no forward"
    for number, trunk in enumerate(plan["trunks"]):
        how = "packed" if trunk["packed"] else "padded"
        yield f"    trunk {number}   {trunk['weights'] / 1e6:,.1f} M weights, {how}, {trunk['fingerprint']}"
    for number, stage in enumerate(plan["stages"]):
        who = "every event" if stage["always"] else "some events"
        yield (
            f"    stage {number}   level {stage['level']}, trunk {stage['trunk']}, {_count(stage['heads'], 'head')}, "
            f"{who}, windows of {stage['max_length']} tokens"
        )
        yield from (f"              {_about(task)}" for task in stage["tasks"])
    if plan["without_forward"]:
        yield "    without a forward"
        yield from (f"              {_about(task)}" for task in plan["without_forward"])


def _task(config: AnyTask, own: Planned, models: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": config.name,
        "task": config.task,
        **models[config.name],
        "when": config.when,
        "rides": own.rides,
        "requires": sorted(own.needs),
        "sequences": own.task.sequences if own.stage is not None else 0,
    }


def _about(task: Mapping[str, Any]) -> str:
    parts = [f"{task['name']} ({task['task']}, {task['model']}@{task['revision']})"]
    if task["sequences"] is None or task["sequences"] > 1:
        parts.append(f"{task['sequences'] or 'any number of'} sequences an event")
    if task["when"]:
        parts.append(f"when {task['when']}" + (", computed with its neighbours" if task["rides"] else ""))
    elif task["requires"]:
        parts.append(f"after {', '.join(task['requires'])}")
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
