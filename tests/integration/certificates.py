"""Certificates of an authority that exists only in a folder, for brokers and clients on this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def write_certificates(folder: Path) -> None:
    """Write what a ``kubernetes.io/tls`` Secret has to ``folder``: ``ca.crt``, ``tls.crt`` and ``tls.key``.

    ``keystore.pem`` has the last two in one file, as Kafka reads them. They are valid for a day, for localhost.
    """
    authority, name = ec.generate_private_key(ec.SECP256R1()), _name("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    root = _certificate(name, authority.public_key(), name, authority, x509.BasicConstraints(True, None))
    leaf = _certificate(_name("glossator"), key.public_key(), name, authority, hosts)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {"ca.crt": root, "tls.crt": leaf, "tls.key": secret, "keystore.pem": secret + leaf}
    for file, content in files.items():
        (folder / file).write_bytes(content)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
