"""A task takes over the settings of its shadow, and every other line of the file is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse
from schemas.pipeline.promotion import promoted
from tests.thoroughness import examples

HEAD = """\
# Posts of the forum.
pipeline: p   # also the group
kafka: {bootstrap.servers: "b:1"}
input: {topics: ["in"]}

tasks:
"""
TAIL = """\

output:
  topic: out      # all of them
"""
TARGET = """\
  # What is flagged.
  - name: safety
    task: moderation
    threshold: 0.7       # tuned in March
    model: starter       # the shipped head
    when: size(text) > 3 # short ones are noise
"""
SHADOW = """\

  # The candidate of April.
  # It has seen 4,000 decisions.
  - name: next
    task: moderation
    shadow: safety
    model: ./packs/april   # trained on decisions
    when: size(text) > 9
    threshold:
      default: 0.5
      # rare, and worth a look
      hate: 0.4
    taxonomy: model
    # max_length: 128
"""
OTHER = """\

  # Names.
  - name: who
    task: ner
    model: starter
"""
AFTER = """\
  # What is flagged.
  - name: safety
    task: moderation
    threshold:
      default: 0.5
      # rare, and worth a look
      hate: 0.4       # tuned in March
    model: ./packs/april   # trained on decisions
    when: size(text) > 3 # short ones are noise
    taxonomy: model
"""


def wrong(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        promoted(text, "p.yaml", "next", environ)
    return [str(problem) for problem in caught.value.problems]


def tasks(text: str, **environ: str) -> list[dict[str, Any]]:
    return [task.model_dump(exclude_defaults=True) for task in parse(text, environ=environ).tasks]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TARGET + SHADOW + OTHER, AFTER + OTHER),
        (TARGET + OTHER + SHADOW, AFTER + OTHER),
        (SHADOW + TARGET, "\n" + AFTER),
    ],
    ids=["between", "last", "first"],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
def test_only_the_lines_of_both_tasks_change(before: str, after: str, line_break: str, mark: str) -> None:
    text, expected = (mark + (HEAD + middle + TAIL).replace("\n", line_break) for middle in (before, after))
    assert promoted(text, "p.yaml", "next") == expected


@pytest.mark.parametrize("comma", ["", ","])
def test_comments_between_tasks_in_brackets_stay(comma: str) -> None:
    target, shadow = (
        "{name: safety, task: moderation, model: %s}",
        "{name: next, task: moderation, shadow: safety, model: b}",
    )
    rest = "\noutput: {topic: out}\n"
    head = HEAD.replace("tasks:\n", "tasks: [")
    text = f"{head}\n  {target % 'a'},  # what is flagged\n  {shadow}{comma}  # of April\n]{rest}"
    behind = "," * bool(comma)
    assert promoted(text, "p.yaml", "next") == f"{head}\n  {target % 'b'}{behind}  # what is flagged\n]{rest}"


def test_a_file_may_end_without_a_line_break() -> None:
    text = HEAD + TARGET + SHADOW
    text = f"output: {{topic: out}}\n{text}".rstrip()
    text = text[: text.index("\n    # max_length")]
    assert promoted(text, "p.yaml", "next").rstrip() == f"output: {{topic: out}}\n{HEAD}{AFTER}".rstrip()


@pytest.mark.parametrize(
    "written",
    [
        '  - {name: safety, threshold: 0.7, task: moderation, model: starter, when: "size(text) > 3"}\n' + SHADOW,
        TARGET + '  - {name: next, task: moderation, shadow: safety, model: ./packs/april, threshold: {default: 0.5,\n'
        "      hate: 0.4}, taxonomy: model}\n",
        '  - {threshold: 0.7, name: safety, task: moderation, model: starter, when: "size(text) > 3"}\n'
        "  - {shadow: safety, name: next, task: moderation, model: ./packs/april, taxonomy: model,\n"
        "     threshold: {default: 0.5, hate: 0.4}}\n",
        TARGET + SHADOW.replace("\n  ", "\n  ").replace("  - name", "  -   name").replace("\n    ", "\n      "),
        TARGET.replace("  - ", "  -\n    ") + SHADOW.replace("  - ", "  -   # a shadow\n    "),
    ],
    ids=["braces-lines", "lines-braces", "braces", "deeper", "dashes-alone"],
)  # fmt: skip
def test_tasks_may_be_written_in_lines_and_in_braces(written: str) -> None:
    text = promoted(HEAD + written + OTHER + TAIL, "p.yaml", "next")
    assert text.startswith(HEAD)
    assert text.endswith(OTHER.lstrip("\n") + TAIL)
    first, second = tasks(text)
    assert first == {
        "name": "safety", "task": "moderation", "when": "size(text) > 3", "model": "./packs/april",
        "threshold": {"default": 0.5, "hate": 0.4}, "taxonomy": "model",
    }  # fmt: skip
    assert second["name"] == "who"


SETTINGS = st.fixed_dictionaries(
    {"model": st.sampled_from(["starter", "./pack", "a/b", "c: d", "#x", "$${HOME}"])},
    optional={
        "threshold": st.just(0.25) | st.dictionaries(st.sampled_from(["hate", "a, b", "default"]), st.just(1.0)),
        "taxonomy": st.sampled_from(["model", "openai"]),
        "max_length": st.integers(8, 100),
        "unknown_text": st.just("leave_out"),
    },
)  # fmt: skip


def _lines(task: dict[str, Any], rotate: int) -> str:
    fields = list(task.items())
    fields = fields[rotate % len(fields) :] + fields[: rotate % len(fields)]
    lines = []
    for name, value in fields:
        if isinstance(value, dict) and value:
            lines.append(f"{name}:")
            lines += [f"  {json.dumps(key)}: {entry}" for key, entry in value.items()]
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return "  - " + "\n    ".join(lines) + "\n"


@given(
    SETTINGS, SETTINGS, st.integers(0, 5), st.integers(0, 5), st.booleans(), st.booleans(), st.booleans(), st.booleans()
)
@settings(deadline=None, max_examples=examples(100))
def test_whatever_the_settings_the_task_has_those_of_its_shadow(
    first: dict[str, Any], second: dict[str, Any], turn: int, other: int, shadow_first: bool, whole: bool,
    first_in_braces: bool, second_in_braces: bool,
) -> None:  # fmt: skip
    target = {"name": "safety", "task": "moderation", **first}
    shadow = {"name": "next", "task": "moderation", "shadow": "safety", **second}
    both = [(target, turn, first_in_braces), (shadow, other, second_in_braces)]
    both = both[::-1] if shadow_first else both
    if whole:
        written = "  " + json.dumps([task for task, _, _ in both]) + "\n"
    else:
        written = "".join(f"  - {json.dumps(task)}\n" if flow else _lines(task, by) for task, by, flow in both)
    edited = promoted(HEAD + written + TAIL, "p.yaml", "next")
    assert edited.startswith(HEAD)
    assert edited.endswith(TAIL)
    expected = {"name": "safety", "task": "moderation", **second}
    assert tasks(edited) == tasks(f"{HEAD}  - {json.dumps(expected)}\n{TAIL}")


def test_what_other_fields_share_or_the_environment_decides_is_not_changed_here() -> None:
    text = HEAD + """\
  - name: safety
    task: moderation
    model: ${MODEL}
    threshold: &strict {default: 0.9}
  - name: next
    task: moderation
    shadow: safety
    model: ${NEXT:-starter}
    threshold: *strict
    max_length: 64
""" + TAIL  # fmt: skip
    variable = "is not decided in this file but by the environment variable {}: change that where it is set, or write "
    shared = "is an anchor or an alias, so the change would also be one of other fields: write the value itself here"
    assert wrong(text, MODEL="a/b") == [
        f"p.yaml:9:5 tasks[0].model: {variable.format('MODEL')}the value itself here first",
        f"p.yaml:10:5 tasks[0].threshold: {shared}",
        f"p.yaml:14:5 tasks[1].model: {variable.format('NEXT')}the value itself here first",
        f"p.yaml:15:5 tasks[1].threshold: {shared}",
    ]  # fmt: skip


def test_variables_that_stay_are_no_obstacle() -> None:
    text = HEAD + TARGET.replace("size(text) > 3", '${WHEN:-"true"}') + SHADOW + TAIL
    assert "${WHEN" in promoted(text, "p.yaml", "next", {"WHEN": "true"})


def test_a_task_that_is_an_alias_as_a_whole_is_not_changed() -> None:
    text = HEAD + "  - &one {name: safety, task: moderation, model: starter}\n" + SHADOW + TAIL
    (message,) = wrong(text)
    assert message.startswith("p.yaml:7:5 tasks[0]: is an anchor or an alias")


def test_mistakes_of_the_file_are_reported_first() -> None:
    assert wrong(HEAD + TARGET + SHADOW.replace("taxonomy: model", "colour: red") + TAIL) == [
        "p.yaml:25:5 tasks[1].colour: unknown field"
    ]


def test_mistakes_that_only_the_change_makes_are_reported() -> None:
    shadow = "  - {name: next, task: moderation, shadow: safety, ensemble: {of: [safety, third], rule: max}}\n"
    text = HEAD + TARGET + shadow + TARGET.replace("safety", "third") + TAIL
    assert wrong(text) == [
        "p.yaml (after the change):11:21 tasks[0].ensemble.of[0]: must name another task, not the task itself"
    ]


def test_what_cannot_be_edited_is_left_to_a_person() -> None:
    text = HEAD + TARGET.replace("    task: moderation\n", "    ? task\n    : moderation\n") + SHADOW + TAIL
    text = text.replace("    threshold: 0.7       # tuned in March\n", "    ? threshold\n    : 0.7\n")
    assert wrong(text) == [
        'p.yaml:8:5 tasks[0]: cannot be changed safely as it is written; take the fields of "next" over by hand'
    ]
