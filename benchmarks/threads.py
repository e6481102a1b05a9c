"""Packing 1,000 threads of 60 files against ``cp -r`` of the same tree, and the second run that has nothing to do.

The second run is that of an asset, whose rows have the digests of the manifests; the command reads all threads again.

Run: ``python benchmarks/threads.py [threads] [files]``. It says where an aim is missed; a time fails nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _size import size

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rainbow_assets.threads.manifest import packed_folders
from rainbow_assets.threads.shrinkwrap import ExpectedFolder, shrinkwrap
from rainbow_assets_tests.threads.synth import write_thread

COPY_BOUND, NO_OP_BOUND_S = 5.0, 2.0


def timed(name: str, work: object) -> float:
    """Return the seconds that ``work()`` takes, and print them."""
    start = time.perf_counter()
    work()  # type: ignore[operator]
    seconds = time.perf_counter() - start
    print(f"{name:<34}{seconds:8.2f} s", flush=True)
    return seconds


def main(threads: int = size(1000, 3), files: int = size(60, 6)) -> int:
    """Make the threads, time the three runs, and compare them with the bounds."""
    root = Path(tempfile.mkdtemp(prefix="rainbow-threads-"))
    try:
        source = root / "raw"
        timed(f"write {threads} threads of {files} files", lambda: [write_thread(source, n, files)
                                                                    for n in range(threads)])
        copies = [timed("cp -r", lambda n=n: subprocess.run(["cp", "-r", source, root / f"copy{n}"], check=True))
                  for n in range(2)]
        pack = timed("pack", lambda: shrinkwrap(source, root / "packed"))
        timed("pack again (the command)", lambda: shrinkwrap(source, root / "packed"))
        rows = {name: ExpectedFolder(folder.folder.name, folder.values["inputs"], folder.sha256)
                for name, folder in packed_folders(root / "packed").items()}
        again = min(timed("pack again (the asset)", lambda: shrinkwrap(source, root / "packed", rows=rows))
                    for _ in range(2))
        ratio = pack / min(copies)
        print(f"pack / cp -r = {ratio:.2f} (aim: at most {COPY_BOUND}); no-op {again:.2f} s (aim: under "
              f"{NO_OP_BOUND_S} s){'' if ratio <= COPY_BOUND and again < NO_OP_BOUND_S else ' MISSED'}")
        return 0
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
