"""What the Kafka client would reject is found without a connection, all of it at once, and no value is quoted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer

from stream.kafka.checking import absent_files, check_settings, client_mistakes, run_mistakes
from stream.kafka.vocabulary import SETTINGS


def test_every_bad_setting_is_found_at_once() -> None:
    assert check_settings(
        {
            "bootstrap.servers": "b:1",
            "securty.protocol": "SSL",
            "security.protocol": "s3cret",
            "linger.ms": "s3cret",
            "queue.buffering.max.ms": -5,
            "sasl.mechanism": "SCRAM-SHA-256",
            "fetch.min.bytes": 1,
            "group.protocol": "consumer",
        }
    ) == [
        ("securty.protocol", 'unknown setting of the Kafka client, did you mean "security.protocol"?'),
        ("security.protocol", "the Kafka client does not accept this value"),
        ("linger.ms", "the Kafka client does not accept this value"),
        ("queue.buffering.max.ms", "the Kafka client does not accept this value"),
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sasl.pasword", "sasl.password"),
        ("sasl_password", "sasl.password"),
        ("ssl.ca.locaton", "ssl.ca.location"),
        ("client-id", "client.id"),
        ("sessoin.timeout.ms", "session.timeout.ms"),
        ("zzzz", None),
    ],
)
def test_a_misspelt_setting_gets_a_suggestion(name: str, meant: str | None) -> None:
    hint = f', did you mean "{meant}"?' if meant else ""
    assert check_settings({name: "hunter2"}) == [(name, f"unknown setting of the Kafka client{hint}")]


def test_what_is_suggested_is_known_to_the_client() -> None:
    unknown = []
    for name in set(SETTINGS) - {"bootstrap.servers"}:
        try:
            Producer({name: "?"})
        except KafkaException as error:
            if "No such configuration property" in error.args[0].str():
                unknown.append(name)
    assert not unknown


@pytest.mark.parametrize("name", ["error_cb", "log_cb", "throttle_cb", "default.topic.config"])
def test_what_is_a_function_in_the_client_cannot_be_set(name: str) -> None:
    ((where, message),) = check_settings({name: "x"})
    assert (where, message) == (name, "is a function, which cannot be set in a file")


@pytest.mark.parametrize("value", [None, ["a"], {"a": 1}])
def test_values_of_other_types_are_left_to_the_models(value: Any) -> None:
    assert check_settings({"client.id": value, "no.such": 1}) == [("no.such", "unknown setting of the Kafka client")]


def test_settings_that_are_ours_are_never_tried() -> None:
    assert check_settings({"test.mock.num.brokers": 1, "plugin.library.paths": "x", "enable.idempotence": False}) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"},
            (None, "sasl.username and sasl.password must be set"),
        ),
        (
            {"max.poll.interval.ms": 500, "session.timeout.ms": 1000},
            ("max.poll.interval.ms", "max.poll.interval.ms must be >= session.timeout.ms"),
        ),
        (
            {"message.timeout.ms": 1, "linger.ms": 7},
            ("message.timeout.ms", "message.timeout.ms must be greater than linger.ms"),
        ),
        (
            {"security.protocol": "sasl_ssl", "sasl.mechanism": "s3cret", "sasl.username": "u", "sasl.password": "p"},
            ("sasl.mechanism", "Unsupported SASL mechanism: ..."),
        ),
        ({"security.protocol": "ssl", "ssl.key.pem": "s3cret"}, ("ssl.key.pem", "is not in PEM format")),
        (
            {"security.protocol": "ssl", "ssl.keystore.location": "/dev/null"},
            ("ssl.keystore.location", "ssl.keystore.password is mandatory when ssl.keystore.location is set"),
        ),
    ],
)
def test_settings_that_do_not_work_together_are_found(settings: dict[str, Any], problem: tuple[str, str]) -> None:
    assert check_settings(settings) == [problem]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate, its encrypted key (password "right"), another key, a keystore, and no PEM."""
    folder = tmp_path_factory.mktemp("keys")
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("needs openssl")
    new = ["req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=x"]
    for arguments in (
        [*new, "-keyout", "key.pem", "-out", "cert.pem", "-passout", "pass:right"],
        [*new, "-keyout", "other.pem", "-out", "othercert.pem", "-noenc"],
        ["pkcs12", "-export", "-inkey", "other.pem", "-in", "othercert.pem", "-out", "keys.p12", "-passout",
         "pass:right"],
    ):  # fmt: skip
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)
    (folder / "junk.pem").write_text("junk")
    return folder


@pytest.mark.parametrize("protocol", ["ssl", "SASL_SSL"])
@pytest.mark.parametrize(
    ("settings", "name", "message"),
    [
        ({"ssl.ca.location": "cert.pem"}, None, ""),
        ({"ssl.ca.location": "junk.pem"}, "ssl.ca.location", "the file contains nothing in PEM format"),
        ({"ssl.certificate.location": "cert.pem"}, None, ""),
        ({"ssl.certificate.location": "junk.pem"}, "ssl.certificate.location", "the file is not in PEM format"),
        (
            {"ssl.certificate.location": "cert.pem", "ssl.key.location": "key.pem", "ssl.key.password": "right"},
            None, "",
        ),
        (
            {"ssl.certificate.location": "cert.pem", "ssl.key.location": "key.pem", "ssl.key.password": "s3cret"},
            "ssl.key.location", "the file is not in PEM format, or ssl.key.password is wrong or missing",
        ),
        (
            {"ssl.certificate.location": "cert.pem", "ssl.key.location": "key.pem"},
            "ssl.key.location", "the file is not in PEM format, or ssl.key.password is wrong or missing",
        ),
        (
            {"ssl.certificate.location": "cert.pem", "ssl.key.location": "other.pem"},
            "ssl.key.location", "the private key does not belong to the certificate",
        ),
        ({"ssl.key.location": "other.pem"}, "ssl.key.location", "a private key needs its certificate"),
        ({"ssl.keystore.location": "keys.p12", "ssl.keystore.password": "right"}, None, ""),
        (
            {"ssl.keystore.location": "keys.p12", "ssl.keystore.password": "s3cret"},
            "ssl.keystore.location", "ssl.keystore.password is wrong",
        ),
        (
            {"ssl.keystore.location": "junk.pem", "ssl.keystore.password": "s3cret"},
            "ssl.keystore.location", "the file is not in PKCS#12 format",
        ),
    ],
)  # fmt: skip
def test_certificates_and_keys_are_read_as_the_client_reads_them(
    keys: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, settings: dict[str, str], name: str | None, message: str
) -> None:
    monkeypatch.chdir(keys)
    sasl = {"sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p"} if protocol == "SASL_SSL" else {}
    problems = check_settings({"security.protocol": protocol, **sasl, **settings})
    assert [problem[0] for problem in problems] == ([name] if name else [])
    assert all(problem[1].startswith(message) and "s3cret" not in problem[1] for problem in problems)
    assert not check_settings({**settings, "security.protocol": "plaintext"}), "without TLS no file is read"


@pytest.mark.parametrize("kind", ["ca", "certificate", "key", "keystore", "crl"])
def test_a_file_that_is_not_there_is_a_mistake_for_run_and_not_for_lint(tmp_path: Path, kind: str) -> None:
    name = f"ssl.{kind}.location"
    settings = {"security.protocol": "sasl_ssl", name: str(tmp_path / "nowhere.pem")}
    raw = {"kafka": settings}
    assert list(client_mistakes(raw)) == []
    assert list(run_mistakes(raw)) == [(("kafka", name), "there is no such file on this machine")]
    assert list(absent_files({**settings, "security.protocol": "plaintext"})) == []


def test_files_that_cannot_be_read_and_names_that_are_none(tmp_path: Path) -> None:
    tls = {"security.protocol": "ssl"}
    folder = str(tmp_path)
    assert list(absent_files({**tls, "ssl.ca.location": folder})) == [], "a folder of certificates"
    assert list(absent_files({**tls, "ssl.ca.location": "probe"})) == []
    assert list(absent_files({**tls, "ssl.key.location": folder})) == [
        ("ssl.key.location", "the file cannot be read: Is a directory")
    ]
    assert list(absent_files({**tls, "ssl.key.location": "a\0b"})) == [
        ("ssl.key.location", "the file cannot be read: not a file name")
    ]


@pytest.mark.parametrize("section", [None, "text", ["a"], {}])
def test_a_section_of_another_shape_is_left_to_the_models(section: Any) -> None:
    assert list(run_mistakes({"kafka": section})) == []


def test_tokens_of_aws_need_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.metadata.authentication.type": "aws_iam",
        "sasl.oauthbearer.config": "region=eu-central-1,audience=https://kafka.example.com",
    }  # fmt: skip
    assert check_settings(settings) == []
    monkeypatch.setattr("stream.kafka.checking.find_spec", lambda name: None)
    ((path, message),) = run_mistakes({"kafka": settings})
    assert path == ("kafka", "sasl.oauthbearer.metadata.authentication.type")
    assert message.endswith("pip install 'glossator[aws]'")
    assert list(client_mistakes({"kafka": settings})) == [], "the worker's machine may have it"
    monkeypatch.setattr("stream.kafka.checking.find_spec", lambda name: name)
    assert list(run_mistakes({"kafka": settings})) == []
