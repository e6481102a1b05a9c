"""Sections that are equal in two ledgers are left out of a comparison, and its result is the same."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.lineage import foresee, ledger, repair
from rainbow_assets.lineage.ledger import candidates, reconcile
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.settings import Rules
from rainbow_assets.storage import sections
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.lineage.toy import World

SONGS = 24
GREEN = "Green"


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "LEAST_ROWS", 3)
        patch.setattr(sections, "ONE_IN", 2)
        yield


def world(songs: int = SONGS) -> World:
    return World({f"{song:02d}_{n}": (f"song_{song:02d}", f"word {n}", "-") for song in range(songs) for n in range(3)})


def build(found: World, store: ShardStore) -> None:
    found.computed.clear()
    for step in found.graph().values():
        assert bring_up_to_date(step, store, GREEN, allow_deletes=True).problem is None


def live(store: ShardStore, asset: str) -> dict[str, str]:
    """The digest of each file that a shard lists."""
    shard = store.shard(asset, GREEN)
    index = shard.require_index()
    names = ("shard.json", index.ledger, index.sections, *(part.name for part in index.parts))
    return {name: hashlib.sha256(shard.files.read(name) or b"").hexdigest() for name in names}


def every_row(step: RowAsset, shard: Shard, rules: Rules) -> pl.DataFrame:
    """The current rows. A custom listing is always compared whole."""
    return candidates(step, shard, rules)


def test_one_edited_row_is_found_among_the_rows_of_its_section(tmp_path: Path):
    found, store = world(), ShardStore(str(tmp_path))
    build(found, store)
    found.rows["12_1"] = ("song_12", "another word", "-")
    words, lengths = found.graph().values()
    assert bring_up_to_date(words, store, GREEN).problem is None
    delta = reconcile(lengths, store.shard("toy_lengths", GREEN))
    assert (delta.new, delta.changed, delta.gone) == ([], ["12_1"], [])
    assert delta.untouched > SONGS * 2 and len(delta.candidates) == len(delta.old) == SONGS * 3 - delta.untouched
    assert delta.kept == SONGS * 3 - 1


rows = st.dictionaries(
    st.tuples(st.integers(0, SONGS), st.integers(0, 3)), st.sampled_from([None, "", "word", "another word"]),
    min_size=1, max_size=6)


@settings(max_examples=examples(5), deadline=None)
@given(edits=rows)
def test_a_narrowed_comparison_finds_what_a_whole_one_finds(edits: dict[tuple[int, int], str | None],
                                                            tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("narrow")
    found, store = world(), ShardStore(str(folder / "edited"))
    build(found, store)
    for (song, number), word in edits.items():
        key = f"{song:02d}_{number}"
        if word is None:
            found.rows.pop(key, None)
        else:
            found.rows[key] = (f"song_{song:02d}", word, "-")
    found.rows = dict(sorted(found.rows.items()))
    steps = found.graph()
    planned = {entry.asset: entry for entry in plan(steps, store, [GREEN]) if entry.partition == GREEN}
    assert bring_up_to_date(steps["toy_words"], store, GREEN, allow_deletes=True).problem is None
    shard = store.shard("toy_lengths", GREEN)
    narrow, whole = reconcile(steps["toy_lengths"], shard), reconcile(steps["toy_lengths"], shard, listing=every_row)
    assert not whole.untouched
    for name in ("new", "changed", "gone", "kept", "current"):
        assert getattr(narrow, name) == getattr(whole, name)
    # What a plan shows to the assets downstream has all rows.
    if not narrow.current:
        seen = [foresee.of_delta(delta, {}, set(), False).listed for delta in (narrow, whole)]
        assert seen[0].equals(seen[1])
    assert {*narrow.new, *narrow.changed} <= planned["toy_lengths"].keys
    build(found, store)
    assert all(entry.state == FRESH for entry in plan(steps, store, [GREEN]) if entry.partition == GREEN)
    clean = ShardStore(str(folder / "clean"))
    build(found, clean)
    for asset in steps:
        assert live(store, asset) == live(clean, asset)


def test_anything_but_an_edited_row_is_compared_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, store = world(), ShardStore(str(tmp_path))
    build(found, store)
    shard = store.shard("toy_lengths", GREEN)
    index = shard.require_index()
    for name in ("code", "settings", "libraries"):
        ledger_before = dict(index.inputs)
        monkeypatch.setattr(ledger, "signature", lambda *_, name=name, was=ledger_before: {**was, name: "another"})
        delta = reconcile(found.graph()["toy_lengths"], shard)
        assert not delta.current and delta.untouched == 0 and len(delta.old) == SONGS * 3


def test_a_damaged_list_of_sections_is_named_and_written_again(tmp_path: Path):
    found, store = world(), ShardStore(str(tmp_path))
    build(found, store)
    before = live(store, "toy_words")
    shard = store.shard("toy_words", GREEN)
    name = shard.require_index().sections
    shard.files.write(name, b"{}")
    found.rows["12_1"] = ("song_12", "another word", "-")
    entries = {entry.asset: entry for entry in plan(found.graph(), store, [GREEN]) if entry.partition == GREEN}
    assert entries["toy_words"].state == STALE, "the source is compared row by row and reads no sections"
    found.rows["12_1"] = ("song_12", "word 1", "-")
    damages = repair.repair(dict(found.graph()), store, (GREEN,))
    assert [damage.file for damage in damages] == [name]
    assert "it is written again" in str(damages[0])
    assert live(store, "toy_words") == before
    build(found, store)
    assert found.computed == []


def test_old_lists_of_sections_are_removed_with_their_ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, store = world(), ShardStore(str(tmp_path))
    build(found, store)
    first = store.shard("toy_words", GREEN).require_index().sections
    found.rows["12_1"] = ("song_12", "another word", "-")
    monkeypatch.setattr("time.time", lambda now=time.time: now() + 7200)
    build(found, store)
    names = store.shard("toy_words", GREEN).files.names()
    assert first not in names and len([name for name in names if name.startswith(sections.PREFIX)]) == 1
