"""The partitions of Dagster: the nine colors. Never one per song or segment: each would cost 30 ms of bookkeeping."""

from __future__ import annotations

import dagster as dg

from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.store import WHOLE
from rainbow_assets.taxonomy import COLOR_NAMES

colors = dg.StaticPartitionsDefinition(list(COLOR_NAMES))


def partitions_of(asset: RowAsset) -> dg.PartitionsDefinition[str] | None:
    """Return the colors, or None for an asset that has one shard for all."""
    return colors if asset.colored else None


def selected(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, asset: RowAsset) -> list[str]:
    """Return the partitions of ``asset`` that the run asks for: its colors, or the single partition for all.

    Raises ``Failure`` if there are none (a reversed range), because a run that does nothing would look like a success.
    """
    if not asset.colored:
        return [WHOLE]
    chosen = list(context.partition_keys)
    if not chosen:
        raise dg.Failure("no color was selected; write a range from the first to the last color: Black...White",
                         allow_retries=False)
    return chosen
