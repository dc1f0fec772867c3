"""The rules for shadows: every mistake is one line with its position, all at once."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse

HEAD = """\
pipeline: p
kafka: {bootstrap.servers: "b:1"}
input: {topics: [in]}
output: {topic: out%s}
tasks:
  - {name: safety, task: moderation, model: m}
  - {name: next, task: moderation, model: m, shadow: safety}
"""
UNPUBLISHED = "is a shadow, whose annotation is in no event"
KINDS = (
    "sentiment, text-classification, language, zero-shot, moderation, ner, token-classification, pos, pii, paraphrase"
)


def wrong(*tasks: str, output: str = "", more: str = "") -> list[str]:
    text = HEAD % output + "".join(f"  - {{{task}}}\n" for task in tasks) + more
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", {})
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def test_a_shadow_and_its_topic() -> None:
    pipeline = parse(HEAD % ", disagreements: odd")
    assert pipeline.shadows == {"next": "safety"}
    assert pipeline.output.written == ["out", "odd", "out.dead"]
    assert parse(HEAD % "").output.written == ["out", "out.dead"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("name: a, task: moderation, model: m, shadow: safty",
         '8:51 tasks[2].shadow: there is no task with that name, did you mean "safety"?'),
        ("name: a, task: moderation, model: m, shadow: zzz",
         "8:51 tasks[2].shadow: there is no task with that name, only safety"),
        ("name: a, task: moderation, model: m, shadow: a",
         "8:51 tasks[2].shadow: must name another task, not the task itself"),
        ("name: a, task: moderation, model: m, shadow: next",
         "8:51 tasks[2].shadow: names a task that is a shadow itself; name the task that events are annotated by"),
        ("name: a, task: sentiment, model: m, shadow: safety",
         "8:50 tasks[2].shadow: names a task of kind moderation; a shadow must be of the same kind"),
        ("name: a, task: nli, model: m, shadow: safety, hypotheses: [x]",
         "8:44 tasks[2].shadow: names a task of kind moderation; a shadow must be of the same kind"),
        ("name: a, task: moderation, model: m, when: next.flagged",
         f'8:49 tasks[2].when: uses "next", which {UNPUBLISHED}'),
        ("name: a, task: moderation, model: m, shadow: safety, when: next.flagged",
         f'8:65 tasks[2].when: uses "next", which {UNPUBLISHED}'),
        ("name: a, task: moderation, model: m, shadow: ''", "8:51 tasks[2].shadow: must consist of letters"),
        ("name: a, task: moderation, model: m, shadow: true", "8:51 tasks[2].shadow: must be text, put it in quotes"),
    ],
)  # fmt: skip
def test_one_mistake(task: str, message: str) -> None:
    (only,) = wrong(task)
    assert only.startswith(message)


def test_kinds_that_cannot_be_compared() -> None:
    assert wrong("name: a, task: embedding, model: m", "name: b, task: embedding, model: m, shadow: a") == [
        f"9:50 tasks[3].shadow: cannot be used with embedding: only {KINDS} can be compared"
    ]


def test_spans_of_a_shadow_and_unpublished_names_elsewhere() -> None:
    tasks = (
        "name: who, task: ner, model: m", "name: who2, task: ner, model: m, shadow: who",
        "name: private, task: pii, spans: [who, who2]",
        "name: about, task: aspect-sentiment, model: m, aspects: {spans: who2}",
        "name: both, task: moderation, ensemble: {of: [safety, next], rule: max}",
    )  # fmt: skip
    routes = (
        ", text: redacted, routes: [{when: 'next.flagged || safety.flagged', topic: a, annotations: [safety, next]}]"
    )
    assert wrong(*tasks, output=routes, more="redact: {tasks: [who2]}\n") == [
        f'4:54 output.routes[0].when: uses "next", which {UNPUBLISHED}',
        f"4:120 output.routes[0].annotations[1]: {UNPUBLISHED}",
        f"10:45 tasks[4].spans[1]: names a task that {UNPUBLISHED}",
        f"11:70 tasks[5].aspects.spans: names a task that {UNPUBLISHED}",
        f"12:60 tasks[6].ensemble.of[1]: names a task that {UNPUBLISHED}",
        f"13:18 redact.tasks[0]: {UNPUBLISHED}",
    ]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (", disagreements: in", "is also an input topic: the pipeline would read its own output in an endless loop"),
        (", disagreements: out", "is also the output topic; disagreements need a separate topic"),
        (", disagreements: out.dead", "is also the dead-letter topic; disagreements need a separate topic"),
        (", disagreements: d, dead_letter: d", "is also the dead-letter topic; disagreements need a separate topic"),
        (", disagreements: d, dead_letter: {topic: d}",
         "is also the dead-letter topic; disagreements need a separate topic"),
        (", disagreements: r, routes: [{topic: r}]",
         "is also the topic of routes[0]; disagreements need a separate topic"),
    ],
)  # fmt: skip
def test_the_topic_is_no_other_topic_of_the_pipeline(output: str, message: str) -> None:
    assert wrong(output=output) == [f"4:37 output.disagreements: {message}"]


def test_redaction_needs_a_task_that_is_published() -> None:
    text = HEAD % ", text: redacted" + "redact: {}\n"
    with pytest.raises(ConfigError) as caught:
        parse(text.replace("moderation", "token-classification"), "p.yaml", {})
    assert "finds nothing to redact" in str(caught.value)
