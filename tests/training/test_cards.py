"""Cards show what was measured, and which aims were missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from training import cards
from workers.models.packs import STARTER_FOLDER


def figure(**given: Any) -> dict[str, Any]:
    return {
        "task": "ner", "set": "some.test", "metric": "span F1", "n": 1200, "value": 0.5, "low": 0.4, "high": 0.6,
        "of": "", "probe": 0.3, "floor": 0.75, "elsewhere": "others: 0.9", **given,
    }  # fmt: skip


def test_what_misses_its_aim_says_so() -> None:
    below, above, free = cards.table([figure(), figure(value=0.8), figure(floor=None)]).splitlines()[2:]
    assert below == "| some.test (1,200) | span F1 | 0.500 [0.400, 0.600] | 0.75, missed | 0.300 | others: 0.9 |"
    assert "missed" not in above and "0.75" in above
    assert "0.75" not in free


def test_every_bad_answer_is_listed_and_some_good_ones() -> None:
    answers = [
        {"text": f"text {number}", "expected": "a|b", "got": "c", "good": number >= 3, "task": "ner", "kind": "k"}
        for number in range(100)
    ]
    shown = cards.own_answers(answers)
    assert [f"text {number} |" in shown for number in range(3)] == [True] * 3
    assert shown.count("| wrong |") == 3 and shown.count("\n| text ") == 3 + cards.GOOD_SHOWN
    assert "a\\|b" in shown


def test_the_starter_s_cards_are_written(tmp_path: Path) -> None:
    for path in STARTER_FOLDER.glob("*.*"):
        if path.suffix in {".json", ".safetensors"}:
            (tmp_path / path.name).symlink_to(path)
    scores, own_scores = tmp_path / "scores.json.txt", tmp_path / "own.json.txt"
    scores.write_text(json.dumps({"figures": [figure()]}))
    group = {"group": "age", "n": 500, "rate": 0.01, "low": 0.0, "high": 0.02}
    own_scores.write_text(
        json.dumps(
            {
                "answers": [],
                "identity": [group],
                "terms": [{**group, "group": "old", "rate": 0.3}],
                "records": [],
                "missed": [],
            }
        )
    )
    done = CliRunner().invoke(cards.main, [str(scores), str(own_scores), "--pack", str(tmp_path)])
    assert done.exit_code == 0, done.output
    written = {path.name: path.read_text() for path in (tmp_path / "cards").iterdir()}
    assert len(written) == 11
    assert "0.500 [0.400, 0.600]" in written["ner.md"] and "0.500 [0.400, 0.600]" in written["README.md"]
    assert "| age | 500 | 1.0% [0.0%, 2.0%] |" in written["moderation.md"]
    assert "By word: old 30%; no other." in written["moderation.md"]
    assert not any("{" in text and "}" in text and "{facts}" in text for text in written.values())
