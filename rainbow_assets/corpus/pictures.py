"""A picture of who agrees with whom: one row per song, its lengths by source, and its other facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rainbow_assets.corpus.end import AGREES_MS
from rainbow_assets.corpus.track_list import AUDIO, MIDI
from rainbow_assets.corpus.witnesses import Witness
from rainbow_assets.figures import CHANCE, GUIDE, PLAIN, new_figure, png
from rainbow_assets.ingest.names import has_ending

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {"mix": "D", "stem": "o", "MIDI": "s", "TRT": "^", "last section": "v", "last stamp": "x"}
"""Source of a length -> its mark."""
FACTS = ("tempo", "key", "start", "words")
NEAR_S, MOST_S = AGREES_MS / 1000, 300.0
"""Seconds up to which the scale is linear, and the largest difference that is drawn."""


def picture(songs: Mapping[str, Sequence[Witness]], ends_ms: Mapping[str, int]) -> bytes:
    """Return a PNG with a row per song; red disagrees. ``ends_ms``: the end of each song, which lengths are drawn from.

    Left: the difference of each length from the song's end, in seconds. Right: tempo, key, start and words.
    """
    names = sorted(songs)
    figure = new_figure(11, 1.6 + 0.19 * max(len(names), 1))
    lengths, facts = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    for place, name in enumerate(names):
        for witness in songs[name]:
            if witness.fact == "length":
                off = (witness.value - ends_ms[name]) / 1000
                lengths.plot([max(min(off, MOST_S), -MOST_S)], [place], marker=MARKS[_source(witness.source)], ls="",
                             ms=5, c=PLAIN if witness.agrees else CHANCE, alpha=0.8)
        for column, fact in enumerate(FACTS):
            found = [witness.agrees for witness in songs[name] if witness.fact == fact and witness.agrees is not None]
            facts.plot([column], [place], marker="o" if found else "_", ls="", ms=6,
                       c=GUIDE if not found else PLAIN if all(found) else CHANCE)
    _finish(lengths, facts, names)
    return png(figure)


def _source(name: str) -> str:
    """Return the key of :data:`MARKS` of a witness: files are stems or MIDI."""
    return "stem" if has_ending(name, AUDIO) else "MIDI" if has_ending(name, MIDI) else name


def _finish(lengths: Axes, facts: Axes, names: Sequence[str]) -> None:
    lengths.set_xscale("symlog", linthresh=NEAR_S)
    lengths.set_xlim(-MOST_S * 1.2, MOST_S * 1.2)
    ticks = [-180, -60, -10, -NEAR_S, 0, NEAR_S, 10, 60, 180]
    lengths.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    lengths.axvspan(-NEAR_S, NEAR_S, color=GUIDE, alpha=0.3, lw=0)
    lengths.set_yticks(range(len(names)), names, fontsize=7)
    lengths.set_ylim(max(len(names), 1) - 0.5, -0.5)
    lengths.set_title("seconds from the song's end", fontsize=9)
    for source, mark in MARKS.items():
        lengths.plot([], [], marker=mark, ls="", c=PLAIN, label=source)
    lengths.plot([], [], marker="o", ls="", c=CHANCE, label="disagrees")
    lengths.legend(fontsize=7, ncols=len(MARKS) + 1, loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False,
                   borderaxespad=2.2)
    facts.set_xticks(range(len(FACTS)), FACTS, fontsize=8)
    facts.set_xlim(-0.5, len(FACTS) - 0.5)
    facts.set_title("other facts", fontsize=9)
    for axes in (lengths, facts):
        axes.tick_params(labelsize=7)
        axes.grid(axis="y", lw=0.3, c=GUIDE)
