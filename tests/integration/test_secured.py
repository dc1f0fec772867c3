"""The ways to reach a secured Kafka that docs/deployment.md shows, on a real broker: SASL/SCRAM over TLS, and mTLS."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from ruamel.yaml import YAML

from schemas.errors import AccessError
from stream.kafka.topics import check_cluster
from tests.integration.certificates import write_certificates
from tests.integration.lib import Case, eventually
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafkaError
from tests.kafka.node import KafkaNode
from tests.noop import pipeline
from tests.test_deployment_page import KAFKA

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("secured")]

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    write_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> Iterator[KafkaNode]:
    """A broker with a listener for each way, beside the one without security that the test itself uses."""
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(secrets / "keystore.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(secrets / "ca.crt"),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.mutual.ssl.client.auth": "required",
    }
    try:
        node = KafkaNode(tmp_path_factory.mktemp("secured"), settings, listeners={"SCRAM": "SASL_SSL", "MUTUAL": "SSL"})
    except NoKafkaError as reason:
        (pytest.fail if os.environ.get("GLOSSATOR_REQUIRE_KAFKA") == "1" else pytest.skip)(f"needs Kafka: {reason}")
    with node:
        user = UserScramCredentialUpsertion(
            "glossator", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), PASSWORD.encode()
        )
        admin = AdminClient({"bootstrap.servers": node.bootstrap_servers})
        for answer in admin.alter_user_scram_credentials([user]).values():
            answer.result(30)
        yield node


def settings_of(word: str, secrets: Path, address: str, password: str = PASSWORD) -> dict[str, Any]:
    """Return the settings of the page that contain ``word``, for this broker and with these files."""
    (text,) = (text for text in KAFKA if word in text)
    text = re.sub(r"/secrets/[\w-]+/", f"{secrets}/", text)
    variables = {"KAFKA_USER": "glossator", "KAFKA_PASSWORD": password, "KAFKA_KEY_PASSWORD:-": "''"}
    text = re.sub(r"\$\{([^}]+)\}", lambda variable: variables[variable[1]], text)
    return {**YAML(typ="safe").load(text)["kafka"], "bootstrap.servers": address}


def test_events_pass_as_the_page_shows(node: KafkaNode, secrets: Path) -> None:
    cluster = Cluster(node.bootstrap_servers, True, "of these tests")
    for word, listener in (("SCRAM", "SCRAM"), ("ssl.key.location", "MUTUAL")):
        case = Case(
            cluster, partitions=1, kafka=settings_of(word, secrets, node.addresses[listener]), delivery="exactly_once"
        )
        case.feed(20)
        with case.member() as member:
            eventually(lambda case=case: case.committed() == 20)  # type: ignore[misc]
            member.stop()
        assert case.ids(case.output) == Counter(range(20))


def test_what_is_refused_is_named_without_secrets(node: KafkaNode, secrets: Path) -> None:
    cluster = Cluster(node.bootstrap_servers, True, "of these tests")
    case = Case(cluster, partitions=1)
    topics = {"input": {"topics": [case.input]}, "output": {"topic": case.output}}
    wrong = settings_of("SCRAM", secrets, node.addresses["SCRAM"], "wr0ng")
    with pytest.raises(AccessError) as refused:
        check_cluster(pipeline(kafka=wrong, **topics), 60)
    assert "wr0ng" not in str(refused.value)
    assert refused.value.exit_status == 77
