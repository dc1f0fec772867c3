"""Tokens: values that are encrypted so that who has the key can read them again, in the middle of any text.

A token is ``ENC[id:payload]``: the id of the key, and in base64url without padding a byte for the version and what the
cipher has made. Its characters need no escape in JSON or a URL's query, and its length is 4/3 of the value's bytes and
about 30 characters more. Version and id are authenticated together with the value.
"""

from __future__ import annotations

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal

from schemas.errors import SettingError
from stream.output.redaction.keys import Key

_TOKEN = re.compile(r"ENC\[([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]*)(\]?)")
_SIV, _GCM = b"\x01", b"\x02"
_NONCE = 12
"""Bytes of the nonce of AES-GCM."""


class TokenError(Exception):
    """A token cannot be decrypted: it was changed, cut or made with another key."""


def require_cryptography() -> None:
    """Raise SettingError if the library of the extra ``redact`` is not installed."""
    if find_spec("cryptography") is None:
        raise SettingError("cryptography is not installed, which encrypts values: pip install 'glossator[redact]'")


def encryptor(key_id: str, key: Key, mode: Literal["siv", "gcm"]) -> Callable[[str], str]:
    """Return the function that makes the token of a value. Any thread may call it.

    ``siv``: AES-256-SIV (RFC 5297), equal values have equal tokens. ``gcm``: AES-256-GCM with a random nonce.
    """
    require_cryptography()
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

    start = f"ENC[{key_id}:"
    if mode == "siv":
        siv, bound = AESSIV(key.subkey("siv", 64)), [_bound(_SIV, key_id)]

        def seal(data: bytes) -> bytes:
            return _SIV + siv.encrypt(data, bound)
    else:
        gcm, alone = AESGCM(key.subkey("gcm")), _bound(_GCM, key_id)

        def seal(data: bytes) -> bytes:
            nonce = os.urandom(_NONCE)
            return _GCM + nonce + gcm.encrypt(nonce, data, alone)

    def token(value: str) -> str:
        payload = urlsafe_b64encode(seal(value.encode(errors="surrogatepass")))
        return f"{start}{payload.rstrip(b'=').decode()}]"

    return token


@dataclass
class Revealed:
    """What was decrypted so far.

    Attributes:
        tokens: Tokens that were decrypted.
        damaged: Tokens that were changed, cut, or made with another key of the same id.
        unknown: Key id -> tokens whose key was not given.
    """

    tokens: int = 0
    damaged: int = 0
    unknown: dict[str, int] = field(default_factory=dict)


class Revealer:
    """Decrypts tokens. One thread uses it. ``revealed`` counts them."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        """``keys``: key id -> key. Raises SettingError if the library is not installed."""
        require_cryptography()
        self._keys = dict(keys)
        self._openers: dict[tuple[str, bytes], Callable[[bytes], bytes]] = {}
        self.revealed = Revealed()

    def text(self, text: str) -> str:
        """Return ``text`` with every token replaced by its value. A token that cannot be decrypted stays as it is."""
        return _TOKEN.sub(self._value, text)

    def json(self, text: str) -> str:
        """Return JSON with every token replaced by its value, as ``text`` does; all else stays as it is written."""
        return _TOKEN.sub(lambda match: json.dumps(self._value(match), ensure_ascii=False)[1:-1], text)

    def _value(self, match: re.Match[str]) -> str:
        """Return what the token in ``match`` hides, or the token itself."""
        key_id, payload, end = match.groups()
        if key_id not in self._keys:
            self.revealed.unknown[key_id] = self.revealed.unknown.get(key_id, 0) + 1
            return match[0]
        try:
            if not end:
                raise TokenError
            value = self._open(key_id, payload)
        except TokenError:
            self.revealed.damaged += 1
            return match[0]
        self.revealed.tokens += 1
        return value

    def _open(self, key_id: str, payload: str) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            sealed = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
            if urlsafe_b64encode(sealed).decode().rstrip("=") != payload:  # the last character has spare bits
                raise TokenError
            opener = self._opener(key_id, sealed[:1])
            return opener(sealed[1:]).decode(errors="surrogatepass")
        except (NotBase64, InvalidTag, ValueError):
            raise TokenError from None

    def _opener(self, key_id: str, version: bytes) -> Callable[[bytes], bytes]:
        """Return what decrypts the bytes behind the version. Raises TokenError for an unknown version."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

        if (opener := self._openers.get((key_id, version))) is not None:
            return opener
        key, bound = self._keys[key_id], _bound(version, key_id)
        if version == _SIV:
            siv = AESSIV(key.subkey("siv", 64))
            opener = self._openers[key_id, version] = lambda data: siv.decrypt(data, [bound])
        elif version == _GCM:
            gcm = AESGCM(key.subkey("gcm"))
            opener = self._openers[key_id, version] = lambda data: gcm.decrypt(data[:_NONCE], data[_NONCE:], bound)
        else:
            raise TokenError
        return opener


def _bound(version: bytes, key_id: str) -> bytes:
    """Return what is authenticated together with the value."""
    return b"glossator token " + version + key_id.encode()
