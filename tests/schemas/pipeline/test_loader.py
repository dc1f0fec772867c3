"""Loading the pipeline file: every mistake is one line with its position."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.pipeline.config import Input, Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import load, load_file, parse, parse_file
from schemas.pipeline.outputs import Output, Route
from schemas.pipeline.tasks import ClassificationTask, ModerationTask, SpanTask
from tests.schemas.pipeline.pipelines import GOOD, mutate
from tests.thoroughness import examples


def wrong(text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Return the lines of the ConfigError that ``text`` raises."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", environ or {})
    lines = [str(problem) for problem in caught.value.problems]
    assert str(caught.value) == "\n".join(lines)
    return lines


def test_a_good_file_becomes_a_pipeline() -> None:
    pipeline = parse(GOOD, environ={})
    assert pipeline.pipeline == "social-moderation"
    assert pipeline.kafka == {"bootstrap.servers": "localhost:9092", "sasl.password": "hush"}
    assert pipeline.input.topics == ["posts", "comments"]
    toxicity, entities = pipeline.tasks
    assert isinstance(toxicity, ModerationTask)
    assert toxicity.threshold == {"default": 0.5, "hate": 0.25}
    assert isinstance(entities, SpanTask)
    assert (entities.max_length, entities.stride, entities.revision) == (128, 32, "d1a3e8f")
    assert pipeline.batching.max_tokens == 16384
    assert pipeline.output.dead_letter_topic == "posts.dead"


_JSON = "format: json\n  text: $.body"
# (text to replace in GOOD, replacement, expected lines)
MISTAKES = {
    "field of a task": ("model: unitary", "modle: unitary",
        ['12:5 tasks[0].modle: unknown field, did you mean "model"?']),
    "field of a section": ("dead_letter:", "deadletter:",
        ['22:3 output.deadletter: unknown field, did you mean "dead_letter"?']),
    "field at the top": ("batching:", "baching:", ['23:1 baching: unknown field, did you mean "batching"?']),
    "field like no other": ("device: cpu", "zzz: cpu", ["25:3 compute.zzz: unknown field"]),
    "strange field": ("device: cpu", '"a\\nb": cpu', [r'25:3 compute["a\nb"]: unknown field']),
    "field of another task": ("stride: 32", "multi_label: true",
        ["19:5 tasks[1].multi_label: not a field of task ner, only of sentiment, text-classification, zero-shot"]),
    "merge key": ("batching: {", "batching: {<<: {}, ", [
        "23:12 batching: merge keys (<<) do not exist in YAML 1.2; repeat the fields"]),
    "missing field of a task": ("    model: dslim/bert-base-NER\n", "", ["14:5 tasks[1].model: missing field"]),
    "missing field of a section": ("  topic: posts.enriched\n", "", ["21:3 output.topic: missing field"]),
    "missing field at the top": ("pipeline: social-moderation\n", "", ["1:1 pipeline: missing field"]),
    "missing task": ("    task: ner\n", "", ["14:5 tasks[1].task: missing field"]),
    "misspelt task field": ("task: ner", "tsk: ner", ['15:5 tasks[1].tsk: unknown field, did you mean "task"?']),
    "unknown task": ("task: ner", "task: nre", ['15:11 tasks[1].task: unknown task, did you mean "ner"?']),
    "upper-case task": ("task: ner", "task: NER", ['15:11 tasks[1].task: unknown task, did you mean "ner"?']),
    "task like no other": ("task: ner", "task: xxxxxxx",
        ["15:11 tasks[1].task: unknown task, must be one of sentiment, text-classification, ner, "
         "token-classification, pos, coreference, language, aspect-sentiment, nli, zero-shot, paraphrase, similarity, "
         "question-answering, pii, moderation, embedding, custom"]),
    "task of the wrong type": ("task: ner", "task: [ner]", ["15:11 tasks[1].task: must be text"]),
    "task is no mapping": ("  - name: entities", "  - just text\n  - name: entities",
        ["14:5 tasks[1]: must be a mapping of fields"]),
    "enum": ("format: json", "format: jsn",
        ['7:11 input.format: must be one of json, text, cloudevents, connect, debezium, avro, protobuf, json_schema, '
         'did you mean "json"?']),
    "no registry": ("format: json", "format: avro",
        ['7:11 input.format: "avro" needs a Schema Registry: set registry.url']),
    "no schema of Protobuf": ("format: json", "format: protobuf",
        ['7:11 input.format: "protobuf" needs a Schema Registry: set registry.url or input.descriptor_set']),
    "half a description": ("format: json", "format: protobuf\n  descriptor_set: p.desc",
        ['8:19 input.descriptor_set: needs "message", too']),
    "the other half": ("format: json", "format: protobuf\n  message: a.B", [
        '7:11 input.format: "protobuf" needs a Schema Registry: set registry.url or input.descriptor_set',
        '8:12 input.message: needs "descriptor_set", too']),
    "a description of JSON": ("format: json", "descriptor_set: p.desc\n  message: a.B", [
        "7:19 input.descriptor_set: is only for format: protobuf, or encoding: protobuf",
        "8:12 input.message: is only for format: protobuf, or encoding: protobuf"]),
    "reader's schema of JSON": ("format: json", "reader_schema: p.avsc",
        ["7:18 input.reader_schema: is only for format: avro, or encoding: avro"]),
    "encoding of JSON": ("format: json", "format: json\n  encoding: avro", [
        "8:13 input.encoding: is only for format: debezium; other formats say by their name how they are encoded"]),
    "no registry for changes": (_JSON, "format: debezium\n  encoding: avro\n  text: $.after.body", [
        '8:13 input.encoding: "avro" needs a Schema Registry: set registry.url']),
    "validation of JSON": ("format: json", "format: json\n  validate: true", [
        "8:13 input.validate: is only for format: json_schema, or encoding: json_schema"]),
    "unknown encoding": (_JSON, "format: debezium\n  encoding: arvo\n  text: $.after.body", [
        '8:13 input.encoding: must be one of json, avro, protobuf, json_schema, did you mean "avro"?']),
    "no registry for the output": ("dead_letter: posts.dead", "format: {avro: {compatibility: full}}", [
        '22:11 output.format: "avro" needs a Schema Registry: set registry.url',
        "22:34 output.format.avro.compatibility: is only set with auto_register: true"]),
    "schema of a shape": ("dead_letter: posts.dead", "shape: openai\n  format: {avro: {auto_register: true}}", [
        "22:10 output.shape: needs a task of kind moderation with taxonomy: openai; toxicity has another one",
        '23:11 output.format: "avro" needs a Schema Registry: set registry.url',
        "23:34 output.format.avro.auto_register: registers the schema of the event, but shape makes something else "
        "of it"]),
    "name of a record": ("dead_letter: posts.dead", "format: {avro: {record: com.example.1st}}", [
        '22:11 output.format: "avro" needs a Schema Registry: set registry.url',
        "22:27 output.format.avro.record: must be names with dots between them, such as com.example.Post"]),
    "unused registry": ("compute:", "registry: {url: 'http://r:8081'}\ncompute:",
        ["24:11 registry: is not used: no format of input or output is one of avro, protobuf, json_schema"]),
    "section in a task": ("stride: 32", "redact: mask",
        ["19:5 tasks[1].redact: unknown field; redact is a section of the file, at its top"]),
    "redacted": ("dead_letter: posts.dead", "text: redacted",
        ["22:9 output.text: needs a section redact, which may be empty: redact: {}"]),
    "number for text": ("name: toxicity", "name: 12", ["10:11 tasks[0].name: must be text, put it in quotes"]),
    "text for a number": ("max_length: 128", 'max_length: "128"',
        ["18:17 tasks[1].max_length: must be a whole number between 8 and 131072"]),
    "fraction for a whole number": ("linger_ms: 5", "linger_ms: 5.5",
        ["23:42 batching.linger_ms: must be a whole number between 0 and 60000"]),
    "boolean for a number": ("linger_ms: 5", "linger_ms: true",
        ["23:42 batching.linger_ms: must be a whole number between 0 and 60000"]),
    "no is text": ("device: cpu", "device: no",
        ["25:11 compute.device: must be auto, cpu, cuda, or cuda:N with a device number N"]),
    "nothing for text": ("format: json", "format:", ["7:3 input.format: must not be empty"]),
    "nothing for a section": ("{max_tokens: 16384, linger_ms: 5}", "", ["23:1 batching: must not be empty"]),
    "text for a section": ("{max_tokens: 16384, linger_ms: 5}", "fast",
        ["23:11 batching: must be a mapping of fields"]),
    "text for a list": ('[posts, "comments"]', "posts", ["6:11 input.topics: must be a list"]),
    "empty list": ('[posts, "comments"]', "[]", ["6:11 input.topics: must not be empty"]),
    "range": ("max_length: 128", "max_length: 4", ["18:17 tasks[1].max_length: must be between 8 and 131072"]),
    "range of a label": ("hate: 0.25", "hate: 1.25", ["13:37 tasks[0].threshold.hate: must be between 0 and 1"]),
    "range of a threshold": ("{default: 0.5, hate: 0.25}", "-0.1",
        ["13:16 tasks[0].threshold: must be between 0 and 1"]),
    "not a number": ("{default: 0.5, hate: 0.25}", ".nan",
        ["13:16 tasks[0].threshold: must be between 0 and 1"]),
    "text for a threshold": ("{default: 0.5, hate: 0.25}", "high",
        ["13:16 tasks[0].threshold: must be a number between 0 and 1"]),
    "range with one end": ("stride: 32", "stride: -1", ["19:13 tasks[1].stride: must be at least 0"]),
    "taxonomy": ("threshold: {default: 0.5, hate: 0.25}", "taxonomy: mine",
        ["13:15 tasks[0].taxonomy: must be one of model, standard, perspective, openai, mlcommons, or a map from the "
         "model's labels to yours"]),
    "pipeline name": ("pipeline: social-moderation", "pipeline: social moderation",
        ['1:11 pipeline: must consist of letters, digits, ".", "_" and "-"']),
    "task name": ("name: toxicity", "name: 1st",
        ['10:11 tasks[0].name: must consist of letters, digits and "_", and must not start with a digit']),
    "long name": ("name: toxicity", f"name: {'x' * 65}", ["10:11 tasks[0].name: must be at most 64 characters"]),
    "topic": ("topic: posts.enriched", "topic: posts/enriched",
        ['21:10 output.topic: must consist of letters, digits, ".", "_" and "-"']),
    "topic of dots": ("topic: posts.enriched", "topic: ..", ["21:10 output.topic: a topic cannot be named . or .."]),
    "path": ("text: $.body", "text: body", ["8:9 input.text: must start with $, for example $.body"]),
    "path of many": ("text: $.body", "text: $.a.*",
        ["8:9 input.text: not a path from character 4 on; use $.name, $['any name'] or $[0], $[*] for every entry, "
         "or $..* alone for every text"]),
    "whole object": ("text: $.body", "text: $",
        ["8:9 input.text: is the whole object and not a text; name a place in it, such as $.body"]),
    "whole object in a list": ("text: $.body", "text: [$.body, $]",
        ["8:18 input.text[1]: is the whole object and not a text; name a place in it, such as $.body"]),
    "no path": ("text: $.body", "text: []", ["8:9 input.text: must not be empty"]),
    "too many paths": ("text: $.body", f"text: [{', '.join(f'$.a{n}' for n in range(65))}]",
        ["8:9 input.text: must have at most 64 entries"]),
    "mapping for paths": ("text: $.body", "text: {path: $.body}", ["8:9 input.text: must be text"]),
    "one of several paths": ("text: $.body", "text: [$.body, subject]",
        ["8:18 input.text[1]: must start with $, for example $.body"]),
    "number among paths": ("text: $.body", "text: [$.body, 5]",
        ["8:18 input.text[1]: must be text, put it in quotes"]),
    "path twice": ("text: $.body", "text: [$.body, $.title, \"$['body']\"]",
        ["8:27 input.text[2]: names the same place as input.text[0]"]),
    "overlapping paths": ("text: $.body", "text: ['$.a[*].b', '$.a[0].c', '$.a[1].b']",
        ["8:34 input.text[2]: names a place that input.text[0] also names"]),
    "path into a text": ("text: $.body", "text: [$.body, $.body.html]",
        ["8:18 input.text[1]: leads into the text at input.text[0]"]),
    "path around a text": ("text: $.body", "text: ['$.body[*].html', $.body]",
        ["8:28 input.text[1]: cannot be a text: it contains input.text[0]"]),
    "everything and more": ("text: $.body", "text: [$.body, $..*]",
        ["8:18 input.text[1]: already names every text of the event, so it must be the only path"]),
    "unquoted path in a list": ("text: $.body", "text: [$.body, $.messages[*].body]",
        ['8:30 "*" and "&" mark aliases and anchors in YAML; put the value in quotes']),
    "unquoted index in a list": ("text: $.body", "text: [$.messages[0].body, $.body]",
        ['8:20 a list lacks a "," or "]"; inside [ ] and { }, put paths with [0] or [*] in quotes']),
    "several paths for text": ("format: json\n  text: $.body", "format: text\n  text: [$.body, $.title]",
        ["8:9 input.text: cannot be used with format: text, where the whole record is the text"]),
    "duplicate field": ("format: json", "format: json\n  text: $.x",
        ["9:3 input.text: appears twice; the first is on line 8"]),
    "duplicate task name": ("name: entities", "name: toxicity",
        ["14:11 tasks[1].name: is already the name of tasks[0]; each task needs its own name"]),
    "duplicate topic": ('"comments"', "posts", ["6:19 input.topics[1]: appears twice"]),
    "output is input": ("topic: posts.enriched", "topic: posts",
        ["21:10 output.topic: is also an input topic: the pipeline would read its own output in an endless loop"]),
    "dead letters are input, as a mapping": ("dead_letter: posts.dead", "dead_letter: {topic: comments}",
        ["22:24 output.dead_letter.topic: is also an input topic: failed events would be read again in an endless "
         "loop"]),
    "what dead letters keep": ("dead_letter: posts.dead", "dead_letter: {text: encryptd}",
        ['22:23 output.dead_letter.text: must be one of original, none, encrypted, did you mean "encrypted"?']),
    "field of dead letters": ("dead_letter: posts.dead", "dead_letter: {topik: x}",
        ['22:17 output.dead_letter.topik: unknown field, did you mean "topic"?']),
    "dead letters are a list": ("dead_letter: posts.dead", "dead_letter: [posts.dead]",
        ["22:16 output.dead_letter: must be text"]),
    "dead letters are input": ("dead_letter: posts.dead", "dead_letter: comments",
        ["22:16 output.dead_letter: is also an input topic: failed events would be read again in an endless loop"]),
    "dead letters are output": ("dead_letter: posts.dead", "dead_letter: posts.enriched",
        ["22:16 output.dead_letter: is also the output topic; dead letters need a separate topic"]),
    "default dead letters are input": ('"comments"]', "posts.enriched.dead]", None),
    "stride": ("stride: 32", "stride: 125", ["19:13 tasks[1].stride: must be at most 124, four less than max_length"]),
    "stride of no windows": ("stride: 32", "stride: 32\n    long_text: truncate",
        ["19:13 tasks[1].stride: cannot be used with long_text: truncate, which makes no windows"]),
    "revision of starter": ("model: dslim/bert-base-NER", "model: starter",
        ["17:15 tasks[1].revision: cannot be used with model: starter, which is part of this installation"]),
    "unknown share of patterns": ("- name: entities",
        "- {name: private, task: pii, max_unknown: 0.5}\n  - name: entities",
        ["14:45 tasks[1].max_unknown: cannot be used without a model, whose tokenizer it is about"]),
    "unknown text of a library": ("- name: entities",
        "- {name: tongue, task: language, unknown_text: leave_out}\n  - name: entities",
        ["14:50 tasks[1].unknown_text: cannot be used without a model, whose tokenizer it is about"]),
    "unknown treatment": ("stride: 32", "unknown_text: drop",
        ["19:19 tasks[1].unknown_text: must be one of notice, leave_out, dead_letter"]),
    "path for text": ("format: json", "format: text",
        ["8:9 input.text: cannot be used with format: text, where the whole record is the text"]),
    "marks": ("compute:", "backpressure: {high_events: 10}\ncompute:",
        ["24:29 backpressure.high_events: low_events (4096) must be below high_events (10)"]),
    "a linger time and a goal": ("linger_ms: 5}", "linger_ms: 5, target_latency_ms: 200}",
        ["23:42 batching.linger_ms: target_latency_ms chooses the linger time: remove one of the two"]),
    "a linger time that looks like standing still": ("linger_ms: 5}", "linger_ms: 30001}",
        ["23:42 batching.linger_ms: events that wait as linger_ms (30001) allows could count as stuck: "
         "watchdog.warn_after_ms (60000) must be at least twice as long"]),
    "a goal that looks like it": ("linger_ms: 5}", "target_latency_ms: 900}\nwatchdog: {leave_after_ms: 1500}",
        ["23:50 batching.target_latency_ms: events that wait as target_latency_ms (900) allows could count as stuck: "
         "watchdog.leave_after_ms (1500) must be at least twice as long"]),
    "a transaction that ends too late": ("compute:", "delivery: exactly_once\ncommit_interval_ms: 30000\ncompute:",
        ["25:21 commit_interval_ms: must be less than kafka's transaction.timeout.ms (30000), or transactions "
         "time out before they are committed"]),
    "no address": ("  bootstrap.servers: localhost:9092\n", "",
        ['3:3 kafka: needs "bootstrap.servers", for example localhost:9092']),
    "no setting": ("kafka:\n  bootstrap.servers: localhost:9092\n  sasl.password: ${SECRET:-hush}\n", "kafka: {}\n",
        ['2:8 kafka: needs "bootstrap.servers", for example localhost:9092']),
    "reserved setting": ("sasl.password:", "group.id:",
        ["4:3 kafka.group.id: cannot be set: it is the pipeline's name"]),
    "setting of the broker": ("  sasl.password: ${SECRET:-hush}",
        "  group.protocol: consumer\n  session.timeout.ms: 9000",
        ["5:3 kafka.session.timeout.ms: cannot be set with group.protocol=consumer: the broker decides it (KIP-848)"]),
    "setting of no type": ("${SECRET:-hush}", "[a]",
        ["4:18 kafka.sasl.password: must be one text, with commas between the entries"]),
    "variable": ("${SECRET:-hush}", "${SECRET}", ["4:18 kafka.sasl.password: environment variable SECRET is not set"]),
    "variable with a message": ("localhost:9092", "${HOSTS:?say where}",
        ["3:22 kafka.bootstrap.servers: environment variable HOSTS is not set or empty: say where"]),
    "variable instead of a name": ("pipeline: social-moderation", "pipeline: ${P}",
        ["1:11 pipeline: environment variable P is not set"]),
    "half a variable": ("${SECRET:-hush}", "${SECRET",
        ['4:18 kafka.sasl.password: not a valid variable: write ${NAME}, ${NAME:-default} or ${NAME:?message}, '
         'and "$${" for a plain "${"']),
    "tag": ("device: cpu", "device: !!str cpu",
        ["25:11 compute.device: YAML tags (!...) are not supported; to write text, put it in quotes"]),
    "mapping for a key": ("device: cpu", "? {a: b}\n  : cpu", ["25:5 compute: a key must be plain text"]),
    "control character": ("model: unitary/toxic-bert", 'model: "a\\0b"',
        ["12:12 tasks[0].model: contains an unprintable character"]),
    "unknown alias": ("device: cpu", "device: *x", ["25:11 the alias does not refer to an earlier, complete value"]),
    "indentation": ("  format: json", "   format: json",
        ["7:4 does not line up with the lines above; check the indentation"]),
    "colon": ("model: unitary/toxic-bert", "model: a: b",
        ['12:13 unexpected ":"; check the indentation, or put the value in quotes']),
    "tab": ("  format: json", "\tformat: json", ["7:1 a tab; indent YAML with spaces"]),
    "open quote": ("device: cpu", "device: 'cpu", ["25:15 a quote is opened but never closed"]),
    "variable in a flow list": ('"comments"]', "${MORE}]",
        ['6:20 a list lacks a "," or "]"; inside [ ] and { }, put values with ${...} in quotes']),
    "second document": ("compute:", "---\ncompute:",
        ["24:1 a second document starts here; a pipeline file has only one"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_exact_line(case: str) -> None:
    old, new, lines = MISTAKES[case]
    text = mutate(old, new)
    if case == "default dead letters are input":
        text = text.replace("  dead_letter: posts.dead\n", "")
        lines = ["21:10 output.topic: the default dead-letter topic is an input topic; set dead_letter"]
    assert wrong(text) == [f"p.yaml:{line}" for line in lines or []]


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
pipeline: my pipe
kafka:
  bootstrap.servers: ${HOSTS}
  acks: 1
input:
  topics: [posts, posts]
  format: protobuff
tasks:
  - name: a
    task: moderation
    modle: starter
    threshold: 1.5
  - name: a
    task: nre
    treshold: 2
    stride: 3.5
  - {name: z, task: ner, model: x, max_length: 16, stride: 15, agregation: max}
output:
  topic: posts
  text: orginal
compute: {threads: "${N:-x}"}
"""
    assert wrong(text) == [
        'p.yaml:1:11 pipeline: must consist of letters, digits, ".", "_" and "-"',
        "p.yaml:3:22 kafka.bootstrap.servers: environment variable HOSTS is not set",
        "p.yaml:4:3 kafka.acks: cannot be set: fewer than all replicas can lose events",
        "p.yaml:6:19 input.topics[1]: appears twice",
        "p.yaml:7:11 input.format: must be one of json, text, cloudevents, connect, debezium, avro, protobuf, "
        'json_schema, did you mean "protobuf"?',
        'p.yaml:11:5 tasks[0].modle: unknown field, did you mean "model"?',
        "p.yaml:12:16 tasks[0].threshold: must be between 0 and 1",
        "p.yaml:13:11 tasks[1].name: is already the name of tasks[0]; each task needs its own name",
        'p.yaml:14:11 tasks[1].task: unknown task, did you mean "ner"?',
        'p.yaml:15:5 tasks[1].treshold: unknown field, did you mean "threshold"?',
        "p.yaml:16:13 tasks[1].stride: must be a whole number, at least 0",
        "p.yaml:17:60 tasks[2].stride: must be at most 12, four less than max_length",
        'p.yaml:17:64 tasks[2].agregation: unknown field, did you mean "aggregation"?',
        "p.yaml:19:10 output.topic: is also an input topic: the pipeline would read its own output in an endless loop",
        'p.yaml:20:9 output.text: must be one of original, none, redacted, did you mean "original"?',
        "p.yaml:21:20 compute.threads: must be a whole number between 1 and 1024",
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "1:1 the file is empty"),
        (b"\n# only a comment\n", "1:1 the file is empty"),
        (b"- a\n- b\n", '1:1 the file must be a mapping, for example one that starts with "pipeline: my-name"'),
        (b"hello", '1:1 the file must be a mapping, for example one that starts with "pipeline: my-name"'),
        (b"pipeline: x\nkafka: \xff\n", "2:8 not UTF-8"),
        ("pipeline: é".encode() + b"\xc3", "1:12 not UTF-8"),
        ("pipeline: x".encode("utf-16"), "1:1 not UTF-8"),
        (b"pipeline: \x00", "1:11 a character that YAML does not allow here"),
        (b"a: " + b"x" * (1 << 20), "1:1 larger than 1 MiB, the limit for a pipeline file"),
        (b"a: " + b"[" * 100_000, "1:35 nested more than 32 levels deep"),
        (b'a: "\\UFFFFFFFF"', "1:1 not valid YAML at or after this place"),
        (b"%YAML 3.0\n---\na: 1", "1:1 YAML 1.x is needed"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == f"{file}:{line}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "nope.yaml", "there is no such file"),
        (tmp_path, "is a directory, not a file"),
        (tmp_path / ("x" * 5000), "cannot be read: file name too long"),
    ]:
        with pytest.raises(ConfigError) as caught:
            load(path)
        assert str(caught.value) == f"{path}:1:1 {reason}"


def test_a_byte_order_mark_moves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("pipeline:", "pipelin:").encode())
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == f'{file}:1:1 pipelin: unknown field, did you mean "pipeline"?'


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    (line,) = wrong("\n".join(lines))
    assert line.endswith("more than 20000 values (each use of an alias counts)")


def test_aliases_do_not_nest_deeper_than_brackets_may() -> None:
    lines = ["a0: &a0 [" + "[" * 19 + "]" * 19 + "]", "a1: [" + "[" * 11 + "*a0" + "]" * 11 + "]"]
    assert wrong("\n".join(lines)) == ["p.yaml:2:17 nested more than 32 levels deep"]
    assert wrong("a: &a [*a]") == ["p.yaml:1:8 the alias does not refer to an earlier, complete value"]


def test_anchors_and_aliases_work() -> None:
    text = mutate("unitary/toxic-bert", "&model some/model").replace("dslim/bert-base-NER", "*model")
    assert [task.model for task in parse(text, environ={}).tasks] == ["some/model"] * 2


SECRET = "hunter2-s3cr3t"


@pytest.mark.parametrize("place", re.findall(r"^(?: *- | *)[\w.]+: +([^\s{\[].*)$", GOOD, re.MULTILINE))
def test_no_message_quotes_a_value(place: str) -> None:
    # A secret pasted into any field, as text, as a number's field, as part of broken YAML.
    for value in ("${LEAK}", f'"{SECRET} "', f"{SECRET}: {SECRET}", f"[{SECRET}", f"'{SECRET}", f"{{a: {SECRET}}}",
                  f"*{SECRET}", f'"\\q{SECRET}"', f"!{SECRET} x", f"@{SECRET}"):  # fmt: skip
        try:
            parse(GOOD.replace(place, value, 1), "p.yaml", {"LEAK": SECRET + "\n"})
        except ConfigError as error:
            assert SECRET not in str(error)


def test_variables_fill_numbers_booleans_and_text() -> None:
    text = mutate("linger_ms: 5", 'linger_ms: "${LINGER}"')
    text = text.replace("{default: 0.5, hate: 0.25}", "${THRESHOLD}").replace("max_length: 128", "max_length: ${LONG}")
    text = text.replace("revision: d1a3e8f", "revision: ${REVISION:-}")
    text += "  threads: ${THREADS:-}\n"
    environ = {"LINGER": "7", "THRESHOLD": "1e-1", "LONG": "0x40", "SECRET": "0123", "REVISION": ""}
    pipeline = parse(text, environ=environ)
    toxicity, entities = pipeline.tasks
    assert isinstance(toxicity, ModerationTask)
    assert (pipeline.batching.linger_ms, toxicity.threshold, entities.max_length) == (7, 0.1, 64)
    assert (pipeline.compute.threads, entities.revision) == (None, None)
    assert pipeline.kafka["sasl.password"] == "0123"


def test_a_variable_can_be_a_boolean() -> None:
    text = GOOD + "  threads: 1\n"
    text = text.replace("task: ner", "task: sentiment\n    multi_label: ${MULTI}")
    task = parse(text, environ={"MULTI": "true"}).tasks[1]
    assert isinstance(task, ClassificationTask)
    assert task.multi_label is True
    assert wrong(text, {"MULTI": "yes"}) == ["p.yaml:16:18 tasks[1].multi_label: must be true or false"]


@pytest.mark.parametrize("value", ["a\nacks: 0", "x}", "[a]", "{a: b}", "&a", "*a", "!!python/object:os", "${SECRET}",
                                   "a: b", "# c", "'", '"'])  # fmt: skip
def test_variables_cannot_become_structure(value: str) -> None:
    pipeline = parse(GOOD, environ={"SECRET": value})
    assert pipeline.kafka == {"bootstrap.servers": "localhost:9092", "sasl.password": value}


def test_settings_of_kafka_are_kept_as_they_are_written() -> None:
    text = mutate(
        "  sasl.password: ${SECRET:-hush}",
        """\
  sasl.password: 0123
  sasl.username: "5"
  linger.ms: 5
  enable.metrics.push: false
  client.rack: 0x1F
  a: 1.50
  b: True
  c: 1e3""",
    )
    assert parse(text, environ={}).kafka == {
        "bootstrap.servers": "localhost:9092", "sasl.password": "0123", "sasl.username": "5", "linger.ms": 5,
        "enable.metrics.push": False, "client.rack": "0x1F", "a": "1.50", "b": "True", "c": "1e3",
    }  # fmt: skip


def test_a_file_without_mistakes_can_still_point_at_its_places() -> None:
    file = parse_file(GOOD, "p.yaml", {})
    assert str(file.problem(("kafka", "sasl.password"), "unknown")) == "p.yaml:4:18 kafka.sasl.password: unknown"
    assert str(file.problem(("tasks", 1, "when"), "absent")) == "p.yaml:14:5 tasks[1].when: absent"


def test_the_file_is_read_in_the_environment_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "from outside")
    file = tmp_path / "p.yaml"
    file.write_text(GOOD)
    assert load_file(file).pipeline.kafka["sasl.password"] == "from outside"


def _hash(change: Callable[[str], str] = str, environ: dict[str, str] | None = None) -> str:
    text = change(GOOD)
    return config_hash(parse(text, environ=environ or {}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("localhost:9092", "elsewhere:9093"),
        ("social-moderation", "renamed"),
        ('"comments"', "threads"),
        ("posts.enriched", "elsewhere"),
        ("posts.dead", "elsewhere"),
        ("linger_ms: 5", "linger_ms: 50"),
        ("device: cpu", "device: cuda"),
        ("format: json", "format: json\n  start: latest"),
        ("compute:", "commit_interval_ms: 99\ncompute:"),
        # The default, written out.
        ("stride: 32", "stride: 32\n    long_text: windows"),
    ],
)
def test_ids_do_not_change_with_what_does_not_change_events(old: str, new: str) -> None:
    assert _hash(lambda text: text.replace(old, new)) == _hash()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("$.body", "$.text"),
        ("hate: 0.25", "hate: 0.26"),
        ("unitary/toxic-bert", "other/model"),
        ("d1a3e8f", "d1a3e8e"),
        ("name: entities", "name: names"),
        ("stride: 32", "stride: 33"),
        ("dead_letter: posts.dead", "text: none"),
        ("format: json", "format: json\n  max_characters: 10"),
    ],
)
def test_ids_change_with_what_events_say(old: str, new: str) -> None:
    assert _hash(lambda text: text.replace(old, new)) != _hash()


# Field -> (another value, whether it is part of event ids): every new field needs a decision.
TOP: dict[str, tuple[Any, bool]] = {
    "pipeline": ("renamed", False), "kafka": ({"bootstrap.servers": "elsewhere:1"}, False),
    "input": ({"topics": ["posts"], "text": "$.x"}, True), "tasks": ([{"name": "a", "task": "language"}], True),
    "output": ({"topic": "posts.enriched", "text": "none"}, True), "delivery": ("exactly_once", False),
    "batching": ({"max_events": 3}, False), "backpressure": ({"high_bytes": 99}, False),
    "compute": ({"cache": 5}, False), "watchdog": ({"warn_after_ms": 5000}, False),
    "stop_after": ({"in_a_row": 5}, False), "telemetry": ({"port": None}, False), "commit_interval_ms": (99, False),
    "drain_timeout_ms": (99, False), "redact": ({"elsewhere": False}, True),
    "registry": ({"url": "http://registry:8081"}, False),
}  # fmt: skip
INPUT: dict[str, tuple[Any, bool]] = {
    "topics": (["others"], False), "format": ("text", True), "encoding": ("avro", True), "text": ("$.x", True),
    "validates": (True, True),
    "start": ("latest", False), "tombstones": ("skip", False), "reader_schema": ("posts.avsc", True),
    "descriptor_set": ("p.desc", True), "message": ("a.B", True),
    "max_characters": (10, True), "max_bytes": (10, True),
}  # fmt: skip
OUTPUT: dict[str, tuple[Any, bool]] = {
    "topic": ("others", False), "dead_letter": ("dead", False), "text": ("none", True), "disagreements": ("odd", False),
    "routes": ([{"topic": "elsewhere", "text": "none"}], True), "offset_unit": ("utf16", True),
    "original_offsets": (True, True), "format": ("cloudevents", False), "shape": ("openai", True),
}  # fmt: skip


@pytest.mark.parametrize(
    ("section", "field"),
    [(None, field) for field in Pipeline.model_fields]
    + [("input", field) for field in Input.model_fields]
    + [("output", field) for field in Output.model_fields],
)
def test_every_field_is_part_of_ids_or_is_not(section: str | None, field: str) -> None:
    value, counts = {None: TOP, "input": INPUT, "output": OUTPUT}[section][field]
    given = parse(GOOD, environ={}).model_dump(exclude_unset=True)
    before = config_hash(Pipeline.model_validate(given))
    name = (Input.model_fields[field].alias or field) if section == "input" else field
    (given if section is None else given[section])[name] = value
    changed = Pipeline.model_validate(given)
    assert changed != parse(GOOD, environ={})
    assert (config_hash(changed) != before) is counts


ROUTE: dict[str, tuple[Any, bool]] = {
    "when": ("true", False), "topic": ("others", False), "name": ("aside", False), "copy": (True, False),
    "drop": (True, False), "key": ("$.id", False), "headers": ({"a": "b"}, False),
    "text": ("none", True), "annotations": (["entities"], True), "format": ("cloudevents", False),
    "shape": ("openai", True),
}  # fmt: skip


@pytest.mark.parametrize("field", [field.alias or name for name, field in Route.model_fields.items()])
def test_every_field_of_a_route_is_part_of_ids_or_is_not(field: str) -> None:
    def hashed(**route: Any) -> str:
        given = parse(GOOD, environ={}).model_dump(exclude_unset=True)
        given["output"]["routes"] = [{"topic": "elsewhere", **route}]
        return config_hash(Pipeline.model_validate(given))

    value, counts = ROUTE[field]
    assert hashed() == _hash(), "a route that shows what output shows"
    assert (hashed(**{field: value}) != hashed()) is counts


def test_the_page_lists_what_ids_leave_out() -> None:
    page = (Path(__file__).parents[3] / "docs/pipeline-file.md").read_text()
    left_out = " ".join(page.split("What an event's id is made of")[1].split()).partition("It does not cover")[2]
    left_out = left_out.partition("An event that is processed again")[0]
    for field in [name for name, (_, counts) in TOP.items() if not counts]:
        word = {"pipeline": "the pipeline's name"}.get(field, "two timeouts" if field.endswith("_ms") else f"`{field}`")
        assert word in left_out


def test_ids_do_not_depend_on_secrets_and_never_change_between_versions() -> None:
    assert _hash(environ={"SECRET": "another"}) == _hash()
    # If this hash changes, consumers can no longer drop duplicates across the upgrade.
    assert _hash() == "250e6e8c"


def _inside(error: ConfigError, text: str) -> None:
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    assert error.problems
    for problem in error.problems:
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert str(problem).isprintable(), problem
        assert problem.message != "is not a valid value", "an error of pydantic that has no words yet"
    assert error.problems == sorted(error.problems, key=lambda problem: (problem.line, problem.column))


def _tries(text: str) -> None:
    try:
        assert isinstance(parse(text, "p.yaml", {"A": "1", "B": "x\n- y: ["}), Pipeline)
    except ConfigError as error:
        _inside(error, text)


MANY = settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
YAMLISH = st.text(alphabet="ab01:-?[]{}&*!|>%@#'\"\\,. \n\t$~<=\x00\x85\u2028\ud800é🙂", max_size=60)


@given(st.text() | YAMLISH)
@example("a: |1-\n")
@example("\ufeff\ufeffa: 1")
@example('"a\\\n')
@example("%YAML 1.1\n---\na: b\x85 c: [")
@MANY
def test_any_text_is_a_pipeline_or_a_config_error(text: str) -> None:
    _tries(text)


@given(st.randoms(use_true_random=False), st.lists(YAMLISH, min_size=1, max_size=4))
@MANY
def test_any_mutation_of_a_file_is_a_pipeline_or_a_config_error(rng: random.Random, pieces: list[str]) -> None:
    text = GOOD
    for piece in pieces:
        start = rng.randrange(len(text) + 1)
        text = text[:start] + piece + text[start + rng.randrange(12) :]
    _tries(text)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
        ["${A}", "${B}", "${NOPE}", "ner", "starter", "posts", "text", "none", "cuda:1", "$.a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.data())
@MANY
def test_any_value_anywhere_is_a_pipeline_or_a_config_error(data: st.DataObject) -> None:
    """Replace values and keys of a good file by values of every shape."""
    tree = {
        "pipeline": "p", "kafka": {"bootstrap.servers": "h:1"}, "input": {"topics": ["a"]},
        "tasks": [{"name": "n", "task": "moderation", "model": "m", "threshold": {"x": 0.5}, "taxonomy": {"a": "b"}},
                  {"name": "o", "task": "ner", "model": "m", "stride": 3, "max_length": 16}],
        "output": {"topic": "b"}, "backpressure": {"low_events": 5}, "compute": {"threads": 1},
    }  # fmt: skip
    for _ in range(data.draw(st.integers(1, 3))):
        here: object = tree
        while isinstance(here, dict | list) and here:
            steps: list[object] = list(here) if isinstance(here, dict) else list(range(len(here)))
            step = data.draw(st.sampled_from(steps))
            deeper = here[step]  # type: ignore[call-overload]
            if isinstance(deeper, dict | list) and deeper and data.draw(st.booleans()):
                here = deeper
                continue
            if isinstance(here, dict) and data.draw(st.booleans()):
                here[data.draw(st.sampled_from(["task", "modle", "threshold", "<map>", "moderation"]) | st.text())] = 1
            else:
                here[step] = data.draw(JSONISH)  # type: ignore[call-overload]
            break
    _tries(json.dumps(tree, indent=1, ensure_ascii=data.draw(st.booleans())))


@pytest.mark.parametrize(
    ("written", "paths", "several"),
    [
        ("$.body", ["$.body"], False),
        ("[$.body]", ["$.body"], False),
        ("[$.subject, $.body]", ["$.subject", "$.body"], True),
        ("$.m[*].body", ["$.m[*].body"], True),
        ("['$.m[*].body']", ["$.m[*].body"], True),
        ("$..*", ["$..*"], True),
        ("[$..*]", ["$..*"], True),
        ("['$.a[*].b', '$.a[*].c', $.a-b, '$[\"a.b\"]']", ["$.a[*].b", "$.a[*].c", "$.a-b", '$["a.b"]'], True),
    ],
)
def test_one_text_or_several(written: str, paths: list[str], several: bool) -> None:
    parsed = parse(mutate("text: $.body", f"text: {written}"), environ={}).input
    assert (parsed.paths, parsed.several) == (paths, several)


def test_a_list_of_one_path_is_that_path_in_ids_too() -> None:
    assert _hash(lambda text: text.replace("text: $.body", "text: [$.body]")) == _hash()
    assert _hash(lambda text: text.replace("text: $.body", "text: [$.body, $.a]")) != _hash()
