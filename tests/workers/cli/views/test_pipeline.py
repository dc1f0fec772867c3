"""What a pipeline would do, as ``glossator lint`` shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.pipeline.loader import parse_file
from tests.schemas.pipeline.pipelines import GOOD
from tests.workers.cli.linting import lint, redacting
from workers.cli.views.pipeline import describe


def test_routes_are_shown_in_their_order(tmp_path: Path) -> None:
    routes = (
        "  topic: posts.enriched\n  routes:\n"
        "    - {when: toxicity.flagged, topic: posts.review}\n"
        "    - {name: audit, topic: posts.audit, copy: true}\n"
        "    - {when: 'size(text) < 5', drop: true}\n"
    )
    text = GOOD.replace("  topic: posts.enriched\n", routes)
    lines = lint(tmp_path, text).stdout.splitlines()
    assert lines[-3:] == [
        "  routes    moves to posts.review, when toxicity.flagged",
        "            copies to posts.audit (audit)",
        "            drops, when size(text) < 5",
    ]
    report = json.loads(lint(tmp_path, text, "--format", "json").stdout)
    assert report["pipeline"]["routes"][1] == {
        "name": "audit", "when": None, "topic": "posts.audit", "copy": True, "drop": False,
        "shape": "event",
    }  # fmt: skip


def test_what_a_topic_has_of_the_text_is_shown() -> None:
    routes = "[{copy: true, topic: a, text: none}, {copy: true, topic: b, text: original}, {copy: true, topic: c}]"
    output = f"topic: posts.enriched\n  text: redacted\n  routes: {routes}"
    text = f"{GOOD.replace('topic: posts.enriched', output)}redact: {{}}\n"
    assert describe(parse_file(text, "p.yaml", {})).splitlines()[-4:] == [
        "  writes    posts.enriched with redacted text, dead letters to posts.dead",
        "  routes    copies to a without text",
        "            copies to b with the original text",
        "            copies to c with redacted text",
    ]


def test_what_dead_letters_keep_is_shown() -> None:
    shown = [describe(redacting(GOOD, text)).splitlines()[-2] for text in ("original", "none", "encrypted")]
    assert [line.partition(" to ")[2] for line in shown] == [
        "posts.enriched.dead", "posts.enriched.dead without the original", "posts.enriched.dead, encrypted"
    ]  # fmt: skip


def test_keys_are_listed_and_without_them_the_configuration_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HASH_KEY", raising=False)
    lines = describe(redacting(GOOD)).splitlines()
    assert lines[1].endswith(" configuration unknown without its keys, at_least_once")
    assert lines[-1] == "  keys      hash from HASH_KEY, k1 from /none"


def test_the_shape_of_a_topic_is_shown(tmp_path: Path) -> None:
    output = (
        "topic: posts.enriched\n  shape: perspective\n  routes: [{copy: true, topic: a, shape: event}, {drop: true}]"
    )
    text = GOOD.replace("topic: posts.enriched", output).replace("toxic-bert", "toxic-bert\n    taxonomy: perspective")
    result = lint(tmp_path, text)
    assert result.stdout.splitlines()[-3:] == [
        "  writes    posts.enriched in the shape perspective, dead letters to posts.dead",
        "  routes    copies to a",
        "            drops",
    ]
    report = json.loads(lint(tmp_path, text, "--format", "json").stdout)["pipeline"]
    assert (report["shape"], [route["shape"] for route in report["routes"]]) == ("perspective", ["event", None])
