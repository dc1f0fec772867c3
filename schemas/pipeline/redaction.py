"""The models of ``redact:``: what becomes of personal data before an event is published.

``redaction_checks.py`` has the rules that need other sections of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticKnownError

from schemas.paths import parse_pattern
from schemas.pipeline.fields import Distinct, Name, Strict, Text, refuse

VARIABLE = r"^[A-Z_][A-Z0-9_]*$"
KEY_ID = r"^[A-Za-z0-9_-]+$"

OperatorName = Literal["replace", "mask", "remove", "hash", "encrypt", "surrogate"]
OPERATORS: tuple[str, ...] = get_args(OperatorName)


class Replace(Strict):
    """Write the label, ``<PERSON>``, or a fixed text in place of the value."""

    numbered: bool = False
    """Add a number, ``<PERSON_1>``: the same number for the same value within an event."""
    text: str | None = None
    """A fixed text to write; default: the label in angle brackets."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Replace:
        if self.numbered and self.text is not None:
            raise refuse("numbered and text cannot be used together")
        return self


def _visible(value: str) -> str:
    if not value.isprintable() or value.isspace():
        raise refuse("must be a visible character")
    return value


class Mask(Strict):
    """Write a character for each character of the value, except a few at its ends.

    At most half of the value is kept: of a value that is too short for that, nothing is.
    """

    character: Annotated[str, StringConstraints(min_length=1, max_length=1), AfterValidator(_visible)] = "*"
    """What to write for each character."""
    keep_first: Annotated[int, Field(ge=0, le=1000)] = 0
    """Characters to keep at the start, 0 to 1000."""
    keep_last: Annotated[int, Field(ge=0, le=1000)] = 0
    """Characters to keep at the end, 0 to 1000."""


class Remove(Strict):
    """Write nothing in place of the value."""


class Hash(Strict):
    """Write the HMAC-SHA256 of the value in hex; needs ``keys.hash``."""

    length: Annotated[int, Field(ge=16, le=64)] = 32
    """Hex digits to write, 16 to 64."""


class Encrypt(Strict):
    """Write the encrypted value, which ``glossator reveal`` decrypts; needs ``keys.encrypt``."""

    mode: Literal["siv", "gcm"] = "siv"
    """``siv`` (AES-SIV): equal values have equal tokens. ``gcm`` (AES-GCM): each token is different."""


class Surrogate(Strict):
    """Write an invented value of the same kind, always the same for the same value; needs ``keys.hash``."""

    locale: Text = "en_US"
    """The language and country that the invented names, places and numbers are of."""


class Operator(Strict):
    """What becomes of a value: exactly one operator with its options."""

    replace: Replace | None = None
    """Write the label or a fixed text."""
    mask: Mask | None = None
    """Write a character for each character."""
    remove: Remove | None = None
    """Write nothing."""
    hash: Hash | None = None
    """Write a keyed hash."""
    encrypt: Encrypt | None = None
    """Write a token that can be decrypted."""
    surrogate: Surrogate | None = None
    """Write an invented value."""

    @model_validator(mode="after")
    def _is_one(self) -> Operator:
        if sum(getattr(self, name) is not None for name in OPERATORS) != 1:
            raise refuse("must name exactly one operator")
        return self

    @property
    def name(self) -> str:
        """The name of the operator."""
        return next(name for name in OPERATORS if getattr(self, name) is not None)

    @property
    def options(self) -> Replace | Mask | Remove | Hash | Encrypt | Surrogate:
        """The options of the operator."""
        options: Replace | Mask | Remove | Hash | Encrypt | Surrogate = getattr(self, self.name)
        return options


def _spelled_out(value: Any) -> Any:
    """Turn ``hash`` into ``{hash: {}}``, so that both are the same configuration."""
    if not isinstance(value, str):
        return value
    if value not in OPERATORS:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(OPERATORS)})
    return {value: {}}


AnyOperator = Annotated[Operator, BeforeValidator(_spelled_out, json_schema_input_type=OperatorName | Operator)]
"""An operator as it may be written: its name, or a mapping of its name to its options."""


def _not_a_key(value: str) -> str:
    # ``env: ${KEY}`` puts the key itself here, and messages name the variable.
    if len(value) >= 32 and not value.strip("0123456789ABCDEF"):
        raise refuse("must be the name of an environment variable, not the key itself")
    return value


Variable = Annotated[str, StringConstraints(pattern=VARIABLE, max_length=100), AfterValidator(_not_a_key)]


def _one_source(env: str | None, file: str | None) -> None:
    if (env is None) == (file is None):
        raise refuse("needs exactly one of env, file")


class KeySource(Strict):
    """Where a key is read from: 32 or more hex digits, as ``openssl rand -hex 32`` makes them."""

    env: Variable | None = None
    """An environment variable."""
    file: Text | None = None
    """A file."""

    @model_validator(mode="after")
    def _is_one(self) -> KeySource:
        _one_source(self.env, self.file)
        return self


class EncryptionKey(Strict):
    """Where a key for encryption is read from, and the name that tokens call it by."""

    id: Annotated[str, StringConstraints(pattern=KEY_ID, max_length=32)]
    """The key's name in tokens."""
    env: Variable | None = None
    """An environment variable."""
    file: Text | None = None
    """A file."""

    @model_validator(mode="after")
    def _is_one(self) -> EncryptionKey:
        _one_source(self.env, self.file)
        return self


def _distinct_ids(keys: list[EncryptionKey]) -> list[EncryptionKey]:
    if len({key.id for key in keys}) < len(keys):
        raise refuse("contains the same id twice")
    return keys


EncryptionKeys = Annotated[list[EncryptionKey], Field(min_length=1, max_length=64), AfterValidator(_distinct_ids)]


class RedactKeys(Strict):
    """Where the keys are read from."""

    hash: KeySource | None = None
    """The key of ``hash`` and ``surrogate``."""
    encrypt: (
        Annotated[list[EncryptionKey], Field(min_length=1, max_length=64), AfterValidator(_distinct_ids)] | None
    ) = None
    """The keys of ``encrypt``: the first encrypts, the others only decrypt. Workers read the first alone."""


def _place(value: str) -> str:
    try:
        parse_pattern(value)
    except ValueError as error:
        raise refuse(str(error)) from error
    return value


class Redact(Strict):
    """What becomes of personal data before an event is published."""

    tasks: Annotated[list[Name], Field(min_length=1), Distinct] | None = None
    """Names of the tasks whose spans are redacted; default: all tasks of the kinds ``pii`` and ``ner``."""
    default: AnyOperator = Operator(replace=Replace())
    """The operator of labels that ``labels`` does not name."""
    labels: dict[Text, AnyOperator] = Field(default={})
    """Labels and their operators."""
    fields: dict[Annotated[str, AfterValidator(_place)], AnyOperator] = Field(default={})
    """Paths in the event, whose whole values are redacted, and their operators; ``[*]`` is every entry."""
    key: AnyOperator | None = None
    """The operator of the record's key; default: the key stays as it is."""
    headers: dict[Text, AnyOperator] = Field(default={})
    """Names of headers and their operators; other headers stay as they are."""
    elsewhere: bool = True
    """Redact a value that was redacted in a text wherever else it is in the event, the key and the headers."""
    keys: RedactKeys = RedactKeys()
    """Where the keys of ``hash``, ``encrypt`` and ``surrogate`` are read from."""

    def operator_for(self, label: str) -> Operator:
        """Return the operator of spans with this label."""
        return self.labels.get(label, self.default)

    def operators(self) -> Iterator[tuple[tuple[str, ...], Operator]]:
        """Yield every operator with its path below ``redact``."""
        yield ("default",), self.default
        for section in ("labels", "fields", "headers"):
            for name, operator in getattr(self, section).items():
                yield (section, name), operator
        if self.key is not None:
            yield ("key",), self.key
