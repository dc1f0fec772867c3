"""Recognisers that users define, in Presidio's no-code YAML.

The format is that of https://microsoft.github.io/presidio/analyzer/adding_recognizers/. Presidio itself is neither
needed nor used.

- Supported: custom recognisers with patterns, deny lists and context words; the file's flags; predefined recognisers by
  name if we find their entities, which has no effect, because the task's ``entities`` choose among those.
- Different: context words are whole words (with or without a plural s), not parts of lemmas, and those of all languages
  count at once, because an event does not name its language. Words of a deny list may touch an underscore, and in
  scripts without spaces between words other letters.
- Refused: remote recognisers, those that need a model or a Python class, several entities in one recogniser, settings
  of predefined ones, and every field not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.errors import AnnotateError, ModelError
from workers.pii.boundaries import JOINING
from workers.pii.finding import Finding, Recognizer, Words

TIMEOUT_S = 2.0
"""Limit of one pattern over one text, in seconds of processor time of all threads, which is what ``regex`` counts."""
_FILE_BYTES = 1 << 20
_PATTERNS = 1000
_PATTERN_LENGTH = 10_000
_DENIED = 20_000
_FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE

_OURS = {
    "AbaRoutingRecognizer", "AuAbnRecognizer", "AuAcnRecognizer", "AuMedicareRecognizer", "AuTfnRecognizer",
    "CaSinRecognizer", "CreditCardRecognizer", "CryptoRecognizer", "DateRecognizer", "DeBsnrRecognizer",
    "DeFuehrerscheinRecognizer", "DeHandelsregisterRecognizer", "DeHealthInsuranceRecognizer",
    "DeIdCardRecognizer", "DeKfzRecognizer", "DeLanrRecognizer", "DePassportRecognizer", "DePlzRecognizer",
    "DeSocialSecurityRecognizer", "DeTaxIdRecognizer", "DeTaxNumberRecognizer", "DeVatIdRecognizer",
    "EmailRecognizer", "EsNieRecognizer", "EsNifRecognizer", "EsPassportRecognizer",
    "FiPersonalIdentityCodeRecognizer", "IbanRecognizer", "InAadhaarRecognizer", "InGstinRecognizer",
    "InPanRecognizer", "InPassportRecognizer", "InVehicleRegistrationRecognizer", "InVoterRecognizer",
    "IpRecognizer", "ItDriverLicenseRecognizer", "ItFiscalCodeRecognizer", "ItIdentityCardRecognizer",
    "ItPassportRecognizer", "ItVatCodeRecognizer", "KrBrnRecognizer", "KrDriverLicenseRecognizer",
    "KrFrnRecognizer", "KrPassportRecognizer", "KrRrnRecognizer", "MacAddressRecognizer",
    "MedicalLicenseRecognizer", "NgNinRecognizer", "NgVehicleRegistrationRecognizer", "NhsRecognizer",
    "PhTinRecognizer", "PhoneRecognizer", "PlPeselRecognizer", "SeOrganisationsnummerRecognizer",
    "SePersonnummerRecognizer", "SgFinRecognizer", "SgUenRecognizer", "ThTninRecognizer",
    "TrLicensePlateRecognizer", "TrNationalIdRecognizer", "UkDrivingLicenceRecognizer", "UkNinoRecognizer",
    "UkPassportRecognizer", "UkPostcodeRecognizer", "UkVehicleRegistrationRecognizer", "UrlRecognizer",
    "UsBankRecognizer", "UsItinRecognizer", "UsLicenseRecognizer", "UsMbiRecognizer", "UsNpiRecognizer",
    "UsPassportRecognizer", "UsSsnRecognizer", "ZaIdNumberRecognizer",
}  # fmt: skip
"""Presidio's predefined recognisers whose entities we find."""

_ENTRY = {
    "name", "type", "enabled", "supported_entity", "supported_entities", "supported_language", "supported_languages",
    "patterns", "deny_list", "deny_list_score", "context", "version", "country_code",
}  # fmt: skip
_PREDEFINED = {"name", "class_name", "type", "enabled", "supported_language", "supported_languages"}
_TOP = {"recognizers", "supported_languages", "global_regex_flags"}


@dataclass(frozen=True)
class Custom:
    """Finds one entity by patterns of the user's, whose matches are never ``checked``.

    ``patterns``: compiled regular expressions with their scores. They can take time exponential in the length of the
    text, so they run in the ``regex`` package, as in Presidio, for at most ``TIMEOUT_S`` each.
    """

    name: str
    entity: str
    patterns: tuple[tuple[regex.Pattern[str], float], ...]
    context: Words | None = None
    against: Words | None = None
    digits: int = 0
    hint: None = None

    def find(self, text: str) -> Iterator[Finding]:
        """The matches in ``text`` that are not empty. Raises AnnotateError when a pattern runs out of time."""
        try:
            for pattern, score in self.patterns:
                # All at once: the timeout would keep running while a caller handles a match.
                for match in list(pattern.finditer(text, timeout=TIMEOUT_S)):
                    if match.start() < match.end():
                        yield Finding(match.start(), match.end(), self.entity, score, self.name, checked=False)
        except TimeoutError:
            raise AnnotateError(f"the recognizer {self.name!r} took longer than {TIMEOUT_S:g} s") from None


class _Refused(Exception):  # noqa: N818
    """Why an entry cannot be used."""


def load_recognizers(path: Path) -> list[Recognizer]:
    """Load the recognisers of a file, in its order.

    A predefined recogniser adds nothing: ``Recognizers`` has its entity already. A file may have at most 1 MiB, 1,000
    patterns, and 20,000 words in a deny list. Raises ModelError, naming file, entry and reason, for a file that cannot
    be read or used.
    """
    try:
        if path.stat().st_size > _FILE_BYTES:
            raise ModelError(f"{path}: larger than {_FILE_BYTES} bytes")
        document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid YAML: {type(error).__name__}") from error
    try:
        flags, entries = _top(document)
    except _Refused as refused:
        raise ModelError(f"{path}: {refused}") from None
    recognizers: list[Custom] = []
    for number, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, dict) else entry
        try:
            recognizers += _recognizer(entry, flags)
            if sum(len(each.patterns) for each in recognizers) > _PATTERNS:
                raise _Refused(f"more than {_PATTERNS} patterns in one file")
        except _Refused as refused:
            where = f"recognizer {number}" + (f" ({name})" if isinstance(name, str) else "")
            raise ModelError(f"{path}: {where}: {refused}") from None
    return list(recognizers)


def _top(document: object) -> tuple[int, list[object]]:
    top = _mapping(document, _TOP, "the file")
    flags = top.get("global_regex_flags", _FLAGS)
    if not isinstance(flags, int) or flags & ~(_FLAGS | regex.VERBOSE):
        raise _Refused(
            "global_regex_flags must be a sum of 2 (any case), 8 (lines), 16 (dot matches all), 64 (verbose)"
        )
    entries = top.get("recognizers")
    if not isinstance(entries, list):
        raise _Refused("has no list of recognizers")
    return int(flags), entries


def _recognizer(entry: object, flags: int) -> list[Custom]:
    if isinstance(entry, str):
        entry = {"name": entry, "type": "predefined"}
    kind = entry.get("type", "custom") if isinstance(entry, dict) else None
    known = _mapping(entry, _PREDEFINED if kind == "predefined" else _ENTRY, "it")
    name = _text(known.get("name"), "name")
    enabled = known.get("enabled", True)
    if not isinstance(enabled, bool):
        raise _Refused("enabled must be true or false")
    if kind == "predefined":
        replaced = known.get("class_name", name) in _OURS
        if enabled and not replaced:
            raise _Refused("needs Presidio, which is not used; only recognizers of entities found here can be named")
        if replaced and not enabled:
            raise _Refused("cannot be disabled here: leave its entity out of the task's entities")
        return []
    if not enabled:
        return []
    if kind != "custom":
        raise _Refused("type must be custom or predefined")
    patterns = [_pattern(pattern, flags) for pattern in _list(known.get("patterns"), "patterns")]
    if denied := _texts(known.get("deny_list"), "deny_list"):
        patterns.append(_deny(denied, _score(known.get("deny_list_score", 1.0)), flags))
    if not patterns:
        raise _Refused("has neither patterns nor a deny_list")
    context = _context(known)
    return [Custom(name, _entity(known), tuple(patterns), Words(context) if context else None)]


def _entity(entry: dict[str, Any]) -> str:
    several = _texts(entry.get("supported_entities"), "supported_entities")
    if len(several) > 1 or (several and "supported_entity" in entry):
        raise _Refused("must have one entity")
    return several[0] if several else _text(entry.get("supported_entity"), "supported_entity")


def _pattern(pattern: object, flags: int) -> tuple[regex.Pattern[str], float]:
    known = _mapping(pattern, {"name", "regex", "score"}, "a pattern")
    written = _text(known.get("regex"), "regex", _PATTERN_LENGTH)
    try:
        return regex.compile(written, flags), _score(known.get("score"))
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise _Refused(f"its regex cannot be compiled: {error}") from None


def _deny(words: list[str], score: float, flags: int) -> tuple[regex.Pattern[str], float]:
    if len(words) > _DENIED:
        raise _Refused(f"more than {_DENIED} words in its deny_list")
    return regex.compile(rf"(?<!{JOINING})\L<words>(?!{JOINING})", flags, words=words), score


def _context(entry: dict[str, Any]) -> list[str]:
    words = _texts(entry.get("context"), "context")
    for language in _list(entry.get("supported_languages"), "supported_languages"):
        if not isinstance(language, str):
            known = _mapping(language, {"language", "context"}, "a language")
            words += _texts(known.get("context"), "context")
    return words


def _mapping(value: object, keys: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Refused(f"{what} must be a mapping")
    if unknown := sorted(str(key) for key in value if key not in keys):
        raise _Refused(f"{what} has unsupported fields: {', '.join(unknown)}")
    return value


def _list(value: object, what: str) -> list[object]:
    if value is not None and not isinstance(value, list):
        raise _Refused(f"{what} must be a list")
    return value or []


def _texts(value: object, what: str) -> list[str]:
    return [_text(entry, f"each of {what}") for entry in _list(value, what)]


def _text(value: object, what: str, longest: int = 1000) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _Refused(f"{what} must be a text of at most {longest} characters")
    return value


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _Refused("a score must be a number from 0 to 1")
    return float(value)
