"""What automation asks for, on a real instance with real runs: exactly what moved, and nothing behind a closed gate."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path

import dagster as dg
import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.definitions import defs
from rainbow_assets.lineage import verdicts
from rainbow_assets.orchestration import conditions, jobs, row_assets
from rainbow_assets.orchestration.raw_songs import corpus_changes
from rainbow_assets.orchestration.resources import ShardStoreResource
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.lineage.once import CHAIN

warnings.simplefilter("ignore", dg.PreviewWarning)


class Daemon:
    """The two sensors and the runs that they ask for, one tick at a time, without waiting."""

    def __init__(self, assets: list[str] = CHAIN) -> None:
        self.selection = dg.AssetSelection.assets(*assets)
        self.sensor_cursor: str | None = None
        self.cursor = None

    def observe(self) -> list[str]:
        with jobs.instance() as here:
            context = dg.build_sensor_context(here, cursor=self.sensor_cursor, resources={"store": ShardStoreResource()})
            result = corpus_changes(context)
            assert isinstance(result, dg.SensorResult)
            self.sensor_cursor = result.cursor
            for event in result.asset_events:
                here.report_runless_asset_event(event)
            return [str(event.partition) for event in result.asset_events]

    def ask(self) -> dict[str, list[str]]:
        with jobs.instance() as here:
            result = dg.evaluate_automation_conditions(defs, here, self.selection, cursor=self.cursor)
        self.cursor = result.cursor
        found = {}
        for entry in result.results:
            if not entry.true_subset.is_empty:
                colors = entry.true_subset.expensively_compute_partition_keys()
                found[entry.key.to_user_string()] = sorted(colors, key=COLOR_NAMES.index)
        return found

    def work(self) -> list[dict[str, list[str]]]:
        """Ask and run until nothing is asked for; return what was asked for, tick by tick."""
        waves = []
        while wanted := self.ask():
            waves.append(wanted)
            assert len(waves) < 9, waves
            for colors in {tuple(colors) for colors in wanted.values()}:
                jobs.run_colors(defs, [colors[0], colors[-1]], [name for name in wanted if tuple(wanted[name]) == colors])
        return waves


@pytest.fixture
def running(built: Path) -> tuple[Daemon, Path]:
    """A daemon that has caught up with a project that was built, and the folder of songs."""
    daemon = Daemon()
    assert daemon.ask() == {}
    assert daemon.observe() == list(COLOR_NAMES) and daemon.ask() == {}, "the songs are as they were built"
    return daemon, built.parent / "corpus"


def test_a_first_run_goes_through_the_graph_in_order(project: Path):
    daemon, every = Daemon(["base_manifest", "song_splits"]), list(COLOR_NAMES)
    assert daemon.ask() == {}, "the corpus was not looked at yet"
    assert daemon.observe() == every
    assert daemon.work() == [{"base_manifest": every}, {"song_splits": every}]
    assert daemon.observe() == [] and daemon.ask() == {}


def test_unchanged_songs_and_an_equal_rerun_request_nothing(running: tuple[Daemon, Path]):
    daemon, _ = running
    assert daemon.observe() == [] and daemon.ask() == {} and daemon.ask() == {}
    assert jobs.run_colors(defs, assets=["base_manifest"]).success
    assert daemon.ask() == {}, "equal data versions in a range run"


def test_one_lyric_asks_for_its_color_and_only_where_data_moved(running: tuple[Daemon, Path]):
    daemon, songs = running
    lyrics = songs / "05_01/05_01.lrc"
    text = lyrics.read_text("utf-8")
    line = next(line for line in text.splitlines() if line and not line.startswith("["))
    lyrics.write_text(text.replace(line, "other words entirely", 1), "utf-8")
    assert daemon.observe() == ["Green"]
    assert daemon.work() == [{"base_manifest": ["Green"]}, {"segments": ["Green"], "song_splits": ["Green"]}]
    manifest = songs / "05_01/05_01.yml"
    manifest.write_text(manifest.read_text("utf-8") + "# a comment\n", "utf-8")
    assert daemon.observe() == ["Green"]
    assert daemon.work() == [{"base_manifest": ["Green"]}], "an equal output stops the wave"


def test_a_failed_check_holds_its_consumers_until_it_passes(running: tuple[Daemon, Path]):
    daemon, songs = running
    lyrics = songs / "06_01/06_01.lrc"
    good = lyrics.read_text("utf-8")
    lyrics.write_text("[59:01.000]\nfar beyond the end\n[59:02.000]\nand further\n", "utf-8")
    assert daemon.observe() == ["Blue"]
    assert daemon.work() == [{"base_manifest": ["Blue"]}], "its consumers are not asked for"
    assert [daemon.ask() for _ in range(3)] == [{}, {}, {}], "nor is anything again and again"
    lyrics.write_text(good + "\n", "utf-8")
    assert daemon.observe() == ["Blue"]
    assert daemon.work() == [{"base_manifest": ["Blue"]}, {"segments": ["Blue"], "song_splits": ["Blue"]}]


def test_a_verdict_that_was_taken_away_closes_the_gate(running: tuple[Daemon, Path], built: Path):
    daemon, songs = running
    manifest = songs / "02_01/02_01.yml"
    manifest.write_text(manifest.read_text("utf-8").replace("mood:", "mood:\n- restless", 1), "utf-8")
    assert daemon.observe() == ["Red"]
    asked = daemon.ask()
    assert asked == {"base_manifest": ["Red"]}
    jobs.run_colors(defs, ["Red"], ["base_manifest"])
    shard = ShardStore(str(built)).shard("base_manifest", "Red")
    kept = verdicts.read(shard)
    verdicts.write(shard, [])
    assert daemon.ask() == {}
    verdicts.write(shard, kept)
    assert "segments" in daemon.ask()


def test_a_passing_error_of_the_disk_is_tried_again_and_a_bug_is_not(built: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conditions, "RETRY_DELAY_S", 0.0)
    real, seen = row_assets.bring_up_to_date, []

    def unsteady(step, store, color, **options):
        seen.append(color)
        if len(seen) == 1:
            raise OSError(errno.EIO, "the disk hiccuped")
        return real(step, store, color, **options)

    monkeypatch.setattr(row_assets, "bring_up_to_date", unsteady)
    assert jobs.run_colors(defs, ["Green"], ["base_manifest"]).success
    assert seen == ["Green", "Green"]

    def broken(step, store, color, **options):
        seen.append("bug")
        raise ZeroDivisionError

    monkeypatch.setattr(row_assets, "bring_up_to_date", broken)
    assert not jobs.run_colors(defs, ["Green"], ["base_manifest"]).success
    assert seen.count("bug") == 1


def test_every_row_asset_has_a_condition_and_a_freshness_policy_and_the_release_has_no_condition():
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        if key.to_user_string() in ("taxonomy", "published_dataset"):
            assert node.automation_condition is None, "a release is a person's decision"
        elif key.to_user_string() in GRAPH.on_request():
            assert node.automation_condition is None and node.freshness_policy is None, "so is a training"
        else:
            assert node.automation_condition is not None and node.freshness_policy is not None, key
