"""The manifests that helm makes of the chart. Skipped without helm; ``make test-chart`` builds it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.chart import CHART, HERE, VALUE_FILES, helm, refused, rendered, tool
from tests.deploy.kubernetes import schemas

MINIMAL, PRODUCTION, GPU = (str(CHART / "ci" / f"{name}-values.yaml") for name in ("minimal", "production", "gpu"))


def worker_of(kinds: dict[str, Any]) -> Any:
    (container,) = kinds["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return container


def environment_of(kinds: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in worker_of(kinds)["env"]}


@pytest.mark.parametrize("file", VALUE_FILES, ids=lambda file: file.stem)
def test_lint_has_nothing_to_say(file: Path) -> None:
    ended = helm("lint", "--strict", str(CHART), "--values", str(file))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not re.findall(r"\[(WARNING|ERROR)\]", ended.stdout)


@pytest.mark.parametrize("file", VALUE_FILES, ids=lambda file: file.stem)
def test_manifests_are_what_kubernetes_and_operators_accept(file: Path) -> None:
    """Fields that the schemas do not describe are mistakes here, too."""
    kubeconform = tool("kubeconform")
    try:
        folder = schemas()
    except (OSError, subprocess.SubprocessError) as reason:
        pytest.skip(f"needs the schemas of Kubernetes, which Go fetches: {reason}")
    ended = helm("template", "posts", str(CHART), "--values", str(file))
    assert (ended.returncode, ended.stderr) == (0, "")
    manifests = ended.stdout
    command = [
        kubeconform,
        "-strict",
        "-summary",
        "-schema-location",
        f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
    ]
    ended = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "Invalid: 0, Errors: 0, Skipped: 0" in ended.stdout
    broken = manifests.replace("terminationGracePeriodSeconds", "terminationGracePeriod")
    assert subprocess.run(command, input=broken, capture_output=True, text=True, check=False).returncode == 1


def test_each_worker_has_its_slot_and_nothing_it_does_not_need() -> None:
    kinds = rendered("--values", MINIMAL)
    assert set(kinds) == {"ConfigMap", "PodDisruptionBudget", "Service", "ServiceAccount", "StatefulSet"}
    worker, pod = worker_of(kinds), kinds["StatefulSet"]["spec"]["template"]["spec"]
    assert worker["args"][:3] == ["run", "--slot", "host"]
    assert worker["args"][-1] == "/pipelines/pipeline.yaml"
    assert worker["image"] == "glossator:cpu"
    for container in (worker, *pod["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    written = {mount["mountPath"] for mount in worker["volumeMounts"] if not mount.get("readOnly")}
    assert written == {"/state", "/cache", "/tmp"}
    assert pod["terminationGracePeriodSeconds"] == 60
    assert environment_of(kinds)["GLOSSATOR_TELEMETRY"] == "0.0.0.0:9464", "the same port for every slot"
    assert "OMP_NUM_THREADS" not in environment_of(kinds)
    text = kinds["ConfigMap"]["data"]["pipeline.yaml"]
    assert text.startswith("pipeline: social\nkafka:\n  bootstrap.servers: ")


def test_production() -> None:
    kinds = rendered("--values", PRODUCTION)
    stateful, worker = kinds["StatefulSet"]["spec"], worker_of(kinds)
    assert "replicas" not in stateful, "KEDA owns the number"
    assert stateful["podManagementPolicy"] == "Parallel"
    assert [claim["metadata"]["name"] for claim in stateful["volumeClaimTemplates"]] == ["state", "cache"]
    assert stateful["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Delete", "whenScaled": "Retain"}
    assert stateful["template"]["spec"]["terminationGracePeriodSeconds"] == 76, "46 s of draining and 30 s"
    assert worker["image"] == f"registry.example.com/glossator@sha256:{'0' * 64}"
    assert {"name": "secret-kafka-ca", "mountPath": "/secrets/kafka-ca", "readOnly": True} in worker["volumeMounts"]
    assert environment_of(kinds)["OMP_NUM_THREADS"] == {
        "resourceFieldRef": {"containerName": "worker", "resource": "limits.cpu"}
    }
    assert set(kinds["ConfigMap"]["data"]) == {"pipeline.yaml", "stars.py"}
    assert "${KAFKA_PASSWORD:?" in kinds["ConfigMap"]["data"]["pipeline.yaml"], "the worker puts the secret in"
    policy = kinds["NetworkPolicy"]["spec"]
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [53, 53, 9094]
    monitor = kinds["ServiceMonitor"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= kinds["Service"]["metadata"]["labels"].items()


def test_keda_scales_by_the_lag_as_the_pipeline_counts_it() -> None:
    scaled = rendered("--values", PRODUCTION)["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "posts-glossator"}
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (0, 12)
    posts, comments = scaled["triggers"]
    assert posts["metadata"] == {
        "bootstrapServers": "kafka-1.example.com:9094,kafka-2.example.com:9094",
        "consumerGroup": "social", "topic": "posts", "lagThreshold": "5000", "activationLagThreshold": "12",
        "offsetResetPolicy": "latest", "allowIdleConsumers": "false", "sasl": "scram_sha512", "tls": "enable",
    }  # fmt: skip
    assert posts["authenticationRef"] == {"name": "kafka"}
    assert comments["metadata"]["topic"] == "comments"


def test_a_gpu_for_each_worker_and_a_mapping_as_pipeline() -> None:
    kinds = rendered("--values", GPU)
    pod = kinds["StatefulSet"]["spec"]["template"]["spec"]
    assert kinds["StatefulSet"]["spec"]["replicas"] == 4
    assert worker_of(kinds)["image"] == "glossator:cuda"
    assert worker_of(kinds)["resources"]["limits"] == {"memory": "4Gi", "nvidia.com/gpu": 1}
    assert pod["runtimeClassName"] == "nvidia"
    assert pod["terminationGracePeriodSeconds"] == 90
    assert "--watch" in worker_of(kinds)["args"]
    assert "volumeClaimTemplates" not in kinds["StatefulSet"]["spec"]
    assert re.search(r"max_bytes: 8000000$", kinds["ConfigMap"]["data"]["pipeline.yaml"], re.MULTILINE)
    assert "ServiceAccount" not in kinds
    assert pod["serviceAccountName"] == "workers"


def annotations_of(*arguments: str) -> Any:
    return rendered(*arguments)["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]


def test_a_changed_pipeline_restarts_the_workers_unless_they_watch_it() -> None:
    for watch, same in (("false", False), ("true", True)):
        hash_before, hash_after = (
            annotations_of(
                "--values", MINIMAL, "--set", f"watch={watch}", "--set-file", f"pipeline={HERE}/examples/{name}"
            )
            for name in ("starter.yaml", "pos.yaml")
        )
        assert (hash_before == hash_after) is same
    assert annotations_of("--values", PRODUCTION) != annotations_of(
        "--values", PRODUCTION, "--set", "files.stars\\.py=x"
    )


def test_a_pipeline_file_is_mounted_as_it_is() -> None:
    for file in sorted((HERE / "examples").glob("*.yaml")):
        if "pipeline:" in file.read_text() and not file.name.endswith(".test.yaml"):
            kinds = rendered("--set-file", f"pipeline={file}")
            assert kinds["ConfigMap"]["data"]["pipeline.yaml"].strip() == file.read_text().strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "pipeline: is required"),
        (["--set", "pipeline=a: [b"], "pipeline: is not YAML, or not the YAML 1.1 that Helm reads"),
        (["--set", "pipeline=a: b"], 'pipeline: has no section "pipeline"'),
        (["--values", MINIMAL, "--set", "replicas=3"], "replicas"),
        (["--values", MINIMAL, "--set", "cache.kind=existing"], "cache.existingClaim: is required"),
        (["--values", GPU, "--set", "autoscaling.enabled=true"], "set autoscaling.bootstrapServers"),
        (
            ["--values", MINIMAL, "--set", "autoscaling.enabled=true", "--set", "autoscaling.topics={^posts}"],
            "list the topics in autoscaling.topics",
        ),
    ],
    ids=["none", "syntax", "section", "unknown", "claim", "variable", "pattern"],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    assert message in refused(*arguments)


def test_a_long_name_still_fits() -> None:
    ended = helm("template", "a" * 53, str(CHART), "--values", MINIMAL)
    names = re.findall(r"^  name: (\S+)$", ended.stdout, re.MULTILINE)
    assert names
    assert all(len(name) <= 50 for name in names)
