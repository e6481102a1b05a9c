"""The data files: names, borders, order, empty colors, and what happens to parts that are not what they should be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rainbow_assets.release import bundle
from rainbow_assets.release.bundle import PartFile, ReleaseTable, UnreleasableTable, write_bundle
from rainbow_assets.release.song_records import SongRecord, summed
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.release import small

BLOB = pa.schema([("key", pa.string()), ("data", pa.binary())])


def blobs(folder: Path, sizes: dict[str, int], each: int = 1000) -> list[PartFile]:
    """One part per song with ``size // each`` rows of incompressible bytes."""
    return [small.part(folder / f"{song}.parquet", song, [
        {"key": f"{song}_{n:04d}", "data": hashlib.shake_256(f"{song}{n}".encode()).digest(each)}
        for n in range(size // each)], BLOB, ("data",)) for song, size in sizes.items()]


def test_files_are_named_by_color_and_empty_colors_are_listed(tmp_path: Path) -> None:
    bundle = write_bundle([small.preview_table(small.preview_parts(tmp_path / "parts"))], tmp_path / "out")
    assert [file.path for file in bundle.files] == [
        f"preview/train-{color}-00000.parquet" for color in ("Red", "Green", "Violet")]
    config = bundle.configs[0]
    assert config.empty == tuple(c for c in COLOR_NAMES if c not in small.SONGS)
    assert config.rows_by_color() == {c: 3 * len(small.SONGS.get(c, ())) for c in COLOR_NAMES}
    table = pq.read_table(tmp_path / "out" / "preview/train-Green-00000.parquet")
    assert table.schema.names == small.PREVIEW_SCHEMA.names
    assert table.column("segment_id").to_pylist() == sorted(table.column("segment_id").to_pylist())


def test_an_empty_config_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    bundle = write_bundle([ReleaseTable("threads", {"White": []}, BLOB)], tmp_path)
    assert not bundle.configs and "threads has no rows in any color" in bundle.skipped["threads"]
    assert not list(tmp_path.iterdir())


def test_a_smaller_preview_takes_the_first_ranks(tmp_path: Path) -> None:
    shards = small.preview_parts(tmp_path / "parts")
    bundle = write_bundle([small.preview_table(shards, ("preview_rank", 4))], tmp_path / "out")
    assert bundle.configs[0].rows_by_color()["Green"] == 4 and bundle.configs[0].rows_by_color()["Red"] == 3


def test_a_listing_says_which_rows_and_what_else_of_them(tmp_path: Path) -> None:
    parts = blobs(tmp_path / "parts", {"01": 3000, "02": 2000})
    rows = {"01": ["01_0002", "01_0000"], "02": ["02_0001"]}

    def listing(color: str, song: str) -> pa.Table:
        return pa.table({"key": rows[song], "split": [f"{color} {key}" for key in rows[song]]})

    schema = pa.schema([("key", pa.string()), ("split", pa.string()), ("data", pa.binary())])
    table = ReleaseTable("audio", {"Red": parts}, schema, media=("data",), listing=listing, key="key")
    write_bundle([table], tmp_path)
    written = pq.read_table(tmp_path / "audio/train-Red-00000.parquet")
    assert written.schema.names == schema.names and written["key"].to_pylist() == ["01_0000", "01_0002", "02_0001"]
    assert written["split"].to_pylist() == ["Red 01_0000", "Red 01_0002", "Red 02_0001"]
    rows["02"].append("02_0009")
    with pytest.raises(UnreleasableTable, match="audio: 1 of 2 rows of 02 are missing; run: rainbow build"):
        write_bundle([table], tmp_path)


def test_files_are_cut_at_song_borders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_FILL", 100_000)
    monkeypatch.setattr(bundle, "FILE_BYTES", 110_000)
    sizes = {"01": 30_000, "02": 30_000, "03": 30_000, "04": 30_000, "05": 70_000, "06": 250_000, "07": 10_000}
    table = ReleaseTable("audio", {"Black": blobs(tmp_path / "parts", sizes)}, BLOB, media=("data",), key="key")
    files = write_bundle([table], tmp_path / "out").files
    songs = [tuple(file.songs) for file in files]
    assert songs == [("01", "02", "03"), ("04",), ("05",), ("06",), ("06",), ("06",), ("07",)]
    assert [file.path[-13:-8] for file in files] == [f"{n:05d}" for n in range(7)]
    assert sum(file.rows for file in files) == 450 and max(file.bytes for file in files) <= 110_000
    keys = [key for file in files for key in pq.read_table(tmp_path / "out" / file.path).column("key").to_pylist()]
    assert keys == sorted(keys)

    # A large song that grows leaves the bytes of every file that does not hold it alone.
    sizes["05"] = 90_000
    again = ReleaseTable("audio", {"Black": blobs(tmp_path / "parts2", sizes)}, BLOB, media=("data",))
    changed = write_bundle([again], tmp_path / "out2").files
    assert [tuple(file.songs) for file, old in zip(changed, files, strict=True) if file.sha256 != old.sha256] == [("05",)]


def test_a_song_in_several_files_has_the_same_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a song is cut says nothing about its rows."""
    def keys(sizes: dict[str, int], name: str) -> SongRecord:
        table = ReleaseTable("audio", {"Red": blobs(tmp_path / name, sizes)}, BLOB, media=("data",), key="key")
        return summed(file.songs for file in write_bundle([table], tmp_path / f"{name}.out").files)["06"]

    whole = keys({"06": 250_000}, "whole")
    monkeypatch.setattr(bundle, "_FILL", 100_000)
    assert keys({"06": 250_000}, "cut") == whole == SongRecord("train").plus(250, [f"06_{n:04d}" for n in range(250)])
    assert keys({"06": 249_000}, "less") != whole


def test_a_file_has_songs_of_one_split(tmp_path: Path) -> None:
    parts = blobs(tmp_path / "parts", {f"{n:02d}": 2000 for n in range(1, 7)})
    splits = {"01": "train", "02": "test", "03": "train", "04": "validation", "05": "test", "06": "train"}
    table = ReleaseTable("audio", {"Red": parts[:5], "Blue": parts[5:]}, BLOB, media=("data",), splits=splits)
    written = write_bundle([table], tmp_path / "out")
    assert {file.path: tuple(file.songs) for file in written.files} == {
        "audio/train-Red-00000.parquet": ("01", "03"), "audio/validation-Red-00000.parquet": ("04",),
        "audio/test-Red-00000.parquet": ("02", "05"), "audio/train-Blue-00000.parquet": ("06",)}
    config = written.configs[0]
    assert config.rows_by_split() == {"train": 6, "validation": 2, "test": 4}
    assert config.songs_by_split() == {"Red": {"train": 2, "validation": 1, "test": 2},
                                       "Blue": {"train": 1, "validation": 0, "test": 0}}
    assert sorted(path.name for path in (tmp_path / "out/audio").iterdir()) == [
        "test-Red-00000.parquet", "train-Blue-00000.parquet", "train-Red-00000.parquet", "validation-Red-00000.parquet"]

    # A song that changes its split leaves the bytes of the files that do not have it.
    moved = ReleaseTable("audio", table.shards, BLOB, media=("data",), splits={**splits, "03": "validation"})
    old = {file.path: file.sha256 for file in written.files}
    changed = [file.path for file in write_bundle([moved], tmp_path / "moved").files if old[file.path] != file.sha256]
    assert changed == ["audio/train-Red-00000.parquet", "audio/validation-Red-00000.parquet"]


def test_a_song_without_a_split_is_an_error_only_if_it_has_rows(tmp_path: Path) -> None:
    parts = blobs(tmp_path / "parts", {"01": 2000, "02": 0})
    written = write_bundle([ReleaseTable("audio", {"Red": parts}, BLOB, splits={"01": "test"})], tmp_path / "out")
    assert [file.path for file in written.files] == ["audio/test-Red-00000.parquet"]
    with pytest.raises(UnreleasableTable, match="audio: the song 01 has no split; run: rainbow build"):
        write_bundle([ReleaseTable("audio", {"Red": parts}, BLOB, splits={})], tmp_path / "out")


def test_a_part_without_a_published_column_is_an_error_that_names_it(tmp_path: Path) -> None:
    parts = blobs(tmp_path / "parts", {"01": 1000})
    wider = ReleaseTable("audio", {"Red": parts}, BLOB.append(pa.field("bpm", pa.float32())))
    with pytest.raises(UnreleasableTable, match=r"audio: 01.parquet has no column 'bpm'"):
        write_bundle([wider], tmp_path / "out")


def test_other_faults_are_sentences(tmp_path: Path) -> None:
    parts = blobs(tmp_path / "parts", {"01": 1000, "02": 1000})
    with pytest.raises(UnreleasableTable, match="not next to each other"):
        write_bundle([ReleaseTable("a", {"Red": [*parts, parts[0]]}, BLOB)], tmp_path / "out")
    with pytest.raises(UnreleasableTable, match="'Pink'"):
        write_bundle([ReleaseTable("a", {"Pink": parts}, BLOB)], tmp_path / "out")
    numbers = pa.schema([("key", pa.int64()), ("data", pa.binary())])
    with pytest.raises(UnreleasableTable, match=r"01.parquet cannot be read .*01_0000"):
        write_bundle([ReleaseTable("a", {"Red": parts}, numbers)], tmp_path / "out")
    (tmp_path / "parts" / "01.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnreleasableTable, match=r"01.parquet cannot be read"):
        write_bundle([ReleaseTable("a", {"Red": parts}, BLOB)], tmp_path / "out")
    (tmp_path / "parts" / "01.parquet").unlink()
    with pytest.raises(UnreleasableTable, match=r"01.parquet cannot be read"):
        write_bundle([ReleaseTable("a", {"Red": parts}, BLOB)], tmp_path / "out")
