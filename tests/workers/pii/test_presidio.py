from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import AnnotateError, ModelError
from workers.pii import presidio
from workers.pii.presidio import load_recognizers
from workers.pii.recognizers import Recognizers

# After the example of Presidio's documentation, "Adding recognizers", no-code.
EXAMPLE = r"""
recognizers:
  - name: Zip code Recognizer
    supported_language: de
    patterns:
      - name: zip code (weak)
        regex: '(\b\d{5}(?:\-\d{4})?\b)'
        score: 0.01
    context: [zip, code]
    supported_entity: ZIP
  - name: Titles recognizer
    supported_languages:
      - language: en
        context: [dear]
      - language: es
    supported_entity: TITLE
    deny_list: [Mr., Mrs., Ms., Miss, Dr., Mr]
    deny_list_score: 0.4
  - name: CreditCardRecognizer
    type: predefined
    supported_languages: [en, de]
  - UrlRecognizer
  - name: SpacyRecognizer
    type: predefined
    enabled: false
  - name: Off
    enabled: false
    supported_entity: NOTHING
"""


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(text, "utf-8")
        return path

    return written


def found(path: Path, text: str) -> list[tuple[str, str, float, str, bool]]:
    extra = load_recognizers(path)
    return [
        (finding.label, text[finding.start : finding.end], finding.score, finding.recognizer, finding.checked)
        for finding in Recognizers([recognizer.entity for recognizer in extra], extra=extra).find(text)
    ]


def test_the_documentations_example(write: Write) -> None:
    path = write(EXAMPLE)
    assert [(recognizer.name, recognizer.entity) for recognizer in load_recognizers(path)] == [
        ("Zip code Recognizer", "ZIP"),
        ("Titles recognizer", "TITLE"),
    ]
    assert found(path, "10115 it is, as I said, my zip: 10115-1234") == [
        ("ZIP", "10115", 0.01, "Zip code Recognizer", False),
        ("ZIP", "10115-1234", 0.55, "Zip code Recognizer", False),
    ]
    assert found(path, "dear mrs. Plum") == [("TITLE", "mrs.", 0.75, "Titles recognizer", False)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("🙂 Mr. X, MISS Y", ["Mr.", "MISS"]),
        ("Mr.X is Mr", ["Mr", "Mr"]),  # the longer one would end inside a word
        ("Mister Drum, dismiss Mrsx", []),
    ],
)
def test_deny_lists_are_whole_words_in_any_case(write: Write, text: str, words: list[str]) -> None:
    assert [finding[1] for finding in found(write(EXAMPLE), text)] == words


def test_words_of_a_deny_list_match_within_text_without_spaces(write: Write) -> None:
    path = write("recognizers: [{name: A, supported_entity: A, deny_list: [张三, Lee, 김철수]}]")
    assert [text for _, text, *_ in found(path, "我是张三丰，김철수입니다 and Lee_2, not Leeds")] == [
        "张三",
        "김철수",
        "Lee",
    ]


def test_patterns_read_the_text_as_it_is_and_in_its_plain_form(write: Write) -> None:
    path = write(
        "recognizers: [{name: A, supported_entity: A, patterns: "
        "[{name: plain, regex: 'B-[0-9]{4}', score: 0.6}, {name: wide, regex: '[１-９]{2}', score: 0.6}]}]"
    )
    assert [text for _, text, *_ in found(path, "B－１２３４")] == ["B－１２３４", "１２", "３４"]
    assert [text for _, text, *_ in found(path, "x B-12\u200b34")] == ["B-12\u200b34"]


def test_words_of_a_deny_list_are_no_patterns(write: Write) -> None:
    path = write("recognizers: [{name: A, supported_entity: A, deny_list: ['a.c', '(x)', 'C++']}]")
    assert [finding[1] for finding in found(path, "abc a.c (x) C++ x")] == ["a.c", "(x)", "C++"]


def test_flags_are_presidios_unless_the_file_says_otherwise(write: Write) -> None:
    entry = "recognizers: [{name: A, supported_entities: [A], patterns: [{name: p, regex: '^a.b$', score: 1}]}]"
    assert [finding[1] for finding in found(write(entry), "x\nA\nB\ny")] == ["A\nB"]
    assert found(write(f"global_regex_flags: 0\n{entry}"), "x\nA\nB\ny") == []
    assert [finding[1] for finding in found(write(f"global_regex_flags: 0\n{entry}"), "a-b")] == ["a-b"]


def test_empty_matches_are_no_findings(write: Write) -> None:
    path = write("recognizers: [{name: A, supported_entity: A, patterns: [{name: p, regex: 'x*', score: 1}]}]")
    assert [finding[1] for finding in found(path, "axxa")] == ["xx"]


def test_a_pattern_that_takes_too_long_fails_the_event(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio, "TIMEOUT_S", 0.05)
    path = write("recognizers: [{name: Slow, supported_entity: A, patterns: [{name: p, regex: '(a|aa)+$', score: 1}]}]")
    with pytest.raises(AnnotateError, match=r"'Slow' took longer than 0\.05 s") as raised:
        found(path, "ab" + "a" * 200 + "!")
    assert "aa" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file must be a mapping"),
        ("[]", "the file must be a mapping"),
        ("a: [", "is not valid YAML"),
        ("a: 1\na: 2", "is not valid YAML"),
        ("recognizers: 5", "has no list of recognizers"),
        ("recognizers: []\nsupported_countries: [us]", "the file has unsupported fields: supported_countries"),
        ("recognizers: []\nglobal_regex_flags: 1024", "global_regex_flags must be"),
        ("recognizers: [5]", "recognizer 1: it must be a mapping"),
        ("recognizers: [{type: custom}]", "recognizer 1: name must be"),
        ("recognizers: [GlinerRecognizer]", r"recognizer 1 \(GlinerRecognizer\): needs Presidio"),
        ("recognizers: [{name: A, type: remote}]", r"recognizer 1 \(A\): type must be"),
        ("recognizers: [{name: A, model: x}]", r"recognizer 1 \(A\): it has unsupported fields: model"),
        ("recognizers: [{name: UrlRecognizer, type: predefined, context: [x]}]", "unsupported fields: context"),
        (
            "recognizers: [{name: UrlRecognizer, type: predefined, enabled: false}]",
            r"recognizer 1 \(UrlRecognizer\): cannot be disabled here: leave its entity out of the task's entities",
        ),
        ("recognizers: [{name: A, supported_entity: A}]", "has neither patterns nor a deny_list"),
        ("recognizers: [{name: A, enabled: 'no', deny_list: [a]}]", "enabled must be"),
        ("recognizers: [{name: A, deny_list: [a]}]", "supported_entity must be"),
        ("recognizers: [{name: A, supported_entities: [A, B], deny_list: [a]}]", "must have one entity"),
        ("recognizers: [{name: A, supported_entity: A, deny_list: [1]}]", "each of deny_list must be a text"),
        ("recognizers: [{name: A, supported_entity: A, deny_list: a}]", "deny_list must be a list"),
        ("recognizers: [{name: A, supported_entity: A, deny_list: [a], deny_list_score: 2}]", "a score must be"),
        ("recognizers: [{name: A, supported_entity: A, context: [1], deny_list: [a]}]", "each of context must be"),
        (
            "recognizers: [UrlRecognizer, {name: A, supported_entity: A, patterns: [{regex: '(', score: 1}]}]",
            r"recognizer 2 \(A\): its regex cannot be compiled: missing \)",
        ),
        ("recognizers: [{name: A, supported_entity: A, patterns: [{regex: a, score: x}]}]", "a score must be"),
        ("recognizers: [{name: A, supported_entity: A, patterns: [{regex: a, score: true}]}]", "a score must be"),
        ("recognizers: [{name: A, supported_entity: A, patterns: [{score: 1}]}]", "regex must be a text"),
        ("recognizers: [{name: A, supported_entity: A, patterns: [a]}]", "a pattern must be a mapping"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_place(write: Write, text: str, reason: str) -> None:
    path = write(text)
    with pytest.raises(ModelError, match=reason) as raised:
        load_recognizers(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_files_are_bounded(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(text: str) -> None:
        load_recognizers(write(text))

    three = "recognizers: [{name: A, supported_entity: A, deny_list: [a, aa, aaa]}, {name: B, supported_entity: A, "
    three += "patterns: [{regex: aaaaa, score: 1}, {regex: b, score: 1}]}]"
    limits = {"_PATTERNS": 3, "_PATTERN_LENGTH": 5, "_DENIED": 3, "_FILE_BYTES": len(three)}
    for name, limit in limits.items():
        monkeypatch.setattr(presidio, name, limit)
    load(three)
    for name, reason in {
        "_PATTERNS": r"recognizer 2 \(B\): more than 2 patterns",
        "_PATTERN_LENGTH": "regex must be a text of at most 4 characters",
        "_DENIED": r"recognizer 1 \(A\): more than 2 words",
        "_FILE_BYTES": f"larger than {len(three) - 1} bytes",
    }.items():
        monkeypatch.setattr(presidio, name, limits[name] - 1)
        with pytest.raises(ModelError, match=reason):
            load(three)
        monkeypatch.setattr(presidio, name, limits[name])


def test_what_is_no_file_of_text_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_recognizers(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"recognizers: [\xff]")
    with pytest.raises(ModelError, match="is not valid YAML"):
        load_recognizers(tmp_path / "latin.yaml")
    with pytest.raises(ModelError, match="is not valid YAML"):
        load_recognizers(write("[" * 1000))
