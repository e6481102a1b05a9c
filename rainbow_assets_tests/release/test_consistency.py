"""The tables of a version agree, or nothing is published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from rainbow_assets.release.bundle import ReleaseTable, write_bundle
from rainbow_assets.release.consistency import Tables
from rainbow_assets.release.publish import require_one_state
from rainbow_assets.release.tables import ReleaseRefused
from rainbow_assets_tests.release.small import part

AUDIO = pa.schema([pa.field(name, pa.string(), metadata={"doc": name})
                   for name in ("segment_id", "song_id", "split", "audio_digest")])


def version(folder: Path, splits: dict[str, str], **sounds: str) -> ReleaseTable:
    """Return an `audio` table of one window for each of ``sounds`` (song: digest)."""
    shards = {}
    for color, song in (("Red", "02_01"), ("Green", "05_01"), ("Green", "05_02")):
        rows = [{"segment_id": f"{song}_t01_0000000", "song_id": song, "split": splits[song],
                 "audio_digest": sounds[f"s{song}"]}]
        shards.setdefault(color, []).append(part(folder / f"{song}.parquet", song, rows, AUDIO))
    return ReleaseTable("audio", shards, AUDIO, "Sounds.", splits=splits)


@pytest.mark.parametrize(("splits", "sounds", "refused"), [
    ({"02_01": "train", "05_01": "test", "05_02": "train"}, ("a", "b", "c"), ""),
    ({"02_01": "train", "05_01": "test", "05_02": "train"}, ("a", "b", "a"), ""),
    ({"02_01": "train", "05_01": "test", "05_02": "train"}, ("a", "a", "c"), "02_01 (train) and 05_01 (test) have 1 equal"),
    ({"02_01": "train", "05_01": "test", "05_02": "validation"}, ("a", "b", "b"), "05_01 (test) and 05_02 (validation)"),
])
def test_a_sound_in_two_splits_stops_a_release(
    tmp_path: Path, splits: dict[str, str], sounds: tuple[str, ...], refused: str
):
    table = version(tmp_path, splits, **dict(zip(("s02_01", "s05_01", "s05_02"), sounds, strict=True)))
    (tmp_path / "out").mkdir()
    bundle = write_bundle([table], tmp_path / "out")
    if not refused:
        require_one_state(bundle, tmp_path / "out")
        return
    with pytest.raises(ReleaseRefused) as caught:
        require_one_state(bundle, tmp_path / "out")
    assert refused in str(caught.value) and "splits.train" in str(caught.value)
    tables = Tables()
    for file in bundle.files:
        tables.add("audio", file.path, (tmp_path / "out" / file.path).read_bytes())
    assert [*tables.problems()] == [str(caught.value).removeprefix("nothing was published: ")]


def test_a_song_in_a_file_of_another_split_stops_a_release(tmp_path: Path):
    splits = {"02_01": "train", "05_01": "test", "05_02": "train"}
    table = version(tmp_path, splits, s02_01="a", s05_01="b", s05_02="c")
    bundle = write_bundle([replace(table, splits={**splits, "05_02": "validation"})], tmp_path)
    with pytest.raises(ReleaseRefused, match="05_02 has split 'train' in audio and 'validation' in the files of audio"):
        require_one_state(bundle, tmp_path)


@pytest.mark.parametrize(("config", "digests", "problem"), [
    ("preview", {"k1": "a"}, ""),
    ("preview", {"k1": "b"}, "preview has another audio_digest than audio, or audio lacks the row: k1"),
    ("preview", {"k3": "a"}, "preview has another audio_digest than audio, or audio lacks the row: k3"),
    ("training_full", {"k1": "a", "k2": "b", "k3": None}, ""),
    ("training_full", {"k1": "a", "k2": None}, "audio has rows for which training_full has no audio_digest: k2"),
])
def test_a_digest_is_that_of_the_row_with_the_sound(
    tmp_path: Path, config: str, digests: dict[str, str | None], problem: str
):
    tables = Tables()
    schema = pa.schema([("segment_id", pa.string()), ("audio_digest", pa.string())])
    for name, rows in (("audio", {"k1": "a", "k2": "b", "s_t00_1": "c"}), (config, digests)):
        path = tmp_path / f"{name}.parquet"
        part(path, "s", [{"segment_id": key, "audio_digest": value} for key, value in rows.items()], schema)
        tables.add(name, path.name, path)
    found = [sentence for sentence in tables.problems() if "digest" in sentence]
    assert found == ([problem] if problem else [])


@pytest.mark.parametrize(("split", "shared", "known", "refused"), [
    ("test", 40, 50, True),
    ("train", 40, 50, False),
    ("test", 10, 50, False),
    ("test", 20, 20, False),  # too little of a sound
])
def test_another_export_of_a_song_in_another_split_stops_a_release(
    tmp_path: Path, split: str, shared: int, known: int, refused: bool
):
    schema = pa.schema([*AUDIO, pa.field("sound_print", pa.list_(pa.uint32()), metadata={"doc": "print"})])
    tables = Tables()
    for song, first, own in (("02_01", 0, "train"), ("05_01", known - shared, split)):
        for window, values in enumerate((range(first, first + 10), range(first + 5, first + known), [])):
            row = {"segment_id": f"{song}_{window}", "song_id": song, "split": own, "audio_digest": f"{song} {window}",
                   "sound_print": list(values)}
            path = tmp_path / f"{song}{window}.parquet"
            part(path, song, [row], schema)
            tables.add("training_full", path.name, path)
    share = shared / (2 * known - shared)
    assert [*tables.problems()] == ([
        f"02_01 (train) and 05_01 (test) are in different splits, and {share:.0%} of their sound is alike, as in two exports "
        "of a song; remove the copies, or list the songs in splits.train"] if refused else [])


def tempo_table(folder: Path, config: str, kind: pa.DataType, bpm: float) -> ReleaseTable:
    """Return a table of one row with the tempo of a song."""
    schema = pa.schema([pa.field("segment_id", pa.string(), metadata={"doc": "key"}),
                        pa.field("song_id", pa.string(), metadata={"doc": "song"}),
                        pa.field("bpm", kind, metadata={"doc": "tempo"})])
    row = {"segment_id": "05_01_t01_0000000", "song_id": "05_01", "bpm": bpm}
    return ReleaseTable(config, {"Green": [part(folder / f"{config}.parquet", "05_01", [row], schema)]}, schema, config)


@pytest.mark.parametrize(("bpm", "refused"), [(138.11, False), (138.12, True)])
def test_a_fact_may_be_kept_in_32_bits_but_not_differ(tmp_path: Path, bpm: float, refused: bool):
    (tmp_path / "out").mkdir()
    bundle = write_bundle([tempo_table(tmp_path, "training_full", pa.float64(), 138.11),
                           tempo_table(tmp_path, "training_segments", pa.float32(), bpm)], tmp_path / "out")
    if not refused:
        require_one_state(bundle, tmp_path / "out")
        return
    with pytest.raises(ReleaseRefused, match="the song 05_01 has bpm"):
        require_one_state(bundle, tmp_path / "out")
