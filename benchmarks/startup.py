"""How long a command takes to begin, beside `python -c 'import click'`, which any such program must wait for.

Commands take turns, each in a fresh process; the fastest run of each counts. ``plan`` and ``build`` find nothing to
do in a demo that was built for the run. Usage: python benchmarks/startup.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _size import TINY, demo, size

from rainbow_assets.demo.write import write_demo

BARE = "import click"
RAINBOW = (sys.executable, "-m", "rainbow_assets.cli")
AIMS = {"--version": 0.25, "--help": 0.25, "plan": 0.8, "build": 1.5}
BUILD = ("build", *size((), ("--asset", "base_manifest")))
SETTLED_S = 3
"""A build trusts what it knows of Dagster's database once no process has written to it for a while."""


def timed(words: tuple[str, ...], folder: Path) -> float:
    """Return the seconds that a process takes; exit with its output if it fails."""
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return seconds


def main() -> int:
    """Build a demo, and let the commands take turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        os.environ.update(RAINBOW_CORPUS=f"{name}/corpus", RAINBOW_DATA=f"{name}/data", DAGSTER_HOME=str(home))
        write_demo(folder / "corpus", size(2, 1), **demo())
        print(f"the first build of the demo: {timed((*RAINBOW, *BUILD), folder):.1f} s", flush=True)
        if not TINY:
            time.sleep(SETTLED_S)
            timed((*RAINBOW, *BUILD), folder)  # asks Dagster once, and keeps the answer
        best: dict[str, float] = {}
        commands = {BARE: (sys.executable, "-c", BARE), **{word: (*RAINBOW, word) for word in AIMS},
                    "build": (*RAINBOW, *BUILD)}
        for _ in range(size(7, 1)):
            for word, words in commands.items():
                best[word] = min(best.get(word, 99.0), timed(words, folder))
    for word, aim in AIMS.items():
        print(f"rainbow {word:<10} {best[word]:6.3f} s (aim: {aim} s{'; MISSED' if best[word] > aim else ''}), "
              f"{best[word] / best[BARE]:5.1f} times `{BARE}` ({best[BARE]:.3f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
