"""`chord_library` and `progression_library` as ledger steps: every chord and progression of every pack, one row each.

A file that is left out is a quarantined row, so that nothing of a pack disappears.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.harmony.model import KINDS, PackAnomaly
from rainbow_assets.harmony.sources import read_packs, source_token
from rainbow_assets.harmony.tables import CHORD_SCHEMA, PROGRESSION_SCHEMA, chord_rows, progression_rows, remarks
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.storage.shard import Shard

PACKS = "chord_packs"
"""The input that the packs' files stand for."""
REASONS = {kind: meaning for kind, meaning in KINDS.items() if not meaning.startswith("warning")}
"""Why a file has no row."""
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


def _left_out(shard: Shard, progressions: bool) -> dict[str, tuple[str, PackAnomaly]]:
    """Return {key: (part, anomaly)} of the files without a row, of chords or of progressions."""
    return {f"{pack.name}:{item.file} ({item.kind})": (f"{pack.name}-left-out", item)
            for pack in read_packs(settings.roots().chords, source_token(shard)) for item in pack.anomalies
            if item.kind in REASONS and bool(_OF_PROGRESSION.search(item.file)) is progressions}


def _step(
    name: str, key: str, schema: pa.Schema, fields: dict[str, tuple[str, ...]], progressions: bool
) -> Step:
    def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
        # A row follows from its key, its music and its remark; the source digest stands for the music.
        found = [(known, part, digest(row["source_digest"], row["remark"]))
                 for known, (part, row) in _rows(shard, progressions).items()]
        found += [(known, part, digest(item.message))
                  for known, (part, item) in _left_out(shard, progressions).items()]
        names = ["key", "part", f"in:{PACKS}.file"]
        return pl.DataFrame(sorted(found), schema=dict.fromkeys(names, pl.String), orient="row")

    def compute(work: Work) -> Iterator[Batch]:
        rows, left = _rows(work.shard, progressions), _left_out(work.shard, progressions)
        for part, asked in work.parts():
            keys = asked["key"].to_list()
            made = [rows[known][1] for known in keys if known in rows]
            aside = {known: left[known][1].kind for known in keys if known in left}
            yield Batch(part, pa.Table.from_pylist(made, schema=schema), aside)

    return Step(
        name=name, inputs={PACKS: ("file",)}, compute=compute, schema=schema, fields=fields, key=key,
        candidates=candidates, source=source_token, reasons=REASONS,
        unit="pack", colored=False, cheap=True,
    )


_MUSIC = ("mode", "functions", "romans")
CHORD_LIBRARY = _step(
    "chord_library", "chord_id", CHORD_SCHEMA,
    {"chord": tuple(item for item in CHORD_SCHEMA.names if item != "chord_id")}, progressions=False)
PROGRESSION_LIBRARY = _step(
    "progression_library", "progression_id", PROGRESSION_SCHEMA,
    {"music": _MUSIC, "row": tuple(item for item in PROGRESSION_SCHEMA.names
                                   if item not in ("progression_id", *_MUSIC))}, progressions=True)
