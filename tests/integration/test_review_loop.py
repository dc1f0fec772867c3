"""The loop of docs/review-loop.md, with what is written there: decisions of reviewers become a head that takes over."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.integration.lib import eventually
from tests.integration.test_reload import running
from tests.kafka.cluster import Cluster
from workers.cli.main import cli

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[2] / "docs/review-loop.md").read_text()
DECIDED, WATCHED, LATER = 150, 40, 120
"""Posts for the reviewers, for the comparison, and for the new head."""
TRAIN = "glossator train --from-topic posts.decisions --pipeline social.yaml --task moderation --out models/safety-1"
BAD = "zorgle"
"""An insult that the starter cannot know."""


class Loop:
    """The page's files and commands, with the addresses and topics of this test."""

    def __init__(self, broker: Cluster, folder: Path, group: str) -> None:
        self.broker, self.folder, self.group = broker, folder, group
        self.file = folder / "social.yaml"
        self.fed = 0
        for topic in re.findall(r"^for topic in (.+); do$", PAGE, re.MULTILINE)[0].split():
            broker.create_topic(self.named(topic), 1)

    def named(self, text: str) -> str:
        """Return a part of the page with this test's names."""
        text = re.sub(r"\bposts(?=[\].,\s\"]|$)", f"{self.group}.posts", text)
        return text.replace("localhost:9092", self.broker.bootstrap_servers).replace(
            "pipeline: social", f"pipeline: {self.group}"
        )

    def block(self, language: str, words: str) -> str:
        """Return the page's block of code that contains ``words``."""
        (code,) = (
            code for code in re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if words in code
        )
        return self.named(code)

    def run(self, command: str) -> Result:
        """Run a command that is on the page; what it would write to a file is in the result."""
        assert f"\n{command}\n" in PAGE
        words = [
            self.named(word) if word.startswith("posts") else word for word in command.partition(" > ")[0].split()[1:]
        ]
        return CliRunner().invoke(cli, [str(self.file) if word == "social.yaml" else word for word in words])

    def feed(self, count: int, bad: bool = False) -> None:
        """Send posts, of which every second or, with ``bad``, every one is an insult."""
        texts = (
            f"What a {BAD} you are, number {n}" if bad or n % 2 else f"What a morning, number {n}"
            for n in range(self.fed, self.fed + count)
        )
        values = [json.dumps({"id": n, "body": text}).encode() for n, text in enumerate(texts, self.fed)]
        self.broker.produce_all(self.named("posts"), ((b"k", value) for value in values))
        self.fed += count

    def events(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(row.value or b"") for row in self.broker.consume_all(self.named(topic))]

    def count(self, topic: str) -> int:
        return sum(self.broker.ends(self.named(topic)).values())

    def review(self, count: int) -> None:
        """Run the reviewers' program; it ends when ``count`` posts have been decided about."""
        shown: list[str] = []
        prompts: list[str] = []

        def decide(prompt: str) -> str:
            prompts.append(prompt)
            if len(prompts) == 1:
                return "harrasment"  # it asks again
            return "harassment" if BAD in shown[-1] else ""

        code = self.block("python", "Producer").replace("consumer.poll(60)", "poll()")
        names: dict[str, Any] = {"print": shown.append, "input": decide}
        names["poll"] = lambda: names["consumer"].poll(60) if len(shown) < count else None
        exec(compile(code, "review.py", "exec"), names)


def test_decisions_become_a_head_that_takes_over_while_the_worker_runs(
    real_kafka: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loop = Loop(real_kafka, tmp_path, f"g-{tmp_path.name.rsplit('_', 1)[-1]}-{id(tmp_path):x}")
    # How sure the starter is of these posts is not what is tested: all of them go to the reviewers.
    written = re.sub(r"when: .*", "when: has(safety.flagged)", loop.block("yaml", "pipeline:"))
    loop.file.write_text(written + "compute: {threads: 1}\ntelemetry: {port: null}\n")
    log = Path(f"{loop.file}.log")
    with running(loop.file, "--watch") as worker:
        loop.feed(DECIDED)
        loop.review(DECIDED)
        trained = loop.run(TRAIN)
        members = real_kafka.members(loop.group)
        assert trained.exit_code == 0, trained.output
        assert f"{DECIDED} decisions" in trained.stdout
        head = json.loads((tmp_path / "models/safety-1/glossator.json").read_text())["heads"]["moderation"]
        assert head["labels"] == ["harassment"] and head["drift"]["kind"] == "moderation"

        loop.file.write_text(
            loop.file.read_text().replace("output:\n", loop.block("yaml", "model: models/safety-1") + "output:\n")
        )
        eventually(lambda: log.read_text().count("from the next micro-batch on") == 1)
        loop.feed(WATCHED)
        eventually(lambda: loop.count("posts.enriched") == loop.fed)
        disagreements = loop.events("posts.disagreements")
        assert {event["event"]["id"] % 2 for event in disagreements} == {1}
        assert {frozenset(event["annotations"]) for event in disagreements} == {frozenset({"safety", "safety_next"})}

        promoted = loop.run("glossator promote social.yaml safety_next")
        assert promoted.exit_code == 0, promoted.output
        eventually(lambda: log.read_text().count("from the next micro-batch on") == 2)
        loop.feed(LATER, bad=True)
        eventually(lambda: loop.count("posts.enriched") == loop.fed)
        assert real_kafka.members(loop.group) == members
        reference = loop.run("glossator drift-reference social.yaml --from 7d > drift.json")
        assert json.loads(reference.stdout)["tasks"]["safety"]["events"] == LATER
        assert f"safety: {LATER} events; {DECIDED + WATCHED} of an earlier model do not count" in reference.stderr
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    events = loop.events("posts.enriched")
    assert Counter(event["event"]["id"] for event in events) == Counter(range(loop.fed))
    assert loop.count("posts.enriched.dead") == 0
    assert log.read_text().count("assigned") == 1
    assert all(set(event["annotations"]) == {"safety"} for event in events)
    revisions = [event["models"]["safety"]["revision"] for event in events]
    assert revisions[-LATER:] == [head["sha256"][:12]] * LATER and head["sha256"][:12] not in revisions[:-LATER]
    assert all(event["annotations"]["safety"]["flagged"] for event in events[-LATER:])
    # They are unlike the texts that the head was made with.
    assert log.read_text().count('task "safety" has drifted: labels ') == 1
