"""Write the pinned packages: `core.lock` and `dev.lock` with hashes, and `constraints.txt` with the versions alone.

    make lock             # newer packages only where pyproject.toml asks for them
    make lock UPGRADE=1   # the newest of everything

The lock files hold every platform and Python version that the project supports, and the sha256 of every file, so that
pip refuses a package that was changed after it was locked. torch is pinned in `constraints.txt` without a hash: its CPU
and CUDA builds are different files under one version, and the machine chooses.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CONSTRAINTS = ROOT / "constraints.txt"
UNHASHED = ("torch",)
BUILDS = re.compile(r"(nvidia|cuda|triton|torch)\b")
"""torch, and what only its CUDA build needs."""
HEADS = {"core.lock": "What `pip install rainbow-assets` needs", "dev.lock": "What extras and tests add to core.lock"}
Lock = dict[str, str]
"""Package -> its lines in a lock file: version, markers, hashes."""


def compiled(*extras: str, upgrade: bool) -> Lock:
    """Resolve the project with ``extras`` for all platforms, within ``constraints.txt`` unless ``upgrade``."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes",
               "--no-header", "--no-annotate", "--python-version", "3.11", str(ROOT / "pyproject.toml")]
    command += [] if upgrade else ["--constraint", str(CONSTRAINTS)]
    command += [word for extra in extras for word in ("--extra", extra)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    entries = re.split(r"(?m)^(?=\S)", text)
    return {re.split(r"[=\s]", entry)[0]: entry for entry in entries if entry.strip()}


def write(name: str, lock: Lock) -> None:
    """Write one lock file, without torch and what only its CUDA builds need."""
    kept = [entry for package, entry in sorted(lock.items()) if not BUILDS.match(package)]
    (HERE / name).write_text(f"# {HEADS[name]}; made by `make lock`.\n{''.join(kept)}", "utf-8")


def main() -> None:
    """Write the three files."""
    upgrade = "--upgrade" in sys.argv[1:]
    core, everything = compiled(upgrade=upgrade), compiled("torch", "modal", "dg", "dev", upgrade=upgrade)
    torch = [f"{name}=={everything[name].split('==')[1].split()[0]}" for name in UNHASHED]
    locked = {name: entry for name, entry in everything.items() if not BUILDS.match(name)}
    pins = [re.match(r"\S+", entry)[0] for entry in locked.values()]  # type: ignore[index]
    write("core.lock", {name: everything[name] for name in core})
    write("dev.lock", {name: entry for name, entry in everything.items() if name not in core})
    CONSTRAINTS.write_text("\n".join(sorted([*pins, *torch], key=str.lower)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
