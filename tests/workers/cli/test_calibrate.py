"""``glossator calibrate`` on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from schemas.pipeline.loader import parse
from tests.workers.learning.test_thresholds import spread
from workers.cli.main import cli

PIPELINE = """\
pipeline: test
kafka: {bootstrap.servers: "localhost:9092"}
input: {topics: [in], text: $.body}
tasks:
  - {name: tone, task: sentiment, model: starter}
  - {name: quick, task: moderation, model: starter}
  - {name: safety, task: moderation, taxonomy: openai, model: starter, when: 'quick.labels[0].score > 0.0'}
  - {name: next, task: moderation, taxonomy: openai, model: starter, shadow: safety}
  - {name: rare, task: moderation, model: starter, when: 'event.lang == "en"'}
output: {topic: out}
"""
RUDE = ["You are an idiot, number {}.", "Shut up, you stupid fool, {} times.", "I hate you, moron {}."]
KIND = ["The {} trains were late.", "A lovely day, {} birds sang.", "Meet us at {} o'clock."]


def run(tmp_path: Path, rows: list[Any], *options: str) -> Result:
    file = tmp_path / "scores.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return CliRunner().invoke(cli, ["calibrate", str(file), *options])


def scored(rows: int = 300, names: tuple[str, ...] = ("TOXICITY", "INSULT")) -> list[dict[str, Any]]:
    old, new, truth = spread(rows)
    return [
        {"old": dict.fromkeys(names, float(before)), "new": dict.fromkeys(names, float(after)),
         "labels": list(names) if true else []}
        for before, after, true in zip(old, new, truth, strict=True)
    ]  # fmt: skip


def test_the_lines_to_paste_are_a_threshold_of_a_moderation(tmp_path: Path) -> None:
    names = ("TOXICITY", "hate/threatening", "true")
    done = run(tmp_path, scored(names=names), "--threshold", "0.8", "--threshold", "true=0.6")
    assert (done.exit_code, done.stderr) == (0, "")
    paste = done.stdout.split("moderation:\n")[1]
    threshold = YAML(typ="safe").load(paste)["threshold"]
    assert list(threshold) == list(names)
    assert threshold["TOXICITY"] == threshold["hate/threatening"] > threshold["true"]
    entry = f"  - name: pasted\n    task: moderation\n    model: m\n{paste}"
    made = parse(PIPELINE.replace("output:", f"{entry}output:"), environ={})
    assert made.tasks[-1].threshold == threshold  # type: ignore[union-attr]
    for column in ("old", "new [95 %]", "agree", "only old", "precision"):
        assert column in done.stdout


def test_an_interval_has_as_many_decimals_as_its_threshold(tmp_path: Path) -> None:
    rows = [{"old": {"A": n / 100}, "new": {"A": 1 - (100 - n) * 1e-7}} for n in range(100)]
    done = run(tmp_path, rows, "--threshold", "0.9")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("  A "))
    (figures,) = re.findall(r"(0\.\d{6,}) \[(0\.\d+), (0\.\d+)\]", line)
    threshold, low, high = map(float, figures)
    assert low <= threshold <= high < 1


def test_json_has_all_figures_and_nothing_else_is_printed(tmp_path: Path) -> None:
    rows = scored()
    done = run(tmp_path, rows, "--threshold", "0.8", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    assert (made["match"], made["rows"]) == ("rate", 300)
    (toxicity, _) = made["attributes"]
    threshold = made["threshold"]["TOXICITY"]
    before = [row["old"]["TOXICITY"] >= 0.8 for row in rows]
    after = [row["new"]["TOXICITY"] >= threshold for row in rows]
    assert toxicity["old"]["flagged"] == sum(before)
    assert toxicity["new"]["flagged"] == sum(after) == sum(before)
    assert toxicity["new"]["threshold"] == threshold
    assert toxicity["new"]["interval"][0] <= threshold <= toxicity["new"]["interval"][1]
    assert toxicity["both"] == sum(map(all, zip(before, after, strict=True)))
    assert toxicity["only_old"] == sum(before) - toxicity["both"]
    assert toxicity["agreement"] == sum(old == new for old, new in zip(before, after, strict=True)) / 300
    assert 0 < toxicity["old"]["precision"] <= 1


def test_answers_of_the_old_api_and_annotations_are_read_as_they_are(tmp_path: Path) -> None:
    plain = scored(names=("TOXICITY",))
    logged = [
        {
            "old": {"attributeScores": {"TOXICITY": {"summaryScore": {"value": row["old"]["TOXICITY"], "type": "P"}}}},
            "new": {"flagged": True, "labels": [{"label": "TOXICITY", "score": row["new"]["TOXICITY"]}]},
        }
        for row in plain
    ]
    options = ("--threshold", "0.8", "--json")
    from_scores, from_logs = (json.loads(run(tmp_path, rows, *options).stdout) for rows in (plain, logged))
    assert from_scores["threshold"] == from_logs["threshold"]


def test_other_names_are_mapped_and_what_has_no_counterpart_is_left_out(tmp_path: Path) -> None:
    rows = [{**row, "new": {"harassment": row["new"]["INSULT"]}} for row in scored()]
    done = run(tmp_path, rows, "--threshold", "0.8", "--map", "INSULT=harassment", "--json")
    assert done.exit_code == 0
    assert list(json.loads(done.stdout)["threshold"]) == ["harassment"]
    assert "TOXICITY was left out: there is no new score of that name" in done.stderr
    done = run(tmp_path, rows, "--threshold", "0.8", "--map", "INSULT=harassment", "--map", "TOXICITY=harassment")
    assert "harassment: the lowest of the thresholds for TOXICITY, INSULT" in done.stdout


def test_an_attribute_without_a_threshold_is_explained_and_the_others_are_shown(tmp_path: Path) -> None:
    rows = scored()
    for row in rows:
        row["new"]["INSULT"] = 0.5
    done = run(tmp_path, rows, "--threshold", "0.8")
    assert done.exit_code == 1
    assert "INSULT: no threshold: all new scores are equal (0.5)" in done.stdout
    assert "      TOXICITY: " in done.stdout
    assert "      INSULT: " not in done.stdout


SECRET = "a comment that must not be shown anywhere at all, whatever else is wrong with its row"
BAD: dict[str, tuple[list[Any], list[str], list[str]]] = {
    "rows": (
        [
            "not json", [1], {"new": {"A": 0.5}}, {"old": {"A": 0.5}}, {"odl": {"A": 0.5}, "new": {"A": 0.5}},
            '{"old": {"A": NaN}, "new": {"A": 1e400}}', {"old": {"A": True}, "new": {"A": 1.5}},
            {"old": {"A": "0.5"}, "new": SECRET}, {"old": {SECRET: "x"}, "new": {"A": None}},
            {"old": {"attributeScores": {"A": {}}}, "new": {"labels": [{"label": "A"}]}},
            {"old": {"A": 0.5}, "new": {"A": 0.5}, "labels": "A"},
            {"old": {"A": 0.5}, "new": {"A": 0.5}, "labels": ["a"]},
            {"old": {"A": 0.5}, "new": {"B": 0.5}}, '{"old": {"A": ' + "9" * 400 + '}, "new": {"A": 0}}',
        ],
        ["--threshold", "0.5"],
        [
            '1: not JSON; each line must be one object such as {"old"',
            "2: not a JSON object",
            '3: no "old", the scores of the system before',
            '4: no "new"; for a text that a pipeline scores, give --pipeline and --task',
            '5: no "old", the scores of the system before, did you mean "odl"?',
            '6: "old", "A": must be a finite number',
            '6: "new", "A": must be a finite number',
            '7: "old", "A": must be a number',
            '7: "new", "A": must be between 0 and 1',
            '8: "old", "A": must be a number',
            '8: "new" must map names to scores, such as',
            '9: "old", a name of 85 characters: must be a number',
            '9: "new", "A": must be a number',
            '10: "old", "A": must be a number',
            '10: "new", "A": must be a number',
            '11: "labels" must be a list of names',
            '12: "labels", "a": no row has such an old score, did you mean "A"?',
            "13: no attribute has both an old and a new score",
            '14: "old", "A": must be a finite number',
        ],
    ),
    "names": (
        [{"old": {"TOXICITY": 0.5}, "new": {"toxicity": 0.5}}],
        ["--threshold", "TOXICTY=0.5", "--threshold", "TOXICITY=0.5", "--map", "INSULT=x"],
        [
            '--threshold "TOXICTY": no row has such an old score, did you mean "TOXICITY"?',
            '--map "INSULT": no row has such an old score, only TOXICITY',
            '"TOXICITY": no row has a new score "TOXICITY", did you mean "toxicity"?; '
            "name it with --map, or name no threshold for it",
        ],
    ),
    "nothing in common": (
        [{"old": {"A": 0.5}, "new": {"B": 0.5}}],
        ["--threshold", "0.5"],
        ["no attribute has both scores: old are A, new are B; see --map"],
    ),
    "no labels": (
        [{"old": {"A": 0.5}, "new": {"A": 0.5}}],
        ["--threshold", "0.5", "--match", "precision"],
        ['1: no "labels", which --match precision needs'],
    ),
    "nothing": ([""], ["--threshold", "0.5"], ["no rows; each line must be one object such as"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_every_mistake_is_reported_at_once_and_no_text_is_shown(case: str, tmp_path: Path) -> None:
    rows, options, messages = BAD[case]
    done = run(tmp_path, rows, *options)
    assert (done.exit_code, done.stdout) == (65, "")
    reported = [line.removeprefix(f"{tmp_path}/scores.jsonl:").strip() for line in done.stderr.splitlines()]
    for line, message in zip(sorted(reported), sorted(messages), strict=True):
        assert line.startswith(message)
    assert SECRET not in done.stderr


@pytest.mark.parametrize(("options", "message"), [
    (["--threshold", "A=x"], "the threshold is not a number"),
    (["--threshold", "nan"], "the threshold must be finite"),
    (["--threshold", "=0.5"], "must be NAME=NUMBER or a number"),
        (["--threshold", "0.5", "--threshold", "0.6"], "there are two thresholds for all others"),
        (["--threshold", "A=0.5", "--threshold", "A=0.6"], "there are two thresholds for A"),
        (["--threshold", "0.5", "--map", "A=B", "--map", "A=C"], "A has two new names"),
    (["--threshold", "0.5", "--map", "A"], "must be OLD=NEW"),
    (["--threshold", "0.5", "--task", "safety"], "--pipeline and --task belong together"),
    ([], "Missing option '--threshold'"),
    (["--threshold", "0.5", "--pipeline", "PIPELINE", "--task", "safty"], 'did you mean "safety"'),
    (["--threshold", "0.5", "--pipeline", "PIPELINE", "--task", "tone"], "sentiment has no thresholds"),
])  # fmt: skip
def test_a_wrong_command_line_is_status_2(options: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    done = run(tmp_path, scored(30), *[str(tmp_path / "p.yaml") if each == "PIPELINE" else each for each in options])
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


@pytest.fixture
def pipeline(tmp_path: Path) -> list[str]:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    return ["--pipeline", str(tmp_path / "p.yaml"), "--task"]


def texts() -> list[dict[str, Any]]:
    """Rude and kind texts, with old scores that part them; some as a text, some as an event."""
    rows: list[dict[str, Any]] = []
    for n in range(60):
        text = (RUDE if n % 3 == 0 else KIND)[n % 9 // 3].format(n)
        given = {"event": {"body": text}} if n % 2 else {"text": text}
        rows.append({"old": {"harassment": 0.9 if n % 3 == 0 else 0.1}, **given})
    return rows


def test_texts_are_scored_by_a_task_and_those_that_it_needs(tmp_path: Path, pipeline: list[str]) -> None:
    done = run(tmp_path, texts(), "--threshold", "0.5", *pipeline, "safety", "--json")
    assert done.exit_code == 0, done.stderr
    (harassment,) = json.loads(done.stdout)["attributes"]
    assert (harassment["rows"], harassment["old"]["flagged"]) == (60, 20)
    assert harassment["agreement"] > 0.85
    shadow = run(tmp_path, texts(), "--threshold", "0.5", *pipeline, "next", "--json")
    assert json.loads(shadow.stdout)["attributes"] == [harassment]
    human = run(tmp_path, texts(), "--threshold", "0.5", *pipeline, "safety")
    assert "In the pipeline file, in the task safety:" in human.stdout


def test_a_text_that_cannot_be_scored_is_a_mistake_and_one_that_the_task_skips_is_counted(
    tmp_path: Path, pipeline: list[str]
) -> None:
    rows = texts()
    english = [{"old": row["old"], "event": {"body": "Hello you", "lang": "en"}} for row in rows[:3]]
    german = [{"old": row["old"], "event": {"body": "Hallo du", "lang": "de"}} for row in rows[:30]]
    done = run(tmp_path, [*english, *german], "--threshold", "0.5", *pipeline, "rare")
    assert "30 rows were left out: the task does not run for them" in done.stderr
    assert "3 rows have both scores" in done.stdout
    assert done.exit_code == 1
    done = run(
        tmp_path,
        [*english, {"old": {"harassment": 1}, "event": {"text": SECRET}}],
        "--threshold",
        "0.5",
        *pipeline,
        "rare",
    )
    assert done.exit_code == 65
    (line,) = [line for line in done.stderr.splitlines() if ":4:" in line]
    assert "cannot be scored" in line and "$.body" in line
    assert SECRET not in done.stderr
    assert "none of the rows" in run(tmp_path, german, "--threshold", "0.5", *pipeline, "rare").stderr


def test_events_are_read_as_records_would_be_whatever_numbers_and_texts_are_in_them(
    tmp_path: Path, pipeline: list[str]
) -> None:
    """Long numbers and NaN pass, as in a stream; half a surrogate pair is a reason, and no internal error."""
    old = '{"old": {"harassment": 0.5}, '
    fine = f'{old}"event": {{"body": "Hello", "n": {10**40}, "m": NaN, "e": 1e999, "d": {"[" * 400}{"]" * 400}}}}}'
    bad = [f'{old}"text": "\\ud800 {SECRET}"}}', f'{old}"event": {{"body": "{SECRET} \\udc00"}}}}']
    done = run(tmp_path, [fine, *bad], "--threshold", "0.5", *pipeline, "safety")
    assert (done.exit_code, SECRET in done.stderr) == (65, False)
    assert [re.split(r":(\d): ", line)[1] for line in done.stderr.splitlines() if "cannot be scored" in line] == [
        "2",
        "3",
    ]
    deep = f'{old}"event": {{"body": "Hello", "d": {"[" * 500}{"]" * 500}}}}}'
    done = run(tmp_path, [fine, deep], "--threshold", "0.5", *pipeline, "safety")
    assert done.exit_code == 65
    assert [line.split(".jsonl:")[1] for line in done.stderr.splitlines()] == [
        '2: "event" is nested more than 500 levels deep'
    ]


@pytest.mark.parametrize(
    ("form", "path"), [("cloudevents", "$.body"), ("connect", "$.body"), ("debezium", "$.after.body")]
)
def test_events_and_texts_need_no_envelope(tmp_path: Path, form: str, path: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"""\
pipeline: test
kafka: {{bootstrap.servers: "localhost:9092"}}
input: {{topics: [in], text: {path}, format: {form}}}
tasks: [{{name: safety, task: moderation, model: starter}}]
output: {{topic: out, format: cloudevents}}
""")
    event = {"after": {"body": "Hello"}} if form == "debezium" else {"body": "Hello"}
    rows = [{"old": {"harassment": 0.5}, **given} for given in ({"text": "Hello"}, {"event": event})]
    done = run(tmp_path, rows, "--threshold", "0.5", "--pipeline", str(file), "--task", "safety")
    assert "2 rows have both scores" in done.stdout, done.stderr


def test_what_cannot_be_scored_is_reported_before_the_models_are_loaded(tmp_path: Path, pipeline: list[str]) -> None:
    rows = [{"old": {"A": 0.5}}, {"old": {"A": 0.5}, "text": "a", "event": {}}, {"old": {"A": 0.5}, "text": 5},
            {"old": {"A": 0.5}, "event": "a"}, {"old": {"A": 0.5}, "text": "a", "new": {"A": 0.5}}]  # fmt: skip
    done = run(tmp_path, rows, "--threshold", "0.5", *pipeline, "safety")
    assert done.exit_code == 65
    assert [line.split(".jsonl:")[1] for line in done.stderr.splitlines()] == [
        '1: needs exactly one of "text" and "event" to score',
        '2: needs exactly one of "text" and "event" to score',
        '3: "text" must be text',
        '4: "event" must be an object',
        '5: "new" cannot be used with --pipeline, which makes the new scores',
    ]


def test_help_has_an_example_and_the_exit_statuses() -> None:
    done = CliRunner().invoke(cli, ["calibrate", "--help"])
    assert done.exit_code == 0
    for words in ("glossator calibrate scores.jsonl", "Exit status", "attributeScores", " 65 "):
        assert words in done.output
