"""`chord_library` and `progression_library`: every chord and progression of every pack, one row each.

A file that cannot be used is a quarantined row, so that no file of a pack disappears without a reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.harmony.graphs import function_graph, transitions
from rainbow_assets.harmony.model import KINDS
from rainbow_assets.harmony.pool import Pool, Progressions, transpose
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, totals, weighted
from rainbow_assets.harmony.sources import read_packs, source_token
from rainbow_assets.harmony.tables import (
    CHORD_SCHEMA,
    PROGRESSION_SCHEMA,
    chord_rows,
    chords_of,
    progression_rows,
    remarks,
)
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.music.chord_types import parse_chord_name
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.functions import DIATONIC
from rainbow_assets.music.keys import all_keys, key_of
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

PACKS = "chord_packs"
"""Name of the input that is read from the packs' files."""
REASONS = {kind: meaning for kind, (severity, meaning) in KINDS.items() if severity != "warning"}
"""Reasons why a file has no row."""
_OF_PROGRESSION = re.compile(r"(^|/)[^/]*progression[^/]*/", re.IGNORECASE)
Rows = dict[str, tuple[str, dict[str, Any]]]


def _rows(shard: Shard, progressions: bool) -> Rows:
    """Return {key: (part, row)} of all packs; a part is one mode of one pack."""
    return _made(settings.roots().chords, source_token(shard), progressions)


@lru_cache(maxsize=2)
def _made(root: Path, token: str, progressions: bool) -> Rows:
    found: Rows = {}
    for pack in read_packs(root, token):
        noted = remarks(pack.anomalies)
        rows = progression_rows(pack.progressions, noted) if progressions else chord_rows(pack.chords, noted)
        key = "progression_id" if progressions else "chord_id"
        found.update({row[key]: (f"{pack.name}-{row['mode']}", row) for row in rows})
    return found


def _quarantined(shard: Shard, progressions: bool) -> dict[str, tuple[str, Anomaly]]:
    """Return {key: (part, anomaly)} of the files without a row, for chords or for progressions."""
    return {f"{pack.name}:{item.file} ({item.kind})": (f"{pack.name}-left-out", item)
            for pack in read_packs(settings.roots().chords, source_token(shard)) for item in pack.anomalies
            if item.kind in REASONS and bool(_OF_PROGRESSION.search(item.file)) is progressions}


SAMPLED = 200


SAMPLED_LENGTH = 5


def _differs(name: str, classes: set[int]) -> bool:
    try:
        return parse_chord_name(name).pitch_classes != classes
    except HarmonyUsageError:
        return True


@check("Each chord's notes are those of its name.")
def notes_match_names(shard: Shard) -> Finding:
    """Check that the pitch classes of every chord, sounding and listed, are those of its name."""
    rows = shard.rows("chord_id", "chord_name", "voicing", "pitch_classes")
    wrong = [row["chord_id"] for row in rows
             if _differs(row["chord_name"], {pitch % 12 for pitch in row["voicing"]})
             or row["pitch_classes"] != sorted({pitch % 12 for pitch in row["voicing"]})]
    numbers = {"chords": len(rows), "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"the notes of {len(wrong)} chords are not those of their names: {some(wrong)}", numbers)
    return Finding(True, f"the notes of {len(rows)} chords are those of their names", numbers)


@check("Each key has all its diatonic functions.")
def functions_complete(shard: Shard) -> Finding:
    """Check that every key of both modes has a chord for each of its seven diatonic functions."""
    rows = shard.rows("tonic_pc", "mode", "function")
    known: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in rows:
        known[row["tonic_pc"], row["mode"]].add(row["function"])
    lacking = [f"{function} of {key.label}" for key in all_keys() for function in DIATONIC[key.mode]
               if function not in known[key.pc, key.mode]]
    numbers = {"keys": sum(bool(found) for found in known.values()), "lacking": len(lacking)}
    if lacking:
        return Finding(False, f"{len(lacking)} diatonic functions have no chord: {some(lacking)}; the built-in pack "
                              "has them all, so materialize chord_library again", numbers)
    return Finding(True, "every diatonic function of 24 keys has a chord", numbers)


@check("Scores do not change when chords are transposed.")
def scores_keep(shard: Shard) -> Finding:
    """Check that sampled progressions of each key have the same scores after transposition to C (seeded)."""
    chords = chords_of(shard.rows())
    graph = function_graph(theory_pack().progressions)
    items = weighted(DEFAULT_WEIGHTS)
    wrong, tried = [], 0
    for key in all_keys():
        own = tuple(chord for chord in chords if chord.key.pc == key.pc and chord.key.mode == key.mode)
        if not own:
            continue
        table = transitions(graph, key.mode)
        here = Pool(key, own, table)
        home = Pool(key_of(0, key.mode), tuple(transpose(chord, key_of(0, key.mode)) for chord in own), table)
        draws = SeededDraws.from_seed(key.pc).take(SAMPLED * SAMPLED_LENGTH).reshape(SAMPLED, SAMPLED_LENGTH)
        # Every chord is used at least once if there are at most as many chords as draws.
        rows = (draws * len(own)).astype(np.int32)
        rows.ravel()[: len(own)] = np.arange(len(own), dtype=np.int32)[: rows.size]
        tried += len(rows)
        if not np.array_equal(totals(items, Progressions(here, rows))[0], totals(items, Progressions(home, rows))[0]):
            wrong.append(key.label)
    numbers = {"progressions": tried, "keys": len(wrong)}
    if wrong:
        return Finding(False, f"progressions of {some(wrong)} have other scores in C; a function or a voicing there "
                              "does not fit the root of its chord", numbers)
    return Finding(True, f"{tried} progressions have the same scores in C", numbers)


@check("Each progression is complete, and its notes are those of its chord names.")
def progressions_sound(shard: Shard) -> Finding:
    """Check that each progression has ``total_chords`` of everything, in order, and notes that fit its names."""
    rows = shard.rows()
    wrong = [row["progression_id"] for row in rows if not _whole(row)]
    numbers = {"progressions": len(rows), "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} progressions are incomplete, or have other notes than their chord names: "
                              f"{some(wrong)}", numbers)
    return Finding(True, f"{len(rows)} progressions are complete and have the notes of their chord names", numbers)


def _whole(row: dict[str, Any]) -> bool:
    lists = ("functions", "romans", "chord_names", "voicings", "start_ms", "duration_ms")
    count = row["total_chords"]
    return (count > 0 and all(len(row[name]) == count for name in lists) and min(row["duration_ms"]) > 0
            and row["start_ms"] == sorted(row["start_ms"])
            and not any(_differs(name, {pitch % 12 for pitch in voicing})
                        for name, voicing in zip(row["chord_names"], row["voicings"], strict=True)))


def candidates(progressions: bool, shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return the keys of the chords, or the progressions, of all packs, and of the files without a row."""
    # A row depends on its key, music and remark; the source digest covers the music.
    found = [(known, part, digest(row["source_digest"], row["remark"]))
             for known, (part, row) in _rows(shard, progressions).items()]
    found += [(known, part, digest(item.message))
              for known, (part, item) in _quarantined(shard, progressions).items()]
    names = ["key", "part", f"in:{PACKS}.file"]
    return pl.DataFrame(sorted(found), schema=dict.fromkeys(names, pl.String), orient="row")


def compute(progressions: bool, work: Work) -> Iterator[Batch]:
    """Yield the requested rows, read from the packs."""
    rows, left = _rows(work.shard, progressions), _quarantined(work.shard, progressions)
    for part, asked in work.parts():
        keys = asked["key"].to_list()
        without = {known: left[known][1] for known in keys if known in left}
        yield work.batch(part, (rows[known][1] for known in keys if known in rows),
                         {known: item.kind for known, item in without.items()},
                         sentences={known: item.message for known, item in without.items()})


_MUSIC = ("mode", "functions", "romans")
CHORD_LIBRARY = RowAsset(
    "chord_library", group="harmony", kinds={"midi", "parquet"}, description=(
        "One row per chord in a key, from the built-in pack and RAINBOW_CHORDS: function, quality, inversion and "
        "voicing."),
    reads={PACKS: ("file",)}, compute=partial(compute, False), candidates=partial(candidates, False),
    source=source_token, reasons=REASONS, unit="pack", colored=False, cheap=True,
    columns=CHORD_SCHEMA, fields={"chord": tuple(name for name in CHORD_SCHEMA.names if name != "chord_id")},
    key="chord_id", checks=[unique_keys, notes_match_names, functions_complete, scores_keep])
PROGRESSION_LIBRARY = RowAsset(
    "progression_library", group="harmony", kinds={"midi", "parquet"},
    description="One row per progression of the packs: romans, chords, durations and moods.",
    reads={PACKS: ("file",)}, compute=partial(compute, True), candidates=partial(candidates, True),
    source=source_token, reasons=REASONS, unit="pack", colored=False, cheap=True,
    columns=PROGRESSION_SCHEMA,
    fields={"music": _MUSIC, "row": tuple(name for name in PROGRESSION_SCHEMA.names
                                          if name not in ("progression_id", *_MUSIC))},
    key="progression_id", checks=[unique_keys, progressions_sound])
