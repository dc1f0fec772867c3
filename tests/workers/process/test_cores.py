"""The quota of a container limits how many cores are used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.process.cores import usable_cores


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


def system(folder: Path, cgroup: str, **files: str) -> Path:
    """Make the files that the kernel would show; keys are paths below the cgroups with "__" for "/"."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(cgroup)
    for name, content in files.items():
        path = folder / "sys/fs/cgroup" / name.replace("__", "/")
        path = path.with_name(path.name.replace("_DOT_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_without_a_quota_all_cores_of_the_affinity_are_used(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 16
    assert usable_cores(system(tmp_path, "0::/\n", cpu_DOT_max="max 100000\n")) == 16


@pytest.mark.parametrize(("quota", "cores"), [(50_000, 1), (150_000, 2), (400_000, 4), (6_400_000, 16)])
def test_the_quota_is_rounded_up(tmp_path: Path, quota: int, cores: int) -> None:
    assert usable_cores(system(tmp_path, "0::/\n", cpu_DOT_max=f"{quota} 100000\n")) == cores


def test_the_smallest_quota_of_the_groups_around_counts(tmp_path: Path) -> None:
    files = {
        "a__b__cpu_DOT_max": "max 100000",
        "a__cpu_DOT_max": "300000 100000",
        "other__cpu_DOT_max": "100000 100000",
    }
    assert usable_cores(system(tmp_path, "1:name=systemd:/x\n0::/a/b\n", **files)) == 3


def test_the_first_version_of_cgroups(tmp_path: Path) -> None:
    files = {"cpu__a__cpu_DOT_cfs_quota_us": "200000", "cpu__a__cpu_DOT_cfs_period_us": "100000"}
    assert usable_cores(system(tmp_path / "1", "4:cpu,cpuacct:/a\n", **files)) == 2
    assert usable_cores(system(tmp_path / "2", "4:cpu:/a\n", **{**files, "cpu__a__cpu_DOT_cfs_quota_us": "-1"})) == 16


@pytest.mark.parametrize("content", ["", "x y", "1", "0 100000", "100000 0", "-5 100000"])
def test_files_that_make_no_sense_are_ignored(tmp_path: Path, content: str) -> None:
    assert usable_cores(system(tmp_path, "nonsense\n0::/../..\n", cpu_DOT_max=content)) == 16
