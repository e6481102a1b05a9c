"""Programs that some tests need, and a way to run the tests as if they were not installed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

HIDDEN = tuple(name for name in os.environ.get("RAINBOW_TEST_HIDE", "").split(",") if name)
"""Names that programs begin with: ``chromium,fluidsynth`` hides chromium and chromium-driver's chromedriver as well."""
ALSO = {"chromium": ("chromedriver",)}


def hide() -> None:
    """Take the programs of ``RAINBOW_TEST_HIDE`` out of PATH, for this process and those that it starts."""
    names = {*HIDDEN, *(other for name in HIDDEN for other in ALSO.get(name, ()))}
    if not names or "RAINBOW_TEST_HIDDEN" in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="rainbow-path-"))
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if place else ():
            if program.name not in names and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program.absolute())
    os.environ["PATH"] = os.environ["RAINBOW_TEST_HIDDEN"] = str(folder)
