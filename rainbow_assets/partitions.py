"""The color shards: nine static partitions, never one per song or segment."""

from __future__ import annotations

import dagster as dg

from rainbow_assets.taxonomy import COLOR_NAMES

colors = dg.StaticPartitionsDefinition(list(COLOR_NAMES))
