"""The stream contains the cases a demo should show, and the book of a run is exact."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from workers.cli.default_pipeline import starter_pipeline
from workers.cli.demo.stream import HEADER, Book, recorded


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    decode = codec(starter_pipeline().input).decode
    return [
        decode(Record(Assignment("posts", 0), number, key, value)) for number, (key, value) in enumerate(recorded())
    ]


def test_it_has_texts_of_all_kinds(documents: list[Document]) -> None:
    texts = Counter(document.text for document in documents if document.failure is None)
    assert 140 <= sum(texts.values()) <= 250
    assert sum(count - 1 for count in texts.values()) >= 5
    assert sum(len(text.split()) > 600 for text in texts) >= 3
    everything = "".join(texts)
    for what in ("🙃", "\u0301", "\u200d", "東", "ß", "م", "\ufb01", "\n"):
        assert what in everything, what


def test_it_has_mistakes_of_all_kinds(documents: list[Document]) -> None:
    reasons = sorted(document.failure.message for document in documents if document.failure is not None)
    for what in ("a tombstone", "not UTF-8", "not JSON", "an array", "no text at $.text", "a number, not a string",
                 "is empty", "only white space"):  # fmt: skip
        assert any(what in reason for reason in reasons), what
    assert len(reasons) == 9


def record(label: tuple[str, bytes] | None) -> Record:
    return Record(Assignment("out", 0), 0, None, b"{}", [label] if label else None)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())))
def test_the_book_balances_only_when_everything_is_back(returns: list[tuple[int, bool]]) -> None:
    book = Book()
    labels = [book.sending(number) for number in range(10)]
    back: dict[int, bool] = {}
    for number, dead in returns:
        assert book.saw(record(labels[number]), dead) is (number not in back)
        back.setdefault(number, dead)
    assert book.sent == 10
    assert book.missing == 10 - len(back)
    assert book.dead == {number for number, dead in back.items() if dead}
    assert book.enriched == back.keys() - book.dead
    assert book.repeated == len(returns) - len(back)
    assert book.open_bytes == sum(range(10)) - sum(back)


def test_records_of_other_runs_do_not_count() -> None:
    book, other = Book(), Book()
    book.sending(1)
    for label in (other.sending(1), None, (HEADER, b"\xff-0".replace(b"\xff", b"x")), ("other", b"x-0")):
        assert not book.saw(record(label), dead=False)
    assert (book.missing, book.repeated) == (1, 0)


def test_values_are_sent_as_they_were_written() -> None:
    values = [value for _, value in recorded()]
    assert None in values
    assert any(value and b"Se\xf1or" in value for value in values)  # Latin-1
    assert any(value and value.startswith(b"plain words") for value in values)
    assert all(orjson.loads(value)["text"] for value in values if value and b'"kind":"news"' in value)
