"""The work of `rainbow demo`, with a progress bar and a summary."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets import progress
from rainbow_assets.demo.standins import render_standins
from rainbow_assets.demo.write import write_demo


def corpus(out: Path, songs_per_color: int, shuffled: bool = False) -> str:
    """Write the demo corpus to ``out`` and return a summary."""
    with progress.bar("demo") as tick:
        report = write_demo(out, songs_per_color, progress=tick, shuffled=shuffled)
    return "\n".join(report.lines())


def standins(source: Path, out: Path, songs: list[str] | None) -> str:
    """Render stand-in media for the manifests in ``source`` into ``out`` and return a summary."""
    with progress.bar("stand-ins") as tick:
        report = render_standins(source, out, songs, progress=tick)
    return "\n".join(report.lines())
