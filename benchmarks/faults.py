"""The full counts of the tests that repeat something: killed builds, broken uploads, random edit scripts and examples.

``make test`` and ``make test-heavy`` run the same tests with smaller counts. A tiny run collects those of one
package.
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
    scale, words = size(("full", ("-n", "2", "--dist", "worksteal", "rainbow_assets_tests")),
                        ("test", ("--collect-only", "rainbow_assets_tests/lineage")))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "counted or property", "--timeout=0", "--durations=20", *words],
        cwd=ROOT, env={**os.environ, "RAINBOW_TEST_SCALE": scale}, check=False)
    minutes = (time.monotonic() - started) / 60
    if done.returncode:
        print(f"a test failed, after {minutes:.1f} minutes; it is named above")
        return 1
    if scale == "full":
        print(f"all passed at full counts (counts.toml) in {minutes:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
