"""Songs with a sound file in common are in one split."""

from __future__ import annotations

from pathlib import Path

import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus.splits import copies, splits_of
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus.songs import manifest, write
from rainbow_assets_tests.sound.test_container import RATE, wav

SONGS = [f"05_{n:02d}" for n in range(1, 11)]


def corpus(root: Path, alike: dict[str, str]) -> None:
    """Write ten songs, each with other sounds; those in ``alike`` have the second stem of another song."""
    for number, song in enumerate(SONGS, 1):
        def named(fields: dict[str, object], song: str = song, number: int = number) -> None:
            fields.update(manifest_id=song, album_sequence=number, title=f"Field {number}", lyrics=False, lrc_file=None,
                          TRT="", structure=[],
                          main_audio_file=f"{song}_main.wav", audio_tracks=[
                              {"id": 2, "description": "pad", "audio_file": f"{song}_02.wav"},
                              {"id": 3, "description": "kick", "audio_file": f"{song}_03.wav"}])
        folder = write(root, manifest(named), None, song)
        for stem, at in (("main", 0), ("02", 20), ("03", 40)):
            same = SONGS.index(alike[song]) + 1 if song in alike and stem == "02" else number
            (folder / f"{song}_{stem}.wav").write_bytes(wav(data=bytes([at + same, 1]) * RATE))


def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShardStore:
    monkeypatch.setenv("RAINBOW_CORPUS", str(tmp_path / "corpus"))
    store = ShardStore(str(tmp_path / "data"))
    for name in ("base_manifest", "song_splits"):
        assert bring_up_to_date(GRAPH[name], store, "Green").verdicts
    return store


def test_songs_with_a_sound_file_in_common_are_in_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    corpus(tmp_path / "corpus", {})
    before = splits_of(built(tmp_path, monkeypatch).shard("song_splits", "Green"))
    test = next(song for song, split in before.items() if split == "test")
    other = next(song for song, split in before.items() if split == "train")
    corpus(tmp_path / "other" / "corpus", {test: other})
    store = built(tmp_path / "other", monkeypatch)
    after = splits_of(store.shard("song_splits", "Green"))
    assert set(copies(store.shard("base_manifest", "Green"))) == {test, other}
    assert after[test] == after[other] == "train"
    assert sorted(after.values()) == sorted(before.values())
    assert sum(after[song] != before[song] for song in SONGS) == 2


def test_songs_of_the_settings_are_in_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    corpus(tmp_path / "corpus", {})
    before = splits_of(built(tmp_path, monkeypatch).shard("song_splits", "Green"))
    apart = [song for song, split in before.items() if split != "train"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rainbow.toml").write_text(f'[splits]\ntrain = "{" ".join(apart)}"\n', "utf-8")
    settings.default_rules.cache_clear()
    after = splits_of(built(tmp_path, monkeypatch).shard("song_splits", "Green"))
    settings.default_rules.cache_clear()
    assert {after[song] for song in apart} == {"train"} and "test" in after.values()
