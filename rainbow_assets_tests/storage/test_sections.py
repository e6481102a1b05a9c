"""Sections of a large ledger: runs of whole parts, with borders that an edit hardly moves, each verified alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.lineage.parts import write_ledger
from rainbow_assets.storage import sections
from rainbow_assets.storage.shard import DamagedShard, Shard, ShardIndex
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.counts import examples

LISTED = {"key": pl.String, "part": pl.String, "in:up.value": pl.String, "out:made": pl.String, "status": pl.String}


def ledger(songs: dict[int, int], edited: int = -1) -> pl.DataFrame:
    """A ledger of songs with so many rows each; every fifth row is quarantined."""
    rows = [(f"{song:04d}_{n:03d}", f"song {song:04d}", f"{song} {n}", None if n % 5 == 4 else f"made {n}",
             "quarantined" if n % 5 == 4 else "ok") for song, count in sorted(songs.items()) for n in range(count)]
    frame = pl.DataFrame(rows, schema=LISTED, orient="row")
    return frame.with_columns(pl.when(pl.col("part") == f"song {edited:04d}").then(pl.lit("new"))
                              .otherwise(pl.col("out:made")).alias("out:made"))


def written(folder: Path, frame: pl.DataFrame) -> Shard:
    """A shard with no more than a ledger."""
    shard = ShardStore(str(folder)).shard("some", "Green")
    shard.replace_index(ShardIndex("some", "Green", "1", (), **write_ledger(shard, frame)))
    return shard


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "LEAST_ROWS", 10)


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.integers(0, 400), st.integers(1, 12), max_size=60), st.data())
def test_sections_are_runs_of_whole_parts_and_an_edit_moves_few_borders(songs: dict[int, int], data: st.DataObject):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "LEAST_ROWS", 10)
        frame = ledger(songs)
        pieces = sections.cut(frame)
        assert pl.concat([frame.clear(), *pieces]).equals(frame)
        assert sum(piece["part"].n_unique() for piece in pieces) == frame["part"].n_unique()
        assert all(len(piece) >= 10 for piece in pieces[:-1])
        if not songs:
            return
        gone = data.draw(st.sampled_from(sorted(songs)))
        after = sections.cut(ledger({song: count for song, count in songs.items() if song != gone}))
        first = [piece["key"][0] for piece in pieces]
        unmoved = [key for key in first if int(key[:4]) < gone][:-1]
        assert [piece["key"][0] for piece in after][:len(unmoved)] == unmoved


def test_a_ledger_whose_parts_are_in_two_places_has_one_section():
    frame = pl.DataFrame({"key": ["a", "b", "c"], "part": ["x", "y", "x"]})
    assert [len(piece) for piece in sections.cut(frame)] == [3]


def test_any_sections_are_read_alone(tmp_path: Path, small: None):
    frame = ledger(dict.fromkeys(range(60), 7))
    shard = written(tmp_path, frame)
    pieces, known = sections.cut(frame), shard.sections()
    assert known is not None and len(pieces) > 5 and [one.rows for one in known.sections] == [len(p) for p in pieces]
    assert sections.Sections.from_json(known.to_json()) == known
    for only in ([], [0], [2, 4], [len(pieces) - 1]):
        found = shard.ledger(["key", "part", "another"], only)
        assert found is not None and found.columns == ["key", "part"]
        assert found.equals(pl.concat([frame.clear(), *(pieces[n] for n in only)]).select("key", "part"))
    whole = shard.ledger()
    assert whole is not None and frame.equals(whole)


def test_digests_differ_where_the_rows_do(tmp_path: Path, small: None):
    songs = dict.fromkeys(range(60), 7)
    one, other = (written(tmp_path / name, frame).sections() for name, frame in
                  (("one", ledger(songs)), ("other", ledger(songs, edited=30))))
    assert one is not None and other is not None
    differing = [n for n, (mine, its) in enumerate(zip(one.sections, other.sections, strict=True))
                 if mine.digests != its.digests]
    assert len(differing) == 1
    mine, its = (found.sections[differing[0]].digests for found in (one, other))
    assert {name for name in mine if mine[name] != its[name]} == {"out:made"}
    assert {*mine} == {"key", sections.GOOD, "in:up.value", "out:made"}


def test_a_small_ledger_has_no_sections(tmp_path: Path):
    shard = written(tmp_path, ledger({1: 30, 2: 30}))
    assert shard.sections() is None
    assert b"sections" not in (shard.files.read("shard.json") or b"")
    assert shard.files.names() == [shard.require_index().ledger, "shard.json"]


@pytest.mark.parametrize("where", ["section", "footer", "list", "list gone"])
def test_what_is_read_is_verified(tmp_path: Path, small: None, where: str):
    shard = written(tmp_path, ledger(dict.fromkeys(range(60), 7)))
    index, known = shard.require_index(), shard.sections()
    assert known is not None
    name = index.sections if where.startswith("list") else index.ledger
    path = Path(shard.files.path(name))
    data = bytearray(path.read_bytes())
    data[{"section": known.sections[3].start + 5, "footer": known.start + 9}.get(where, 40)] ^= 1
    if where == "list gone":
        path.unlink()
    else:
        path.write_bytes(data)
    with pytest.raises(DamagedShard, match=rf"some/Green/{name} .*rainbow build --repair"):
        shard.ledger(["key"], [3])
    if where == "section":  # others were not changed
        assert shard.ledger(["key"], [2]) is not None
