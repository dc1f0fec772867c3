"""A cluster that denies the transactional id: one line, and the exit status for permissions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.integration.lib import Case, eventually
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafkaError
from tests.kafka.node import KafkaNode

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("authorized")]

_AUTHORIZED = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
REFUSAL = "taking the transactional id {name}: TRANSACTIONAL_ID_AUTHORIZATION_FAILED"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker with an authorizer that allows everything no rule forbids."""
    try:
        node = KafkaNode(tmp_path_factory.mktemp("authorized"), _AUTHORIZED)
    except NoKafkaError as reason:
        (pytest.fail if os.environ.get("GLOSSATOR_REQUIRE_KAFKA") == "1" else pytest.skip)(f"needs Kafka: {reason}")
    with node:
        yield Cluster(node.bootstrap_servers, True, "of these tests")


@contextmanager
def forbidden(cluster: Cluster) -> Iterator[None]:
    """Deny everybody the use of transactional ids meanwhile."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    rule = (ResourceType.TRANSACTIONAL_ID, "*", ResourcePatternType.LITERAL, "User:*", "*", AclOperation.ALL)
    for answer in admin.create_acls([AclBinding(*rule, AclPermissionType.DENY)]).values():
        answer.result(30)
    try:
        yield
    finally:
        for gone in admin.delete_acls([AclBindingFilter(*rule, AclPermissionType.DENY)]).values():
            assert len(gone.result(30)) == 1


def test_a_forbidden_transactional_id_is_one_line_and_a_status(cluster: Cluster, tmp_path: Path) -> None:
    case = Case(cluster, partitions=1)
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        f"pipeline: {case.group}\nkafka: {{bootstrap.servers: {cluster.bootstrap_servers}}}\n"
        f"input: {{topics: [{case.input}]}}\ntasks: [{{name: tone, task: sentiment, model: starter}}]\n"
        f"output: {{topic: {case.output}}}\ndelivery: exactly_once\ntelemetry: {{port: null}}\n"
    )
    command = [sys.executable, "-m", "workers.cli.main", "run", str(file), "--log-level", "error"]
    with forbidden(cluster):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 77, done.stderr
    line, *more = done.stderr.splitlines()
    assert not more, done.stderr
    assert line.startswith(f"glossator: {REFUSAL.format(name=f'{case.group}-0')}")


def test_topics_that_may_not_be_used_are_named_before_models_are_loaded(cluster: Cluster, tmp_path: Path) -> None:
    case = Case(cluster, partitions=1)
    review, audit = (cluster.create_topic(f"{case.group}.{name}", 1) for name in ("review", "audit"))
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        f"pipeline: {case.group}\nkafka: {{bootstrap.servers: {cluster.bootstrap_servers}}}\n"
        f"input: {{topics: [{case.input}]}}\ntasks: [{{name: tone, task: sentiment, model: starter}}]\n"
        f"output:\n  topic: {case.output}\n  routes:\n    - {{topic: {review}, copy: true}}\n"
        f"    - {{topic: {audit}, copy: true}}\ntelemetry: {{port: null}}\n"
    )
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})

    def rule(topic: str, operation: AclOperation) -> AclBinding:
        place = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*")
        return AclBinding(*place, operation, AclPermissionType.ALLOW)

    # A topic with a rule allows nothing else.
    rules = [rule(review, AclOperation.DESCRIBE), rule(audit, AclOperation.DESCRIBE)]
    for answer in admin.create_acls(rules).values():
        answer.result(30)
    command = [sys.executable, "-m", "workers.cli.main", "run", str(file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 77, done.stderr
    assert done.stderr == f"glossator: the cluster does not permit to write to topics {review} and {audit}\n"


def test_a_right_that_is_taken_away_stops_the_worker_and_costs_nothing(cluster: Cluster) -> None:
    case = Case(cluster, partitions=1, delivery="exactly_once", commit_interval_ms=50)
    case.feed(3000)
    with case.member(delay=0.001) as member:
        eventually(lambda: case.committed() > 200)
        with forbidden(cluster):
            assert member.process.wait(120) == 77
            assert member.logged("AccessError: ")
            assert member.logged("TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
    assert case.committed() < 3000, "it was done before the right was taken"
    with case.member() as member:
        eventually(lambda: case.committed() == 3000)
        member.stop()
    assert case.ids(case.output) == Counter(range(3000))
