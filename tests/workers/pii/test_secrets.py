"""Secrets: each kind is found whole, and neither examples nor ordinary values are taken for one.

No token here was ever issued. Each is put together when the test runs, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from zlib import crc32

import pytest

from tests.workers.pii.reading import RECOGNIZERS, values
from workers.pii.secrets import _BASE62, _KINDS

DRAW = random.Random(11)
URL_SAFE = _BASE62 + "_-"


def some(count: int, letters: str = _BASE62) -> str:
    return "".join(DRAW.choice(letters) for _ in range(count))


def with_crc(prefix: str) -> str:
    """A token that ends in the CRC-32 of its random part, as GitHub describes it."""
    body = some(30)
    rest, digits = crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return prefix + body + digits.rjust(6, "0")


def part(value: dict[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


HEX = "0123456789abcdef"
TOKENS = {
    "aws-access-key": "AKIA" + some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github-token": with_crc("ghp" + "_"),
    "github-fine-grained-token": "github_pat" + "_" + some(22) + "_" + some(59),
    "gitlab-token": "glpat" + "-" + some(20, URL_SAFE.replace("-", "")),
    "npm-token": with_crc("npm" + "_"),
    "pypi-token": "pypi" + "-AgE" + some(150, URL_SAFE) + "x",
    "slack-token": "xoxb" + "-" + some(12, "0123456789") + "-" + some(12, "0123456789") + "-" + some(24),
    "stripe-key": "sk" + "_live_" + some(24),
    "google-api-key": "AIza" + some(34) + "x",
    "google-client-secret": "GOCSPX" + "-" + some(27) + "x",
    "openai-key": "sk-proj" + "-" + some(40) + "T3BlbkFJ" + some(40),
    "anthropic-key": "sk-ant" + "-api03-" + some(93) + "AA",
    "hugging-face-token": "hf" + "_" + some(33) + "1",
    "sendgrid-key": "SG" + "." + some(22) + "." + some(43),
    "telegram-token": some(10, "123456789") + ":AA" + some(33),
    "digitalocean-token": "dop" + "_v1_" + some(64, HEX),
    "databricks-token": "dapi" + some(32, HEX),
    "shopify-token": "shpat" + "_" + some(32, HEX),
    "vault-token": "hvs" + "." + some(90),
    "age-key": "AGE-SECRET" + "-KEY-1" + some(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "json-web-token": f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': '1234567890'})}.{some(43)}",
}
PEM = "-----{} " + "RSA PRIVATE" + " KEY-----"
KEY = "\n".join([
    PEM.format("BEGIN"), *[b64encode(bytes(DRAW.choices(range(256), k=48))).decode() for _ in range(4)],
    PEM.format("END"),
])  # fmt: skip


def test_every_kind_has_an_example() -> None:
    assert set(TOKENS) == set(_KINDS)


@pytest.mark.parametrize("sentence", ["{}", "key={};", '"auth": "{}",', "我的{}已泄露", "see {}, and rotate it."])
@pytest.mark.parametrize("kind", TOKENS)
def test_tokens_are_found_whole(kind: str, sentence: str) -> None:
    token = TOKENS[kind]
    text = sentence.format(token)
    assert ("SECRET", token) in values(text)
    assert f"secret-{kind}" in {finding.recognizer for finding in RECOGNIZERS.find(text)}


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_within_a_longer_one_is_not_found(kind: str) -> None:
    assert values(f"x{TOKENS[kind]}") == [] or kind in (
        "telegram-token",
        "sendgrid-key",
        "json-web-token",
        "vault-token",
    )


def test_a_checksum_proves_a_token_and_a_wrong_one_makes_it_less_likely() -> None:
    for kind in ("github-token", "npm-token"):
        token = TOKENS[kind]
        wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        for written, score, checked in ((token, 0.95, True), (wrong, 0.6, False)):
            (finding,) = [each for each in RECOGNIZERS.find(f"it is {written}") if each.label == "SECRET"]
            assert (finding.score, finding.checked) == (score, checked)
    assert values(f"eyJ{'ab0' * 8}.eyJ{'ab1' * 8}.{'ab2' * 10}") == []


@pytest.mark.parametrize("text", [KEY, KEY.replace("\n", "\\n"), KEY.replace("RSA ", ""), KEY.replace("RSA", "EC")])
def test_private_keys_are_found_from_end_to_end(text: str) -> None:
    assert values(f'{{"key": "{text}\\n"}} 512-34-5678') == [("SECRET", text), ("US_SSN", "512-34-5678")]


def test_a_private_key_without_its_end_is_found_as_far_as_it_goes() -> None:
    cut = KEY[: KEY.index("-----END") - 1]
    assert values(f"{cut} and so on") == [("SECRET", cut)]
    assert values(f"{PEM.format('BEGIN')} is how it begins") == []
    assert values("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----") == []


@pytest.mark.parametrize(
    "url",
    [
        "postgres://app:S3cret@db.internal:5432/orders", "mongodb+srv://app:S3cret@cluster.example.org/x?w=1",
        "amqp://guest:gu3st-0ne@rabbit", "https://anna:S3cret@example.org/", "redis://:S3cret@cache:6379/0",
    ],
)  # fmt: skip
def test_connection_strings_with_a_password_are_found_whole(url: str) -> None:
    assert values(f"DATABASE_URL={url} is set") == [("SECRET", url)]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://app:${PASSWORD}@db/x",
        "postgres://app:****@db/x",
        "postgres://app@db/x",
        "https://example.org:80/a@b",
    ],
)
def test_connection_strings_without_one_are_urls(url: str) -> None:
    assert [label for label, _ in values(f"use {url} here")] == ["URL"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: hunter22", "hunter22"),
        ('DB_PASSWORD="tr0ub4dor&3"', "tr0ub4dor&3"),
        ("api_key = 9f8a7b6c5d4e3f2a1b0c", "9f8a7b6c5d4e3f2a1b0c"),
        ('"clientSecret": "Q~8xk2LmPz0-vT.w"', "Q~8xk2LmPz0-vT.w"),
        ("aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCYzR1Qk2Lm", "wJalrXUtnFEMIK7MDENGbPxRfiCYzR1Qk2Lm"),
        ("Server=db;User Id=sa;Pwd=S3cr3t!9x;", "S3cr3t!9x"),
        ("token := 4d9f0b7c2a6e", "4d9f0b7c2a6e"),
    ],
)
def test_a_value_that_looks_random_is_found_behind_its_name(text: str, secret: str) -> None:
    assert values(text) == [("SECRET", secret)]


def test_a_token_in_a_query_divides_the_url() -> None:
    secret = some(32)
    url = f"https://example.com/cb?access_token={secret}&state=1"
    assert values(url) == [
        ("URL", "https://example.com/cb?access_token="), ("SECRET", secret), ("URL", "&state=1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "password: password", "password=${DB_PASSWORD_1}", "password: ********", "token: <your-token-1234>",
        "the password is long", "secret: the second thing", "api_key: xxxx1111xxxx1111", "token = process.env.TOKEN1",
        "max_tokens: 20240101", "Pass: 2024-01-15", "the key: 3f72d7a93c0e4b1f", "ghp" + "_" + "x" * 36,
        "AKIA" + "A" * 16, "commit 3f72d7a93c0e4b1f3f72d7a93c0e4b1f3f72d7a9", "hf" + "_" + "a1" * 17,
        "eyJhbGciOiJ.eyJzdWIiOiI.xyz", "sk-learn-is-a-library-for-python-1-2-3",
    ],
)  # fmt: skip
def test_examples_and_ordinary_values_are_no_secrets(text: str) -> None:
    assert [value for label, value in values(text) if label == "SECRET"] == []
