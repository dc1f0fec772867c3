"""Validation errors in plain English.

Messages never quote a value, because any value may be a secret. Names in "did you mean" come from our own vocabulary.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic_core import ErrorDetails

from schemas.labels import LANGUAGES, REGIONS
from schemas.pipeline.cases import Cases
from schemas.pipeline.config import Pipeline
from schemas.pipeline.fields import DEVICE, FULL_NAME, NAME, REFUSED, TOPIC
from schemas.pipeline.redaction import KEY_ID, OPERATORS, VARIABLE
from schemas.pipeline.registry import FORMATS
from schemas.pipeline.synonyms import is_combining, is_generative, option_meant, task_meant
from schemas.pipeline.task_fields import LANGUAGE, REGION
from schemas.pipeline.tasks import AnyTask, TaskConfig

_Loc = tuple[str | int, ...]
_Schema = Mapping[str, Any]

TASKS: dict[str, type[TaskConfig]] = {
    name: model for model in get_args(get_args(AnyTask)[0]) for name in get_args(model.model_fields["task"].annotation)
}
"""The value of ``task`` -> the model of its settings."""

PATTERNS = {
    NAME: 'must consist of letters, digits and "_", and must not start with a digit',
    FULL_NAME: "must be names with dots between them, such as com.example.Post",
    TOPIC: 'must consist of letters, digits, ".", "_" and "-"',
    DEVICE: "must be auto, cpu, cuda, or cuda:N with a device number N",
    LANGUAGE: "must be a language code such as en (ISO 639-1)",
    REGION: "must be a country code such as US (ISO 3166)",
    VARIABLE: "must be the name of an environment variable in capitals, not the key itself",
    KEY_ID: 'must consist of letters, digits, "_" and "-"',
}
_TYPES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "dict_type": "must be a mapping",
}
_KEYS: dict[_Loc, str] = {
    ("redact", "keys", "hash"): ", for example {env: HASH_KEY}; a key itself must not be in the file",
    ("redact", "keys", "encrypt"): ", for example [{id: k1, env: KEY_1}]",
}
"""Where keys are read from -> how to write it, because the obvious way is another one."""
_NUMBERS = {"int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number"}
_SAME_WORD = 0.75
"""How alike a task and what was written must be if their first letters differ, from 0 to 1."""
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")


def suggest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that ``word`` is most likely a misspelling of, None if there is none."""
    if not isinstance(word, str) or len(word) > 100:
        return None
    # Names may be those of an event, and a message must not control a terminal.
    spelled = {name.lower().replace("-", "_"): name for name in known if name.isprintable()}
    plain = word.lower().replace("-", "_")
    close = difflib.get_close_matches(plain, spelled, n=1)
    # EMAIL is not close to EMAIL_ADDRESS, but the only name that starts with it.
    longer = [name for name in spelled if name.startswith(f"{plain}_")]
    if not close and len(longer) == 1:
        close = longer
    return spelled[close[0]] if close else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return the suggestion for ``word`` as the end of a message, or an empty string."""
    name = suggest(word, known)
    return f', did you mean "{name}"?' if name else ""


def unknown_task(word: object) -> str:
    """Return what is wrong with ``word`` as the value of ``task``."""
    if word is None or word == "":
        return "must be one of " + ", ".join(TASKS)
    if not isinstance(word, str):
        return "must be text"
    known = ", must be one of " + ", ".join(TASKS)
    if (meant := task_meant(word)) is not None:
        return f'unknown task, did you mean "{meant}"?'
    if is_combining(word):
        return (
            "unknown task: moderation, sentiment and text-classification combine other tasks with "
            "ensemble: {of: [...], rule: ...} in place of a model"
        )
    if is_generative(word):
        return f"unknown task: no task writes texts, because the models are encoders{known}"
    spelled = suggest(word, TASKS)
    # Words that begin differently and share some letters are other words.
    if (
        spelled
        and spelled[0] != word[0].lower()
        and difflib.SequenceMatcher(None, word.lower(), spelled).ratio() < 0.75
    ):
        spelled = None
    return "unknown task" + (f', did you mean "{spelled}"?' if spelled else known)


def unknown_field(loc: _Loc) -> str:
    """Return the message for a field that does not exist; ``loc`` is pydantic's location of it."""
    name = loc[-1]
    if len(loc) == 4 and loc[0] == "tasks":
        owners = [task for task, model in TASKS.items() if name in model.model_fields]
        if owners:
            return f"not a field of task {loc[2]}, only of {', '.join(owners)}"
    if len(loc) == 1:
        sections = [section for section in Pipeline.model_fields if name in fields_at((section,))]
        if sections:
            return f"is a field of {' and '.join(sections)}: indent it below"
        if "." in str(name):
            return "unknown field; settings of the Kafka client belong to kafka: indent it below"
    known = fields_at(loc[:-1])
    if set(OPERATORS) == set(known):
        owners = [operator for operator in OPERATORS if name in fields_at((*loc[:-1], operator))]
        if owners:
            return f"is an option of {' and '.join(owners)}: write {owners[0]}: {{{name}: ...}}"
        return "unknown operator" + (did_you_mean(name, known) or f", must be one of {', '.join(known)}")
    if loc[-2:-1] and loc[-2] in FORMATS and (meant := option_meant(name)) is not None:
        return f'unknown field, did you mean "{meant}"?'
    if len(loc) > 1 and name in Pipeline.model_fields:
        return f"unknown field; {name} is a section of the file, at its top"
    return "unknown field" + did_you_mean(name, known)


def wording(error: ErrorDetails) -> str:
    """Return the message for ``error``, to follow the path of the field.

    ``error["loc"]`` is pydantic's location, which includes the tags of unions.
    """
    kind, value, ctx = error["type"], error["input"], error.get("ctx", {})
    if error["loc"][0] == "kafka" and len(error["loc"]) > 1 and isinstance(value, list):
        return "must be one text, with commas between the entries"
    if kind == REFUSED:
        return error["msg"]
    if kind == "missing":
        return "missing field"
    if kind == "extra_forbidden":
        return unknown_field(error["loc"])
    if value is None:
        return "must not be empty"
    if kind in _TYPES:
        needs_quotes = kind == "string_type" and isinstance(value, bool | int | float)
        return _TYPES[kind] + (", put it in quotes" if needs_quotes else "") + _KEYS.get(error["loc"], "")
    if kind in _NUMBERS:
        return f"must be {_NUMBERS[kind]}" + _range(error["loc"]).replace(" at", ", at")
    if kind in _BOUNDS:
        return "must be" + (_range(error["loc"]) or " a finite number")
    if kind == "literal_error":
        choices = [str(choice) for choice in _facts(error["loc"], "enum") or _facts(error["loc"], "const")]
        return f"must be {'one of ' if choices[1:] else ''}{', '.join(choices)}" + did_you_mean(value, choices)
    if kind == "string_pattern_mismatch":
        return _code(str(ctx["pattern"]), str(value)) or PATTERNS[str(ctx["pattern"])]
    if kind == "too_short" and ctx["min_length"] > 1:
        return f"must have at least {ctx['min_length']} entries"
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty"
    if kind == "string_too_long":
        return f"must be at most {ctx['max_length']} characters"
    if kind == "too_long":
        return f"must have at most {ctx['max_length']} entries"
    return "is not a valid value"


def _code(pattern: str, value: str) -> str | None:
    """Return how to write a code of a language or country, if ``value`` is one in another spelling."""
    if pattern == LANGUAGE:
        code = re.split("[-_]", value.strip().lower())[0]
        return f'must be written "{code}"' if code in LANGUAGES else None
    if pattern == REGION:
        code = value.strip().upper()
        code = "GB" if code == "UK" else code
        return f'must be written "{code}"' if code in REGIONS else None
    return None


def _range(loc: _Loc) -> str:
    """Return the bounds of the field as `` between 0 and 1``, `` at least 1``, or an empty string."""
    low = next(iter(_facts(loc, "minimum")), None)
    high = next(iter(_facts(loc, "maximum")), None)
    if low is None:
        # Only whole numbers have an exclusive bound here.
        low = next((above + 1 for above in _facts(loc, "exclusiveMinimum")), None)
    if low is not None and high is not None:
        return f" between {low:.10g} and {high:.10g}"
    return f" at least {low:.10g}" if low is not None else ""


def fields_at(loc: _Loc) -> list[str]:
    """Return the names of the fields that the mapping at ``loc`` may have."""
    return [name for schema in _schemas(loc) for name in schema.get("properties", ())]


def _facts(loc: _Loc, keyword: str) -> list[Any]:
    """Return the values of a JSON Schema keyword in all branches of the field at ``loc``."""
    values = [schema[keyword] for schema in _schemas(loc) if keyword in schema]
    return values[0] if values and isinstance(values[0], list) else values


class _File(Pipeline, Cases):
    """A whole file, with the section that only ``glossator test`` reads."""


@cache
def pipeline_schema() -> dict[str, Any]:
    """Return the JSON Schema of the pipeline file, the section ``tests`` included."""
    return _File.model_json_schema()


def _schemas(loc: _Loc) -> list[_Schema]:
    """Return the JSON Schemas of the field at ``loc``, one per branch of its unions."""
    schemas = list(_branches(pipeline_schema()))
    for step in loc:
        below: list[_Schema] = []
        for schema in schemas:
            tasks = schema.get("items", {}).get("discriminator", {}).get("mapping")
            if isinstance(step, int):
                below += [schema["items"]] if "items" in schema and tasks is None else []
                below += [{"tags": tasks}] if tasks else []
            elif "tags" in schema:
                below += [{"$ref": schema["tags"][step]}] if step in schema["tags"] else []
            elif step in schema.get("properties", ()):
                below.append(schema["properties"][step])
            elif isinstance(schema.get("additionalProperties"), dict):
                below.append(schema["additionalProperties"])
        # A step that leads nowhere is the tag of a union whose branches are all in the list already.
        schemas = [branch for schema in below for branch in _branches(schema)] or schemas
    return schemas


def _branches(schema: _Schema) -> Iterator[_Schema]:
    if "$ref" in schema:
        schema = pipeline_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not alternatives:
        yield schema
    for alternative in alternatives:
        yield from _branches(alternative)
