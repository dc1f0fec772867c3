"""Cases are read from two files, with every mistake at its place, and a worker is not concerned by them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.pipeline.case_files import load_cases, pipeline_of
from schemas.pipeline.cases import Case, CaseRecord, Expected, ExpectedLetter
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import load, parse
from tests.schemas.pipeline.pipelines import GOOD

SECTION = """\
tests:
  - name: in the file
    text: What a lovely day.
    expect: {annotations: {toxicity: {flagged: false}}}
"""
BESIDE = """\
tests:
  - name: beside
    record: {value: "{", key: k, headers: {h: null}, timestamp_ms: 5, topic: comments}
    expect: {dead_letter: {stage: decode, reason: not JSON}}
"""


def written(tmp_path: Path, section: str = "", beside: str = "") -> Path:
    (tmp_path / "p.yaml").write_text(GOOD + section)
    if beside:
        (tmp_path / "p.test.yaml").write_text(beside)
    return tmp_path / "p.yaml"


def problems(path: Path) -> list[str]:
    """What is wrong with the cases of a good pipeline, as line:column, path and message."""
    pipeline = load(path, {})
    files, mistakes = load_cases(path, {})
    for file in files:
        mistakes += file.problems(pipeline, {})
    return [str(problem).partition(".yaml:")[2] for problem in mistakes]


def test_cases_are_in_the_pipeline_file_and_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, SECTION, BESIDE)
    files, mistakes = load_cases(path, {})
    assert mistakes == []
    assert [[(number, case.name) for number, case in file.cases] for file in files] == [
        [(0, "in the file")], [(0, "beside")],
    ]  # fmt: skip
    record = files[1].cases[0][1].record
    assert record is not None
    assert (record.value, record.key, record.headers, record.timestamp_ms, record.topic) == (
        "{", "k", {"h": None}, 5, "comments",
    )  # fmt: skip
    problem = files[0].problem((0, "expect", "annotations", "toxicity", "flagged"), "differs")
    assert GOOD.count("\n") + 4 == problem.line
    assert (problem.file, problem.column) == (str(path), 48)
    assert problems(path) == []


@pytest.mark.parametrize("name", ["p.test.yaml", "p.yaml"])
def test_either_file_means_the_pipeline(name: str) -> None:
    assert pipeline_of(Path("a") / name) == Path("a/p.yaml")


@pytest.mark.parametrize("section", [SECTION, "tests: nonsense\n", 'tests: ["${NOT_SET}", !!str x]\n', "tests:\n"])
def test_a_worker_accepts_the_section_whatever_is_in_it(section: str) -> None:
    with_tests = parse(GOOD + section, environ={})
    assert with_tests == parse(GOOD, environ={})
    assert config_hash(with_tests) == config_hash(parse(GOOD, environ={}))


def test_a_misspelt_section_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(GOOD + SECTION.replace("tests:", "test:"), environ={})
    assert [problem.message for problem in caught.value.problems] == ['unknown field, did you mean "tests"?']


def test_no_case_is_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert problems(path) == ['1:1 has no cases: add a section "tests", or a file p.test.yaml']
    assert problems(written(tmp_path, beside="tests: []\n")) == ["1:8 tests: must not be empty"]
    assert problems(written(tmp_path, beside="{}\n")) == ["1:1 tests: missing field"]


def test_a_name_is_used_once_in_both_files(tmp_path: Path) -> None:
    path = written(tmp_path, SECTION, BESIDE.replace("beside", "in the file"))
    assert problems(path) == ["2:11 tests[0].name: is already the name of another case"]


def test_every_mistake_is_reported_at_its_place(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        beside="""\
tests:
  - name: all at once
    text: x
    event: {body: x}
    expect:
      annotations:
        toxicty: {flagged: true}
        entities: {spans: [{text: Paris, lable: LOCATION}]}
      absent: [toxicities, entities]
      notices: [{task: entities, kind: cut}, {kind: mising}, {kind: missing, count: 1}]
      outputs: {posts.enrichd: null, posts.enriched: {txt: a, key: 7, headers: {a: [], b: null}, text: null}}
      nowhere: [""]
  - expect: {}
    record: {value: 3, keys: a, topic: poosts, timestamp_ms: -1}
  - name: a dead letter
    text: x
    expect: {dead_letter: {stage: decoding, task: entity}, absent: [entities]}
  - {name: no tombstone, text: x, expect: {tombstone: forwarded}}
  - {name: not JSON, event: {body: x, n: .nan}, expect: {notices: []}}
  - {name: unset, text: "${NOT_SET}", expect: {notices: []}}
""",
    )
    assert sorted(problems(path), key=lambda line: [int(part) for part in line.split(" ")[0].split(":")]) == [
        "2:5 tests[0]: needs exactly one of text, event, record",
        '7:9 tests[0].expect.annotations.toxicty: there is no such task, did you mean "toxicity"?',
        '8:42 tests[0].expect.annotations.entities.spans[0].lable: unknown field, did you mean "label"?',
        '9:16 tests[0].expect.absent[0]: there is no such task, did you mean "toxicity"?',
        "9:28 tests[0].expect.absent[1]: is also in annotations",
        "10:40 tests[0].expect.notices[0].kind: must be one of truncated, unread, replaced, missing, unknown",
        "10:53 tests[0].expect.notices[1].kind: must be one of truncated, unread, replaced, missing, unknown, "
        'did you mean "missing"?',
        "10:78 tests[0].expect.notices[2].count: unknown field",
        "11:17 tests[0].expect.outputs.posts.enrichd: is not a topic of enriched events, "
        'did you mean "posts.enriched"?',
        '11:55 tests[0].expect.outputs.posts.enriched.txt: unknown field, did you mean "text"?',
        "11:68 tests[0].expect.outputs.posts.enriched.key: must be text, put it in quotes",
        "11:84 tests[0].expect.outputs.posts.enriched.headers.a: must be text, or a mapping with contains",
        "12:17 tests[0].expect.nowhere[0]: must not be empty",
        "13:5 tests[1].name: missing field",
        "13:13 tests[1].expect: must not be empty",
        "14:21 tests[1].record.value: must be text, a mapping (a JSON object), or null (a tombstone); put other values "
        "in quotes",
        '14:24 tests[1].record.keys: unknown field, did you mean "key"?',
        '14:40 tests[1].record.topic: is not one of input.topics, did you mean "posts"?',
        "14:62 tests[1].record.timestamp_ms: must be at least 0",
        '17:35 tests[2].expect.dead_letter.stage: is not a stage that can fail here, did you mean "decode"?',
        '17:51 tests[2].expect.dead_letter.task: there is no such task, did you mean "entities"?',
        "17:60 tests[2].expect.absent: cannot be expected together with dead_letter",
        "18:55 tests[3].expect.tombstone: needs a record whose value is null",
        "19:29 tests[4].event: contains a number that JSON does not have; to send such text, use record.value",
        "20:25 tests[5].text: environment variable NOT_SET is not set",
    ]


NAMES = st.sampled_from([
    "tests", *Case.model_fields, *CaseRecord.model_fields, *Expected.model_fields, *ExpectedLetter.model_fields,
    "toxicity", "entities", "spans", "labels", "label", "score", "scores", "flagged", "contains", "exact", "excludes",
    "kind", "posts.enriched", "fields",
])  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats(0, 1) | NAMES | st.sampled_from(["> 0.5", "", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
CASE = st.fixed_dictionaries(
    {"name": st.just("n") | ANYTHING, "expect": st.dictionaries(st.sampled_from([*Expected.model_fields]), ANYTHING)},
    optional=dict.fromkeys(("text", "event", "record"), ANYTHING),
)


@given(st.lists(CASE | ANYTHING, max_size=3) | ANYTHING)
def test_whatever_is_in_a_file_is_right_or_a_mistake_with_a_place(
    tmp_path_factory: pytest.TempPathFactory, tests: Any
) -> None:
    path = written(tmp_path_factory.mktemp("cases"), beside=json.dumps({"tests": tests}))
    for problem in problems(path):
        assert re.match(r"1:\d+ tests", problem)
