"""``glossator test`` runs cases through the real chain and shows what is not as expected, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from schemas.errors import Problem
from workers.cli.main import cli
from workers.cli.testing.report import write_junit
from workers.cli.testing.verdicts import Finding, Verdict

PIPELINE = """\
pipeline: p
kafka: {bootstrap.servers: "nowhere:1"}
input: {topics: [posts, more], text: $.body.text}
tasks:
  - {name: tone, task: sentiment, model: starter}
  - {name: entities, task: ner, model: starter, threshold: 0.5}
  - {name: safety, task: moderation, model: starter, when: 'headers["check"] == "yes"'}
output: {topic: out, text: none}
"""
GOOD = """\
tests:
  - name: a place is found
    record: {value: {body: {text: Angela Merkel loves the wonderful coffee in Paris.}}, headers: {check: "no"}}
    expect:
      annotations:
        tone: {label: positive, score: ">= 0.6"}
        entities: {spans: {exact: [{text: Paris, label: LOCATION, start: 44}, {text: Angela Merkel, score: "> 0.9"}]}}
      absent: [safety]
      notices: []
  - name: an event with a number out of range
    record:
      value: '{"body": {"text": "Nothing here."}, "n": 1e999}'
      headers: {check: "yes", nothing: null}
    expect:
      annotations: {entities: {spans: []}, safety: {flagged: false, labels: {excludes: [{flagged: true}]}}}
  - name: no condition can be evaluated without its header
    text: Nothing here.
    expect: {dead_letter: {stage: when, task: safety}}
  - name: the same with an event
    event: {body: {text: Nothing here.}, id: 7}
    expect: {dead_letter: {stage: when}}
  - name: not JSON
    record: {value: not json, key: k, topic: more, timestamp_ms: 5}
    expect: {dead_letter: {stage: decode, reason: not JSON}}
  - name: a delete is passed on
    record: {value: null, key: k}
    expect: {tombstone: forwarded}
  - name: a delete without a key deletes nothing
    record: {value: null}
    expect: {dead_letter: {reason: tombstone}}
"""
BAD = """\
tests:
  - name: the wrong annotations \N{PILE OF POO}
    record: {value: {body: {text: Angela Merkel loves the wonderful coffee in Paris.}}, headers: {check: "no"}}
    expect:
      annotations:
        tone: {label: negative, score: "< 0.5"}
        entities: {spans: [{text: Paris, label: PERSON}]}
        safety: {flagged: false}
      notices: [{task: tone, kind: truncated}]
  - name: a dead letter expected
    record: {value: {body: {text: x}}, headers: {check: "yes"}}
    expect: {dead_letter: {stage: decode}}
  - name: another reason
    record: {value: "[]"}
    expect: {dead_letter: {stage: fields, reason: not JSON, task: tone}}
  - name: no delete expected
    record: {value: null, key: k}
    expect: {absent: [tone]}
  - name: no dead letter expected
    text: Nothing here.
    expect: {notices: []}
  - name: this passes
    record: {value: '{"body": {"text": "Nothing here."}}', headers: {check: "no"}}
    expect: {absent: [safety]}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, pipeline: str = PIPELINE, beside: str = "") -> Result:
    Path("p.yaml").write_text(pipeline)
    if beside:
        Path("p.test.yaml").write_text(beside)
    return CliRunner().invoke(cli, ["test", *arguments])


@pytest.mark.usefixtures("place")
def test_cases_that_pass_are_status_0() -> None:
    result = run("p.yaml", beside=GOOD)
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout
    *lines, last = result.stdout.splitlines()
    assert lines == [
        "p.yaml",
        "  ✓ a place is found",
        "  ✓ an event with a number out of range",
        "  ✓ no condition can be evaluated without its header",
        "  ✓ the same with an event",
        "  ✓ not JSON",
        "  ✓ a delete is passed on",
        "  ✓ a delete without a key deletes nothing",
    ]
    assert last.startswith("7 cases: 7 passed, 0 failed, in ")


@pytest.mark.usefixtures("place")
def test_each_difference_is_shown_with_its_place_and_in_junit() -> None:
    result = run("--junit", "report.xml", "p.test.yaml", beside=BAD)
    assert result.exit_code == 1
    *lines, last = result.stdout.splitlines()
    assert lines == [
        "p.yaml",
        "  ✗ the wrong annotations \N{PILE OF POO}",
        "      p.test.yaml:6:23 tests[0].expect.annotations.tone.label: differs",
        '        - "negative"',
        '        + "positive"',
        "      p.test.yaml:6:40 tests[0].expect.annotations.tone.score: differs",
        '        - "< 0.5"',
        "        + 0.735247",
        "      p.test.yaml:7:28 tests[0].expect.annotations.entities.spans[0]: no entry is like this",
        '        - {"text": "Paris", "label": "PERSON"}',
        '        + {"start": 0, "end": 13, "label": "PERSON", "score": 0.998491, "text": "Angela Merkel"}',
        '        + {"start": 44, "end": 49, "label": "LOCATION", "score": 0.962969, "text": "Paris"}',
        "      p.test.yaml:8:17 tests[0].expect.annotations.safety: "
        "there is no annotation: the task's condition (when) was not true",
        "      p.test.yaml:9:17 tests[0].expect.notices[0]: no entry is like this",
        '        - {"task": "tone", "kind": "truncated"}',
        "        + []",
        "  ✗ a dead letter expected",
        "      p.test.yaml:12:27 tests[1].expect.dead_letter: there is no dead letter",
        "  ✗ another reason",
        "      p.test.yaml:15:35 tests[2].expect.dead_letter.stage: differs",
        '        - "fields"',
        '        + "decode"',
        "      p.test.yaml:15:67 tests[2].expect.dead_letter.task: differs",
        '        - "tone"',
        "        + null",
        "      p.test.yaml:15:51 tests[2].expect.dead_letter.reason: is not a part of it",
        '        - "not JSON"',
        '        + "the value is an array, not a JSON object"',
        "  ✗ no delete expected",
        "      p.test.yaml:18:13 tests[3].expect: is a tombstone and was forwarded",
        "  ✗ no dead letter expected",
        "      p.test.yaml:21:13 tests[4].expect: became a dead letter at when, "
        'task "safety": the condition cannot be evaluated (KeyError)',
        "  ✓ this passes",
    ]
    assert last.startswith("6 cases: 1 passed, 5 failed, in ")
    root = ElementTree.parse("report.xml").getroot()
    (suite,) = root
    cases = list(suite)
    for element in (root, suite):
        assert element.attrib.items() >= {"tests": "6", "failures": "5", "errors": "0"}.items()
    assert (suite.get("name"), {case.get("classname") for case in cases}) == ("p.yaml", {"p.test.yaml"})
    assert [(case.get("name"), len(case)) for case in cases] == [
        ("the wrong annotations \N{PILE OF POO}", 1), ("a dead letter expected", 1),
        ("another reason", 1), ("no delete expected", 1), ("no dead letter expected", 1), ("this passes", 0),
    ]  # fmt: skip
    (failure,) = cases[2]
    assert failure.get("message") == "tests[2].expect.dead_letter.stage: differs"
    assert failure.text is not None
    assert failure.text.splitlines()[:3] == [
        "p.test.yaml:15:35 tests[2].expect.dead_letter.stage: differs", '  - "fields"', '  + "decode"',
    ]  # fmt: skip


PUBLISHED = """\
tests:
  - name: without text
    record: {value: {body: {text: Meet Anna in Paris.}}, key: k-7, headers: {check: "no", empty: null}}
    expect:
      annotations: {entities: {spans: [{text: Paris}]}}
      outputs:
        out:
          {text: null, event: null, key: k-7, headers: {check: {contains: n}, empty: null}, source: {offset: 0},
           annotations: {entities: {spans: {contains: [{label: LOCATION}], excludes: [{text: Paris}]}}}}
      nowhere: [Paris]
  - name: this is somewhere
    record: {value: {body: {text: Meet Anna in Paris.}}, key: k-7, headers: {check: "no"}}
    expect:
      outputs: {out: null}
      nowhere: [k-7, "o", chec, Berlin]
  - name: dead letters are published too
    record: {value: '["\\u0050aris", "plain"]', key: k-7, headers: {check: "yes"}}
    expect: {dead_letter: {stage: decode}, nowhere: [Paris, plain, "y"]}
"""


@pytest.mark.usefixtures("place")
def test_what_is_published_is_compared_and_searched() -> None:
    result = run("p.yaml", beside=PUBLISHED)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line for line in lines[1:-1] if not line.startswith("        +")] == [
        "  ✓ without text",
        "  ✗ this is somewhere",
        "      p.test.yaml:15:17 tests[1].expect.nowhere[0]: is in the key of a record for out, "
        "the value of a record for out",
        "      p.test.yaml:15:22 tests[1].expect.nowhere[1]: is in a header of a record for out, "
        "the value of a record for out",
        "      p.test.yaml:15:27 tests[1].expect.nowhere[2]: is in a header of a record for out",
        "      p.test.yaml:14:22 tests[1].expect.outputs.out: differs",
        "        - null",
        "  ✗ dead letters are published too",
        "      p.test.yaml:18:54 tests[2].expect.nowhere[0]: is in the value of a record for out.dead",
        "      p.test.yaml:18:61 tests[2].expect.nowhere[1]: is in the value of a record for out.dead",
        "      p.test.yaml:18:68 tests[2].expect.nowhere[2]: is in a header of a record for out.dead",
    ]


ROUTES = """\
pipeline: p
kafka: {bootstrap.servers: "nowhere:1"}
input: {topics: [posts]}
tasks: [{name: tone, task: sentiment, model: starter}]
output:
  topic: out
  routes:
    - {name: audit, topic: posts.audit, copy: true, text: none}
    - {when: size(text) < 5, drop: true}
    - {name: review, when: tone.label == "negative", topic: posts.review, key: $.user, headers: {team: a}}
tests:
  - name: a complaint is reviewed
    event: {text: This is terrible., user: u7}
    expect:
      routes: [review, audit]
      outputs:
        posts.audit: {text: null, key: null, routed: [audit, review]}
        posts.review: {text: This is terrible., key: u7, headers: {team: a}}
        out: null
  - name: the short is dropped
    text: Bad.
    expect: {annotations: {tone: {label: negative}}, routes: [drop, audit], outputs: {out: null}}
  - name: all others stay
    text: What a lovely day.
    expect: {routes: [audit], outputs: {out: {text: What a lovely day.}}}
  - name: a review needs a user
    text: This is terrible.
    expect: {dead_letter: {stage: route, task: review, reason: $.user}}
  - name: wrong
    text: What a lovely day.
    expect: {routes: [], outputs: {posts.review: {key: u7}}}
"""


@pytest.mark.usefixtures("place")
def test_routes_are_named_and_their_records_compared() -> None:
    result = run("p.yaml", pipeline=ROUTES)
    assert result.exit_code == 1, result.stderr
    assert result.stdout.splitlines()[1:-1] == [
        "  ✓ a complaint is reviewed",
        "  ✓ the short is dropped",
        "  ✓ all others stay",
        "  ✓ a review needs a user",
        "  ✗ wrong",
        "      p.yaml:31:22 tests[4].expect.routes: differs",
        "        - []",
        '        + ["audit"]',
        "      p.yaml:31:50 tests[4].expect.outputs.posts.review: nothing is published to this topic",
    ]


@pytest.mark.usefixtures("place")
def test_a_route_that_does_not_exist_is_a_mistake() -> None:
    result = run("p.yaml", pipeline=ROUTES.replace("routes: [audit]", "routes: [audits, x]"))
    assert result.exit_code == 78
    assert result.stderr.splitlines() == [
        'p.yaml:25:23 tests[2].expect.routes[0]: there is no such route, did you mean "audit"?',
        "p.yaml:25:31 tests[2].expect.routes[1]: there is no such route, only audit, drop, review",
    ]


@pytest.mark.usefixtures("place")
def test_some_cases_are_chosen_by_words_and_told_to_programs() -> None:
    result = run("-k", "Dead EXPECTED", "--format", "json", "p.yaml", beside=BAD)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [case["name"] for case in report["cases"]] == ["a dead letter expected", "no dead letter expected"]
    assert report["ok"] is False
    assert report["cases"][0] == {
        "pipeline": "p.yaml", "name": "a dead letter expected", "file": "p.test.yaml", "line": 10, "passed": False,
        "findings": [{
            "line": 12, "column": 27, "path": "tests[1].expect.dead_letter",
            "message": "there is no dead letter",
        }],
    }  # fmt: skip
    result = run("-k", "dead unicorn", "p.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no case has a name with all of: dead unicorn" in result.stderr


@pytest.mark.usefixtures("place")
def test_mistakes_of_all_files_are_shown_at_once_without_loading_a_model() -> None:
    Path("q.yaml").write_text(PIPELINE.replace("name: tone", "nam: tone"))
    cases = GOOD.replace("label: LOCATION", "lable: LOCATION").replace('{"text": "No', '{"txt": "No')
    result = run("p.yaml", "q.yaml", "r.yaml", beside=cases)
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [
        "p.test.yaml:7:50 tests[0].expect.annotations.entities.spans.exact[0].lable: unknown field, "
        'did you mean "label"?',
        "p.test.yaml:12:14 tests[1].record.value: would be a dead letter, which the case does not expect: "
        "there is no text at $.body.text",
        'q.yaml:1:1 has no cases: add a section "tests", or a file q.test.yaml',
        'q.yaml:5:6 tasks[0].nam: unknown field, did you mean "name"?',
        "r.yaml:1:1 there is no such file",
    ]


@pytest.mark.usefixtures("place")
def test_a_folder_is_no_pipeline_file() -> None:
    result = run(".", "..", "/")
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [f"{path}:1:1 is a directory, not a file" for path in (".", "..", "/")]


@pytest.mark.usefixtures("place")
def test_a_label_that_the_model_does_not_have_is_a_mistake() -> None:
    result = run("p.yaml", pipeline=PIPELINE + GOOD.replace("LOCATION", "LOCATON").replace("positive", "posative"))
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [
        'p.yaml:14:23 tests[0].expect.annotations.tone.label: is not a label of this task, did you mean "positive"?',
        "p.yaml:15:57 tests[0].expect.annotations.entities.spans.exact[0].label: is not a label of this task, "
        'did you mean "LOCATION"?',
    ]


@pytest.mark.usefixtures("place")
def test_a_text_is_a_whole_record_of_the_format_text_and_goes_to_any_path_of_json() -> None:
    case = "tests: [{name: n, text: 'Nothing here.', expect: {notices: []}}]\n"
    pipeline = PIPELINE.split("  - {name: safety", maxsplit=1)[0] + "output: {topic: out}\n" + case
    for source in ("format: text", "text: \"$.a[2]['any name']\""):
        assert run("p.yaml", pipeline=pipeline.replace("text: $.body.text", source)).exit_code == 0
    event = pipeline.replace("text: $.body.text", "format: text").replace("text: 'Nothing here.'", "event: {a: b}")
    result = run("p.yaml", pipeline=event)
    assert result.stderr.startswith("p.yaml:8:26 tests[0].event: cannot be used with format: text")


def test_characters_that_xml_does_not_allow_are_replaced(tmp_path: Path) -> None:
    finding = Finding(Problem("p.yaml", 1, 1, "a", "differs"), "\x7f\ufffe", "<&>\ud800")
    write_junit(
        tmp_path / "r.xml", {"p.yaml": [Verdict(Problem("p.yaml", 1, 1, "", "a\x00b"), [finding])]}, {"p.yaml": 0.5}
    )
    (case,) = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert case.get("name") == "a\N{REPLACEMENT CHARACTER}b"
    assert case[0].text is not None
    assert case[0].text.splitlines()[1:] == [
        '  - "\x7f\N{REPLACEMENT CHARACTER}"', '  + "<&>\N{REPLACEMENT CHARACTER}"'
    ]  # fmt: skip


SHAPED = """\
pipeline: p
kafka: {bootstrap.servers: "nowhere:1"}
input: {topics: [posts]}
tasks: [{name: safety, task: moderation, model: starter, taxonomy: {offensive_language: TOXICITY}}]
output:
  topic: out
  shape: perspective
  routes: [{topic: events, shape: event, copy: true}]
tests:
  - name: an insult
    event: {text: You are a stupid idiot and nobody likes you., requestedAttributes: {TOXICITY: {}}, clientToken: "7"}
    expect:
      outputs:
        out: {attributeScores: {TOXICITY: {summaryScore: {value: "> 0.5"}}}, clientToken: "7", key: null}
        events: {annotations: {safety: {flagged: true}}}
"""


@pytest.mark.usefixtures("place")
def test_answers_in_another_shape_are_compared_and_their_expectations_checked() -> None:
    result = run("p.yaml", pipeline=SHAPED)
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout
    wrong = SHAPED.replace("attributeScores:", "attributeScore:").replace("events: {annotations:", "events: {answers:")
    result = run("p.yaml", pipeline=wrong)
    assert result.exit_code == 78
    assert [line.partition("outputs.")[2] for line in result.stderr.splitlines()] == [
        'out.attributeScore: unknown field, did you mean "attributeScores"?',
        "events.answers: unknown field",
    ]
