"""The Dagster face of the corpus: `taxonomy`, `base_manifest`, `song_splits`."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets import taxonomy as table
from rainbow_assets.corpus import registry
from rainbow_assets.corpus.automation import observe_first
from rainbow_assets.lineage.dagster import OWNERS, asset_options, build_colors, report_events
from rainbow_assets.storage.resources import ShardStoreResource


@dg.asset(group_name="corpus", kinds={"python"}, owners=OWNERS, backfill_policy=dg.BackfillPolicy.single_run())
def taxonomy(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """The Rainbow Table: nine colors, their modes, and the target vectors that follow from them."""
    lines = ["| # | color | letter | hex | temporal | spatial | ontological | transmigration |",
             "|---|---|---|---|---|---|---|---|"]
    rows = []
    for color in table.COLORS:
        cells = [color.album_prefix, color.name, color.mnemonic, color.hex, color.temporal, color.spatial,
                 " + ".join(color.ontological) or None, color.transmigration]
        lines.append("| " + " | ".join(cell or "-" for cell in cells) + " |")
        target = table.target(color)
        rows.append([*cells, target.temporal, target.spatial, target.ontological])
    version = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    return dg.MaterializeResult(data_version=dg.DataVersion(version), metadata={
        "colors": dg.MetadataValue.md("\n".join(lines)), "dagster/row_count": len(rows)})


@dg.asset(**asset_options(registry.BASE_MANIFEST, "corpus", {"yaml", "parquet"}))
def base_manifest(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per stem: what the artist's manifest and lyrics say, typed, with digests of every file it names."""
    observe_first(context, store.open())
    outcomes = build_colors(context, registry.BASE_MANIFEST, store)
    yield from report_events(context, registry.BASE_MANIFEST, outcomes, _anomalies(outcomes, store))


@dg.asset(**asset_options(registry.SONG_SPLITS, "corpus", {"parquet"}))
def song_splits(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Train, validation or test for each song, by hash rank within its color: no song is ever in two splits."""
    yield from report_events(context, registry.SONG_SPLITS, build_colors(context, registry.SONG_SPLITS, store))


def _anomalies(outcomes: list[Any], store: ShardStoreResource) -> dict[str, Any]:
    """Return the anomalies of the built colors as a table, the worst first."""
    found = []
    for outcome in outcomes:
        index = store.open().shard("base_manifest", outcome.partition).index()
        found += [entry for part in (index.parts if index else ()) for entry in part.facts.get("anomalies", [])]
    found.sort(key=lambda a: (["error", "warning", "info"].index(a["severity"]), a["song"], a["file"], a["where"]))
    lines = ["| severity | song | file | where | what | done |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(a[k].replace("|", "\\|") for k in
                                ("severity", "song", "file", "where", "message", "action")) + " |" for a in found[:200]]
    if len(found) > 200:
        lines.append(f"| | | | | and {len(found) - 200} more: `rainbow lint` | |")
    return {"anomalies": dg.MetadataValue.md("\n".join(lines)), "anomaly_count": len(found)}
