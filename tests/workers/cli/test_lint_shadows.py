"""``glossator lint`` lists shadows, and notices a topic that gets nothing."""

from __future__ import annotations

from pathlib import Path

from tests.schemas.pipeline.pipelines import mutate
from tests.workers.cli.test_lint import lint


def test_shadows_are_listed_and_a_topic_without_any_is_a_notice(tmp_path: Path) -> None:
    topic = mutate("  topic: posts.enriched\n", "  topic: posts.enriched\n  disagreements: posts.odd\n")
    result = lint(tmp_path, topic)
    assert "output.disagreements: gets no events while no task is a shadow (notice)\n" in result.stderr
    assert "            disagreements to posts.odd\n" in result.stdout
    shadow = "  - {name: next, task: moderation, model: starter, shadow: toxicity}\noutput:"
    result = lint(tmp_path, topic.replace("output:", shadow))
    assert "output.disagreements" not in result.stderr
    assert "            next      moderation  starter, shadow of toxicity\n" in result.stdout
