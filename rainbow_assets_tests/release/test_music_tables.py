"""The music of a version: every sound and every MIDI file with what one trains with, in one load."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import mido
import polars as pl
import pyarrow.parquet as pq
import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.release.bundle import UnreleasableTable, write_bundle
from rainbow_assets.release.music_tables import audio_table, midi_table
from rainbow_assets.release.publish import require_one_state
from rainbow_assets.release.tables import ReleaseRefused, release_tables, song_splits
from rainbow_assets.storage.store import ShardStore

TRAINED = ("title", "concept", "rainbow_color", "key", "bpm", "lyric_text", "structure_section", "split")


def rows(folder: Path, config: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a written config by key."""
    frames = [pl.DataFrame(pl.from_arrow(pq.read_table(path))) for path in sorted((folder / config).glob("*.parquet"))]
    return {row["segment_id"]: row for row in pl.concat(frames).iter_rows(named=True)}


def test_the_music_of_a_version(whole: Path, tmp_path: Path) -> None:
    store = ShardStore(str(whole))
    bundle = write_bundle(release_tables(GRAPH, store, 20), tmp_path)
    require_one_state(bundle, tmp_path)
    names = [config.table.config for config in bundle.configs]
    assert names[:4] == ["preview", "preview_mix", "audio", "midi"]
    full, audio, midi = (rows(tmp_path, name) for name in ("training_full", "audio", "midi"))
    every_sound_has_what_its_segment_has(full, audio)
    every_midi_file_has_its_tempo_and_its_notes(full, midi)
    a_song_in_the_files_of_another_split_is_refused(store, tmp_path / "other")


def every_sound_has_what_its_segment_has(full: dict[str, Any], audio: dict[str, Any]) -> None:
    stems = {key for key, row in audio.items() if not row["is_mix"]}
    assert stems == {key for key, row in full.items() if row["has_audio"]} and len(audio) > len(stems)
    for key in stems:
        assert {name: audio[key][name] for name in TRAINED} == {name: full[key][name] for name in TRAINED}
        assert audio[key]["track_description"] == full[key]["track_description"]
    mixes = [row for row in audio.values() if row["is_mix"]]
    assert all(row["title"] and row["concept"] and row["bpm"] and row["structure_section"] for row in mixes)
    lyrics = {(row["song_id"], row["start_seconds"]): row["lyric_text"] for row in full.values()}
    assert {row["lyric_text"] for row in mixes} <= set(lyrics.values()) and any(row["lyric_text"] for row in mixes)


def every_midi_file_has_its_tempo_and_its_notes(full: dict[str, Any], midi: dict[str, Any]) -> None:
    assert set(midi) == {key for key, row in full.items() if row["has_midi"]}
    for key, row in midi.items():
        assert row["midi_digest"] == full[key]["midi_digest"] and row["key"] == full[key]["key"]
        song = MidiSong.load(row["midi_binary"])
        assert row["notes"] == len(song.notes) > 0
        assert row["midi_bpm"] == pytest.approx(row["bpm"], abs=0.01), "the demo's files have the tempo of their song"
    one = next(iter(midi.values()))
    written = mido.MidiFile(file=io.BytesIO(one["midi_binary"]))
    heard = [message for track in written.tracks for message in track if message.type == "note_on" and message.velocity]
    assert len(heard) == one["notes"]


def a_song_in_the_files_of_another_split_is_refused(store: ShardStore, folder: Path) -> None:
    folder.mkdir()
    splits = {**song_splits(store), "05_01": "test"}
    bundle = write_bundle([audio_table(GRAPH, store, splits), midi_table(GRAPH, store, splits)], folder)
    assert [file.path for file in bundle.configs[0].files if file.split == "test"] == ["audio/test-Green-00000.parquet"]
    assert {row["split"] for row in rows(folder, "midi").values() if row["song_id"] == "05_01"} == {"test"}
    with pytest.raises(ReleaseRefused, match="05_01 has split 'train' in audio and 'test' in the files of audio"):
        require_one_state(bundle, folder)


def test_a_sound_without_its_slice_is_an_error(whole: Path, tmp_path: Path) -> None:
    store = ShardStore(str(whole))
    table = audio_table(GRAPH, _Without(store, "segments"), song_splits(store))  # type: ignore[arg-type]
    with pytest.raises(UnreleasableTable, match="rows of 02_01 are not in segments, or base_manifest"):
        write_bundle([table], tmp_path)


class _Without:
    """A store that has no rows of one asset."""

    def __init__(self, store: ShardStore, asset: str) -> None:
        self.store, self.asset = store, asset

    def shard(self, asset: str, color: str) -> Any:
        """Return a shard of the store; that of the asset is of a color without songs."""
        return self.store.shard(asset, "White" if asset == self.asset else color)
