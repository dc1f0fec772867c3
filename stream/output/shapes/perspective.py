"""``shape: perspective``: the answer of the Perspective API, ``AnalyzeCommentResponse``.

Source: the API's discovery document (commentanalyzer v1alpha1) and its reference, "AnalyzeComment". There, ``begin``
and ``end`` of spans are in UTF-16 and ``end`` is exclusive, ``detectedLanguages`` are sorted by likelihood, and
``languages`` are those of the request, or else those detected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.errors import EncodeError
from schemas.pipeline.shape_checks import ATTRIBUTE
from schemas.taxonomies import names
from stream.output.shapes.base import Published, judgements
from stream.output.units import translation

_ORDER = {name: place for place, name in enumerate(names("perspective"))}
_REQUESTED = b'"requestedAttributes"'
_UNKNOWN = "und"


class _Request(NamedTuple):
    """What an ``AnalyzeComment`` request asks for.

    - ``thresholds``: the requested attributes -> the lowest score to answer.
    - ``spans``: whether spans are wanted.
    - ``languages``: those it names; None if it names none.
    - ``token``: to be returned; None if there is none.
    """

    thresholds: dict[str, float]
    spans: bool
    languages: list[str] | None
    token: str | None


class PerspectiveShaper:
    """Attributes with their scores, and the languages. Any thread may use it.

    If the event is a request of the API, with ``requestedAttributes``, it is answered as one: with these attributes and
    no others, above its thresholds, with its ``languages`` and ``clientToken``, and with a span per sentence only if
    it sets ``spanAnnotations``. An attribute that no task gives is absent.
    """

    def __init__(self, tasks: Sequence[str], detector: str | None) -> None:
        """Prepare the answers.

        Args:
            tasks: the tasks whose scores are used; the first that gives an attribute counts.
            detector: the task that detects languages; None if there is none.
        """
        self._tasks = tuple(tasks)
        self._detector = detector

    def shape(self, published: Published) -> dict[str, Any]:
        """Return the answer. Raises EncodeError if the event is a request with something wrong in it."""
        request = _request(published.event)
        scores: dict[str, float] = {}
        sentences: dict[str, list[Mapping[str, Any]]] = {}
        for annotation in judgements(published.annotations, self._tasks):
            for entry in annotation["labels"]:
                name = entry["label"]
                if name not in scores and ATTRIBUTE.fullmatch(name):
                    scores[name] = entry["score"]
                    sentences[name] = annotation.get("sentences", ())
        offsets = translation(published.text, published.unit, "utf16")
        end = len(published.text) if offsets is None else max(offsets.values())
        with_spans = request is None or request.spans
        answered: dict[str, Any] = {}
        for key, name, threshold in self._wanted(request, scores):
            if not scores[name] < threshold:  # what is not a number must not pass unnoticed
                spans = list(_spans(sentences[name], name, offsets)) if with_spans else []
                answered[key] = {
                    "spanScores": spans or [{"begin": 0, "end": end, "score": _score(scores[name])}],
                    "summaryScore": _score(scores[name]),
                }
        return {"attributeScores": answered, **self._languages(request, published), **_token(request)}

    @staticmethod
    def _wanted(request: _Request | None, scores: Mapping[str, float]) -> Iterator[tuple[str, str, float]]:
        """Yield the key, the attribute and the threshold of each score that is wanted and that there is."""
        if request is None:
            for name in sorted(scores, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)):
                yield name, name, 0.0
            return
        for key, threshold in request.thresholds.items():
            name = key.partition("@")[0]
            if name not in scores:
                name = name.removesuffix("_EXPERIMENTAL")
            if name in scores:
                yield key, name, threshold

    def _languages(self, request: _Request | None, published: Published) -> dict[str, list[str]]:
        languages: dict[str, list[str]] = {}
        label = None if self._detector is None else published.annotations.get(self._detector, {}).get("label")
        detected = [label] if isinstance(label, str) and label != _UNKNOWN else None
        if request is not None and request.languages is not None:
            languages["languages"] = request.languages
        elif detected is not None:
            languages["languages"] = detected
        return languages if detected is None else {**languages, "detectedLanguages": detected}


def _score(value: float) -> dict[str, Any]:
    return {"value": value, "type": "PROBABILITY"}


def _spans(
    sentences: Sequence[Mapping[str, Any]], name: str, offsets: Mapping[int, int] | None
) -> Iterator[dict[str, Any]]:
    for sentence in sentences:
        begin, end = sentence["start"], sentence["end"]
        if offsets is not None:
            begin, end = offsets[begin], offsets[end]
        yield {"begin": begin, "end": end, "score": _score(sentence["scores"][name])}


def _token(request: _Request | None) -> dict[str, str]:
    return {} if request is None or request.token is None else {"clientToken": request.token}


def _request(event: bytes | None) -> _Request | None:
    """Return the request that ``event``, JSON, is; None if it is something else. Raises EncodeError; quotes nothing."""
    if event is None or _REQUESTED not in event:
        return None
    fields = orjson.loads(event)
    requested = fields.get("requestedAttributes") if isinstance(fields, dict) else None
    if requested is None:
        return None
    thresholds: dict[str, float] = {}
    for name, parameters in _of(requested, dict, "requestedAttributes").items():
        parameters = _of({} if parameters is None else parameters, dict, "an entry of requestedAttributes")
        if parameters.get("scoreType") not in {None, "SCORE_TYPE_UNSPECIFIED", "PROBABILITY"}:
            raise EncodeError("a scoreType in requestedAttributes is not PROBABILITY, which is the only one there is")
        threshold = parameters.get("scoreThreshold")
        thresholds[name] = 0.0 if threshold is None else _of(threshold, (int, float), "a scoreThreshold")
    languages, token, spans = (fields.get(name) for name in ("languages", "clientToken", "spanAnnotations"))
    if languages is not None:
        for language in _of(languages, list, "languages"):
            _of(language, str, "an entry of languages")
    return _Request(
        thresholds,
        False if spans is None else _of(spans, bool, "spanAnnotations"),
        languages or None,
        None if token is None else _of(token, str, "clientToken"),
    )


_KINDS = {dict: "an object", list: "an array", str: "text", bool: "true or false", (int, float): "a number"}


def _of(value: Any, kind: Any, where: str) -> Any:
    """Return ``value``. Raises EncodeError, which quotes nothing, if it is not of ``kind``."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise EncodeError(f"{where} of the event is not {_KINDS[kind]}, as the Perspective API demands of a request")
    return value
