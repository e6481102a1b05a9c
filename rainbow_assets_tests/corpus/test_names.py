"""Names as people's machines write them: the file is found and told, from lint to the plan after it was renamed."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus.lint import lint
from rainbow_assets.corpus.model import SongReading
from rainbow_assets.corpus.reader import folder_color, read_song
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import Planned, plan
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.corpus.songs import LRC, kinds, manifest, read, write

BUILT = ("base_manifest", "segments")


def touched(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def spoil(document: dict[str, Any]) -> None:
    first, second = document["audio_tracks"]
    first.update(audio_file="Stems/pad.WAV")
    second.update(audio_file="é.wav", midi_group_file="05_01_Drums.mid")


def test_the_song_holds_the_names_of_its_files(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "é.wav")
    touched(tmp_path / "05_01", "stems/PAD.wav", nfd, "05_01_Main.wav ", "05_01_drums.mid", "05_01_DRUMS.mid")
    folder = write(tmp_path / "other", manifest(spoil), LRC)
    for name in ("05_01.yml", "05_01.lrc"):
        (folder / name).rename(tmp_path / "05_01" / name.upper())
    found = {(entry.where, entry.kind): entry for entry in lint(tmp_path) if entry.file.startswith("05_01")}
    reading = read_again(tmp_path)
    assert reading.song is not None and reading.song.lrc_file == "05_01.LRC" and len(reading.song.lines) == 4
    assert reading.song.main_audio_file == "05_01_Main.wav "
    assert [track.audio_file for track in reading.song.tracks] == ["stems/PAD.wav", nfd]
    assert reading.song.tracks[1].midi is None
    told = found["field audio_tracks[0].audio_file", "renamed_file"]
    assert told.severity == "warning" and told.action == "the file is used; correct the name"
    assert told.message == "the name is 'Stems/pad.WAV' and the file is 'stems/PAD.wav'"
    assert "Unicode form" in found["field audio_tracks[1].audio_file", "renamed_file"].message
    assert "'05_01.YML'" in found["file", "renamed_file"].message
    ambiguous = found["field audio_tracks[1].midi_group_file", "ambiguous_file"]
    assert ambiguous.severity == "error" and "'05_01_DRUMS.mid', '05_01_drums.mid'" in ambiguous.message
    assert folder_color(tmp_path / "05_01") == "Green"
    # Each file is opened under its own name: the only file that is missing is the pad's MIDI.
    assert [entry.file for entry in lint(tmp_path) if entry.kind == "missing_file"] == ["05_01/05_01_02.mid"]


def read_again(root: Path) -> SongReading:
    return read_song(root / "05_01", root)


def test_a_name_that_fits_is_not_told(tmp_path: Path) -> None:
    touched(tmp_path / "other", "x")
    folder = write(tmp_path)
    touched(folder, "05_01_02.wav", "05_01_02.WAV")
    assert kinds(read_again(tmp_path)) == {"twin_names"}


def test_two_manifests_in_other_case_are_none(tmp_path: Path) -> None:
    touched(tmp_path / "05_01", "05_01.YML", "05_01.Yml")
    reading = read_again(tmp_path)
    assert reading.quarantined is not None and reading.quarantined.reason == "unreadable_manifest"


def test_lyrics_may_be_a_text_file(tmp_path: Path) -> None:
    reading = read(tmp_path, manifest(lambda d: d.update(lrc_file="words.txt")), None)
    (tmp_path / "05_01/Words.TXT").write_text(LRC)
    again = read_again(tmp_path)
    assert reading.song is not None and again.song is not None and len(again.song.lines) == 4


def build() -> None:
    for name in BUILT:
        outcome = bring_up_to_date(GRAPH[name], ShardStore(os.environ["RAINBOW_DATA"]), "Green")
        assert outcome.problem is None, outcome.problem


def planned() -> dict[str, Planned]:
    store = ShardStore(os.environ["RAINBOW_DATA"])
    return {entry.asset: entry for entry in plan(GRAPH, store, ["Green"]) if entry.asset in BUILT}


@pytest.fixture
def renamed(project: Path) -> Path:
    """A built song, one of whose stems has another case on disk than in its manifest. Its folder."""
    folder = project.parent / "corpus/05_01"
    document = yaml.safe_load((folder / "05_01.yml").read_text("utf-8"))
    name = next(track["audio_file"] for track in document["audio_tracks"] if track.get("audio_file"))
    (folder / "stems").mkdir()
    (folder / name).rename(folder / "stems/STEM.wav")
    (folder / "05_01.yml").rename(folder / "05_01.YML")
    (folder / "05_01.YML").write_text((folder / "05_01.YML").read_text("utf-8").replace(name, "Stems/stem.wav"), "utf-8")
    build()
    return folder


def test_a_build_uses_the_file_and_a_plan_knows_when_it_gets_its_right_name(renamed: Path) -> None:
    store = ShardStore(os.environ["RAINBOW_DATA"])
    rows = store.shard("base_manifest", "Green").rows("audio_file", "audio_sha256")
    (row,) = (row for row in rows if row["audio_file"] == "stems/STEM.wav")
    assert row["audio_sha256"]
    used = store.shard("segments", "Green").rows("source_audio_file", "has_audio")
    assert any(entry["has_audio"] for entry in used if entry["source_audio_file"] == "stems/STEM.wav")
    assert {entry.state for entry in planned().values()} == {"fresh"}

    (renamed / "Stems").mkdir()
    (renamed / "stems/STEM.wav").rename(renamed / "Stems/stem.wav")
    stale = planned()
    assert stale["base_manifest"].state == "stale"
    assert "stems/STEM.wav removed" in str(stale["base_manifest"].reasons)
    assert "Stems/stem.wav added" in str(stale["base_manifest"].reasons)
    build()
    assert {entry.state for entry in planned().values()} == {"fresh"}
    assert not [entry for entry in lint(renamed.parent) if entry.kind == "renamed_file" and "stem" in entry.message]


@pytest.mark.parametrize("name", ["05_01/Stems/stem.wav", "05_01/stems/STEM.wav"])
def test_the_impact_of_a_file_by_either_name(renamed: Path, name: str) -> None:
    done = rainbow("impact", name, "--json")
    assert done.exit_code == 0, done.output
    touched = {entry["asset"]: entry for entry in parsed(done)["touched"] if entry["partition"] == "Green"}
    assert touched["base_manifest"]["rows"] == 1 and touched["segments"]["rows"] > 0
    gone = rainbow("impact", name, "--removed", "--json")
    assert gone.exit_code == 0, gone.output
    assert any(entry["asset"] == "segments" for entry in parsed(gone)["touched"])


def test_the_impact_of_another_color(renamed: Path) -> None:
    done = rainbow("impact", "05_01", "--color", "Blue", "--json")
    assert done.exit_code == 0 and parsed(done)["touched"], done.output


def test_a_build_of_a_song_with_lyrics_in_a_text_file(project: Path) -> None:
    folder = project.parent / "corpus/05_01"
    text = (folder / "05_01.yml").read_text("utf-8").replace("05_01.lrc", "05_01.TXT")
    (folder / "05_01.yml").write_text(text, "utf-8")
    (folder / "05_01.lrc").rename(folder / "05_01.txt")
    build()
    (folder / "05_01.txt").write_text((folder / "05_01.txt").read_text("utf-8") + "\n[00:07.900]More\n", "utf-8")
    assert planned()["base_manifest"].state == "stale"
