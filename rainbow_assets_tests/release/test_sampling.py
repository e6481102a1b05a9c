"""Preview sampling: shares, stability and prefixes, for any songs."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.release.sampling import DuplicateSegment, preview_rows
from rainbow_assets_tests.counts import examples

Songs = dict[str, int]
SONGS = st.dictionaries(st.integers(1, 99).map(lambda n: f"05_{n:02d}"), st.integers(0, 25), max_size=9)


def rows(songs: Songs) -> list[dict[str, object]]:
    return [{"segment_id": f"{song}_t{n % 4:02d}_{n // 4 * 1000:07d}", "song_id": song, "start_ms": n // 4 * 1000,
             "eligible": True} for song, count in songs.items() for n in range(count)]


@settings(max_examples=examples(200), deadline=None)
@given(SONGS, st.integers(0, 40), st.integers(0, 5))
def test_min_n_eligible_and_equal_shares(songs: Songs, samples: int, seed: int) -> None:
    picks = preview_rows(rows(songs), samples, seed)
    assert len(picks) == len(set(picks)) == min(samples, sum(songs.values()))
    shares = Counter(key[:5] for key in picks)
    fullest = max(shares.values(), default=0)
    assert all(shares[song] >= min(count, fullest - 1) for song, count in songs.items())
    assert preview_rows(list(reversed(rows(songs))), samples, seed) == picks
    assert preview_rows(rows(songs), samples // 2, seed) == picks[:samples // 2]


@settings(max_examples=examples(200), deadline=None)
@given(SONGS, st.integers(1, 40), st.data())
def test_one_more_segment_displaces_one_pick(songs: Songs, samples: int, data: st.DataObject) -> None:
    before = set(preview_rows(rows(songs), samples, 42))
    if not songs:
        return
    song = data.draw(st.sampled_from(sorted(songs)))
    after = set(preview_rows(rows({**songs, song: songs[song] + 1}), samples, 42))
    assert len(before - after) <= 1 and len(after - before) <= 1


@settings(max_examples=examples(100), deadline=None)
@given(SONGS, st.integers(1, 40), st.integers(1, 25))
def test_a_new_song_displaces_only_its_share(songs: Songs, samples: int, count: int) -> None:
    before = preview_rows(rows(songs), samples, 42)
    after = preview_rows(rows({**songs, "06_01": count}), samples, 42)
    gained = [key for key in after if key.startswith("06_01")]
    assert len(set(before) - set(after)) <= len(gained)


def test_a_song_shows_each_slice_once_before_it_repeats_one() -> None:
    picks = preview_rows(rows({"05_01": 24}), 6, 42, "start_ms")
    assert len({key.rsplit("_", 1)[1] for key in picks}) == 6


def test_what_is_not_eligible_is_never_shown() -> None:
    frame = pl.DataFrame(rows({"05_01": 8})).with_columns(pl.col("start_ms").eq(0).alias("eligible"))
    assert all(key.endswith("_0000000") for key in preview_rows(frame, 20, 42))
    assert preview_rows([], 20, 42) == []


def test_duplicates_are_refused() -> None:
    with pytest.raises(DuplicateSegment, match="05_01_t00_0000000 twice"):
        preview_rows([*rows({"05_01": 2}), *rows({"05_01": 1})], 2, 42)
