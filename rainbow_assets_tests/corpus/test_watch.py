"""The sensor on a real folder: what moved is named, what vanished is no deletion, what did not move is not read."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus import source
from rainbow_assets.corpus.watch import observe
from rainbow_assets.ingest import digests
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import plan
from rainbow_assets.orchestration.raw_songs import corpus, corpus_changes
from rainbow_assets.orchestration.resources import ShardStoreResource
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES


class Watcher:
    """Evaluates the sensor tick by tick, as the daemon does, with its cursor."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.reason = ""

    def tick(self) -> dict[str, dg.AssetObservation]:
        context = dg.build_sensor_context(cursor=self.cursor, resources={"store": ShardStoreResource()})
        result = corpus_changes(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.reason = result.skip_reason.skip_message if isinstance(result.skip_reason, dg.SkipReason) else ""
        return {str(event.partition): event for event in result.asset_events if isinstance(event, dg.AssetObservation)}


@pytest.fixture
def songs(project: Path) -> Path:
    """The corpus of a project whose base_manifest is up to date."""
    for color in COLOR_NAMES:
        outcome = bring_up_to_date(GRAPH["base_manifest"], ShardStore(str(project)), color)
        assert outcome.problem is None
    return project.parent / "corpus"


def changed(event: dg.AssetObservation) -> object:
    return event.metadata["changed"].value


def test_the_songs_of_a_color_are_listed_once_in_a_plan_a_build_and_a_look(songs: Path, project: Path, monkeypatch):
    listed: list[str] = []
    monkeypatch.setattr(source, "_load", lambda root, color, cache, load=source._load: (
        listed.append(color), load(root, color, cache))[1])
    store, step = ShardStore(str(project)), GRAPH["base_manifest"]
    (songs / "05_01/05_01.yml").write_text((songs / "05_01/05_01.yml").read_text("utf-8") + "\n# moved\n", "utf-8")
    plan({step.name: step}, store, COLOR_NAMES)
    assert sorted(listed) == sorted(COLOR_NAMES)
    listed.clear()
    assert bring_up_to_date(step, store, "Green").problem is None and listed == ["Green"]
    listed.clear()
    observe(store)
    assert sorted(listed) == sorted(COLOR_NAMES)


def test_the_first_look_reports_every_color_with_the_ledgers_own_token(songs: Path, project: Path):
    watcher = Watcher()
    found = watcher.tick()
    assert set(found) == set(COLOR_NAMES)
    store = ShardStore(str(project))
    for color, event in found.items():
        assert (event.tags or {})["dagster/data_version"] == store.shard("base_manifest", color).require_index().inputs["source"]
        assert changed(event) == []
    assert watcher.tick() == {}
    assert watcher.reason == "no raw file changed"


def test_an_edit_of_equal_size_with_its_time_put_back_is_seen_and_named(songs: Path):
    watcher = Watcher()
    watcher.tick()
    stem = next(songs.glob("05_01/*_bass.wav"))
    before, data = stem.stat(), bytearray(stem.read_bytes())
    data[-2] ^= 1
    stem.write_bytes(bytes(data))
    os.utime(stem, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = stem.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    found = watcher.tick()
    assert {color: changed(event) for color, event in found.items()} == {"Green": ["05_01/05_01_bass.wav (changed)"]}
    data[-2] ^= 1
    stem.write_bytes(bytes(data))
    assert {color: changed(event) for color, event in watcher.tick().items()} == {"Green": []}, "put back: as it was built"


def test_a_touch_is_read_but_not_reported_and_what_was_not_touched_is_not_read(songs: Path, monkeypatch: pytest.MonkeyPatch):
    watcher = Watcher()
    watcher.tick()
    read: list[str] = []
    real = digests.file_sha256
    monkeypatch.setattr(digests, "file_sha256", lambda path, most=None: read.append(path.name) or real(path, most))
    os.utime(songs / "06_01/06_01.yml")
    assert watcher.tick() == {}
    assert read == ["06_01.yml"]


def test_files_that_come_and_go_are_named(songs: Path):
    watcher = Watcher()
    watcher.tick()
    (songs / "02_01/notes.txt").write_text("new", "utf-8")
    (songs / "06_01/06_01.lrc").unlink()
    found = {color: changed(event) for color, event in watcher.tick().items()}
    assert found == {"Red": ["02_01/notes.txt (added)"], "Blue": ["06_01/06_01.lrc (removed)"]}


def test_a_corpus_that_vanished_is_a_reason_and_no_deletion(songs: Path):
    watcher = Watcher()
    watcher.tick()
    cursor = watcher.cursor
    away = songs.with_name("away")
    songs.rename(away)
    assert watcher.tick() == {}
    assert "does not exist" in watcher.reason and watcher.cursor == cursor
    songs.mkdir()
    assert watcher.tick() == {}
    assert "has no songs" in watcher.reason and "Mount its disk" in watcher.reason and watcher.cursor == cursor
    songs.rmdir()
    away.rename(songs)
    assert watcher.tick() == {}, "it is back as it was"
    assert watcher.reason == "no raw file changed"


def test_one_color_that_vanished_is_doubted_while_the_others_are_observed(songs: Path):
    watcher = Watcher()
    watcher.tick()
    shutil.rmtree(songs / "02_01")
    (songs / "06_01/06_01.lrc").write_text("[00:01.000]\nother words\n", "utf-8")
    assert set(watcher.tick()) == {"Blue"}
    assert "base_manifest/Red: 1 of 1 songs are gone at once (02_01)" in watcher.reason
    assert set(watcher.tick()) == set()


def test_a_cursor_that_cannot_be_read_means_looking_at_everything(songs: Path):
    watcher = Watcher()
    for broken in ("{", json.dumps(["Green"])):
        watcher.cursor = broken
        assert set(watcher.tick()) == set(COLOR_NAMES)


def test_looking_by_hand_records_every_color_or_says_why_not(songs: Path, project: Path):
    def observed() -> dict[str, str]:
        with dg.DagsterInstance.ephemeral() as here:
            job = dg.Definitions(assets=[corpus], resources={"store": ShardStoreResource()},
                                 jobs=[dg.define_asset_job("look", selection=[corpus])]).resolve_job_def("look")
            job.execute_in_process(instance=here, partition_key="Green")
            records = here.fetch_observations(dg.AssetKey("corpus"), limit=20).records
            return {str(r.partition_key): (r.asset_observation.tags or {})["dagster/data_version"] for r in records if r.asset_observation}

    versions = {sight.color: sight.version for sight in observe(ShardStore(str(project)))}
    found = observed()
    assert found and all(versions[color] == version for color, version in found.items())
    assert "Green" in found
    songs.rename(songs.with_name("away"))
    with pytest.raises(dg.Failure, match="nothing was observed: the corpus folder"):
        observed()

