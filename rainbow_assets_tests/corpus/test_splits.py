"""Splits: by song, stable, and never without a training song."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.corpus.splits import TEST, TRAIN, VALIDATION, assign_splits
from rainbow_assets_tests.counts import examples

SONGS = [f"05_{n:02d}" for n in range(1, 13)]


@pytest.mark.parametrize(("count", "sizes"), [(0, (0, 0, 0)), (1, (1, 0, 0)), (2, (2, 0, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)),
                                              (12, (10, 1, 1))])
def test_sizes(count: int, sizes: tuple[int, int, int]) -> None:
    found = list(assign_splits(SONGS[:count]).values())
    assert (found.count(TRAIN), found.count(VALIDATION), found.count(TEST)) == sizes


def test_order_and_repetition_of_songs_do_not_matter() -> None:
    assert assign_splits(SONGS) == assign_splits(reversed(SONGS * 2)) and list(assign_splits(SONGS)) == SONGS
    assert assign_splits(SONGS) != assign_splits(SONGS, seed=43)


def test_songs_named_for_train_stay_there_and_others_take_their_places() -> None:
    test = next(song for song, split in assign_splits(SONGS).items() if split == TEST)
    found = assign_splits(SONGS, train=[test])
    assert found[test] == TRAIN and sorted(found.values()) == sorted(assign_splits(SONGS).values())
    assert set(assign_splits(SONGS, train=SONGS).values()) == {TRAIN}


@settings(max_examples=examples(200), deadline=None)
@given(st.sets(st.sampled_from([f"05_{n:02d}" for n in range(1, 40)])), st.floats(0, 1), st.floats(0, 1), st.integers())
def test_what_always_holds(songs: set[str], validation: float, test: float, seed: int) -> None:
    found = assign_splits(songs, validation, test, seed)
    assert set(found) == songs
    sizes = {split: list(found.values()).count(split) for split in (TRAIN, VALIDATION, TEST)}
    assert not songs or sizes[TRAIN] >= 1
    if len(songs) >= 3:
        assert (sizes[VALIDATION] >= 1) == (validation > 0) and (sizes[TEST] >= 1) == (test > 0)
    else:
        assert sizes[VALIDATION] == sizes[TEST] == 0
