"""The Perspective API's answer as its discovery document describes it (commentanalyzer v1alpha1), as a JSON Schema.

Fields that the document does not name are errors here, and so are numbers out of the range of the score type.
"""

from __future__ import annotations

from typing import Any

import jsonschema

_SCORE = {
    "type": "object",
    "properties": {
        "value": {"type": "number", "minimum": 0, "maximum": 1},
        "type": {"enum": ["PROBABILITY"]},
    },
    "required": ["value", "type"],
    "additionalProperties": False,
}
_SPAN = {
    "type": "object",
    "properties": {"begin": {"type": "integer"}, "end": {"type": "integer"}, "score": _SCORE},
    "required": ["begin", "end", "score"],
    "additionalProperties": False,
}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
ANSWER = jsonschema.Draft202012Validator({
    "type": "object",
    "properties": {
        "attributeScores": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"summaryScore": _SCORE, "spanScores": {"type": "array", "items": _SPAN, "minItems": 1}},
                "required": ["summaryScore"],
                "additionalProperties": False,
            },
        },
        "languages": _TEXTS,
        "detectedLanguages": _TEXTS,
        "clientToken": {"type": "string"},
    },
    "required": ["attributeScores"],
    "additionalProperties": False,
})  # fmt: skip
