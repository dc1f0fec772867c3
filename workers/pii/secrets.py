"""Secrets that leak into texts: private keys, tokens with a known prefix, connection strings, assignments."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from zlib import crc32

from workers.pii.boundaries import LONG_RUN
from workers.pii.credentials import Commands, Headers
from workers.pii.finding import Finding, Unaided
from workers.pii.internet import Url
from workers.pii.randomness import entropy, is_placeholder, is_random

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_KINDS = {
    # Issuer's documentation, or the patterns of its secret scanning partner programme.
    "aws-access-key": "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
    "github-token": "gh[pousr]_[A-Za-z0-9]{36}",
    "github-fine-grained-token": "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "gitlab-token": "gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,50}",
    "npm-token": "npm_[A-Za-z0-9]{36}",
    "pypi-token": "pypi-AgE[A-Za-z0-9_-]{70}[A-Za-z0-9_-]*+",
    "slack-token": "xox[abeoprs]-[0-9]{1,14}-[A-Za-z0-9-]{10,100}",
    "stripe-key": "[rs]k_(?:live|test)_[A-Za-z0-9]{16}[A-Za-z0-9]*+",
    "google-api-key": "AIza[A-Za-z0-9_-]{35}",
    "google-client-secret": "GOCSPX-[A-Za-z0-9_-]{28}",
    "openai-key": "sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,90}T3BlbkFJ[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*+",
    "anthropic-key": "sk-ant-[a-z]{3,6}[0-9]{2}-[A-Za-z0-9_-]{80}[A-Za-z0-9_-]*+",
    "hugging-face-token": "hf_[A-Za-z0-9]{34}",
    "sendgrid-key": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "telegram-token": "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    "digitalocean-token": "do[opr]_v1_[0-9a-f]{64}",
    "databricks-token": "dapi[0-9a-f]{32}(?:-[0-9])?",
    "shopify-token": "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "vault-token": r"hv[sbr]\.[A-Za-z0-9_-]{24}[A-Za-z0-9_-]*+",
    "age-key": "AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
    "json-web-token": r"eyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*+\.eyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*+"
    r"\.[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*+",
}
"""The kind of a token -> its form."""
_TOKEN = re.compile(
    "(?<![A-Za-z0-9_-])(?:"
    + "|".join(f"(?P<{kind.replace('-', '_')}>{form})" for kind, form in _KINDS.items())
    + ")(?![A-Za-z0-9_-])"
)
_RUN = re.compile("[A-Za-z0-9_-][A-Za-z0-9_.:-]{13}[A-Za-z0-9_.:-]*+")
"""What tokens are looked for in, because a search for all their forms is slow."""
_PEM = re.compile("-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINES = re.compile(r"(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{40,76})++")
_PLACEHOLDER_BITS = 2.5
"""Bits per character of examples (xxxx), from the frequencies of characters."""
_UNPROVED = 0.6
"""The score of a token with a wrong checksum. It may have been altered, and nothing else begins like it."""
_LONG, _MUCH_BITS = 20, 3.5
"""A value of so many characters and bits per character is hardly anything but a secret."""


def _crc(token: str) -> bool:
    """GitHub's and npm's checksum: the last six characters are the CRC-32 of the 30 before them, in base 62."""
    rest, digits = crc32(token[-36:-6].encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0") == token[-6:]


def _jwt(token: str) -> bool:
    """Whether the header of a JSON web token names an algorithm."""
    header = token.partition(".")[0]
    try:
        return b'"alg"' in urlsafe_b64decode(header + "=" * (-len(header) % 4))
    except binascii.Error:
        return False


_CHECKS = {"github-token": _crc, "npm-token": _crc, "json-web-token": _jwt}


@dataclass(frozen=True)
class Tokens(Unaided):
    """Tokens and keys that begin with what their issuer puts there, less examples such as ``ghp_xxxx``."""

    name: str = "secret"
    entity: str = "SECRET"
    digits: int = 1
    hint: re.Pattern[str] | None = LONG_RUN

    def find(self, text: str) -> Iterator[Finding]:
        """The tokens in ``text``; the recogniser of a finding is ``secret-`` and its kind."""
        for match in (match for run in _RUN.finditer(text) for match in _TOKEN.finditer(text, run.start(), run.end())):
            kind = (match.lastgroup or "").replace("_", "-")
            check = _CHECKS.get(kind)
            proved = check is not None and check(match[0])
            if entropy(match[0]) >= _PLACEHOLDER_BITS and (proved or check is not _jwt):
                score = 0.95 if proved or check is None else _UNPROVED
                yield Finding(match.start(), match.end(), self.entity, score, f"{self.name}-{kind}", proved)


@dataclass(frozen=True)
class PrivateKeys(Unaided):
    """Private keys in PEM, also with escaped line breaks or without their end."""

    name: str = "secret-private-key"
    entity: str = "SECRET"
    digits: int = 1
    hint: re.Pattern[str] | None = re.compile("-----BEGIN ")

    def find(self, text: str) -> Iterator[Finding]:
        """The keys in ``text``, from the first dash to the last."""
        marks = list(_PEM.finditer(text))
        for mark, following in zip_longest(marks, marks[1:]):
            if mark[1] == "BEGIN":
                last = following if following and following[1] == "END" else _PEM_LINES.match(text, mark.end())
                if last:
                    yield Finding(mark.start(), last.end(), self.entity, 1.0, self.name, checked=True)


_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s/?#:@]{0,64}+:([^\s/?#@]{3,100})@")


@dataclass(frozen=True)
class ConnectionStrings(Unaided):
    """URLs with a password in them, whole."""

    name: str = "secret-connection-string"
    entity: str = "SECRET"
    hint: re.Pattern[str] | None = re.compile("://[^/@:]{0,64}+:[^/@]{3,100}@")

    def find(self, text: str) -> Iterator[Finding]:
        """The URLs with a password in ``text``; they have the span that ``Url`` gives them."""
        for url in Url().find(text):
            match = _PASSWORD.match(text, url.start, url.end)
            if match and not is_placeholder(match[1]):
                yield Finding(url.start, url.end, self.entity, 0.95, self.name, checked=True)


_SIGN = re.compile(r"[:=](?<=[DdEeTtNnLlSsYy\"' :].)[=>]?(?!//)")
_NAMES = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "credentials",
    "apikey", "api_key", "api key", "api-key", "accesskey", "access_key", "access key", "accountkey", "account_key",
    "authkey", "auth_key", "secretkey", "secret_key", "secret key", "privatekey", "private_key", "private key",
    "storage_key", "storagekey", "signing_key", "encryption_key", "master_key", "passwort", "kennwort",
    "mot de passe", "contraseña", "wachtwoord", "hasło",
)  # fmt: skip
_VALUE = re.compile(
    r"[ \t]{0,3}[\"']?(?:Bearer )?((?:[A-Za-z0-9+/_.!@#%^*~$-]|&(?![A-Za-z_-]{1,30}=)){8,100}={0,2})"
    r"(?![A-Za-z0-9+/_.!@#%^*~$-])"
)


@dataclass(frozen=True)
class Assignments(Unaided):
    """Values that look random behind a name such as ``password`` or ``api_key``; the value only."""

    name: str = "secret-assignment"
    entity: str = "SECRET"
    digits: int = 1

    def find(self, text: str) -> Iterator[Finding]:
        """The values in ``text`` that have letters, digits and much entropy."""
        for sign in _SIGN.finditer(text):
            before = text[max(0, sign.start() - 20) : sign.start()].rstrip("\"' \t").lower()
            if not before.endswith(_NAMES) or not (match := _VALUE.match(text, sign.end())):
                continue
            if is_random(value := match[1]):
                score = 0.9 if len(value) >= _LONG and entropy(value) >= _MUCH_BITS else 0.6
                yield Finding(match.start(1), match.end(1), self.entity, score, self.name, checked=False)


SECRETS = (Tokens(), PrivateKeys(), ConnectionStrings(), Assignments(), Headers(), Commands())
