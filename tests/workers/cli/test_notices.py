"""``glossator lint`` notices what a file does although nobody expects it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.pipeline.loader import parse_file
from tests.schemas.pipeline.pipelines import GOOD, mutate
from tests.workers.cli.linting import lint, redacting
from workers.cli.notices import exposed


def test_a_hub_model_without_a_revision_is_a_notice(tmp_path: Path) -> None:
    result = lint(tmp_path, GOOD)
    assert result.exit_code == 0
    assert result.stderr == (
        "p.yaml:12:12 tasks[0].model: no revision is pinned, so the model can change under you; "
        "set revision: to a commit (notice)\n"
    )


@pytest.mark.parametrize("model", ["starter", "folder"])
def test_what_cannot_be_pinned_needs_no_revision(tmp_path: Path, model: str) -> None:
    (tmp_path / "folder").mkdir()
    result = lint(tmp_path, mutate("unitary/toxic-bert", model))
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_model_is_noticed_once(tmp_path: Path) -> None:
    twice = GOOD.replace("tasks:\n", "tasks:\n  - {name: again, task: moderation, model: unitary/toxic-bert}\n")
    assert lint(tmp_path, twice).stderr.count("no revision is pinned") == 1


def test_what_no_task_reads_is_a_notice_if_the_text_is_redacted() -> None:
    text = GOOD.replace("dead_letter: posts.dead", "dead_letter: {text: none}\n  text: redacted")
    text = text.replace("output:", "  - {name: vector, task: embedding, model: starter}\noutput:")
    unread, vector = exposed(parse_file(f"{text}redact: {{}}\n", "p.yaml", {}))
    assert str(unread) == (
        "p.yaml:28:9 redact: no task reads fields outside input.text, the key, headers: only values that were "
        "found in the text are redacted there; see redact.fields, redact.key, redact.headers"
    )
    assert str(vector) == (
        "p.yaml:20:5 tasks[2]: the vector is that of the original text; leave it out where the text is redacted"
    )
    text = text.replace("$.body", "$..*").replace("  - {name: vector, task: embedding, model: starter}\n", "")
    (headers,) = exposed(parse_file(f"{text}redact: {{key: remove, elsewhere: false}}\n", "p.yaml", {}))
    says = "no task reads headers: they pass as they are; see redact.fields, redact.key, redact.headers"
    assert headers.message == says
    covered = f"{text}redact: {{key: remove, headers: {{x: remove}}}}\n"
    assert list(exposed(parse_file(covered, "p.yaml", {}))) == []


def test_dead_letters_that_keep_the_original_are_a_notice_if_anything_is_redacted() -> None:
    (problem,) = exposed(redacting(GOOD))
    assert (
        str(problem) == "p.yaml:22:16 output.dead_letter: dead letters keep the original record; with {text: "
        "encrypted} or {text: none} they do not"
    )
    assert list(exposed(redacting(GOOD, "none"))) == list(exposed(parse_file(GOOD, "p.yaml", {}))) == []


def test_answers_that_may_have_no_scores_are_notices(tmp_path: Path) -> None:
    text = GOOD.replace("topic: posts.enriched", "topic: posts.enriched\n  shape: perspective")
    text = text.replace("toxic-bert", "toxic-bert\n    taxonomy: perspective")
    notice = "output.shape: events for which toxicity does not run get an answer without scores (notice)"
    assert notice not in lint(tmp_path, text).stderr
    for line in ("when: size(text) > 5", "unknown_text: leave_out"):
        assert notice in lint(tmp_path, text.replace("taxonomy:", f"{line}\n    taxonomy:")).stderr


def test_plain_json_made_of_cloud_events_is_a_notice(tmp_path: Path) -> None:
    text = GOOD.replace("format: json", "format: cloudevents").replace(
        "  topic: posts.enriched\n",
        "  topic: posts.enriched\n  routes: [{topic: a, copy: true, format: json}, {topic: b, format: cloudevents}]\n",
    )
    result = lint(tmp_path, text)
    notices = [line.split(": keeps the headers")[0] for line in result.stderr.splitlines() if "ce_*" in line]
    assert notices == ["p.yaml:21:3 output.format", "p.yaml:22:43 output.routes[0].format"]
    assert "(cloudevents, text at $.body)" in result.stdout
    assert "moves to b as cloudevents" in result.stdout
    result = lint(tmp_path, text.replace("output:\n", "output:\n  format: cloudevents\n").replace(", format: json", ""))
    assert "ce_*" not in result.stderr
    assert "writes    posts.enriched as cloudevents, dead letters" in result.stdout


def test_a_pattern_that_matches_an_output_is_a_notice(tmp_path: Path) -> None:
    topics = '  topics: [posts, "comments"]\n'
    assert topics in GOOD
    result = lint(tmp_path, GOOD.replace(topics, "  topics: [comments, '^posts']\n"))
    assert result.exit_code == 0
    assert "reads     comments, ^posts (json" in result.stdout
    (notice,) = (line for line in result.stderr.splitlines() if "which the pipeline writes" in line)
    assert notice.startswith(
        "p.yaml:6:22 input.topics[1]: matches posts.dead, posts.enriched, which the pipeline writes"
    )


def test_shadows_are_listed_and_a_topic_without_any_is_a_notice(tmp_path: Path) -> None:
    topic = mutate("  topic: posts.enriched\n", "  topic: posts.enriched\n  disagreements: posts.odd\n")
    result = lint(tmp_path, topic)
    assert "output.disagreements: gets no events while no task is a shadow (notice)\n" in result.stderr
    assert "            disagreements to posts.odd\n" in result.stdout
    shadow = "  - {name: next, task: moderation, model: starter, shadow: toxicity}\noutput:"
    result = lint(tmp_path, topic.replace("output:", shadow))
    assert "output.disagreements" not in result.stderr
    assert "            next      moderation  starter, shadow of toxicity\n" in result.stdout
