"""The keys of redaction: read once, never printed."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Protocol

from schemas.errors import SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction_checks import NEEDS
from schemas.pipeline.tree import Path, spell

SHORTEST = 16
"""Bytes of the shortest key."""
LONGEST = 1024
"""Bytes of the longest key."""
HOW_TO_MAKE = "; openssl rand -hex 32 makes a key"
"""The end of a message that a key is missing which nobody has made yet."""
_BLOCK = 64
"""Bytes of a block of SHA-256."""
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class Source(Protocol):
    """Where a key is written; exactly one of both is set."""

    @property
    def env(self) -> str | None:
        """The name of an environment variable."""

    @property
    def file(self) -> str | None:
        """The path of a file."""


class Key:
    """A secret of ``SHORTEST`` bytes or more. It shows itself to nobody: not in logs, tracebacks or pickles."""

    __slots__ = ("_inner", "_outer", "_secret")

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret that is too short."""
        if len(secret) < SHORTEST:
            raise ValueError(f"has {len(secret)} bytes; a key needs {SHORTEST} or more")
        self._secret = secret
        # HMAC (RFC 2104) with the state behind both pads kept: hmac.digest takes seven times as long for a short value.
        block = (secret if len(secret) <= _BLOCK else hashlib.sha256(secret).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> str:
        raise TypeError("a key cannot be pickled")

    def digest(self, message: bytes) -> bytes:
        """Return the HMAC-SHA256 of ``message``."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    def subkey(self, purpose: str, size: int = 32) -> bytes:
        """Return a key of ``size`` bytes, 64 at most, for one purpose alone.

        It is an HMAC-SHA512 of the purpose behind a byte that no UTF-8 contains, so it is never the ``digest`` of a
        value.
        """
        return hmac.digest(self._secret, b"\xffglossator " + purpose.encode(), "sha512")[:size]


class Keys:
    """The keys of one pipeline.

    Attributes:
        hash: The key of ``hash`` and ``surrogate``; None if nothing uses it.
        encrypt: Key id -> key. The first one encrypts.
        only_letters: Whether ``encrypt`` is for dead letters alone, and no redacted value depends on it.
    """

    __slots__ = ("encrypt", "hash", "only_letters")

    def __init__(
        self,
        hash: Key | None = None,  # noqa: A002
        encrypt: Mapping[str, Key] | None = None,
        only_letters: bool = False,
    ) -> None:
        self.hash = hash
        self.encrypt = dict(encrypt or {})
        self.only_letters = only_letters

    def __repr__(self) -> str:
        return f"Keys(hash={'...' if self.hash else None}, encrypt={list(self.encrypt)})"

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that differ if the redacted values do; they tell nothing of the keys. Empty without keys."""
        named = [("hash", self.hash), *([] if self.only_letters else list(self.encrypt.items())[:1])]
        parts = [f"{name}:{key.subkey('fingerprint').hex()}" for name, key in named if key is not None]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8] if parts else ""


def load_keys(pipeline: Pipeline, environ: Mapping[str, str] = os.environ) -> Keys:
    """Read the keys that a worker of ``pipeline`` needs: that of hashes, and the first of those that encrypt.

    A key that only decrypts is not read, so a worker need not have it. Raises SettingError that lists every key that is
    missing or cannot be used.
    """
    problems: list[str] = []
    loaded: dict[str, Key] = {}
    for path, name, source in needed_keys(pipeline):
        try:
            loaded[name] = read_key(source, environ, HOW_TO_MAKE)
        except ValueError as error:
            problems.append(f"{spell(path)}: {error}")
    if problems:
        raise SettingError("; ".join(problems))
    operators = () if pipeline.redact is None else pipeline.redact.operators()
    return Keys(loaded.pop("", None), loaded, all(operator.encrypt is None for _, operator in operators))


def read_key(source: Source, environ: Mapping[str, str] = os.environ, if_missing: str = "") -> Key:
    """Read the key from its variable or file.

    Raises ValueError whose message says why not, without any value; ``if_missing`` is its end if there is no key yet.
    """
    if source.env is not None:
        text = environ.get(source.env)
        place = f"environment variable {source.env}"
        if text is None or not text.strip():
            raise ValueError(f"{place} is {'not set' if text is None else 'empty'}{if_missing}")
    else:
        place = "the file"
        try:
            with File(source.file or "").open("rb") as stream:
                text = stream.read(2 * LONGEST + 64).decode("latin-1")
        except FileNotFoundError:
            raise ValueError(f"{place} cannot be read: no such file or directory{if_missing}") from None
        except OSError as error:
            raise ValueError(f"{place} cannot be read: {(error.strerror or 'unknown error').lower()}") from None
        except ValueError:
            raise ValueError(f"{place} cannot be read: not a file name") from None
        if not text.strip():
            raise ValueError(f"{place} is empty{if_missing}")
    return parse_key(text, place)


def parse_key(text: str, place: str = "the key") -> Key:
    """Return the key that ``text`` has in hex digits. Raises ValueError that names ``place``."""
    digits = text.strip()
    if len(digits) > 2 * LONGEST:
        raise ValueError(f"{place} has more than {2 * LONGEST} characters")
    if not _HEX.fullmatch(digits):
        raise ValueError(f"{place} is not written in pairs of hex digits, as openssl rand -hex 32 makes them")
    try:
        return Key(bytes.fromhex(digits))
    except ValueError as error:
        raise ValueError(f"{place} {error}") from None


def needed_keys(pipeline: Pipeline) -> Iterator[tuple[Path, str, Source]]:
    """Yield (path in the file, key id, source) of each key that a worker needs; the key of hashes has the id ""."""
    redact = pipeline.redact
    if redact is None:
        return
    needed = {NEEDS.get(operator.name) for _, operator in redact.operators()}
    if pipeline.output.dead_letter_text == "encrypted":
        needed.add("encrypt")
    if "hash" in needed and redact.keys.hash is not None:
        yield ("redact", "keys", "hash"), "", redact.keys.hash
    if "encrypt" in needed and redact.keys.encrypt:
        yield ("redact", "keys", "encrypt", 0), redact.keys.encrypt[0].id, redact.keys.encrypt[0]
