"""The graph as Dagster sees it: specs, range runs, gates, versions. Real instance, real runs."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import dagster as dg
import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.definitions import defs
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.codeversion import code, used_by
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.orchestration import colors, jobs
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

SNAPSHOT = Path(__file__).parent / "specs.json"
warnings.simplefilter("ignore", dg.PreviewWarning)


def specs() -> dict[str, dict[str, object]]:
    """What a person sees of each asset, as plain values."""
    found: dict[str, dict[str, object]] = {}
    for spec in defs.resolve_all_asset_specs():
        schema = spec.metadata.get("dagster/column_schema")
        columns = [f"{c.name}: {c.type}" for c in schema.columns] if isinstance(schema, dg.TableSchema) else []
        found[spec.key.to_user_string()] = {
            "group": spec.group_name, "kinds": sorted(spec.kinds), "owners": list(spec.owners),
            "description": (spec.description or "").strip(), "columns": columns,
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "partitions": len(spec.partitions_def.get_partition_keys()) if spec.partitions_def else 0,
        }
    return dict(sorted(found.items()))


def test_specs_are_as_they_were():
    """Renaming or dropping anything that people call is a decision: delete specs.json and run again to make it."""
    found = specs()
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    assert found == json.loads(SNAPSHOT.read_text("utf-8"))


def test_every_asset_has_an_owner_a_kind_and_a_description():
    for key, spec in specs().items():
        assert spec["group"] and spec["kinds"] and len(str(spec["description"])) > 30, key
        assert spec["owners"] or key == "corpus", f"{key} (Dagster 1.13 takes no owners for an observable source)"
    for definition in (d for d in defs.resolve_asset_graph().assets_defs if d.keys and d.is_materializable):
        assert definition.backfill_policy == dg.BackfillPolicy.single_run(), definition.keys


@pytest.mark.parametrize("asset", GRAPH.values(), ids=lambda asset: asset.name)
def test_a_check_or_a_picture_is_no_part_of_what_makes_rows(asset: RowAsset):
    """Editing one computes no row."""
    own = set(code().closure(asset.code.roots))
    for function in (*(check.evaluate for check in asset.checks), *asset.shows, *asset.exports, asset.explain):
        if function is not None:
            assert used_by(function).roots[0] not in own, function


def test_colors_are_the_nine_of_the_table():
    assert colors.colors.get_partition_keys() == list(COLOR_NAMES)


def test_every_declared_check_is_shown_in_dagster():
    shown = {(key.asset_key.to_user_string(), key.name) for check in defs.asset_checks or [] for key in check.check_keys}
    for asset in GRAPH:
        if asset in specs():
            names = {check.name for check in GRAPH[asset].checks} | {"built"}
            assert {(asset, name) for name in names} <= shown


def versions(instance: dg.DagsterInstance, asset: str) -> dict[str, str]:
    """The data version tag of the last materialization of each color."""
    found = {}
    for color in COLOR_NAMES:
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[color]), limit=1).records
        found[color] = (records[0].asset_materialization.tags or {})["dagster/data_version"] if records else ""
    return found


def test_a_range_run_records_each_colors_own_version(whole: Path):
    store = ShardStore(str(whole))
    with jobs.instance() as instance:
        for asset in ("base_manifest", "segments", "training_full"):
            found = versions(instance, asset)
            assert found == {c: store.shard(asset, c).require_index().data_version for c in COLOR_NAMES}
            assert len({found["Red"], found["Green"], found["White"]}) == 3
            assert found["White"] == found["Violet"], "empty colors are equal"


def test_columns_that_readers_need_not_declare_follow_from_the_key(whole: Path):
    store, keyed = ShardStore(str(whole)), 0
    for step in GRAPH.values():
        for color in step.partitions if step.identity else ():
            for row in store.shard(step.name, color).table(step.schema, [step.key, *step.identity]).to_pylist():
                key, keyed = row[step.key], keyed + 1
                song = key.split("_t")[0]
                stem = key.rpartition("_")[0] if step.key == "segment_id" else key
                track = int(stem.rpartition("_t")[2])
                follows = {"id": song, "song_id": song, "rainbow_color": color, "track_number": track, "is_mix": track == 0,
                           "stem_id": stem, "start_ms": int(key.rpartition("_")[2]) if key != stem else None}
                assert {name: row[name] for name in step.identity} == {name: follows[name] for name in step.identity}
    assert keyed


def test_staleness_in_the_ui_agrees_for_every_color(whole: Path, project: Path):
    from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
    from dagster._core.loader import LoadingContextForTest

    def stale(asset: str) -> set[str]:
        with jobs.instance() as instance:
            resolver = CachingStaleStatusResolver(instance, defs.resolve_asset_graph(), LoadingContextForTest(instance))
            return {color for color in COLOR_NAMES
                    if resolver.get_status(dg.AssetKey(asset), color) == StaleStatus.STALE}

    assert stale("segments") == set()
    manifest = project.parent / "corpus/05_01/05_01.yml"
    text = manifest.read_text("utf-8")
    assert "description: Texture" in text
    manifest.write_text(text.replace("description: Texture", "description: Woven texture"), "utf-8")
    assert jobs.run_colors(defs, ["Green"], ["base_manifest"]).success
    assert stale("segments") == {"Green"}
    assert stale("song_splits") == {"Green"}, "Dagster's edge is the whole asset; the ledger then computes nothing"
    assert jobs.run_colors(defs, ["Green"], ["segments", "song_splits"]).success
    assert stale("segments") == stale("song_splits") == set()


def test_a_second_run_computes_nothing_and_changes_no_file(whole: Path):
    files = {path: path.read_bytes() for path in sorted((whole / "shards").rglob("*.parquet"))}
    result = jobs.run_colors(defs)
    assert result.success
    computed = {event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
                for event in result.get_asset_materialization_events()}
    assert all(metadata["rows_computed"].value == 0 for name, metadata in computed.items()
               if "rows_computed" in metadata)
    assert files == {path: path.read_bytes() for path in sorted((whole / "shards").rglob("*.parquet"))}


def test_a_bad_color_is_red_and_blocked_while_good_colors_go_on(whole: Path, project: Path):
    store = ShardStore(str(project))
    good = store.shard("segments", "Blue").require_index()
    lyrics = project.parent / "corpus/06_01/06_01.lrc"
    lyrics.write_text("[59:01.000]\nfar beyond the end\n[59:02.000]\nand further\n", "utf-8")
    shutil.rmtree(project.parent / "corpus/02_01")
    result = jobs.run_colors(defs, allow_deletes=True)
    assert not result.success
    failed = {event.step_key for event in result.filter_events(lambda e: e.is_step_failure)}
    assert "base_manifest_checks" in failed
    assert "segments_checks" in failed
    assert failed - {step for step in failed if step.endswith("_checks")} == {"fusion_training_set"}, (
        "assets go on with the good colors, and their checks are red; what reads every color waits")
    assert store.shard("segments", "Blue").require_index() == good, "the bad color keeps its last good shard"
    assert store.shard("segments", "Red").require_index().rows == 0, "the good color went on"
    with jobs.instance() as instance:
        keys = [dg.AssetCheckKey(dg.AssetKey("base_manifest"), "stamps_plausible")]
        found = {}
        for color in ("Blue", "Green"):
            record = instance.event_log_storage.get_asset_check_execution_history(keys[0], limit=30)
            found[color] = next(r.event.dagster_event.asset_check_evaluation_data.passed for r in record
                                if r.event and r.partition == color)
        assert found == {"Blue": False, "Green": True}
    refused = jobs.run_release(defs, {})
    assert not refused.success
    failure = next(iter(refused.filter_events(lambda e: e.is_step_failure)))
    assert "stamps_plausible" in str(failure.step_failure_data.user_failure_data.description)
    assert not (project / "hub/v0.3.0").exists()


def test_a_gate_holds_in_a_new_home(whole: Path, project: Path, monkeypatch: pytest.MonkeyPatch):
    store = ShardStore(str(project))
    shard = store.shard("segments", "Green")
    known = verdicts.read(shard)
    verdicts.write(shard, [v for v in known if v.check != "rows_inside"])
    home = project.parent / "another"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    result = jobs.run_colors(defs, ["Green"], ["training_segments"])
    assert not result.success
    events = result.filter_events(lambda e: e.is_step_failure)
    said = " ".join(str(e.step_failure_data.user_failure_data.description) for e in events)
    assert "segments/Green is blocked: its check rows_inside has never run" in said


def test_an_empty_range_is_an_error():
    with pytest.raises(Exception, match="no color was selected"):
        from rainbow_assets.orchestration.colors import selected

        class Nothing:
            partition_keys: list[str] = []

        selected(Nothing(), GRAPH["segments"])  # type: ignore[arg-type]
