"""The color shards: nine static partitions, never one per song or segment."""

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
    """Return the partitions of ``asset`` that the run asks for: its colors, or the one for all.

    An empty list (a reversed range) is an error, never a silent success.
    """
    if not asset.colored:
        return [WHOLE]
    chosen = list(context.partition_keys)
    if not chosen:
        raise dg.Failure("no color was selected; a range runs from the first to the last color: Black...White",
                         allow_retries=False)
    return chosen
