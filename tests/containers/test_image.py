"""The image, run as an unprivileged user with a read-only root, no capabilities and no network."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from tests.containers.engine import PACKAGES, PATIENCE, WEIGHTS, Engine

TEXT = "Angela Merkel praised the awful coffee in Paris."
MERKEL = '"text":"Angela Merkel"'


def python(engine: Engine, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return engine.glossator("-c", code, options=["--entrypoint", "python", *options])


def test_it_is_for_nobody_in_particular_and_only_its_state_is_a_volume(engine: Engine, image: str) -> None:
    assert "Usage: glossator" in engine.glossator().stdout
    assert engine.glossator("-u", options=["--entrypoint", "id"]).stdout == "10001\n"
    described = engine.inspect(image)
    settings = described["Config"]
    assert list(settings["Volumes"]) == ["/state"]
    assert list(settings["ExposedPorts"]) == ["9464/tcp"]
    assert described["Healthcheck"]["Test"] == ["CMD", "glossator", "probe"]


def test_the_last_layer_is_small_and_no_layer_has_cuda(engine: Engine, image: str) -> None:
    sizes = engine.history(image)
    code = next(size for size in sizes if size)
    assert 1 << 20 < code < 20 << 20, sizes
    installed = engine.run("podman", "run", "--rm", "--network=none", "--entrypoint=pip", image, "list").stdout
    assert not [line for line in installed.splitlines() if line.startswith(("nvidia", "triton", "cuda"))]


def test_every_extra_is_there(engine: Engine, image: str) -> None:
    modules = (
        "cryptography, faker, fastavro, google.protobuf, opentelemetry.sdk, phonenumbers, py3langid, regex, stdnum"
    )
    ended = python(engine, f"import {modules}; print('all')")
    assert ended.stdout == "all\n", ended.stderr


def test_try_works_without_any_folder_for_temporary_files(engine: Engine, image: str) -> None:
    ended = engine.glossator("try", TEXT, options=["--read-only-tmpfs=false"])
    assert MERKEL in ended.stdout, ended.stderr


def test_custom_tasks_are_found_beside_the_pipeline_file(engine: Engine, image: str, tmp_path: Path) -> None:
    (tmp_path / "my_tasks.py").write_text("from workers.tasks import Task\n\nclass Mine(Task):\n    pass\n")
    tmp_path.chmod(0o755)
    code = "from my_tasks import Mine; print(Mine.__module__, __import__('os').getcwd())"
    ended = python(engine, code, f"--volume={tmp_path}:/pipelines:ro", "--env=PYTHONPATH=/elsewhere")
    assert ended.stdout == "my_tasks /pipelines\n", ended.stderr


def test_an_image_made_from_it_keeps_its_weights(engine: Engine, image: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGES / WEIGHTS, tmp_path / WEIGHTS)
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nCOPY {WEIGHTS} /models/{WEIGHTS}\n")
    engine.build(str(tmp_path), "--tag", "localhost/derived")
    ended = engine.glossator("try", TEXT, image="localhost/derived", weights=False)
    assert MERKEL in ended.stdout, ended.stderr
    assert engine.glossator("try", TEXT, weights=False).returncode != 0, "the image itself has no weights"


def test_a_demo_ends_by_itself_and_when_it_is_told_to(engine: Engine, image: str) -> None:
    assert "balanced" in engine.glossator("demo", "--events", "50", "--rate", "0").stdout
    engine.run(
        "podman", "run", "--detach", "--name=demo", "--network=none", *engine.options(), image, "demo", "--plain"
    )
    deadline = time.monotonic() + PATIENCE
    while "PERSON" not in (written := engine.run("podman", "logs", "demo").stdout):
        assert engine.state("demo", "Status") == "running", written
        assert time.monotonic() < deadline, written
        time.sleep(0.5)
    engine.run("podman", "stop", "--time", str(PATIENCE), "demo")
    assert engine.state("demo", "ExitCode") == "0"


def test_a_mistake_ends_it_with_its_status_and_not_again_and_again(engine: Engine, image: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("pipeline: p\n")
    tmp_path.chmod(0o755)
    ended = engine.glossator("run", "--restart", "bad.yaml", options=[f"--volume={tmp_path}:/pipelines:ro"])
    assert ended.returncode == 78, ended.stderr
