"""The rules between fields of the pipeline file. Each violation is reported at the field that is wrong.

The rules work on plain mappings and not on the models, so that they also apply while other fields are still wrong.
Values of the wrong type pass here, because the models report them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.labels import ENTITIES, LANGUAGES, PATTERNED, PERSONAL, REGIONS
from schemas.paths import EVERYWHERE, Pattern, parse_pattern
from schemas.pipeline import (
    dependencies,
    ensembles,
    format_checks,
    redaction_checks,
    registry_checks,
    routing,
    shadows,
    shape_checks,
)
from schemas.pipeline.config import TIMEOUT_MS, Backpressure, Watchdog
from schemas.pipeline.outputs import Output
from schemas.pipeline.task_fields import LANGUAGE, REGION
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import did_you_mean

Mistakes: TypeAlias = Iterator[tuple[tuple[str | int, ...], str]]
"""(path in the file, what is wrong there)."""

# Settings of the Kafka client that our delivery guarantees depend on, and why they cannot be changed.
RESERVED: dict[str, str] = {
    "group.id": "it is the pipeline's name",
    "enable.auto.commit": "offsets are committed after delivery reports",
    "enable.auto.offset.store": "offsets are stored in order after delivery reports",
    "auto.offset.reset": 'a group must never skip events silently; use "input.start"',
    "enable.idempotence": "without it a retry can duplicate or reorder events",
    "max.in.flight": "idempotence needs at most 5",
    "max.in.flight.requests.per.connection": "idempotence needs at most 5",
    "acks": "fewer than all replicas can lose events",
    "request.required.acks": "fewer than all replicas can lose events",
    "transactional.id": "it consists of the pipeline's name and the slot",
    "isolation.level": "aborted events must not be read",
    "enable.partition.eof": "the worker needs it to know that a partition has no backlog",
    "delivery.report.only.error": "offsets wait for every delivery report",
    "enable.gapless.guarantee": "a refused event must become a dead letter, not a fatal error",
    "dr_msg_cb": "the worker installs its own callbacks",
    "plugin.library.paths": "the pipeline file must not load foreign code",
    "test.mock.num.brokers": "the embedded broker is only for the demo and tests",
}
# Fields of a task of which exactly one must be present.
_CHOICES = {
    "nli": ("hypothesis", "hypotheses"),
    "similarity": ("against", "references", "window"),
    "question-answering": ("questions", "question"),
}
# Entities that no pattern can find, by the names of Presidio and of models.
_OF_MODELS = frozenset({*ENTITIES, *ENTITIES.values(), *PERSONAL.values(), "GPE", "NRP", "AGE", "ID"}) - {*PATTERNED}
# Settings that the broker decides under the KIP-848 group protocol.
CLASSIC_ONLY = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms", "group.protocol.type")


def cross_problems(raw: Mapping[str, Any]) -> Mistakes:
    """Yield every violation of a rule between fields; ``raw`` is the file as plain Python values."""
    if isinstance(raw.get("kafka"), Mapping):
        yield from _kafka(raw["kafka"])
    source, output = as_table(raw.get("input")), as_table(raw.get("output"))
    yield from _topics(source, output)
    tasks = [as_table(task) for task in as_list(raw.get("tasks"))]
    yield from _tasks(tasks)
    is_json = source.get("format", "json") != "text"
    for path, message in (*dependencies.problems(tasks, is_json), *ensembles.problems(tasks)):
        yield ("tasks", *path), message
    routes, topic = [as_table(route) for route in as_list(output.get("routes"))], output.get("topic")
    dead = _dead_letters(output) or Output.model_construct(topic=topic).dead_letter_topic
    for path, message in routing.problems(routes, tasks, as_list(source.get("topics")), dead, is_json):
        yield ("output", "routes", *path), message
    for path, message in (*format_checks.problems(output), *shape_checks.problems(output, tasks)):
        yield ("output", *path), message
    yield from redaction_checks.problems(raw)
    yield from shadows.problems(raw)
    yield from registry_checks.problems(raw)
    yield from _batching(as_table(raw.get("batching")))
    yield from _patience(as_table(raw.get("batching")), as_table(raw.get("watchdog")))
    yield from _marks(as_table(raw.get("backpressure")))
    yield from _transactions(raw)


def _kafka(settings: Mapping[str, Any]) -> Mistakes:
    if not settings.get("bootstrap.servers"):
        yield ("kafka",), 'needs "bootstrap.servers", for example localhost:9092'
    for setting in settings:
        if setting in RESERVED:
            yield ("kafka", setting), f"cannot be set: {RESERVED[setting]}"
        elif settings.get("group.protocol") == "consumer" and setting in CLASSIC_ONLY:
            yield ("kafka", setting), "cannot be set with group.protocol=consumer: the broker decides it (KIP-848)"


def _transactions(raw: Mapping[str, Any]) -> Mistakes:
    if raw.get("delivery") != "exactly_once":
        return
    every, timeout = raw.get("commit_interval_ms"), as_table(raw.get("kafka")).get("transaction.timeout.ms", TIMEOUT_MS)
    if isinstance(every, int) and isinstance(timeout, int) and every >= timeout:
        why = "or transactions time out before they are committed"
        message = f"must be less than kafka's transaction.timeout.ms ({timeout}), {why}"
        yield ("commit_interval_ms",), message


def _topics(source: Mapping[str, Any], output: Mapping[str, Any]) -> Mistakes:
    topics = as_list(source.get("topics"))
    for index, topic in enumerate(topics):
        if topic in topics[:index]:
            yield ("input", "topics", index), "appears twice"
    yield from _texts(source)
    topic, dead = output.get("topic"), _dead_letters(output)
    is_mapping = isinstance(output.get("dead_letter"), Mapping)
    place = ("output", "dead_letter", "topic") if is_mapping else ("output", "dead_letter")
    if isinstance(topic, str):
        if topic in topics:
            message = "is also an input topic: the pipeline would read its own output in an endless loop"
            yield ("output", "topic"), message
        if dead is None:
            default = Output.model_construct(topic=topic).dead_letter_topic
            if default in topics:
                yield ("output", "topic"), "the default dead-letter topic is an input topic; set dead_letter"
            if len(default) > 249:
                yield ("output", "topic"), 'is too long to append ".dead" to it; set dead_letter'
    if isinstance(dead, str):
        if dead in topics:
            message = "is also an input topic: failed events would be read again in an endless loop"
            yield place, message
        if dead == topic:
            yield place, "is also the output topic; dead letters need a separate topic"


def _dead_letters(output: Mapping[str, Any]) -> Any:
    """Return the topic of the dead letters as it is written; None if the default applies."""
    dead = output.get("dead_letter")
    return dead.get("topic") if isinstance(dead, Mapping) else dead


def _texts(source: Mapping[str, Any]) -> Mistakes:
    texts = source.get("text", "$.text")
    if source.get("format") == "text":
        if source.get("text", "$") != "$":
            yield ("input", "text"), "cannot be used with format: text, where the whole record is the text"
        return
    if texts == "$":
        yield ("input", "text"), "is the whole object and not a text; name a place in it, such as $.body"
    elif source.get("format") == "debezium":
        yield from _of_rows(texts)
    before: list[tuple[int, Pattern]] = []
    for index, path in enumerate(as_list(texts)):
        place = ("input", "text", index)
        if path == EVERYWHERE and len(texts) > 1:
            yield place, "already names every text of the event, so it must be the only path"
        elif path == "$":
            yield place, "is the whole object and not a text; name a place in it, such as $.body"
        elif pattern := _pattern(path):
            messages = (_clash(pattern, other, f"input.text[{number}]") for number, other in before)
            if message := next(filter(None, messages), None):
                yield place, message
            before.append((index, pattern))


def _of_rows(texts: Any) -> Mistakes:
    """Check that texts of change events are in the row as it is after the change."""
    rule = "must begin with $.after, the row after the change, for example $.after.text"
    listed = isinstance(texts, list)
    for index, path in enumerate(texts if listed else [texts]):
        pattern = _pattern(path)
        if pattern is not None and (len(pattern) < 2 or pattern[0] != "after"):
            yield ("input", "text", index) if listed else ("input", "text"), rule


def _pattern(path: Any) -> Pattern | None:
    try:
        return parse_pattern(path) if isinstance(path, str) else None
    except ValueError:
        return None


def _clash(pattern: Pattern, other: Pattern, named: str) -> str | None:
    """Return a message if ``pattern`` and ``other``, which is ``named``, cannot both name texts of their own."""
    if any(None not in (step, its) and step != its for step, its in zip(pattern, other, strict=False)):
        return None
    if len(pattern) == len(other):
        return f"names the same place as {named}" if pattern == other else f"names a place that {named} also names"
    return f"leads into the text at {named}" if len(pattern) > len(other) else f"cannot be a text: it contains {named}"


def _tasks(tasks: list[Mapping[str, Any]]) -> Mistakes:
    names: dict[str, int] = {}
    for index, task in enumerate(tasks):
        name = task.get("name")
        if isinstance(name, str) and names.setdefault(name, index) != index:
            yield ("tasks", index, "name"), f"is already the name of tasks[{names[name]}]; each task needs its own name"
        model = task.get("model")
        if isinstance(model, str) and model != "starter" and model.strip().lower() == "starter":
            message = 'must be written "starter"; a folder of that name needs ./ in front'
            yield ("tasks", index, "model"), message
        if model == "starter" and task.get("revision") is not None:
            yield ("tasks", index, "revision"), "cannot be used with model: starter, which is part of this installation"
        for name in ("long_text", "max_length", "stride"):
            if task.get("task") == "coreference" and task.get(name) is not None:
                yield ("tasks", index, name), "cannot be used with coreference, whose model splits texts in its own way"
        for name in ("max_unknown", "unknown_text"):
            if task.get("task") in ("language", "pii", "custom") and task.get("model") is None and name in task:
                yield ("tasks", index, name), "cannot be used without a model, whose tokenizer it is about"
        stride, longest = task.get("stride"), task.get("max_length")
        if stride is not None and task.get("long_text") == "truncate":
            yield ("tasks", index, "stride"), "cannot be used with long_text: truncate, which makes no windows"
        # Each window has two special tokens and needs at least two new tokens to advance.
        elif isinstance(stride, int) and isinstance(longest, int) and 8 <= longest < stride + 4:
            yield ("tasks", index, "stride"), f"must be at most {longest - 4}, four less than max_length"
        for name in ("sentences", "disguises"):
            if task.get(name) is True and task.get("long_text") == "truncate":
                yield ("tasks", index, name), "cannot be used with long_text: truncate, which reads only a beginning"
        choices = _CHOICES.get(str(task.get("task")), ())
        if choices and sum(task.get(name) is not None for name in choices) != 1:
            yield ("tasks", index), f"needs exactly one of {', '.join(choices)}"
        for path, message in _names(task):
            yield ("tasks", index, *path), message


def _names(task: Mapping[str, Any]) -> Mistakes:
    """Check names that are known without a model; those that a model defines are checked when it is loaded."""
    alone = task.get("model") is None
    if task.get("task") == "language" and alone:
        for place, name in _unknown(task, "languages", LANGUAGES):
            if not re.search(LANGUAGE, name):  # the models report it
                continue
            yield place, f"is not a language that the library knows; it knows {', '.join(LANGUAGES)}"
    if task.get("task") == "pii":
        for place, name in _unknown(task, "regions", REGIONS):
            if not re.search(REGION, name):
                continue
            # Codes resemble too many others for a suggestion by spelling; this mistake is a common one.
            hint = ', did you mean "GB"?' if name == "UK" else ""
            yield place, f"is not a supported country code (ISO 3166){hint}"
    if task.get("task") == "pii" and alone and task.get("spans") is None and task.get("recognizers") is None:
        for place, name in _unknown(task, "entities", PATTERNED):
            yield place, _without_pattern(name)
        for name in as_table(task.get("threshold")):
            if name not in (*PATTERNED, "default"):
                yield ("threshold", name), _without_pattern(name)


def _without_pattern(entity: str) -> str:
    if entity in _OF_MODELS:
        return 'needs "model:", or "spans:" with the name of another task: no pattern finds it'
    known = f"; they find {', '.join(PATTERNED)}; names and places need a model or the spans of another task"
    return "is not an entity that patterns find" + (did_you_mean(entity, PATTERNED) or known)


def _unknown(task: Mapping[str, Any], field: str, known: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, name in enumerate(as_list(task.get(field))):
        if isinstance(name, str) and name not in known:
            yield (field, index), name


def _batching(batching: Mapping[str, Any]) -> Mistakes:
    if batching.get("target_latency_ms") is not None and "linger_ms" in batching:
        yield ("batching", "linger_ms"), "target_latency_ms chooses the linger time: remove one of the two"


def _patience(batching: Mapping[str, Any], watchdog: Mapping[str, Any]) -> Mistakes:
    """Yield what would count as stuck although it only waits: nothing moves while a micro-batch lingers."""
    fields = Watchdog.model_fields
    for name in ("linger_ms", "target_latency_ms"):
        for limit in ("warn_after_ms", "leave_after_ms"):
            waits, patience = batching.get(name), watchdog.get(limit, fields[limit].default)
            if isinstance(waits, int) and isinstance(patience, int) and 2 * waits > patience:
                what = f"events that wait as {name} ({waits}) allows could count as stuck"
                yield ("batching", name), f"{what}: watchdog.{limit} ({patience}) must be at least twice as long"
                break


def _marks(marks: Mapping[str, Any]) -> Mistakes:
    fields = Backpressure.model_fields
    low, high = (marks.get(name, fields[name].default) for name in ("low_events", "high_events"))
    if isinstance(low, int) and isinstance(high, int) and low >= high:
        place = "low_events" if "low_events" in marks else "high_events"
        yield ("backpressure", place), f"low_events ({low}) must be below high_events ({high})"
