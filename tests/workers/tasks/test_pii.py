"""The task ``pii``: its settings, its use with other tasks, and its messages when it cannot start."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from schemas.document import Document
from schemas.errors import ModelError
from schemas.labels import ENTITIES, PATTERNED, REGIONS
from schemas.pipeline.tasks import PiiTask
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.encoder.reading import HeadInfo, Reading
from workers.pii.fields import without_field_names
from workers.pii.finding import Finding
from workers.pii.recognizers import known_entities
from workers.tasks.pii import Pii, PiiByModel, _findings

MODEL = str(tiny.checkpoint("bert", "token"))
OTHER_MODEL = str(tiny.checkpoint("bert", "token", seed=7))
TEXT = "\U0001f642 Angela Merkel (angela@example.com) pays DE89 3704 0044 0532 0130 00 in Paris, from 192.0.2.17"
Spans = list[dict[str, Any]]


def run(chain: Chain, text: str = TEXT) -> dict[str, Spans]:
    document = Document(None, text)
    chain.run([document])
    assert document.failure is None
    return {name: annotation["spans"] for name, annotation in document.annotations.items()}


def found(text: str = TEXT, **settings: Any) -> list[tuple[str, str]]:
    """(label, text) of what one task finds."""
    (spans,) = run(Chain.load(pipeline({"name": "private", "task": "pii", **settings})), text).values()
    return [(span["label"], span["text"]) for span in spans]


def refusal(**settings: Any) -> str:
    with pytest.raises(ModelError) as raised:
        Chain.load(pipeline({"name": "private", "task": "pii", **settings}))
    return str(raised.value)


def consistent(text: str, spans: Spans) -> bool:
    """Spans are in text order, do not overlap, and their offsets are code points."""
    places = [place for span in spans for place in range(span["start"], span["end"])]
    return places == sorted(set(places)) and all(
        text[span["start"] : span["end"]] == span["text"] != "" for span in spans
    )


def readable(spans: Spans) -> Spans:
    """Those with a letter or digit: models also mark single signs, which ``pii`` drops."""
    return [span for span in spans if any(map(str.isalnum, span["text"]))]


def overlaps(span: dict[str, Any], others: Spans) -> bool:
    return any(span["start"] < other["end"] and other["start"] < span["end"] for other in others)


def test_patterns_alone() -> None:
    chain = Chain.load(pipeline({"name": "private", "task": "pii"}))
    assert run(chain) == {
        "private": [
            {"start": 17, "end": 35, "label": "EMAIL_ADDRESS", "score": 1.0, "text": "angela@example.com"},
            {"start": 42, "end": 69, "label": "IBAN_CODE", "score": 1.0, "text": "DE89 3704 0044 0532 0130 00"},
            {"start": 85, "end": 95, "label": "IP_ADDRESS", "score": 0.75, "text": "192.0.2.17"},
        ]
    }
    assert chain.models["private"]["model"] == "glossator.pii"
    assert re.match(r"\d+\.\d+", chain.models["private"]["revision"])


def test_entities_choose() -> None:
    assert found(entities=["IP_ADDRESS"]) == [("IP_ADDRESS", "192.0.2.17")]
    # Entities that are not requested do not hide those that are.
    assert found("http://192.0.2.17/x", entities=["IP_ADDRESS"]) == [("IP_ADDRESS", "192.0.2.17")]


def test_regions_choose_whose_phone_numbers_need_no_country_code() -> None:
    assert found("It is 01 42 68 53 00") == []
    assert found("It is 01 42 68 53 00", regions=["US", "FR"]) == [("PHONE_NUMBER", "01 42 68 53 00")]


def test_threshold_is_the_least_score() -> None:
    assert ("IP_ADDRESS", "192.0.2.17") in found(threshold=0.75)
    assert [label for label, _ in found(threshold=0.76)] == ["EMAIL_ADDRESS", "IBAN_CODE"]
    assert found("12345678", threshold=0.0) != [] == found("12345678")


def test_thresholds_by_entity() -> None:
    everything = found(threshold=0.0)
    assert {label for label, _ in everything} >= {"EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"}
    assert found(threshold={"default": 0.0}) == everything
    assert found(threshold={}) == found(threshold=0.5) == found()
    fewer = found(threshold={"IP_ADDRESS": 1.0, "default": 0.0})
    assert fewer == [finding for finding in everything if finding[0] != "IP_ADDRESS"]


def test_thresholds_by_entity_apply_to_a_models_labels() -> None:
    config = PiiTask(name="private", task="pii", model="m", threshold={"PERSON": 0.7, "default": 0.0})
    head = HeadInfo(("O", "I-GIVENNAME", "I-CITY"))
    spans = PiiByModel(config, head)._spans
    assert (spans._minimum, spans.labels) == ([0.0, 0.7, 0.0], ["GIVENNAME", "CITY"])


@pytest.mark.parametrize("aggregation", ["simple", "none"])
def test_labels_of_privacy_filter_and_piiranha_become_presidios(aggregation: Any) -> None:
    kinds = ("private_person", "private_phone", "private_date", "secret")
    labels = (
        "O",
        *(f"{letter}-{kind}" for kind in kinds for letter in "BIES"),
    )
    config = PiiTask(name="private", task="pii", model="m", aggregation=aggregation)
    assert sorted(set(PiiByModel(config, HeadInfo(labels))._named())) == [
        "DATE_TIME", "PERSON", "PHONE_NUMBER", "SECRET",
    ]  # fmt: skip
    labels = ("O", "I-GIVENNAME", "I-STREET", "I-TELEPHONENUM", "I-TAXNUM")
    assert sorted(PiiByModel(config, HeadInfo(labels))._named()) == ["LOCATION", "PERSON", "PHONE_NUMBER", "TAXNUM"]


def test_recognizers_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "recognizers: [{name: Badge, supported_entity: BADGE, context: [badge], "
        "patterns: [{name: b, regex: 'B-[0-9]{4}', score: 0.4}]}]"
    )
    badges = {"recognizers": str(path)}
    assert found("my badge: B-1234, me@example.org", **badges) == [
        ("BADGE", "B-1234"), ("EMAIL_ADDRESS", "me@example.org"),
    ]  # fmt: skip
    assert found("B-1234", **badges) == []
    assert found("B-1234 me@example.org", threshold=0.4, entities=["BADGE"], **badges) == [("BADGE", "B-1234")]
    assert 'did you mean "BADGE"?' in refusal(entities=["BADGES"], **badges)


def is_possible(span: dict[str, Any], text: str) -> bool:
    """A person without a letter is none, nor is the name of a field, such as SSN, anything."""
    finding = Finding(span["start"], span["end"], span["label"], span["score"], "other", checked=False)
    if without_field_names(finding, text) is None:
        return False
    return span["label"] not in {"PERSON", "PER"} or any(map(str.isalpha, span["text"]))


def test_spans_of_another_task_take_part() -> None:
    names = {"name": "names", "task": "ner", "model": MODEL}
    both = run(Chain.load(pipeline(
        {"name": "private", "task": "pii", "spans": ["names"], "threshold": 0.0, "entities": ["PERSON", "LOCATION"]},
        {"name": "everything", "task": "pii", "spans": ["names"]},
        names,
    )))  # fmt: skip
    names_found = [span for span in readable(both["names"]) if is_possible(span, TEXT)]
    assert names_found
    assert both["private"] == names_found
    assert consistent(TEXT, both["everything"])
    labels = {span["label"] for span in both["everything"]}
    assert labels >= {"EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"}
    for span in names_found:
        assert span in both["everything"] or span["score"] < 0.5 or overlaps(span, both["everything"])


@pytest.mark.parametrize("aggregation", [None, "none", "simple", "first", "max"])
def test_a_model_finds_what_has_no_pattern(aggregation: str | None) -> None:
    spans = run(Chain.load(pipeline(
        {"name": "names", "task": "ner", "model": MODEL, "aggregation": aggregation},
        {"name": "private", "task": "pii", "model": MODEL, "aggregation": aggregation, "threshold": 0.0,
         "entities": ["PERSON", "LOCATION"]},
    )))  # fmt: skip
    plain = [
        {**span, "label": span["label"].removeprefix("B-").removeprefix("I-")} for span in readable(spans["names"])
    ]
    plain = [span for span in plain if is_possible({**span, "label": ENTITIES.get(span["label"], span["label"])}, TEXT)]
    assert plain
    # A person has whole words.
    assert all(
        any(private["start"] <= span["start"] and span["end"] <= private["end"] for private in spans["private"])
        for span in plain
    )
    assert {span["score"] for span in spans["private"]} <= {span["score"] for span in plain}
    assert {span["label"] for span in spans["private"]} <= {"PERSON", "LOCATION"}


@given(st.text("a.,:; \n", min_size=1))
def test_what_a_model_finds_has_no_commas_at_its_ends(text: str) -> None:
    span = {"start": 3, "end": 3 + len(text), "label": "PER", "score": 0.9, "text": text}
    reported = [
        (f"abc{text}"[finding.start : finding.end], finding.label)
        for finding in _findings({"spans": [span]}, f"abc{text}", "model")
    ]
    bare = text.strip(",:; \n")
    assert reported == ([(bare, "PERSON")] if "a" in bare else [])


def read_as(text: str, labels: str, **settings: Any) -> list[tuple[str, str]]:
    """(label, text) of what ``pii`` makes of a starter that gives the words and marks of ``text`` these ``labels``."""
    names = ("O", *(f"{place}-{kind}" for kind in ("STREET_ADDRESS", "LOCATION", "PERSON", "TITLE") for place in "BI"))
    splitter = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    splitter.pre_tokenizer = Whitespace()
    window = splitter.encode(text)
    scores = np.full((len(window), len(names)), 0.01, np.float32)
    for place, label in enumerate(labels.split()):
        column = next(at for at, name in enumerate(names) if name.startswith(label))
        scores[place, column] = 0.9
    head = HeadInfo(names, word_aware=True, unk_id=0, aggregation="first", symbols="\U0001f642")
    made = PiiByModel(PiiTask(name="private", task="pii", model="starter", **settings), head)
    spans = made.annotate(Document(None, text), [Reading([window], [scores])])["spans"]
    return [(span["label"], span["text"]) for span in spans]


ENVELOPE = "Dr. Ann Poe\n1 Elm St\nLeith\nUK"


def test_what_a_model_finds_is_tidied() -> None:
    labels = "B-P O B-P I-P B-S I-S I-S I-S B-L"
    assert read_as(ENVELOPE, labels) == [
        ("TITLE", "Dr."), ("PERSON", "Ann Poe"), ("STREET_ADDRESS", "1 Elm St\nLeith\nUK"),
    ]  # fmt: skip
    # What is not wanted is no part of what is.
    assert read_as(ENVELOPE, labels, entities=["PERSON", "LOCATION"]) == [("PERSON", "Ann Poe"), ("LOCATION", "UK")]


def test_other_names_still_end_with_their_line() -> None:
    assert read_as("Ann\nBob", "B-P I-P") == [("PERSON", "Ann"), ("PERSON", "Bob")]


def test_a_street_is_found_also_if_what_follows_it_is_a_url() -> None:
    """Joined, both lose against the pattern, which a parser has checked; the street alone does not."""
    read = read_as("1 Elm St, leith.co.uk", "B-S I-S I-S O B-L I-L I-L I-L I-L")
    assert read == [("STREET_ADDRESS", "1 Elm St"), ("URL", "leith.co.uk")]


def test_a_model_and_patterns_compete() -> None:
    spans = run(Chain.load(pipeline(
        {"name": "names", "task": "ner", "model": MODEL},
        {"name": "numbers", "task": "pii", "threshold": 0.05},
        {"name": "private", "task": "pii", "model": MODEL, "threshold": 0.05},
    )))  # fmt: skip
    assert consistent(TEXT, spans["private"])
    candidates = [*readable(spans["names"]), *spans["numbers"]]
    # A person has whole words, and what a number leaves of a name stays.
    assert all(overlaps(span, candidates) for span in spans["private"])
    assert all(overlaps(span, spans["private"]) for span in candidates if is_possible(span, TEXT))
    assert {"EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"} < {span["label"] for span in spans["private"]}


def test_labels_become_presidios() -> None:
    labels = ("O", "B-GPE", "I-GPE", "B-NORP", "B-PRODUCT")
    model = str(tiny.checkpoint("bert", "token", labels=labels))
    refused = refusal(model=model, entities=["GPE"])
    assert refused.startswith('task "private": nothing here finds "GPE"')
    (spans,) = run(Chain.load(pipeline(
        {"name": "private", "task": "pii", "model": model, "threshold": 0.0, "entities": ["LOCATION", "NRP", "PRODUCT"]}
    ))).values()  # fmt: skip
    assert spans
    assert {span["label"] for span in spans} <= {"LOCATION", "NRP", "PRODUCT"}


def test_what_others_found_is_not_remembered_beyond_them() -> None:
    """The cache outlives a pipeline, and the model of the same name may have changed."""

    def config(model: str) -> Any:
        return pipeline(
            {"name": "names", "task": "ner", "model": model},
            {"name": "private", "task": "pii", "model": MODEL, "spans": ["names"], "threshold": 0.0},
            compute={"cache": 1000},
        )

    first = Chain.load(config(MODEL))
    run(first)
    after = Chain.load(config(OTHER_MODEL), before=first)
    assert run(after) == run(Chain.load(config(OTHER_MODEL))) != run(first)


def test_a_changed_file_of_recognizers_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    config = pipeline(
        {"name": "private", "task": "pii", "model": MODEL, "recognizers": str(path), "entities": ["A"]},
        compute={"cache": 1000},
    )
    entries = "recognizers: [{{name: A, supported_entity: A, deny_list: [{}]}}, UrlRecognizer]"
    path.write_text(entries.format("Merkel"))
    first = Chain.load(config)
    assert [span["text"] for span in run(first)["private"]] == ["Merkel"]
    path.write_text(entries.format("Paris"))
    assert [span["text"] for span in run(Chain.load(config, before=first))["private"]] == ["Paris"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"entities": ["EMAIL_ADRESS"]}, 'nothing here finds "EMAIL_ADRESS", did you mean "EMAIL_ADDRESS"?'),
        ({"entities": ["PERSON"]}, 'nothing here finds "PERSON"'),
        ({"entities": ["PERSON"]}, "names and places need a model, or the spans of another task"),
        ({"entities": ["PRSON"], "model": MODEL}, 'nothing here finds "PRSON", did you mean "PERSON"?'),
        ({"threshold": {"PRSON": 0.7}, "model": MODEL}, 'nothing here finds "PRSON", did you mean "PERSON"?'),
        ({"entities": ["XYZ"]}, "; it can be ABA_ROUTING_NUMBER, AR_CUIT, AT_SVNR, "),
        ({"regions": ["US", "XX"]}, "no such region of phone numbers: XX"),
        ({"recognizers": "no/such.yaml"}, "no/such.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_refused_at_load(settings: dict[str, Any], message: str) -> None:
    refused = refusal(**settings)
    assert refused.startswith('task "private": ')
    assert message in refused


def test_a_model_must_have_a_label_for_nothing() -> None:
    model = str(tiny.checkpoint("bert", "token", labels=("A", "B")))
    assert 'has no label "O"' in refusal(model=model)


@pytest.mark.parametrize(("module", "package"), [("stdnum", "python-stdnum"), ("phonenumbers", "phonenumbers")])
def test_a_missing_library_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert refusal() == (
        f"task \"private\": {package} is not installed, which finds personal data: pip install 'glossator[pii]'"
    )


def test_the_names_that_a_file_may_have_are_those_of_the_patterns_and_the_library() -> None:
    assert known_entities() == PATTERNED
    assert set(REGIONS) == SUPPORTED_REGIONS
    assert list(REGIONS) == sorted(set(REGIONS))


PATTERNS = Pii(PiiTask(name="private", task="pii", threshold=0.0), HeadInfo())
BORROWING = Pii(PiiTask(name="private", task="pii", threshold=0.0, spans=["names"]), HeadInfo())
pieces = st.sampled_from([
    "\U0001f642", "\U0001f469\u200d\U0001f467", "e\u0301", "\u00a0", " ", ", ", "\n", "a@b.example", "bob@example.com",
    "https://example.com/", "4242 4242 4242 4242", "DE89 3704 0044 0532 0130 00", "192.0.2.1", "650-253-0000",
    "+44 20 7946 0958", "536-90-4399", "call", "12", "-", "0x", "２０", "::1", "(", ")", "SSN", "card",
    "\u200b", "\u00ad", "\u0664", "%40", "%2B", "\u2014", "\u3000", "\t", "  ", ".", "_", "[", "+", "\u6211", "\uc758",
    "x", "'", "2022-12-24 18", "12:37", "?a=", "&", "token=", "-----BEGIN PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiJ9.",
    "+1 202 555 0143",
])  # fmt: skip


@given(st.lists(pieces, max_size=15).map("".join), st.data())
@example("x[2025550143 -----BEGIN CERTIFICATE-----", None)
@example("\U0001f642https://example.com/bob@example.com 4242 4242 4242 4242650-253-0000", None)
def test_spans_are_slices_of_the_text_and_never_overlap(text: str, data: Any) -> None:
    spans = PATTERNS.annotate(Document(None, text), ())["spans"]
    assert consistent(text, spans)
    if data is None:
        return
    # Other tasks' spans, in any order: the same result, and no overlaps.
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda place: place[0] < place[1])
    others = [
        {"start": start, "end": end, "label": label, "score": score, "text": text[start:end]}
        for (start, end), label, score in data.draw(
            st.lists(st.tuples(places, st.sampled_from(["PER", "LOC"]), st.sampled_from([0.5, 0.9])), max_size=6)
            if text
            else st.just([])
        )
    ]

    def with_others(order: Spans) -> Spans:
        document = Document(None, text)
        document.annotations["names"] = {"spans": order}
        annotated: Spans = BORROWING.annotate(document, ())["spans"]
        return annotated

    spans = with_others(others)
    assert consistent(text, spans)
    assert spans == with_others(others[::-1]) == with_others(data.draw(st.permutations(others)))
    assert all(overlaps(other, spans) for other in readable(others) if is_possible(other, text))


@pytest.mark.timeout(60)
def test_a_megabyte_of_everything_is_annotated() -> None:
    unit = (
        "Angela \U0001f642 paid 1,299.99 on 2024-01-15 from 10.0.0.1, see http://example.com/a?b=c or bob@example.com; "
        "and then nothing of note was said for a while by anybody who had been there on the day, as far as we know. "
    )
    text = unit * (1_000_000 // len(unit))
    spans = PATTERNS.annotate(Document(None, text), ())["spans"]
    assert [span["label"] for span in spans if span["score"] >= 0.5][:3] == ["IP_ADDRESS", "URL", "EMAIL_ADDRESS"]
    assert sum(span["label"] == "EMAIL_ADDRESS" for span in spans) == 1_000_000 // len(unit)
    assert consistent(text, spans)


def test_what_identifies_nobody_is_left_out_unless_asked_for() -> None:
    model = str(tiny.checkpoint("bert", "token", 1, labels=("O", "B-MONEY", "B-GPE")))
    labels = {label for label, _ in found(model=model, threshold=0.0)}
    assert "LOCATION" in labels
    assert "MONEY" not in labels
    assert {label for label, _ in found(model=model, threshold=0.0, entities=["MONEY"])} == {"MONEY"}
