"""Summaries of the fitness tables: Markdown for Dagster's metadata, and lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from rainbow_assets.fitness.modalities import SOURCES
from rainbow_assets.fitness.pictures import ORDER
from rainbow_assets.fitness.plans import VARIANTS
from rainbow_assets.markdown import Markdown, blocks, bullets, table


def balance(frame: pl.DataFrame) -> Markdown:
    """Return a table of the training set: songs, segments and modalities by color."""
    found = [[color, rows["song_id"].n_unique(), len(rows), *(int(rows[f"uses_{name}"].sum()) for name in SOURCES),
              "yes" if rows["has_target"].any() else "no (masked)"]
             for (color,), rows in frame.sort("rainbow_color").group_by("rainbow_color", maintain_order=True)]
    return table(("color", "songs", "segments", "concept", "lyric", "sound", "music", "target"), found)


def models(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """Return a table of the trained models."""
    found = []
    for row in rows:
        last = row["history"][row["best_epoch"] - 1] if row["history"] else {}
        loss = last.get("validation_loss") if last.get("validation_loss") is not None else last.get("train_loss")
        found.append([row["model_id"], f"{row['parameters']:,}", f"{row['train_songs']} songs", row["validation_songs"],
                      row["test_songs"], row["best_epoch"], "-" if loss is None else f"{loss:.4f}"])
    return table(("model", "parameters", "learned from", "stopped by", "tested with", "best epoch", "loss"), found)


def _ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: ORDER.index(row["variant"]))


def evaluation(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """Return a table of the balanced accuracies on test songs, with intervals, chance and p."""
    single = ("temporal", "spatial", "ontological", "color")
    head = ("shown", "songs", "modes", "95 %", "chance", "p", *single, "fitness")
    found = []
    for row in _ordered(rows):
        known = {item["measure"]: item for item in row["measures"]}
        modes = known.get("modes")
        if modes is None:
            found.append([row["variant"], row["songs"], *[""] * (len(head) - 2)])
            continue
        found.append([
            f"{row['variant']}: {VARIANTS[row['variant']]}", modes["songs"], f"{modes['value']:.3f}",
            f"{modes['low']:.3f} to {modes['high']:.3f}", f"{modes['chance']:.3f}", f"{modes['p_value']:.4f}",
            *(f"{known[name]['value']:.3f}" if name in known else "" for name in single),
            "" if row["fitness_median"] is None else f"{row['fitness_median']:.3f}"])
    return table(head, found)


def colors(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """Return a table of the median fitness of each color's own test songs, by variant."""
    ordered = [row for row in _ordered(rows) if row["colors"]]
    names = [item["color"] for item in ordered[0]["colors"]] if ordered else []
    known = [(row["variant"], {item["color"]: item for item in row["colors"]}) for row in ordered]
    return table(("shown", *names), [[variant, *(_cell(by_color.get(name)) for name in names)]
                                     for variant, by_color in known])


def _cell(item: Mapping[str, Any] | None) -> str:
    if item is None:
        return ""
    return f"{item['fitness']:.2f}" + ("" if item["found"] is None else f", found {item['found']:.0%}")


def evaluation_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the balanced accuracies of modes as lines for the terminal."""
    lines = [f"{'shown':<16} {'songs':>5} {'modes':>6} {'95 %':>15} {'chance':>7} {'p':>7}"]
    for row in _ordered(rows):
        modes = next((item for item in row["measures"] if item["measure"] == "modes"), None)
        if modes is not None:
            lines.append(f"{row['variant']:<16} {modes['songs']:>5} {modes['value']:>6.3f} "
                         f"{modes['low']:>7.3f}..{modes['high']:.3f} {modes['chance']:>7.3f} {modes['p_value']:>7.4f}")
    return lines


def scorer(row: Mapping[str, Any]) -> Markdown:
    """Return a scorer's status, reasons and gates."""
    gates = [(item["name"], None if item["value"] is None else format(item["value"], ".4f")) for item in row["gates"]]
    return blocks(row["status"], bullets(row["reasons"]), table(("gate", "value"), gates))
