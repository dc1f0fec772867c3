"""What replaces a value: the operators of ``redact``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from schemas.pipeline.redaction import Encrypt, Hash, Mask, Operator, Redact, Replace, Surrogate
from stream.output.redaction.canonical import canonical_form
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.tokens import encryptor, require_cryptography

_MOST_LABELS = 1000
"""Labels per operator whose functions are kept; tasks of users could make up any number of labels."""
WHOLE = "REDACTED"
"""What ``replace`` writes for a value without a label: ``<REDACTED>``."""

_Function: TypeAlias = "Callable[[Replacements, str, int | None], str]"


class Operators:
    """The operators of a configuration, prepared for each label. Any thread may use them."""

    def __init__(self, redact: Redact, keys: Keys) -> None:
        """``keys``: those that the operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        self._keys = keys
        self._encryptors: dict[str, Callable[[str], str]] = {}
        if any(isinstance(operator.options, Encrypt) for _, operator in redact.operators()):
            require_cryptography()
        # Looked up by identity, because comparing models takes longer than redacting; ``_operators`` keeps them alive.
        self._operators = [operator for _, operator in redact.operators()]
        self._functions: dict[int, dict[str, _Function]] = {id(operator): {} for operator in self._operators}

    def event(self) -> Replacements:
        """Return the replacements of one event."""
        return Replacements(self, self._functions)

    def function(self, operator: Operator, label: str) -> _Function:
        """Return what makes replacements of values with ``label``. Raises KeyError for a foreign operator."""
        functions = self._functions[id(operator)]
        if (function := functions.get(label)) is None:
            function = self._made(operator, label)
            if len(functions) < _MOST_LABELS:
                functions[label] = function
        return function

    def _made(self, operator: Operator, label: str) -> _Function:
        options = operator.options
        if isinstance(options, Replace):
            return _replace(options, label)
        if isinstance(options, Mask):
            return _mask(options)
        if isinstance(options, Hash):
            return _hash(options, label, _required(self._keys.hash))
        if isinstance(options, Encrypt):
            encrypt = self._encryptor(options)
            return lambda event, value, group: encrypt(value)
        if isinstance(options, Surrogate):
            raise NotImplementedError(operator.name)
        return lambda event, value, group: ""

    def _encryptor(self, options: Encrypt) -> Callable[[str], str]:
        if (encrypt := self._encryptors.get(options.mode)) is None:
            key_id, key = next(iter(self._keys.encrypt.items()), ("", None))
            encrypt = self._encryptors[options.mode] = encryptor(key_id, _required(key), options.mode)
        return encrypt


class Replacements:
    """The replacements of one event, which numbers values. One thread uses it."""

    __slots__ = ("_counts", "_functions", "_numbers", "_operators")

    def __init__(self, operators: Operators, functions: dict[int, dict[str, _Function]]) -> None:
        """``functions``: what ``operators`` has prepared so far; only its methods change it."""
        self._operators = operators
        self._functions = functions
        self._numbers: dict[str, dict[str | int, int]] = {}
        self._counts: dict[str, int] = {}

    def replacement(self, operator: Operator, label: str, value: str, group: int | None = None) -> str:
        """Return what to write in place of ``value``, which is empty for the operator ``remove``.

        Args:
            operator: One of the configuration: ``Redact.operator_for(label)``, or that of a field, key or header.
            label: The span's label; empty for a value that is no span.
            value: The value as it was written.
            group: The coreference cluster that the value belongs to; values of one group have the same number.

        Raises:
            KeyError: The operator is not one of the configuration that ``Operators`` was made of.
        """
        try:
            function = self._functions[id(operator)][label]
        except KeyError:
            function = self._operators.function(operator, label)
        return function(self, value, group)

    def number(self, label: str, value: str, group: int | None) -> int:
        """Return the number of a value in its canonical form, from 1 on for each label.

        A value that was seen before has its number again; otherwise, that of its group.
        """
        numbers = self._numbers.get(label)
        if numbers is None:
            numbers = self._numbers[label] = {}
        number = numbers.get(value)
        if number is None and group is not None:
            number = numbers.get(group)
        if number is None:
            number = self._counts[label] = self._counts.get(label, 0) + 1
        numbers.setdefault(value, number)
        if group is not None:
            numbers.setdefault(group, number)
        return number


def _replace(options: Replace, label: str) -> _Function:
    label = label or WHOLE
    text = f"<{label}>" if options.text is None else options.text
    if not options.numbered:
        return lambda event, value, group: text
    canonical = canonical_form(label)
    return lambda event, value, group: f"<{label}_{event.number(label, canonical(value), group)}>"


def _mask(options: Mask) -> _Function:
    first, last, character = options.keep_first, options.keep_last, options.character

    def mask(event: Replacements, value: str, group: int | None) -> str:
        size = len(value)
        if 2 * (first + last) > size:
            return character * size
        return value[:first] + character * (size - first - last) + value[size - last :]

    return mask


def _hash(options: Hash, label: str, key: Key) -> _Function:
    canonical, digest, length = canonical_form(label), key.digest, options.length

    def hashed(event: Replacements, value: str, group: int | None) -> str:
        return digest(canonical(value).encode(errors="surrogatepass")).hex()[:length]

    return hashed


def _required(key: Key | None) -> Key:
    if key is None:
        raise ValueError("the key was not loaded")
    return key
