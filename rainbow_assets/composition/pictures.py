"""Pictures of pieces and of their evolution: piano rolls as SVG for pages, charts as PNG for the metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rainbow_assets import figures
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, Parts

INK = {CHORDS: "#7f8fa6", DRUMS: "#b0b3b8", BASS: "#c98a3b", MELODY: "#2f8f6b"}
"""Colors of the parts; they differ in lightness too, so that color-blind readers can distinguish them."""
WIDTH, HEIGHT = 640, 150


def piano_roll(parts: Parts, ticks: int, bar_ticks: int) -> str:
    """Return a piece as SVG: time to the right, pitch upwards, a line at each bar, drums along the bottom."""
    drums = sorted({note.pitch for note in parts.get(DRUMS, ())})
    pitches = [note.pitch for name, notes in parts.items() if name != DRUMS for note in notes]
    low, high = (min(pitches) - 1, max(pitches) + 1) if pitches else (47, 72)
    floor = HEIGHT - 4 * len(drums) - 4
    shapes = [f'<path d="{"".join(f"M{x:.1f} 0V{HEIGHT}" for x in _bars(ticks, bar_ticks))}" class="bars"/>']
    for name, notes in parts.items():
        boxes = []
        for note in notes:
            x, width = note.start / ticks * WIDTH, max(1.2, note.length / ticks * WIDTH - 0.6)
            if name == DRUMS:
                y, height, width = floor + 4 * drums.index(note.pitch) + 2, 3.0, min(width, 3.5)
            else:
                height = max(2.0, floor / (high - low))
                y = (high - note.pitch) / (high - low) * (floor - height)
            boxes.append(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
        shapes.append(f'<path d="{"".join(boxes)}" fill="{INK.get(name, "#888")}"/>')
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="piano roll" preserveAspectRatio="none">'
            f'{"".join(shapes)}</svg>')


def _bars(ticks: int, bar_ticks: int) -> list[float]:
    return [start / ticks * WIDTH for start in range(0, ticks, bar_ticks)]


def evolution(facts: Sequence[Mapping[str, Any]], stage: str) -> bytes:
    """Return a PNG of best and mean score by generation, evolved and random, a pane for each of the last 8 songs."""
    shown = list(facts)[-8:]
    figure = figures.new_figure(3.2 * max(1, len(shown)), 2.6)
    panes = figure.subplots(1, max(1, len(shown)), squeeze=False)[0]
    for pane, entry in zip(panes, shown, strict=False):
        found = entry["generations"]
        x = [item["rated"] for item in found]
        color = next((figures.FILL[name] for name in figures.FILL if entry["song"].startswith(name.lower())), "#555")
        for field, style, label in (("best", "-", "best"), ("mean", "--", "mean")):
            pane.plot(x, [item[field] for item in found], style, color=color, label=f"evolved, {label}")
            pane.plot(x, [item[f"random_{field}"] for item in found], style, color="#999", label=f"random, {label}")
        pane.set_title(f"{entry['song'][:28]}", fontsize=8)
        pane.set_xlabel(f"{stage} rated", fontsize=7)
        pane.tick_params(labelsize=7)
        pane.set_ylim(0, 1)
    panes[0].legend(fontsize=6, loc="lower right")
    return figures.png(figure)
