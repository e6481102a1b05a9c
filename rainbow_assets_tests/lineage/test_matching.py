"""Two lists of keys matched by walking and by hash: always what a dictionary says."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.lineage import matching
from rainbow_assets_tests.counts import examples

KEYS = st.lists(st.text(alphabet="abé\U0001f3b5\x00", max_size=4), unique=True, max_size=40)


def expected(keys: list[str], among: list[str]) -> tuple[list[bool], list[bool]]:
    mine, other = set(keys), set(among)
    return [key in other for key in keys], [key in mine for key in among]


def series(keys: list[str]) -> pl.Series:
    return pl.Series("key", keys, dtype=pl.String)


def holds(keys: list[str], among: list[str]) -> matching.Match:
    left, right = series(keys), series(among)
    found = matching.match(left, right)
    assert (found.found.to_list(), found.used.to_list()) == expected(keys, among)
    both = set(keys) & set(among)
    assert found.mine(left).to_list() == found.theirs(right).to_list() == [key for key in keys if key in both]
    return found


@given(KEYS, KEYS, st.booleans(), st.booleans())
@hypothesis_settings(max_examples=examples(300), deadline=None)
def test_every_key_finds_its_own(keys: list[str], among: list[str], first: bool, second: bool) -> None:
    holds(sorted(keys) if first else keys, sorted(among) if second else among)


@given(st.sets(st.integers(0, 9000), max_size=60), st.sets(st.integers(0, 9000), max_size=60))
@hypothesis_settings(max_examples=examples(10), deadline=None)
def test_long_sorted_lists_are_walked(without: set[int], missing: set[int]) -> None:
    keys = [f"{n:05d}" for n in range(9000) if n not in without]
    among = [f"{n:05d}" for n in range(9000) if n not in missing]
    assert holds(keys, among).places is None


def test_a_run_of_new_rows_is_skipped_in_one_leap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "FEW", 8)
    old = [f"b{n:04d}" for n in range(900)]
    assert holds(sorted([*old, *(f"a{n:04d}" for n in range(3000)), *(f"c{n:04d}" for n in range(3000))]),
                 old).places is None


def test_too_many_differences_are_matched_by_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "FEW", 8)
    assert holds([f"{n:04d}" for n in range(0, 900, 2)], [f"{n:04d}" for n in range(900)]).places is not None


@pytest.mark.parametrize("ordered", [True, False])
def test_two_keys_with_one_hash_are_distinguished(monkeypatch: pytest.MonkeyPatch, ordered: bool) -> None:
    monkeypatch.setattr(pl.Series, "hash", lambda keys: pl.Series([7] * len(keys), dtype=pl.UInt64))
    keys, among = ["a", "b", "d"], ["a", "c", "d", "e"]
    holds(keys if ordered else keys[::-1], among if ordered else among[::-1])


def test_a_list_with_a_key_twice_is_not_ascending() -> None:
    assert matching.ascending(series(["a", "b"])) and not matching.ascending(series(["a", "a"]))
    assert matching.ascending(series([])) and not matching.ascending(series(["b", "a"]))
