"""Real trouble of a machine: full and read-only disks, missing rights, little memory, killed processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rainbow_assets import scratch

ROOT = Path(__file__).resolve().parents[1]


def ended(name: str) -> str:
    """The name of a temporary file or folder that a process made which has ended since."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return scratch.beside(Path(name)).name.replace(f"-{os.getpid()}-", f"-{process.pid}-")


def command(*words: str, under: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``rainbow WORDS`` in a new process, which the program ``under`` starts."""
    if under and shutil.which(under[0]) is None:
        pytest.skip(f"{under[0]} is not installed (util-linux)")
    done = subprocess.run([*under, sys.executable, "-m", "rainbow_assets.cli", *words], capture_output=True, text=True,
                          timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(ROOT), **variables})
    assert "Traceback" not in done.stderr and done.returncode in (0, 1, 2), done.stderr
    return done


@contextmanager
def full_disk(folder: Path, kb: int) -> Iterator[Callable[[], None]]:
    """Mount a disk of ``kb`` kilobytes on ``folder``; yield a function that enlarges it."""
    _mount("-t", "tmpfs", "-o", f"size={kb}k", "rainbow-test", str(folder))
    try:
        yield lambda: _mount("-o", "remount,size=200m", str(folder))
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let no one write below ``folder``."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*words: str) -> None:
    if shutil.which("mount") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a disk cannot be mounted here ({done.stderr.strip()})")
