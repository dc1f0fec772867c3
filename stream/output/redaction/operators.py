"""What replaces a value: the operators of ``redact``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Encrypt, Hash, Mask, Operator, Redact, Remove, Replace, Surrogate
from schemas.pipeline.tree import Path
from stream.output.redaction.canonical import canonical_form
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.surrogates import Surrogates, require_faker
from stream.output.redaction.tokens import encryptor, require_cryptography

_MOST_LABELS = 1000
"""Labels per operator whose functions are kept; tasks of users could make up any number of labels."""
WHOLE = "REDACTED"
"""What ``replace`` writes for a value without a label: ``<REDACTED>``."""

Function: TypeAlias = "Callable[[Replacements, str, int | None], str]"
"""Called with the replacements of an event, a value, and its group; returns what to write in place of the value."""


def libraries(pipeline: Pipeline) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Yield a place in the file and what raises SettingError if its library is missing, once for each library."""
    operators = list(pipeline.redact.operators()) if pipeline.redact is not None else []
    for path, operator in operators:
        if isinstance(operator.options, Encrypt):
            yield ("redact", *path), require_cryptography
            break
    else:
        if pipeline.output.dead_letter_text == "encrypted":
            yield ("output", "dead_letter"), require_cryptography
    for path, operator in operators:
        if isinstance(options := operator.options, Surrogate):
            yield ("redact", *path), partial(require_faker, options.locale)
            break


class Operators:
    """The operators of a configuration, prepared for each label. Any thread may use them."""

    def __init__(self, redact: Redact, keys: Keys) -> None:
        """``keys``: those that the operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        self._keys = keys
        self._encryptors: dict[str, Callable[[str], str]] = {}
        self._surrogates: dict[str, Surrogates] = {}
        for _, operator in redact.operators():
            if isinstance(operator.options, Encrypt):
                require_cryptography()
            if isinstance(options := operator.options, Surrogate) and options.locale not in self._surrogates:
                self._surrogates[options.locale] = Surrogates(_required(keys.hash), options.locale)
        # Looked up by identity, because comparing models takes longer than redacting; ``_operators`` keeps them alive.
        self._operators = [operator for _, operator in redact.operators()]
        self._functions: dict[int, dict[str, Function]] = {id(operator): {} for operator in self._operators}

    def event(self) -> Replacements:
        """Return the replacements of one event."""
        return Replacements(self, self._functions)

    def function(self, operator: Operator, label: str) -> Function:
        """Return what makes the replacements of values with ``label``. Raises KeyError for a foreign operator."""
        functions = self._functions[id(operator)]
        if (function := functions.get(label)) is None:
            function = self._made(operator, label)
            if len(functions) < _MOST_LABELS:
                functions[label] = function
        return function

    def _made(self, operator: Operator, label: str) -> Function:
        options = operator.options
        if (text := fixed_text(operator, label)) is not None:
            return lambda event, value, group: text
        if isinstance(options, Replace):
            return _numbered(label)
        if isinstance(options, Mask):
            return _mask(options)
        if isinstance(options, Hash):
            return _hash(options, label, _required(self._keys.hash))
        if isinstance(options, Encrypt):
            encrypt = self._encryptor(options)
            return lambda event, value, group: encrypt(value)
        assert isinstance(options, Surrogate)
        return _surrogate(self._surrogates[options.locale], label)

    def _encryptor(self, options: Encrypt) -> Callable[[str], str]:
        if (encrypt := self._encryptors.get(options.mode)) is None:
            key_id, key = next(iter(self._keys.encrypt.items()), ("", None))
            encrypt = self._encryptors[options.mode] = encryptor(key_id, _required(key), options.mode)
        return encrypt


class Replacements:
    """The replacements of one event, which numbers values. One thread uses it."""

    __slots__ = ("_counts", "_firsts", "_functions", "_operators")

    def __init__(self, operators: Operators, functions: dict[int, dict[str, Function]]) -> None:
        """``functions``: what ``operators`` has prepared so far; only its methods change it."""
        self._operators = operators
        self._functions = functions
        self._firsts: dict[str, dict[str | int, tuple[int, str]]] = {}
        self._counts: dict[str, int] = {}

    def replacement(self, operator: Operator, label: str, value: str, group: int | None = None) -> str:
        """Return what to write in place of ``value``, which is empty for the operator ``remove``.

        Args:
            operator: One of the configuration: ``Redact.operator_for(label)``, or that of a field, key or header.
            label: The span's label; empty for a value that is no span.
            value: The value as it was written.
            group: The coreference cluster that the value belongs to; its values have one number, or one surrogate.

        Raises:
            KeyError: The operator is not one of the configuration that ``Operators`` was made of.
        """
        try:
            function = self._functions[id(operator)][label]
        except KeyError:
            function = self._operators.function(operator, label)
        return function(self, value, group)

    def first(self, label: str, value: str, group: int | None) -> tuple[int, str]:
        """Return the number, from 1 on for each label, and the first value of what is the same as ``value``.

        ``value`` is in its canonical form. The same is what is equal; otherwise, what is of the same group.
        """
        firsts = self._firsts.get(label)
        if firsts is None:
            firsts = self._firsts[label] = {}
        first = firsts.get(value)
        if first is None and group is not None:
            first = firsts.get(group)
        if first is None:
            number = self._counts[label] = self._counts.get(label, 0) + 1
            first = number, value
        firsts.setdefault(value, first)
        if group is not None:
            firsts.setdefault(group, first)
        return first


def fixed_text(operator: Operator, label: str) -> str | None:
    """Return what ``operator`` writes for every value with ``label``; None if that depends on the value."""
    options = operator.options
    if isinstance(options, Replace) and not options.numbered:
        return options.text if options.text is not None else f"<{label or WHOLE}>"
    return "" if isinstance(options, Remove) else None


def _numbered(label: str) -> Function:
    label = label or WHOLE
    canonical = canonical_form(label)
    return lambda event, value, group: f"<{label}_{event.first(label, canonical(value), group)[0]}>"


def _mask(options: Mask) -> Function:
    first, last, character = options.keep_first, options.keep_last, options.character

    def mask(event: Replacements, value: str, group: int | None) -> str:
        size = len(value)
        if 2 * (first + last) > size:
            return character * size
        return value[:first] + character * (size - first - last) + value[size - last :]

    return mask


def _hash(options: Hash, label: str, key: Key) -> Function:
    canonical, digest, length = canonical_form(label), key.digest, options.length

    def hashed(event: Replacements, value: str, group: int | None) -> str:
        return digest(canonical(value).encode(errors="surrogatepass")).hex()[:length]

    return hashed


def _surrogate(surrogates: Surrogates, label: str) -> Function:
    canonical, invented, label = canonical_form(label), surrogates.surrogate, label or WHOLE
    return lambda event, value, group: invented(label, event.first(label, canonical(value), group)[1])


def _required(key: Key | None) -> Key:
    if key is None:
        raise ValueError("the key was not loaded")
    return key
