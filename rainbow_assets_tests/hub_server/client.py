"""Publish or load in a process of its own, as a person's program does: the environment is set before any import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PUBLISH = """
import sys
from pathlib import Path
from rainbow_assets.errors import RainbowError
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.manifest import read_manifest
folder = Path(sys.argv[1])
try:
    print(HuggingFaceHub(sys.argv[2]).publish(folder, read_manifest(folder, "here")).outcome)
except RainbowError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""

RELEASE = """
import shutil, signal, sys
from pathlib import Path
import click
from rainbow_assets import cli
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.manifest import read_manifest
_, folder, hub = sys.argv
signal.signal(signal.SIGINT, signal.default_int_handler)

@click.command()
def release():
    there = HuggingFaceHub(hub)
    with there.staging() as staged:
        shutil.copytree(folder, staged, dirs_exist_ok=True)
        there.publish(staged, read_manifest(staged, "here"))

cli.Verbs.get_command = lambda self, ctx, name: release
cli.main(["release"])
"""
"""Publish a staged copy of a folder as a verb of the command line does."""

# Other readers let go of Python's bytes in Arrow's threads, and one that does so while the interpreter is torn down
# aborts the process, with all its work done (apache/arrow#34314): their programs end without that.
END = "\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n"


def environment(endpoint: str, home: Path, token: str = "hf_writer") -> dict[str, str]:
    """Return the variables under which the clients talk to the loopback Hub and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "RAINBOW_"))}
    return {**kept, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": token, "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"}


def start(code: str, env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=env, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def run(code: str, env: dict[str, str], *arguments: str) -> str:
    """Run a Python program to its end and return what it printed; fail with what it complained about."""
    with start(code + END, env, *arguments) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip()
