"""Folds and what is hidden: nothing that is used is on two sides."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.fitness import folds

DIGEST = st.one_of(st.none(), st.sampled_from("abcde"))
ROWS = st.lists(st.tuples(st.integers(0, 9), DIGEST, DIGEST, DIGEST), min_size=1, max_size=60)


@given(ROWS, st.dictionaries(st.integers(0, 9), st.sampled_from(["x", "y", "z", "unique"]), min_size=10, max_size=10))
def test_nothing_that_is_used_is_in_two_folds(rows: list[tuple[int, str | None, str | None, str | None]],
                                              texts: dict[int, str]) -> None:
    concept = {f"s{n}": (f"own{n}" if texts[n] == "unique" else texts[n]) for n in range(10)}
    group = folds.groups({song: [text] for song, text in concept.items()})
    fold = folds.folds({song: "Red" if int(song[1:]) < 5 else "Blue" for song in concept}, group, 3, 42)
    frame = pl.DataFrame(
        [(f"s{song}", concept[f"s{song}"], group[f"s{song}"], fold[f"s{song}"], *own) for song, *own in rows],
        schema=["part", "concept", "group", "fold", "lyric", "audio", "roll"], orient="row",
        schema_overrides={"lyric": pl.String, "audio": pl.String, "roll": pl.String})
    found = frame.hstack(folds.usable(frame))
    for name in ("concept", "lyric", "audio", "roll"):
        sides = found.filter(pl.col(f"uses_{name}")).group_by(name).agg(pl.col("fold").n_unique())
        assert sides["fold"].max() in (None, 1)
        hidden = found.filter(pl.col(name).is_not_null() & ~pl.col(f"uses_{name}"))
        assert hidden["reason"].str.contains(folds.SHARED.get(name, "-")).all()
    assert found.filter(pl.col("reason").is_null())["uses_concept"].all()


def test_songs_of_one_concept_are_one_group_over_others() -> None:
    assert folds.groups({"a": ["1"], "b": ["1", "2"], "c": ["2"], "d": ["3"], "e": []}) == {
        "a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}


def test_every_fold_has_every_color_where_there_are_enough_songs() -> None:
    colors = {f"{color}{n}": color for color in ("Red", "Green", "Blue") for n in range(10)}
    dealt = folds.folds(colors, {song: song for song in colors}, 5, 42)
    assert {(colors[song], fold) for song, fold in dealt.items()} == {
        (color, fold) for color in ("Red", "Green", "Blue") for fold in range(5)}
    assert dealt == folds.folds(dict(reversed(colors.items())), {song: song for song in colors}, 5, 42)


def test_a_row_without_anything_is_reported() -> None:
    frame = pl.DataFrame({"group": ["a"], "concept": [None], "lyric": [None], "audio": [None], "roll": [None]},
                         schema=dict.fromkeys(["group", "concept", "lyric", "audio", "roll"], pl.String))
    assert folds.usable(frame)["reason"].to_list() == [folds.NO_INPUT]
