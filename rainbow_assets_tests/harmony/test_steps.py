"""The harmony assets as ledger steps: packs in RAINBOW_CHORDS, exact rebuilds, nothing lost, no color in sight."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.harmony import sources
from rainbow_assets.harmony.graphs import cadences
from rainbow_assets.harmony.model import Pack
from rainbow_assets.harmony.pack_files import MAX_MEMBERS, PackFiles
from rainbow_assets.harmony.sources import pack_places, source_token
from rainbow_assets.harmony.tables import CHORD_SCHEMA, PROGRESSION_SCHEMA
from rainbow_assets.harmony.transition_graphs import graph_of
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.music.midi_write import midi_bytes
from rainbow_assets.orchestration.checks import _bugs
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.harmony.packs import free_layout, original_layout, tar_of
from rainbow_assets_tests.in_time import in_time

OWN = [GRAPH[name] for name in ("chord_library", "progression_library", "function_graph", "chord_graph")]
NAMES = ("chord_library", "progression_library", "function_graph", "chord_graph")


@pytest.fixture
def chords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of packs."""
    folder = tmp_path / "chords"
    folder.mkdir()
    monkeypatch.setenv("RAINBOW_CHORDS", str(folder))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ShardStore:
    return ShardStore(str(tmp_path / "data"))


def build(store: ShardStore, allow_deletes: bool = False) -> dict[str, int]:
    """Bring all four up to date; return how many rows were computed."""
    outcomes = {step.name: bring_up_to_date(step, store, allow_deletes=allow_deletes) for step in OWN}
    problems = [outcome.problem for outcome in outcomes.values() if outcome.problem]
    assert not problems and all(verdict.passed for outcome in outcomes.values() for verdict in outcome.verdicts)
    return {name: outcome.report.computed for name, outcome in outcomes.items() if outcome.report is not None}


def states(store: ShardStore) -> dict[str, str]:
    steps = {step.name: step for step in OWN}
    return {entry.asset: entry.state for entry in plan(steps, store, COLOR_NAMES)}


def unpack(files: dict[str, bytes], into: Path) -> None:
    for path, data in files.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(data)


def test_the_builtin_pack_needs_no_folder(store: ShardStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("RAINBOW_CHORDS", str(tmp_path / "nowhere"))
    built = build(store)
    assert built["chord_library"] >= 1500 and built["progression_library"] == 24 * 48
    assert build(store) == dict.fromkeys(NAMES, 0)
    graph = graph_of(store.shard("function_graph"))
    assert {name for name, _, _ in cadences(graph, "minor")} >= {"V → i"}


def test_packs_come_change_and_go_row_by_row(store: ShardStore, chords: Path):
    build(store)
    assert states(store) == dict.fromkeys(NAMES, FRESH)

    (chords / "mine.tar.gz").write_bytes(tar_of(free_layout()))
    assert states(store) == dict.fromkeys(NAMES, STALE), "the plan sees the new pack, and beyond it"
    computed = build(store)
    assert computed["chord_library"] == 4 + 1, "four chords, and a file that is left out as a duplicate"
    assert computed["progression_library"] == 3 and computed["function_graph"] == 2
    rows = store.shard("progression_library").table(PROGRESSION_SCHEMA).to_pylist()
    assert {tuple(row["mood_tags"]) for row in rows if row["pack"] == "mine"} == {("Joyful", "Bold"), ("Sad",), ()}

    files = free_layout()
    files.pop("01 - C Major - A minor/1 Triad/Minor/i - Am.mid")
    (chords / "mine.tar.gz").write_bytes(tar_of(files))
    assert build(store) == {**dict.fromkeys(NAMES, 0)}, "a chord that is gone is removed; nothing is computed"
    assert "Am" not in {row["chord_name"] for row in store.shard("chord_library").table(CHORD_SCHEMA).to_pylist()
                        if row["pack"] == "mine"}

    (chords / "mine.tar.gz").unlink()
    refused = bring_up_to_date(GRAPH["chord_library"], store)
    assert refused.problem is not None and "gone at once" in refused.problem
    build(store, allow_deletes=True)
    assert {row["pack"] for row in store.shard("chord_library").table(CHORD_SCHEMA).to_pylist()} == {"builtin"}


def test_moods_do_not_touch_the_graphs(store: ShardStore, chords: Path):
    files = free_layout()
    unpack(files, chords / "mine")
    build(store)
    joyful = chords / "mine" / "01 - C Major - A minor/4 Progression/Major/C - I IV V - Joyful Bold.mid"
    before = store.shard("function_graph").require_index().data_version
    joyful.write_bytes(midi_bytes([(48, 60, 64, 67), (41, 60, 65, 69), (43, 62, 67, 71)]))
    assert build(store) == {"chord_library": 0, "progression_library": 1, "function_graph": 0, "chord_graph": 0}
    assert store.shard("function_graph").require_index().data_version == before


def test_what_is_left_out_is_a_row_with_a_reason(store: ShardStore, chords: Path):
    unpack({**original_layout(), "01 - C Major - A Minor/1 Triads/01 - C Major/I - Bad.mid": b"no music",
            "01 - C Major - A Minor/4 Progressions/1 Diatonic Triads/Major Progressions/x.mid": midi_bytes([(48, 52, 55)])},
           chords)
    assert [*pack_places(chords)[0]] == ["chords"], "a folder of keys is itself the pack"
    build(store)
    ledger = ledger_frame(store.shard("chord_library"), ["key", "status", "reason"])
    assert ledger is not None
    aside = {row["key"]: row["reason"] for row in ledger.to_dicts() if row["status"] != "ok"}
    assert set(aside.values()) >= {"not_midi", "cluster_file"}
    assert aside["chords:01 - C Major - A Minor/1 Triads/01 - C Major/I - Bad.mid (not_midi)"] == "not_midi"
    other = ledger_frame(store.shard("progression_library"), ["key", "status", "reason"])
    assert other is not None and "unparsed_name" in set(other["reason"].to_list())


def test_two_builds_are_byte_equal(chords: Path, tmp_path: Path):
    unpack(free_layout(), chords / "mine")
    trees = []
    for name in ("one", "two"):
        build(ShardStore(str(tmp_path / name)))
        trees.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes()
                      for path in sorted((tmp_path / name).rglob("*.parquet"))})
    assert trees[0] == trees[1] and len(trees[0]) >= 8


def test_a_pack_with_a_taken_name_is_none(chords: Path):
    unpack(free_layout(), chords / "mine")
    (chords / "mine.tar").write_bytes(b"")
    unpack(free_layout(), chords / "builtin")
    places, refused = pack_places(chords)
    assert [*places] == ["mine"] and [*refused] == ["builtin", "mine.tar"] and "'mine'" in refused["mine.tar"]


def _fifo(chords: Path) -> None:
    os.mkfifo(chords / "bad.tar")


def _too_many(chords: Path) -> None:
    with tarfile.open(chords / "bad.tar", "w") as archive:
        for number in range(MAX_MEMBERS + 1):
            archive.addfile(tarfile.TarInfo(f"{number}.mid"))


def _empty(path: Path) -> Path:
    path.touch()
    return path


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no archive": (lambda chords: (chords / "bad.tar").write_bytes(b"no archive"), "is not a readable tar"),
    "cut": (lambda chords: (chords / "bad.tgz").write_bytes(tar_of(free_layout())[:-40]), "is not a readable tar"),
    "pipe": (_fifo, "pipe"),
    "too many": (_too_many, "more than 30,000 entries"),
    "link": (lambda chords: (chords / "bad.tar").symlink_to(chords / "nothing"), "there is no chord pack"),
    "link out": (lambda chords: (chords / "bad").symlink_to("/"), "is a link out of the folder"),
    "terabyte": (lambda chords: os.truncate(_empty(chords / "bad.tar"), 1 << 40), "unpacks to more than"),
    "name": (lambda chords: unpack(free_layout(), chords / "bäd"), "rename it"),
    "bytes": (lambda chords: os.mkdir(os.fsencode(chords) + b"/bad\xe9"), "rename it"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_pack_that_cannot_be_read_stops_no_other(store: ShardStore, chords: Path, case: str):
    unpack(free_layout(), chords / "mine")
    alone = build(store)
    spoil, words = SPOILED[case]
    spoil(chords)
    with in_time(20):
        assert build(store)["chord_library"] == 1, "the row of the pack; the others stay"
    assert alone["chord_library"] > 0
    left = ledger_frame(store.shard("chord_library"), ["key", "reason", "sentence"])
    assert left is not None
    (row,) = left.filter(left["reason"] == "unusable_pack").to_dicts()
    assert words in row["sentence"] and row["key"].endswith("(unusable_pack)")


def test_a_bug_met_in_a_pack_stops_no_other(
    store: ShardStore, chords: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    unpack(free_layout(), chords / "bad")
    unpack(free_layout(), chords / "mine")
    real = sources.build_pack

    def broken(files: PackFiles) -> Pack:
        if files.name == "bad":
            raise ZeroDivisionError("division by zero")
        return real(files)

    monkeypatch.setattr(sources, "build_pack", broken)
    assert build(store)["chord_library"] > 0
    facts = store.shard("chord_library").require_index().facts
    assert facts["quarantined"]["bug"] == 1 and "ZeroDivisionError: division by zero" in caplog.text
    sentence = _bugs(store.shard("chord_library"), "pack")
    assert sentence is not None and "1 pack quarantined" in sentence and "ZeroDivisionError" in sentence


def test_an_odd_file_costs_itself(store: ShardStore, chords: Path, tmp_path: Path):
    unpack(free_layout(), chords / "mine")
    folder = next((chords / "mine").rglob("I - C.mid")).parent
    os.mkfifo(folder / "V - pipe.mid")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "V - link.mid").symlink_to(tmp_path / "secret")
    (chords / "mine" / os.fsdecode(b"\xe9.mid")).write_bytes(b"")
    build(store)
    left = ledger_frame(store.shard("chord_library"), ["key", "reason"])
    assert left is not None and left.filter(left["reason"] == "odd_file").height == 3


def test_no_color_and_no_release_reads_them():
    for name, step in GRAPH.items():
        if name not in NAMES and not step.on_request:
            assert not set(NAMES) & set(step.reads), f"{name} must not wait for chords"
    assert all(not GRAPH[name].colored for name in NAMES)


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_pack_that_changes_between_listing_and_reading_is_named(store: ShardStore, chords: Path, kind: str):
    files = free_layout()
    if kind == "archive":
        (chords / "mine.tar.gz").write_bytes(tar_of(files))
    else:
        for name, data in files.items():
            (chords / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            (chords / "mine" / name).write_bytes(data)
    token = source_token(store.shard("chord_library"))
    sources.read_packs.cache_clear()
    assert len(sources.read_packs(settings.roots().chords, token)) == 2
    sources.read_packs.cache_clear()
    name, data = sorted(files.items())[0]
    other = {**files, name: sorted(files.items())[1][1]}
    if kind == "archive":
        (chords / "mine.tar.gz").write_bytes(tar_of(other))
    else:
        (chords / "mine" / name).write_bytes(other[name])
    with pytest.raises(SourceMoved, match="a chord pack changed while it was read"):
        sources.read_packs(settings.roots().chords, token)
