"""The rules for routes: every mistake is one line with its position, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import load_file, parse
from schemas.pipeline.outputs import Route
from tests.schemas.pipeline.pipelines import GOOD, mutate
from workers.cli.lint import condition_problems
from workers.cli.notices import unrouted


def _routes(*routes: str, text: str = GOOD) -> str:
    lines = "".join(f"    - {route}\n" for route in routes)
    assert text.count("  topic: posts.enriched\n") == 1
    return text.replace("  topic: posts.enriched\n", f"  topic: posts.enriched\n  routes:\n{lines}")


def _wrong(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", {})
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def test_routes_become_models() -> None:
    pipeline = parse(_routes(
        "{when: toxicity.flagged, topic: posts.review, text: none, annotations: [toxicity], key: $.user.id,"
        " headers: {team: moderation}}",
        "{name: audit, topic: posts.audit, copy: true}",
        "{drop: true}",
    ), environ={})  # fmt: skip
    assert pipeline.output.routes == [
        Route(when="toxicity.flagged", topic="posts.review", text="none", annotations=["toxicity"], key="$.user.id",
              headers={"team": "moderation"}),
        Route.model_validate({"name": "audit", "topic": "posts.audit", "copy": True}),
        Route(drop=True),
    ]  # fmt: skip
    assert [route.label for route in pipeline.output.routes] == ["posts.review", "audit", "drop"]
    assert pipeline.output.topics == ["posts.enriched", "posts.review", "posts.audit"]


BAD = {
    "an input topic": (
        ["{when: 'true', topic: posts}"],
        [
            "23:29 output.routes[0].topic: is also an input topic: the pipeline would read its own output in an endless"
            " loop"
        ],
    ),
    "the dead-letter topic": (
        ["{when: 'true', topic: posts.dead}"],
        ["23:29 output.routes[0].topic: is also the dead-letter topic; dead letters need a separate topic"],
    ),
    "neither": (["{when: 'true'}"], ['23:7 output.routes[0]: needs "topic", or "drop: true"']),
    "never reached": (
        ["{topic: a}", "{when: 'true', topic: b}", "{topic: c}"],
        ["24:7 output.routes[1]: no event reaches this route: routes[0] has no condition and takes them all"],
    ),
    "an empty condition": (["{when: '', topic: a}", "{when: 'true', topic: b}"],
        ["23:14 output.routes[0].when: must not be empty"]),
    "a drop that publishes": (
        ["{drop: true, copy: true, topic: a, text: none, annotations: [], key: $.id, headers: {a: b}}"],
        [
            "23:26 output.routes[0].copy: cannot be used with drop: true: a copy is published",
            "23:39 output.routes[0].topic: cannot be used with drop: true, which publishes nothing",
            "23:48 output.routes[0].text: cannot be used with drop: true, which publishes nothing",
            "23:67 output.routes[0].annotations: cannot be used with drop: true, which publishes nothing",
            "23:76 output.routes[0].key: cannot be used with drop: true, which publishes nothing",
            "23:91 output.routes[0].headers: cannot be used with drop: true, which publishes nothing",
        ],
    ),
    "equal names": (
        ["{when: 'true', drop: true}", "{copy: true, topic: a}", "{name: a, when: 'true', topic: b}", "{drop: true}"],
        [
            "25:14 output.routes[2].name: has the same name as routes[1]; give each route its own name",
            "26:14 output.routes[3].drop: has the same name as routes[0]; give each route its own name",
        ],
    ),
    "names that mean nothing": (
        ["{when: toxicty.flagged && toxicity.flags, topic: a, annotations: [toxicity, entites]}"],
        [
            '23:14 output.routes[0].when: uses "toxicty", which is not a task, did you mean "toxicity"?',
            '23:14 output.routes[0].when: "toxicity" has no field "flags", did you mean "flagged"?',
            '23:83 output.routes[0].annotations[1]: there is no task with that name, did you mean "entities"?',
        ],
    ),
    "not CEL": (["{when: text., topic: a}"], ["23:14 output.routes[0].when: not CEL: syntax error at character 6"]),
    "a field that does not exist": (
        ["{when: 'true', topik: a}"],
        ['23:22 output.routes[0].topik: unknown field, did you mean "topic"?'],
    ),
    "wrong values": (
        ["{when: 1, topic: a b, copy: yes please, key: id, text: nothing, headers: {'': x, a: 1}}"],
        [
            "23:14 output.routes[0].when: must be text, put it in quotes",
            '23:24 output.routes[0].topic: must consist of letters, digits, ".", "_" and "-"',
            "23:35 output.routes[0].copy: must be true or false",
            "23:52 output.routes[0].key: must start with $, for example $.body",
            "23:62 output.routes[0].text: must be one of original, none, redacted",
            "23:81 output.routes[0].headers[\"\"]: must not be empty",
            "23:91 output.routes[0].headers.a: must be text, put it in quotes",
        ],
    ),
    "our own headers": (
        ["{topic: a, headers: {__glossator.errors.stage: x}}"],
        [
            "23:54 output.routes[0].headers.__glossator.errors.stage: cannot be set: headers named __glossator.* are"
            " glossator's own"
        ],
    ),
    "redacted": (
        ["{topic: a, text: redacted}"],
        ["23:24 output.routes[0].text: needs a section redact, which may be empty: redact: {}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_each_mistake_is_one_line_with_its_position(case: str) -> None:
    routes, lines = BAD[case]
    assert _wrong(_routes(*routes)) == lines


def test_events_without_fields_have_no_keys() -> None:
    text = mutate("  format: json\n  text: $.body\n", "  format: text\n")
    assert _wrong(_routes("{when: event.a == 1, topic: a, key: $.id}", text=text)) == [
        "22:14 output.routes[0].when: uses event, which has no fields with format: text",
        "22:43 output.routes[0].key: cannot be used with format: text, where events have no fields",
    ]


def test_no_routes_are_written_as_nothing() -> None:
    text = GOOD.replace("  topic: posts.enriched\n", "  topic: posts.enriched\n  routes: []\n")
    assert _wrong(text) == ["22:11 output.routes: must not be empty"]


def test_conditions_are_tried_as_those_of_tasks_are(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(_routes("{when: toxicity.flagged, topic: a}", "{when: size(text), topic: b}"))
    assert [(problem.line, problem.path, problem.message) for problem in condition_problems(load_file(file), {})] == [
        (24, "output.routes[1].when", "is a number, not true or false; compare it with a value")
    ]


def test_what_may_surprise_is_a_notice(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    text = mutate("    threshold: {default: 0.5, hate: 0.25}\n", "    when: size(text) > 20\n")
    file.write_text(_routes(
        "{when: toxicity.flagged, topic: a}", "{when: 'size(text) > 5', topic: b, key: $.id}",
        "{name: keyed, when: 'size(text) > 4', topic: a, key: $.id}", text=text,
    ))  # fmt: skip
    assert [(notice.line, notice.path, notice.message) for notice in unrouted(load_file(file))] == [
        (23, "output.routes[0].when",
         'is false for events for which the task "toxicity" does not run, unless it asks has() first'),
        (24, "output.routes[1].key",
         "tombstones do not reach b: they have no event, and so no value for this key"),
    ]  # fmt: skip
