"""`taxonomy`: the Rainbow Table as a Dagster asset."""

import hashlib
import json
from typing import Any

import dagster as dg

from rainbow_assets import markdown
from rainbow_assets import taxonomy as table
from rainbow_assets.orchestration.events import as_metadata
from rainbow_assets.orchestration.row_assets import OWNERS


@dg.asset(group_name="corpus", kinds={"python"}, owners=OWNERS, backfill_policy=dg.BackfillPolicy.single_run())
def taxonomy(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """The Rainbow Table: nine colors, their modes, and the target vectors that are derived from the modes."""
    head = ("#", "color", "letter", "hex", "temporal", "spatial", "ontological", "transmigration")
    rows, shown = [], []
    for color in table.COLORS:
        cells = [color.album_prefix, color.name, color.mnemonic, color.hex, color.temporal, color.spatial,
                 " + ".join(color.ontological) or None, color.transmigration]
        shown.append([cell or "-" for cell in cells])
        target = table.target(color)
        rows.append([*cells, target.temporal, target.spatial, target.ontological])
    version = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    return dg.MaterializeResult(data_version=dg.DataVersion(version), metadata={
        "colors": as_metadata(markdown.table(head, shown)), "dagster/row_count": len(rows)})
