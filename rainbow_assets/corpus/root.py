"""The folder of the raw songs."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.errors import UsageError


def corpus_root() -> Path:
    """Return the folder of the raw songs; raise ``UsageError`` if it does not exist."""
    root = settings.roots().corpus
    if not root.is_dir():
        raise UsageError(f"the corpus folder {root} does not exist; set RAINBOW_CORPUS, or write a demo corpus: "
                         "rainbow demo")
    return root
