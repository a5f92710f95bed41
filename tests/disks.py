"""Folders in which little fits, by mechanisms of the real kernel."""

import resource
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest


def limited(folder: Path) -> Generator[Path]:
    """No file may grow over a bound: the kernel refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def tiny(folder: Path) -> Generator[Path]:
    """A file system of its own that is full soon."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(params=[limited, tiny])
def full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Path]:
    """A folder in which little fits, by two mechanisms of the real kernel."""
    yield from request.param(tmp_path)
