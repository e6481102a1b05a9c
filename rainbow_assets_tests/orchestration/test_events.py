"""What the Dagster UI is told: versions, origins and numbers of each color, so that its staleness is the ledger's."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.definitions import defs
from rainbow_assets.lineage.ledger import signature
from rainbow_assets.orchestration import events, jobs, row_assets
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.lineage.once import CHAIN, observe

warnings.simplefilter("ignore", dg.PreviewWarning)
Shards = set[tuple[str, str]]


def shown_stale() -> Shards:
    """Asset and color of everything that the UI shows as stale."""
    with jobs.instance() as here:
        resolver = CachingStaleStatusResolver(here, defs.resolve_asset_graph(), LoadingContextForTest(here))
        return {(asset, color) for asset in CHAIN for color in COLOR_NAMES
                if resolver.get_status(dg.AssetKey(asset), color) == StaleStatus.STALE}


def truly_stale(project: Path) -> Shards:
    """Asset and color of every shard that was made from something else than what is there now (one hop)."""
    store, rules, found = ShardStore(str(project)), settings.default_rules(), set()
    for asset in CHAIN:
        for color in COLOR_NAMES:
            shard = store.shard(asset, color)
            if shard.require_index().inputs != signature(GRAPH[asset], shard, rules):
                found.add((asset, color))
    return found


def latest(asset: str, color: str) -> dg.AssetMaterialization:
    with jobs.instance() as here:
        wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[color])
        found = here.fetch_materializations(wanted, limit=1).records[0].asset_materialization
        assert found is not None
        return found


def test_the_uis_one_hop_is_the_ledgers_for_every_color(built: Path):
    assert shown_stale() == truly_stale(built) == set()
    lyrics = built.parent / "corpus/05_01/05_01.lrc"
    line = next(line for line in lyrics.read_text("utf-8").splitlines() if line and not line.startswith("["))
    lyrics.write_text(lyrics.read_text("utf-8").replace(line, "other words entirely", 1), "utf-8")
    observe(built)
    assert shown_stale() == truly_stale(built) == {("base_manifest", "Green")}
    assert jobs.run_colors(defs, assets=["base_manifest"]).success
    assert shown_stale() == truly_stale(built) == {("segments", "Green"), ("song_splits", "Green")}
    assert jobs.run_colors(defs, ["Green"], ["segments"]).success
    assert shown_stale() == truly_stale(built) == {("song_splits", "Green")}
    assert jobs.run_colors(defs, assets=["song_splits"]).success
    assert shown_stale() == truly_stale(built) == set()


def test_an_equal_rerun_of_a_range_or_of_one_color_leaves_everything_fresh(built: Path):
    assert jobs.run_colors(defs, assets=["base_manifest"]).success
    assert shown_stale() == set()
    assert jobs.run_colors(defs, ["Green"], ["base_manifest"]).success
    assert shown_stale() == truly_stale(built) == set()


def test_a_color_that_was_left_as_it_was_keeps_its_version_and_is_shown_stale(built: Path):
    before = latest("segments", "Blue")
    (built.parent / "corpus/06_01/06_01.lrc").write_text("[59:01.000]\nfar beyond\n[59:02.000]\nand further\n", "utf-8")
    observe(built)
    assert not jobs.run_colors(defs, assets=CHAIN).success
    after = latest("segments", "Blue")
    assert (after.tags or {})["dagster/data_version"] == (before.tags or {})["dagster/data_version"]
    assert "base_manifest/Blue is blocked" in str(after.metadata["left_as_it_was"].value)
    assert shown_stale() == truly_stale(built) == {("segments", "Blue"), ("song_splits", "Blue")}


@pytest.mark.parametrize("colors", [("Green",), COLOR_NAMES])
def test_every_materialization_carries_its_numbers(built: Path, colors: tuple[str, ...]):
    assert jobs.run_colors(defs, colors, CHAIN).success
    store = ShardStore(str(built))
    for asset in CHAIN:
        event = latest(asset, "Green")
        index = store.shard(asset, "Green").require_index()
        numbers: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
        assert numbers["dagster/partition_row_count"] == numbers["rows_reused"] == index.rows
        assert numbers["rows_computed"] == numbers["rows_removed"] == numbers["bytes_written"] == 0
        assert numbers["rows_quarantined"] == index.facts["quarantined"]
        assert numbers["seconds"] >= 0 and numbers["data_version"] == index.data_version
        with jobs.instance() as here:
            first = here.get_run_by_id(numbers["last_changed_by_run"])
        assert first is not None, "a run that can be opened"
        columns = {name: value.value for name, value in latest(asset, colors[-1]).metadata.items()}
        assert isinstance(columns["dagster/column_schema"], dg.TableSchema), "of the last event of the asset"
        assert isinstance(columns["dagster/column_lineage"], dg.TableColumnLineage)
        tags = event.tags or {}
        assert tags["dagster/data_version"] == index.data_version
        assert tags["dagster/code_version"] == row_assets.code_version(GRAPH[asset])


def test_the_run_that_last_changed_a_shard_stays_named_after_runs_that_did_not(built: Path):
    before = latest("segments", "Green").metadata["last_changed_by_run"].value
    again = jobs.run_colors(defs, ["Green"], ["segments"])
    assert again.success and again.run_id != before
    assert latest("segments", "Green").metadata["last_changed_by_run"].value == before


def test_column_lineage_names_real_columns_and_carried_ones_by_name():
    for name, step in GRAPH.items():
        lineage = events.column_lineage(step)
        assert set(lineage.deps_by_column) == set(step.schema.names)
        for deps in lineage.deps_by_column.values():
            for dep in deps:
                above = dep.asset_key.to_user_string()
                assert above in step.reads and dep.column_name in GRAPH[above].schema.names, (name, dep)
    full = events.column_lineage(GRAPH["training_full"]).deps_by_column
    assert [(d.asset_key.to_user_string(), d.column_name) for d in full["title"]] == [("base_manifest", "title")]
    assert [(d.asset_key.to_user_string(), d.column_name) for d in full["split"]] == [("song_splits", "split")]
    media = events.column_lineage(GRAPH["segment_media"]).deps_by_column
    assert "midi_digest" not in {dep.column_name for dep in media["audio_digest"]}


def test_code_versions_follow_code_and_rules():
    versions = {name: row_assets.code_version(step) for name, step in GRAPH.items()}
    graph = defs.resolve_asset_graph()
    assert versions == {name: graph.get(dg.AssetKey(name)).code_version for name in versions}
    made_of = {(step.code, step.settings, step.libraries) for step in GRAPH.values()}
    assert len(set(versions.values())) >= len(made_of), "steps of other modules or rules have another version"
