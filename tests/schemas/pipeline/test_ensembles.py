"""The rules for ensembles: every mistake is one line with its position, all at once."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.ensembles import custom
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from schemas.pipeline.tasks import ensemble_of
from stream.output.event_builder import EventBuilder

HEAD = """\
pipeline: p
kafka: {bootstrap.servers: localhost:9092}
input: {topics: [posts]}
output: {topic: out}
tasks:
  - {name: quick, task: moderation, model: m}
  - {name: careful, task: moderation, model: m, when: 'quick.labels[0].score > 0.2'}
  - {name: foreign, task: moderation, model: m, taxonomy: openai}
  - {name: own, task: moderation, model: m, taxonomy: {a: b}}
  - {name: tone, task: sentiment, model: m}
  - {name: asked, task: zero-shot, model: m, labels: [a, b]}
  - {name: tongue, task: language}
  - {name: who, task: ner, model: m}
  - {name: mine, task: custom, use: 'a:B'}
"""


def _parse(*entries: str) -> Pipeline:
    return parse(HEAD + "".join(f"  - {{name: t{n}, {entry}}}\n" for n, entry in enumerate(entries)), "p.yaml", {})


def _wrong(*entries: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _parse(*entries)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    "entry",
    [
        "task: moderation, ensemble: {of: [quick, careful], rule: last}",
        "task: moderation, ensemble: {of: [quick, own], rule: max}, threshold: {a: 0.3}",
        "task: moderation, ensemble: {of: [quick, mine], rule: mean, weights: {mine: 2}}, when: has(event.x)",
        "task: sentiment, ensemble: {of: [tone, asked], rule: mean}",
        "task: text-classification, ensemble: {of: [tone, mine], rule: last}",
    ],
)
def test_members_of_one_shape_can_be_combined(entry: str) -> None:
    made = _parse(entry)
    ensemble = ensemble_of(made.tasks[-1])
    assert ensemble is not None
    assert len(ensemble.of) == 2
    assert all(ensemble_of(task) is None for task in made.tasks[:-1])


def test_an_ensemble_of_an_ensemble_can_be_combined() -> None:
    _parse(
        "task: moderation, ensemble: {of: [t1, own], rule: max}",
        "task: moderation, ensemble: {of: [quick, careful], rule: last}",
    )


APART = "names tasks of different taxonomies, whose labels do not fit together"
NAMED = f"{APART}: quick has standard, foreign has openai"
SWAPPED = f"{APART}: foreign has openai, quick has standard"
BAD = {
    "one member": ("moderation, ensemble: {of: [quick], rule: last}", ["ensemble.of: must have at least 2 entries"]),
    "twice": ("moderation, ensemble: {of: [quick, quick], rule: last}", ["ensemble.of: contains a duplicate"]),
    "itself and a stranger": (
        "moderation, ensemble: {of: [t0, quik], rule: max}",
        [
            "ensemble.of[0]: must name another task, not the task itself",
            'ensemble.of[1]: there is no task with that name, did you mean "quick"?',
        ],
    ),
    "other annotations": (
        "moderation, ensemble: {of: [quick, tone, who], rule: max}",
        [
            "ensemble.of[1]: names a task of kind sentiment, whose annotations moderation cannot combine",
            "ensemble.of[2]: names a task of kind ner, whose annotations moderation cannot combine",
        ],
    ),
    "languages": (
        "text-classification, ensemble: {of: [tone, tongue], rule: max}",
        ["ensemble.of[1]: names a task of kind language, whose annotations text-classification cannot combine"],
    ),
    "taxonomies": ("moderation, ensemble: {of: [quick, own, foreign], rule: max}", [f"ensemble.of: {NAMED}"]),
    "only custom": (
        "moderation, ensemble: {of: [mine, mine], rule: max}",
        [
            "ensemble.of: contains a duplicate",
            "ensemble.of: needs at least one task that is not custom, so that its labels are known",
        ],
    ),
    "no rule": ("moderation, ensemble: {of: [quick, own]}", ["ensemble.rule: missing field"]),
    "another rule": (
        "moderation, ensemble: {of: [quick, own], rule: men}",
        ['ensemble.rule: must be one of max, mean, last, did you mean "mean"?'],
    ),
    "weights without a mean": (
        "moderation, ensemble: {of: [quick, own], rule: last, weights: {quick: 2}}",
        ["ensemble.weights: cannot be used with rule: last, only with rule: mean"],
    ),
    "weights": (
        "moderation, ensemble: {of: [quick, own], rule: mean, weights: {quik: 0, tone: 1}}",
        [
            "ensemble.weights.quik: must be between 0.001 and 1000",
            'ensemble.weights.quik: is not a member, did you mean "quick"?',
            "ensemble.weights.tone: is not a member, only quick, own",
        ],
    ),
    "a model as well": (
        "moderation, model: m, ensemble: {of: [quick, own], rule: max}",
        ["ensemble: cannot be used with model: scores come from one or the other"],
    ),
    "neither": ("sentiment", ['model: missing field; or "ensemble", to combine other tasks']),
    "a misspelt one": ("sentiment, ensembel: 1", ['ensembel: unknown field, did you mean "ensemble"?']),
    "how to read": (
        "moderation, ensemble: {of: [quick, own], rule: max}, merge: max, taxonomy: openai",
        [
            "merge: cannot be used with ensemble, which reads no text: set it for the members",
            "taxonomy: cannot be used with ensemble, which has the names of its members: set it for them",
        ],
    ),
    "another task": (
        "ner, model: m, ensemble: {of: [who, tone], rule: max}",
        ["ensemble: not a field of task ner, only of sentiment, text-classification, moderation"],
    ),
    "a list": ("moderation, ensemble: [quick, own]", ["ensemble: must be a mapping of fields"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_reported(case: str) -> None:
    entry, messages = BAD[case]
    reported = _wrong(f"task: {entry}")
    assert reported == [f"tasks[9].{message}" for message in messages]


def test_a_cycle_is_reported_and_so_is_a_taxonomy_within_a_member() -> None:
    assert _wrong(
        "task: moderation, ensemble: {of: [quick, t1], rule: max}",
        "task: moderation, ensemble: {of: [foreign, t0], rule: max}",
    ) == [
        "tasks[9].name: depends on itself: t0 -> t1 -> t0",
        f"tasks[9].ensemble.of: {NAMED}",
        f"tasks[10].ensemble.of: {SWAPPED}",
    ]


def test_a_member_that_waits_for_the_ensemble_is_a_cycle() -> None:
    (message,) = _wrong(
        "task: moderation, ensemble: {of: [quick, t1], rule: max}", "task: moderation, model: m, when: t0.flagged"
    )
    assert message == "tasks[9].name: depends on itself: t0 -> t1 -> t0"


def test_who_asks_for_a_task_that_combines_is_told_where_it_is() -> None:
    (message, _) = _wrong("task: ensemble, of: [quick, own]")
    assert "ensemble: {of: [...], rule: ...}" in message


def test_conditions_see_the_fields_of_an_ensemble() -> None:
    entry = "task: moderation, ensemble: {of: [quick, careful], rule: last}"
    (message,) = _wrong(entry, "task: sentiment, model: m, when: t0.score > 0.5")
    assert message == 'tasks[10].when: "t0" has no field "score", only flagged, labels, sentences'


def test_rule_and_members_decide_the_hash() -> None:
    hashes = {
        config_hash(_parse(f"task: moderation, ensemble: {{{ensemble}}}"))
        for ensemble in ("of: [quick, own], rule: max", "of: [own, quick], rule: max", "of: [quick, own], rule: mean")
    }
    assert len(hashes) == 3


def test_labels_of_a_custom_task_stay_its_own_in_an_ensemble() -> None:
    made = _parse(
        "task: moderation, ensemble: {of: [t1, own], rule: max}",
        "task: moderation, ensemble: {of: [quick, mine], rule: last}",
        "task: moderation, ensemble: {of: [quick, own], rule: last}",
    )
    assert custom([task.model_dump() for task in made.tasks]) == {"mine", "t0", "t1"}
    # Metrics count labels of the other tasks only, because a label of a custom task may be a text.
    shown = EventBuilder(made, {}).tasks
    assert {name for name, labels_are_shown in shown.items() if not labels_are_shown} == {"mine", "t0", "t1"}
