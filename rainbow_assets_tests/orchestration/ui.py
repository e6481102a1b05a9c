"""What the Dagster UI shows, asked the way that it asks: by GraphQL over the loaded definitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from rainbow_assets.orchestration import jobs
from rainbow_assets.storage.store import WHOLE

ASSETS = """
query { assetNodes {
  assetKey { path } isPartitioned isObservable
  staleStatus
  partitionKeys
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } }
  assetChecksOrError { ... on AssetChecks { checks {
    name
    executionForLatestMaterialization { status }
    partitionStatuses { ... on AssetCheckDefaultPartitionStatuses {
      succeededPartitions failedPartitions executionFailedPartitions inProgressPartitions skippedPartitions } }
  } } }
} }
"""
STALE = "query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetKey { path } staleStatusByPartition } }"


@contextmanager
def shown() -> Iterator[Any]:
    """Yield a function that returns what the UI shows of every asset, by name."""
    with (jobs.instance() as here,
          WorkspaceProcessContext(here, ModuleTarget("rainbow_assets.definitions", None, None, None)) as process):
        def ask() -> dict[str, dict[str, Any]]:
            answer = execute_dagster_graphql(process.create_request_context(), ASSETS)
            assert not answer.errors, answer.errors
            nodes = {node["assetKey"]["path"][0]: node for node in answer.data["assetNodes"]}
            keys = [node["assetKey"] for node in nodes.values() if node["isPartitioned"]]
            answer = execute_dagster_graphql(process.create_request_context(), STALE, {"keys": keys})
            assert not answer.errors, answer.errors
            for node in answer.data["assetNodes"]:
                nodes[node["assetKey"]["path"][0]].update(node)
            return nodes

        yield ask


def stale(node: dict[str, Any]) -> set[str]:
    """Return the partitions of one asset that are shown as out of date, or as never made."""
    if not node["isPartitioned"]:
        return set() if node["staleStatus"] == "FRESH" else {WHOLE}
    return {color for color, state in zip(node["partitionKeys"], node["staleStatusByPartition"], strict=True)
            if state != "FRESH"}


def checks(node: dict[str, Any]) -> dict[str, dict[str, set[str]]]:
    """Return {check: {state: partitions}} of one asset, ``_all`` for one without colors."""
    found = {}
    for check in node["assetChecksOrError"]["checks"]:
        if node["isPartitioned"]:
            states = {name.removesuffix("Partitions"): set(colors) for name, colors in check["partitionStatuses"].items()
                      if colors}
        else:
            run = check["executionForLatestMaterialization"]
            states = {run["status"].lower().replace("_f", "F"): {WHOLE}} if run else {}
        found[check["name"]] = states
    return found
