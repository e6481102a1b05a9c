"""Random proposals: all colors, 12 keys in 2 modes, 6 meters; every one composes, whole and in range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rainbow_assets.composition import sound
from rainbow_assets.composition.checks import song_of, wrong_with
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.keys import all_keys
from rainbow_assets.settings import CompositionRules
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.composition import songs
from rainbow_assets_tests.counts import count

METERS = ("4/4", "3/4", "6/8", "7/8", "5/4", "11/8")


@pytest.mark.counted
@pytest.mark.heavy
def test_random_proposals_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINBOW_CHORDS", str(tmp_path / "no"))
    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "no"))
    monkeypatch.setattr(sound, "renderer", lambda soundfont="": sound.Plain())
    store, draws = ShardStore(str(tmp_path / "data")), SeededDraws(9)
    for number in range(count("proposals")):
        songs.commissioned(
            store, title=f"Song {number}", concept=f"concept {number}", bpm=draws.between(40, 220),
            key=all_keys()[number % 24].label, time_signature=METERS[number % 6], rainbow_color=COLOR_NAMES[number % 9])
    rules = replace(CompositionRules(), candidates=8, finals=1, bars=4)
    made = songs.build(store, *songs.LIBRARY, *songs.STAGES, rules=rules)
    assert songs.computed(made)
    for name in songs.STAGES:
        assert not songs.failed(made[name])
        found = songs.rows(store, name)
        assert {row["song_id"] for row in found} == {row["song_id"] for row in songs.rows(store, "chord_candidates")}
    assert len({row["song_id"] for row in found}) == count("proposals")
    for row in found:
        assert wrong_with(row["midi"], song_of(row)) is None
    assert len({row["midi_sha256"] for row in found}) == len(found)


@pytest.mark.heavy
def test_three_songs_at_default_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINBOW_CHORDS", str(tmp_path / "no"))
    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "no"))
    monkeypatch.setattr(sound, "renderer", lambda soundfont="": sound.Plain())
    store = ShardStore(str(tmp_path / "data"))
    for title, time, key in (("One", "4/4", "C major"), ("Two", "7/8", "F# minor"), ("Three", "6/8", "Bb minor")):
        songs.commissioned(store, title=title, time_signature=time, key=key)
    made = songs.build(store, rules=CompositionRules())
    assert songs.computed(made)["chord_candidates"] == 150
    assert not any(songs.failed(outcome) for outcome in made.values())
    for name in songs.STAGES:
        facts = [part.facts for part in store.shard(name).require_index().parts]
        assert sum(entry["evaluated"] for entry in facts) >= 3 * 100
        assert all(entry["diversity"]["kept"] > 0.1 for entry in facts), name
    finals = songs.rows(store, "final_candidates")
    assert len(finals) == 15 and all(row["distance"] > 0.1 for row in finals)
