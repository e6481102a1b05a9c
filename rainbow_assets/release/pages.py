"""The templates of a release's pages, and the filters for texts and figures in them."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets.digests import digest
from rainbow_assets.markdown import code, verbatim
from rainbow_assets.pages import environment
from rainbow_assets.taxonomy import by_name


def size(count: int) -> str:
    """Return bytes for people: ``1.4 MB`` (powers of 1,000)."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 99.5 else f"{value:.1f} {units[0]}"


def span(seconds: float) -> str:
    """Return a length for people: ``27 h 03 min``, ``4 min 05 s``, ``12.5 s``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def mode_names(name: str) -> str:
    """Return a color's modes for people: ``Past, Thing, Known``; empty for a color without any."""
    color = by_name(name)
    return ", ".join(mode for mode in (color.temporal, color.spatial, " and ".join(color.ontological)) if mode)


TEMPLATES = Path(__file__).parent / "templates"


def templates() -> str:
    """Return a digest of all templates; it is part of the provenance, because a changed template changes the pages."""
    return digest({path.name: path.read_text("utf-8") for path in sorted(TEMPLATES.glob("*.j2"))})


ENVIRONMENT = environment(TEMPLATES)
ENVIRONMENT.filters.update(code=code, verbatim=verbatim, size=size, span=span, modes=mode_names)
