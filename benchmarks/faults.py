"""The full counts of the tests that repeat something: killed builds, broken uploads, random edit scripts and examples.

``make test`` and ``make test-heavy`` run the same tests with smaller counts. A tiny run only collects them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from _size import size

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    scale, more = size("full", "test"), size((), ("--collect-only",))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "counted or property", "--timeout=0", "--durations=0", "-n", "2",
         "--dist", "worksteal", *more, "rainbow_assets_tests"],
        cwd=ROOT, env={**os.environ, "RAINBOW_TEST_SCALE": scale}, check=False)
    if done.returncode:
        print("a fault test failed: an incremental build is not what a clean one is")
        return 1
    if more:
        return 0
    print(f"all passed at full counts (counts.toml) in {(time.monotonic() - started) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
