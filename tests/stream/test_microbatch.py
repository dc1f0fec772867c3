"""Every document leaves in exactly one micro-batch, in order, within the budgets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatcher
from stream.pacing import FixedPacing


def _documents(sizes: list[int], polled_at: float = 0.0) -> list[Document]:
    assignment = Assignment("t", 0)
    documents = []
    for offset, tokens in enumerate(sizes):
        document = Document(Record(assignment, offset, None, b"x" * tokens, polled_at=polled_at))
        document.tokens = tokens
        documents.append(document)
    return documents


@given(
    chunks=st.lists(st.lists(st.integers(0, 120), max_size=12), max_size=12),
    max_tokens=st.integers(1, 100),
    max_events=st.integers(1, 10),
)
def test_order_budgets_and_nothing_lost(chunks: list[list[int]], max_tokens: int, max_events: int) -> None:
    batcher = MicroBatcher(FixedPacing(max_tokens, 1.0), max_events, lambda: 0.0)
    documents = _documents([tokens for chunk in chunks for tokens in chunk])
    batches = []
    at = 0
    for chunk in chunks:
        batches += batcher.add(documents[at : at + len(chunk)])
        at += len(chunk)
    last = batcher.cut_rest()
    batches += [last] if last else []
    assert [document for batch in batches for document in batch.documents] == documents
    assert [batch.number for batch in batches] == list(range(len(batches)))
    for batch in batches:
        assert 1 <= len(batch.documents) <= max_events
        assert batch.tokens == sum(document.tokens for document in batch.documents) == batch.size
        assert batch.tokens <= max_tokens or len(batch.documents) == 1
        ((end, count),) = batch.ends.values()
        assert count == len(batch.documents)
        record = batch.documents[-1].record
        assert record is not None
        assert end == record.offset + 1
    assert batcher.wait() is None


def test_linger_is_counted_from_the_first_document() -> None:
    now = 10.0
    batcher = MicroBatcher(FixedPacing(100, 0.5), 100, lambda: now)
    assert batcher.wait() is None
    first, second = _documents([1, 1], polled_at=now)
    batcher.add([first])
    now = 10.4
    batcher.add([second])
    assert batcher.wait() == pytest.approx(0.1)
    now = 10.5
    assert batcher.wait() == 0
    batch = batcher.cut_rest()
    assert batch is not None
    assert batch.documents == [first, second]


def test_purge_takes_only_what_is_leaving() -> None:
    batcher = MicroBatcher(FixedPacing(100, 0.0), 100, lambda: 0.0)
    stays, leaves = Assignment("t", 0), Assignment("t", 1)
    documents = [Document(Record(a, offset, None, b"")) for offset in range(3) for a in (stays, leaves)]
    for document in documents:
        document.tokens = 7
    batcher.add(documents)
    assert batcher.purge() == []
    leaves.state = Assignment.CLOSING
    assert [record.assignment for record in batcher.purge()] == [leaves] * 3
    batch = batcher.cut_rest()
    assert batch is not None
    assert batch.ends == {stays: (3, 3)}
    assert batch.tokens == 21
