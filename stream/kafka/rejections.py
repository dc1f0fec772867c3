"""What the Kafka client says of settings that it rejects, in words that name the setting and quote no value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from confluent_kafka import KafkaError

_MAKING = re.compile(r"Failed to create (?:producer|consumer|admin client): ")
"""How a refusal begins that is about settings together. One about a setting by itself comes earlier."""
_OPENSSL = re.compile(r"(?:\w+: )?error:[0-9A-F]{8}:([^:]*):[^:]*:")

_WORDS = {
    "No such configuration property": "unknown setting of the Kafka client",
    "Invalid value": "the Kafka client does not accept this value",
    "outside allowed range": "the Kafka client does not accept this value",
    "Expected ": "the Kafka client does not accept this value",
    "must be set through dedicated": "is a function, which cannot be set in a file",
    "not settable": "cannot be set",
    "BIO lib": "the file cannot be read",
    "system lib": "the file cannot be read",
    "routines::no such file": "the file cannot be read",
    "no certificate or crl found": "the file contains nothing in PEM format that belongs here",
    "ssl.key.location failed: error:0A080009": "the file is not in PEM format, or ssl.key.password is wrong or missing",
    "PEM lib": "the file is not in PEM format",
    "not in PEM format": "is not in PEM format",
    "no start line": "is not in PEM format",
    "key values mismatch": "the private key does not belong to the certificate",
    "no certificate assigned": "a private key needs its certificate: set ssl.certificate.location",
    "mac verify failure": "ssl.keystore.password is wrong",
    "PKCS#12 file": "the file is not in PKCS#12 format",
    "No further error information": "OpenSSL does not accept this value",
    "no cipher match": "OpenSSL knows no such cipher suite",
}
"""Part of the client's or OpenSSL's message -> ours; the first that fits."""
_ABOUT = {
    "Private key check": ("ssl.key.location", "ssl.key.pem"),
    "SASL mechanism": ("sasl.mechanism", "sasl.mechanisms"),
}
"""Part of a message that names no setting -> the settings it can be about."""


def is_about_one(error: KafkaError) -> bool:
    """Whether ``error`` is about a setting by itself, and not about settings that only work together."""
    return _MAKING.match(error.str()) is None


def worded(error: KafkaError, settings: Mapping[str, object]) -> tuple[str | None, str]:
    """Return which of ``settings`` the client's refusal is about, None if that is unknown, and what is wrong.

    The client quotes values, which may be secrets; the result does not.
    """
    reason = _MAKING.sub("", error.str().strip(), count=1)
    named = re.findall(r"(?<![\w.])[a-z]+(?:[._][a-z0-9]+)+(?![\w.]*\w)", reason)
    named += [name for part, names in _ABOUT.items() if part in reason for name in names]
    name = next((name for name in named if name in settings), None)
    for part, words in _WORDS.items():
        if part in reason:
            return name, words
    reason = re.sub(r"`([^`]*)`\s*", r"\1 ", _OPENSSL.sub(r"\1: ", reason)).strip()
    for value in map(str, settings.values()):
        reason = re.sub(rf"(?<![\w.]){re.escape(value)}(?![\w.])", "...", reason) if value else reason
    return name, reason
