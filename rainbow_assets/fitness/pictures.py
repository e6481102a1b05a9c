"""Pictures for Dagster's metadata: rolls, learning curves and the evaluation, as PNG. Equal data give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rainbow_assets.figures import CHANCE, FILL, GUIDE, PLAIN, new_figure, png
from rainbow_assets.fitness import roll

ORDER = ("all", "composer", "without_concept", "audio", "midi", "cropped", "concept", "lyric", "other_midi",
         "permuted", "majority")


def rolls(found: Mapping[str, roll.Notes]) -> bytes:
    """Draw one roll per color: notes as bars over time in seconds and pitch; drums in gray."""
    figure = new_figure(12, 2.2 * max(1, (len(found) + 3) // 4))
    panes = np.atleast_1d(figure.subplots((len(found) + 3) // 4 or 1, 4, squeeze=False)).ravel()
    for pane in panes[len(found):]:
        pane.axis("off")
    for pane, (color, notes) in zip(panes, found.items(), strict=False):
        seconds = roll.STEP_MS / 1000
        length = (notes["end"].astype(float) - notes["start"]) * seconds
        pane.barh(notes["pitch"], length, left=notes["start"] * seconds, height=0.9,
                  color=np.where(notes["drum"], "#8a8f98", FILL[color]))
        pane.set_title(color, fontsize=9)
        pane.tick_params(labelsize=7)
        pane.set_xlabel("s", fontsize=7)
    return png(figure)


def curves(models: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the learning curves of `fusion_model`: the shipped model, the folds, the shuffled labels."""
    figure = new_figure(12, 3.4)
    panes = figure.subplots(1, 3, sharey=True)
    for pane, kind, title in zip(panes, ("final", "fold", "permuted"),
                                ("shipped model", "folds of songs", "shuffled colors"), strict=True):
        for row in (row for row in models if row["kind"] == kind):
            epochs = [item["epoch"] for item in row["history"]]
            line = pane.plot(epochs, [item["train_loss"] for item in row["history"]], lw=1,
                             label=f"{row['model_id']}, learning")[0]
            if row["history"] and row["history"][0]["validation_loss"] is not None:
                pane.plot(epochs, [item["validation_loss"] for item in row["history"]], lw=1.6, ls="--",
                          color=line.get_color())
                pane.axvline(row["best_epoch"], color=line.get_color(), lw=0.5, alpha=0.6)
        pane.set_title(f"{title} (dashed: validation)", fontsize=9)
        pane.set_xlabel("epoch", fontsize=8)
        pane.tick_params(labelsize=7)
    panes[0].set_ylabel("loss per row", fontsize=8)
    return png(figure)


def evaluation(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the balanced accuracy of each variant with intervals and chance, the fitness by color, and calibration."""
    figure = new_figure(13, 3.8)
    bars, colors, sure = figure.subplots(1, 3, width_ratios=(1.6, 1, 1))
    known = {row["variant"]: row for row in rows}
    found = [(name, item) for name in ORDER if name in known
             for item in known[name]["measures"] if item["measure"] == "modes"]
    for place, (_, item) in enumerate(found):
        bars.barh(place, item["value"], color=PLAIN)
        bars.plot([item["low"], item["high"]], [place, place], color="black", lw=1.2)
    if found:
        bars.axvline(found[0][1]["chance"], color=CHANCE, ls="--", lw=1)
    bars.set_yticks(range(len(found)), [name for name, _ in found], fontsize=8)
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.set_title("balanced accuracy of modes, test songs (dashed: chance)", fontsize=9)
    whole = known.get("all", {})
    for place, item in enumerate(whole.get("colors", ())):
        colors.bar(place, item["fitness"], color=FILL[item["color"]])
    colors.axhline(0.5, color=CHANCE, ls="--", lw=1)
    colors.set_xticks(range(len(whole.get("colors", ()))), [item["color"] for item in whole.get("colors", ())],
                      fontsize=7, rotation=40)
    colors.set_ylim(0, 1)
    colors.set_title("median fitness for the songs' own color", fontsize=9)
    bins = whole.get("calibration", ())
    sure.plot([0, 1], [0, 1], color=GUIDE, lw=1)
    sure.plot([item["sure"] for item in bins], [item["right"] for item in bins], marker="o", color=PLAIN)
    sure.set_title("predicted probability and share of right predictions", fontsize=9)
    return png(figure)
