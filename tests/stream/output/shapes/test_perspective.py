"""``shape: perspective``: requests and answers after the published documentation, and what is wrong with requests."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import EncodeError
from schemas.pipeline.config import Pipeline
from schemas.taxonomies import names
from stream.output.event_builder import EventBuilder
from stream.output.shapes.base import Published
from stream.output.shapes.perspective import PerspectiveShaper
from tests.stream.output.shapes.discovery import ANSWER

TEXT = "What kind of idiot name is foo? Sorry, I like your name."
ATTRIBUTES = names("perspective")
SCORES = {name: round(0.9 - number / 10, 6) for number, name in enumerate(ATTRIBUTES)}


def annotation(scores: dict[str, float], *sentences: tuple[int, int, dict[str, float]]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "flagged": False,
        "labels": [{"label": name, "score": score, "flagged": False} for name, score in scores.items()],
    }
    if sentences:
        made["sentences"] = [
            {"start": start, "end": end, "flagged": False, "scores": sentence_scores}
            for start, end, sentence_scores in sentences
        ]
    return made


def answer(
    event: dict[str, Any] | None = None, text: str = TEXT, language: str | None = "en", **annotations: Any
) -> dict[str, Any]:
    annotations = annotations or {"safety": annotation(SCORES)}
    if language is not None:
        annotations["tongue"] = {"label": language, "score": 0.9, "scores": {language: 0.9, "fr": 0.1}}
    encoded = None if event is None else orjson.dumps(event)
    tasks = [name for name in annotations if name != "tongue"]
    made = PerspectiveShaper(tasks, "tongue").shape(Published("id", text, "code_point", annotations, encoded))
    ANSWER.validate(made)
    return made


def request(*attributes: str, **more: Any) -> dict[str, Any]:
    return {"comment": {"text": TEXT}, "requestedAttributes": {name: {} for name in attributes}, **more}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_each_attribute_is_answered_as_the_documentation_shows(attribute: str) -> None:
    assert answer(request(attribute, languages=["en"])) == {
        "attributeScores": {
            attribute: {
                "spanScores": [{"begin": 0, "end": 56, "score": {"value": SCORES[attribute], "type": "PROBABILITY"}}],
                "summaryScore": {"value": SCORES[attribute], "type": "PROBABILITY"},
            }
        },
        "languages": ["en"],
        "detectedLanguages": ["en"],
    }


def test_an_event_that_is_no_request_gets_all_attributes_in_the_order_of_the_documentation() -> None:
    made = answer({"text": TEXT, "languages": 7, "clientToken": "not a request's"})
    assert list(made["attributeScores"]) == ATTRIBUTES
    assert made["languages"] == made["detectedLanguages"] == ["en"]
    assert "clientToken" not in made
    assert answer(None) == made


def test_spans_are_sentences_with_scores_of_their_own_if_the_request_wants_them() -> None:
    first, second = {"TOXICITY": 0.9, "INSULT": 0.8}, {"TOXICITY": 0.1, "INSULT": 0.2}
    safety = annotation({"TOXICITY": 0.7, "INSULT": 0.6}, (0, 31, first), (32, 56, second))
    wanted = answer(request("TOXICITY", spanAnnotations=True), safety=safety)
    assert wanted["attributeScores"]["TOXICITY"] == {
        "spanScores": [
            {"begin": 0, "end": 31, "score": {"value": 0.9, "type": "PROBABILITY"}},
            {"begin": 32, "end": 56, "score": {"value": 0.1, "type": "PROBABILITY"}},
        ],
        "summaryScore": {"value": 0.7, "type": "PROBABILITY"},
    }
    for other in (request("TOXICITY"), request("TOXICITY", spanAnnotations=False)):
        (span,) = answer(other, safety=safety)["attributeScores"]["TOXICITY"]["spanScores"]
        assert (span["begin"], span["end"], span["score"]["value"]) == (0, 56, 0.7)
    assert len(answer(None, safety=safety)["attributeScores"]["INSULT"]["spanScores"]) == 2


def test_spans_count_utf16_units() -> None:
    text = "\N{THUMBS UP SIGN}\N{THUMBS UP SIGN}. e\N{COMBINING ACUTE ACCENT}t\N{PILE OF POO}"
    scores = {"TOXICITY": 0.5}
    made = answer(None, text, safety=annotation(scores, (0, 3, scores), (4, 8, scores)))
    spans = made["attributeScores"]["TOXICITY"]["spanScores"]
    encoded = text.encode("utf-16-le")
    quoted = [encoded[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") for span in spans]
    assert quoted == [text[0:3], text[4:8]]
    (whole,) = answer(None, text, safety=annotation(scores))["attributeScores"]["TOXICITY"]["spanScores"]
    assert whole["end"] == len(encoded) // 2


@pytest.mark.parametrize("unit", ["code_point", "utf16", "utf8"])
@given(text=st.text(st.sampled_from("aé\u4e2d\N{PILE OF POO} "), min_size=1, max_size=30), data=st.data())
def test_offsets_of_any_unit_become_those_of_utf16(unit: Any, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))

    def counted(part: str, to: str) -> int:
        return {"code_point": len(part), "utf16": len(part.encode("utf-16-le")) // 2, "utf8": len(part.encode())}[to]

    scores = {"TOXICITY": 0.5}
    span = (counted(text[:start], unit), counted(text[:end], unit), scores)
    published = Published("id", text, unit, {"safety": annotation(scores, span)}, None)
    (made,) = PerspectiveShaper(["safety"], None).shape(published)["attributeScores"]["TOXICITY"]["spanScores"]
    assert (made["begin"], made["end"]) == (counted(text[:start], "utf16"), counted(text[:end], "utf16"))


def test_what_no_task_gives_is_absent_and_never_zero() -> None:
    made = answer(request("TOXICITY", "FLIRTATION", "SEXUALLY_EXPLICIT"), safety=annotation({"TOXICITY": 0.5}))
    assert list(made["attributeScores"]) == ["TOXICITY"]
    assert answer(None, other={"label": "x", "score": 1.0, "scores": {"x": 1.0}})["attributeScores"] == {}


def test_names_of_the_model_are_no_attributes_and_experimental_ones_are() -> None:
    made = answer(None, safety=annotation({"toxic": 0.5, "SPAM": 0.25, "THREAT": 0.125, "LABEL_0": 0.5}))
    assert list(made["attributeScores"]) == ["THREAT", "SPAM"]


def test_thresholds_of_the_request_leave_out_what_is_below() -> None:
    asked = request("TOXICITY", "INSULT", "THREAT")
    asked["requestedAttributes"]["TOXICITY"] = {"scoreThreshold": 0.9, "scoreType": "PROBABILITY"}
    asked["requestedAttributes"]["INSULT"] = {"scoreThreshold": 0.61}
    asked["requestedAttributes"]["THREAT"] = None
    assert list(answer(asked)["attributeScores"]) == ["TOXICITY", "THREAT"]


def test_versions_and_experimental_names_are_answered_under_the_requested_name() -> None:
    made = answer(request("TOXICITY@6", "INSULT_EXPERIMENTAL"))["attributeScores"]
    assert {key: score["summaryScore"]["value"] for key, score in made.items()} == {
        "TOXICITY@6": SCORES["TOXICITY"], "INSULT_EXPERIMENTAL": SCORES["INSULT"],
    }  # fmt: skip


def test_languages_and_the_token_of_the_request_are_returned() -> None:
    made = answer(request("TOXICITY", languages=["de", "en"], clientToken="comment-53922"), language="nl")
    assert (made["languages"], made["detectedLanguages"]) == (["de", "en"], ["nl"])
    assert made["clientToken"] == "comment-53922"
    detected = answer(request("TOXICITY", languages=[]), language="nl")
    assert (detected["languages"], "clientToken" in detected) == (["nl"], False)
    for unknown in ("und", None):
        assert not {"languages", "detectedLanguages"} & answer(None, language=unknown).keys()


def test_of_several_tasks_the_first_that_gives_an_attribute_counts() -> None:
    made = answer(None, first=annotation({"TOXICITY": 0.5}), second=annotation({"TOXICITY": 0.25, "THREAT": 0.125}))
    values = {name: score["summaryScore"]["value"] for name, score in made["attributeScores"].items()}
    assert values == {"TOXICITY": 0.5, "THREAT": 0.125}


SECRET = "heliotrope"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"requestedAttributes": [SECRET]}, "requestedAttributes of the event is not an object"),
        ({"requestedAttributes": {SECRET: SECRET}}, "an entry of requestedAttributes of the event is not an object"),
        ({"requestedAttributes": {SECRET: {"scoreType": "RAW"}}}, "a scoreType in requestedAttributes is not PROBA"),
        ({"requestedAttributes": {SECRET: {"scoreThreshold": True}}}, "a scoreThreshold of the event is not a number"),
        ({"languages": SECRET}, "languages of the event is not an array"),
        ({"languages": [7]}, "an entry of languages of the event is not text"),
        ({"clientToken": [SECRET]}, "clientToken of the event is not text"),
        ({"spanAnnotations": SECRET}, "spanAnnotations of the event is not true or false"),
    ],
)
def test_a_request_with_a_mistake_is_refused_with_its_reason_and_quotes_nothing(
    wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EncodeError) as raised:
        answer(request("TOXICITY") | wrong)
    assert str(raised.value).startswith(reason)
    assert SECRET not in str(raised.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("requestedAttributes", "languages", "clientToken", "spanAnnotations", "comment")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_event_is_answered_or_refused(event: dict[str, Any]) -> None:
    with contextlib.suppress(EncodeError):
        answer(event)


def pipeline(**output: Any) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "safety", "task": "moderation", "model": "m", "taxonomy": "perspective"}],
        "output": {"topic": "out", "shape": "perspective", **output},
    })  # fmt: skip


def built(event: dict[str, Any], annotated: Any = None, **output: Any) -> dict[str, Any]:
    made = Document(None, TEXT, orjson.dumps(event))
    made.annotations = {"safety": annotated or annotation(SCORES)}
    line = EventBuilder(pipeline(**output), {}).build(made)
    assert b"\n" not in line
    shaped: dict[str, Any] = json.loads(line)
    return shaped


def test_without_text_nothing_of_the_event_is_in_the_answer() -> None:
    event = request("TOXICITY", languages=[SECRET], clientToken=SECRET)
    assert built(event)["clientToken"] == SECRET
    without = built(event, text="none")
    assert SECRET not in json.dumps(without)
    assert list(without["attributeScores"]) == ATTRIBUTES


def test_an_annotation_that_no_answer_can_be_made_of_is_an_error_and_no_crash() -> None:
    for strange in ({"labels": [SECRET]}, {"labels": [{"label": "THREAT"}]}, {"labels": [{"label": 1, "score": 0.5}]}):
        with pytest.raises(EncodeError, match=r"no answer can be made of the annotations \(\w+\)"):
            built({"text": TEXT}, strange)
    with pytest.raises(EncodeError, match="not finite"):
        built({"text": TEXT}, annotation({"THREAT": float("nan")}))
