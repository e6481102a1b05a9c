"""Dagster is a mirror: after every kind of run its UI and the files beside the shards say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus import builder
from rainbow_assets.corpus.watch import observe
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.ledger import signature
from rainbow_assets.lineage.materialize import problem
from rainbow_assets.lineage.plan import FRESH, plan
from rainbow_assets.orchestration import jobs
from rainbow_assets.orchestration.checks import BUILT
from rainbow_assets.orchestration.raw_songs import observation
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.command import rainbow
from rainbow_assets_tests.orchestration import ui


def by_files(store: ShardStore, asset: str) -> dict[str, dict[str, set[str]]]:
    """{check: {state: partitions}} of one asset, as its verdict files have it."""
    step, found = GRAPH[asset], {}
    for check in (*GRAPH[asset].checks, None):
        states: dict[str, set[str]] = {}
        for partition in step.partitions:
            shard = store.shard(asset, partition)
            if check is None:
                passed = problem(shard) is None
            else:
                # One that was left has the verdict of what it still is, whatever it read has become.
                (passed,) = (verdict.passed for verdict in verdicts.read(shard) if verdict.check == check.name)
            states.setdefault("succeeded" if passed else "failed", set()).add(partition)
        found[check.name if check else BUILT] = states
    return found


def out_of_date(store: ShardStore, asset: str) -> set[str]:
    """The partitions that were made from something else than what is there now (one hop)."""
    step, found = GRAPH[asset], set()
    for partition in step.partitions:
        shard = store.shard(asset, partition)
        if shard.require_index().inputs != signature(step, shard, settings.default_rules()):
            found.add(partition)
    return found


def assert_mirrored(project: Path, ask) -> None:
    store, nodes = ShardStore(str(project)), ask()
    planned = plan(GRAPH, store, COLOR_NAMES)
    built = [name for name, step in GRAPH.items() if not step.on_request]
    assert {name: ui.stale(nodes[name]) for name in built} == {name: out_of_date(store, name) for name in built}
    for name in built:
        seen, known = ui.checks(nodes[name]), by_files(store, name)
        waits = {entry.partition for entry in planned if entry.asset == name and entry.state != FRESH}
        for check, states in seen.items():
            # What is out of date was planned, and the run ended before it: nothing is said of its data.
            unsaid = states.pop("executionFailed", set())
            assert unsaid <= waits, (name, check)
            known[check] = {state: rest for state, colors in known[check].items() if (rest := colors - unsaid)}
        assert seen == known, name
        if GRAPH[name].colored:
            left = {color for color in GRAPH[name].partitions if problem(store.shard(name, color))}
            assert left <= set(nodes[name]["assetPartitionStatuses"]["failedPartitions"]) <= left | waits, name


@pytest.mark.heavy
def test_an_edit_is_seen_at_the_first_look_after_the_first_build(whole: Path):
    """The first build notes which version of the raw songs it read, though nobody had looked at them before."""
    with ui.shown() as ask:
        assert not any(ui.stale(ask()[name]) for name in ("base_manifest", "segments"))
        lyrics = whole.parent / "corpus/05_01/05_01.lrc"
        lyrics.write_text(lyrics.read_text("utf-8") + "[00:07.90]a last line\n", "utf-8")
        with jobs.instance() as here:
            for sight in observe(ShardStore(str(whole))):
                here.report_runless_asset_event(observation(sight))
        assert ui.stale(ask()["base_manifest"]) == {"Green"}


@pytest.mark.heavy
def test_after_green_red_and_lone_runs_both_say_the_same(whole: Path):
    lyrics = whole.parent / "corpus/05_01/05_01.lrc"
    good = lyrics.read_text("utf-8")
    with ui.shown() as ask:
        assert_mirrored(whole, ask)
        lyrics.write_text(re.sub(r"\[00:", "[58:", good), "utf-8")
        assert rainbow("build").exit_code == 1
        assert problem(ShardStore(str(whole)).shard("segments", "Green"))
        assert_mirrored(whole, ask)
        others = whole.parent / "corpus/06_01/06_01.lrc"
        others.write_text(others.read_text("utf-8") + "[00:07.90]a last line\n", "utf-8")
        assert rainbow("build").exit_code == 1, "a range: Blue is built, Green is left"
        assert_mirrored(whole, ask)
        assert rainbow("build", "--color", "Blue").exit_code == 0
        assert_mirrored(whole, ask)
        lyrics.write_text(good, "utf-8")
        assert rainbow("build", "--color", "Green").exit_code == 0
        assert_mirrored(whole, ask)
        assert rainbow("build").exit_code == 0
        assert_mirrored(whole, ask)


@pytest.mark.heavy
def test_a_bug_in_one_song_fails_the_run_and_stops_no_other(whole: Path, monkeypatch: pytest.MonkeyPatch):
    corpus, store = whole.parent / "corpus", ShardStore(str(whole))
    (corpus / "05_02").mkdir()
    for path in (corpus / "05_01").iterdir():
        data = path.read_bytes()
        named = path.suffix in (".yml", ".lrc")
        (corpus / "05_02" / path.name.replace("05_01", "05_02")).write_bytes(
            data.replace(b"05_01", b"05_02") if named else data)
    lyrics = corpus / "05_01/05_01.lrc"
    lyrics.write_text(lyrics.read_text("utf-8") + "[00:07.90]a last line\n", "utf-8")
    real = builder.build_song

    def broken(files, *rest):
        if files.folder.name == "05_02":
            raise ZeroDivisionError("division by zero")
        return real(files, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(builder, "build_song", broken)
        done = rainbow("build")
    assert done.exit_code == 1 and "05_02, folder: ZeroDivisionError in test_mirror.py" in done.output
    assert {row["id"] for row in store.shard("base_manifest", "Green").rows("id")} == {"05_01"}
    assert any("a last line" in row["lyric_text"] for row in store.shard("training_full", "Green").rows("lyric_text"))
    assert all(entry.state == FRESH for entry in plan(GRAPH, store, COLOR_NAMES) if not GRAPH[entry.asset].on_request)
