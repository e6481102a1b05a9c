"""Every stage in every meter: different, full, in range, and musical in the ways that it is rated for."""

from __future__ import annotations

import io
from itertools import pairwise

import mido
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.composition import bass, drums, melody
from rainbow_assets.composition.checks import RANGES, wrong_with
from rainbow_assets.composition.energy import wanted_energy
from rainbow_assets.composition.evolve import Population
from rainbow_assets.composition.midi import from_midi, to_midi
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, STAGES
from rainbow_assets.music.clock import Note
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.settings import CompositionRules
from rainbow_assets_tests.composition import songs


@pytest.mark.parametrize("time", ["4/4", "3/4", "6/8", "7/8", "5/4", "13/16", "3/8"])
@pytest.mark.parametrize("name", STAGES)
def test_fifty_different_candidates_in_any_meter(name: str, time: str) -> None:
    context = songs.context(time, name)
    line = Population(songs.stage(name, context), context, None, CompositionRules(), SeededDraws(1, name, time))
    found = line.begin()
    assert len({item.midi for item in found}) == len(found) == 50
    for item in found:
        assert wrong_with(item.midi, context.song) is None
        assert from_midi(item.midi).keys() == {*context.parts, name}
        assert set(item.terms) == set(line.stage.weights()) and all(0 <= value <= 1 for value in item.terms.values())
    assert sum(line.stage.weights().values()) == pytest.approx(1)
    again = Population(songs.stage(name, context), context, None, CompositionRules(), SeededDraws(1, name, time))
    assert [item.midi for item in again.begin()] == [item.midi for item in found], "seeded"


@given(st.sampled_from(STAGES), st.sampled_from(songs.METERS), st.integers(0, 10**6), st.sampled_from(["C major", "F# minor"]))
@hypothesis_settings(max_examples=60)
def test_whatever_evolution_does_bars_stay_full_and_notes_in_range(name: str, time: str, seed: int, key: str) -> None:
    context, draws = songs.context(time, name, seed, key), SeededDraws(seed)
    stage = songs.stage(name, context)
    one, other = stage.draw(draws.child("a"), 2)
    for number in range(12):
        one = stage.mutate(one, draws) if number % 3 else stage.cross(one, other, draws)
    made = stage.render(one)
    midi = to_midi({**context.parts, name: made.notes}, context.song)
    assert wrong_with(midi, context.song) is None
    struck = sum(item.type == "note_on" and item.velocity > 0 for item in mido.MidiFile(file=io.BytesIO(midi)))
    assert struck == sum(map(len, from_midi(midi).values())), "a reader that shares no code with ours"
    assert stage.explain(one, made) and stage.pattern(one)


def test_drums_are_on_channel_ten_with_ghosts_and_accents() -> None:
    context = songs.context("4/4", DRUMS)
    stage = songs.stage(DRUMS, context)
    velocities, keys = set(), set()
    for genome in stage.draw(SeededDraws(3), 40):
        midi = to_midi({DRUMS: stage.render(genome).notes}, context.song)
        for track in mido.MidiFile(file=io.BytesIO(midi)).tracks:
            hits = [item for item in track if item.type == "note_on" and item.velocity]
            assert {item.channel for item in hits} <= {9}
            velocities |= {item.velocity for item in hits}
            keys |= {item.note for item in hits}
    assert velocities == set(drums.LEVELS.values()) and keys <= set(drums.VOICES.values())


def test_a_bass_that_roots_on_the_kick_is_rated_above_one_that_does_not() -> None:
    context = songs.context("4/4", BASS)
    stage = songs.stage(BASS, context)
    kicks = sorted({note.start for note in context.parts[DRUMS] if note.pitch == bass.KICK})
    assert kicks
    with_kick = tuple(Note(start, 240, 36 + context.chord_at(start).root, 90) for start in
                      sorted({*kicks, *(span.start for span in context.harmony)}))
    astray = tuple(note._replace(start=note.start + 180, pitch=note.pitch + 6) for note in with_kick)
    good, bad = (stage._terms(notes) for notes in (with_kick, astray))
    assert good["root_adherence"] == 1 and bad["root_adherence"] == 0
    assert good["kick_alignment"] > bad["kick_alignment"]
    approach = stage.render(bass.BassGenome("R---A---" * 4, 0, True, "x"))
    at = approach.notes[1]
    goal = context.next_chord(at.start).root
    assert (at.pitch - goal) % 12 in (1, 11), "an approach is a semitone from the next root"


def test_melodies_stand_on_chord_tones_where_the_beat_is_strong() -> None:
    for time in ("4/4", "7/8"):
        context = songs.context(time, MELODY)
        stage, meter = songs.stage(MELODY, context), context.song.meter
        for genome in stage.draw(SeededDraws(5), 20):
            notes = stage.render(genome).notes
            for note in notes:
                if meter.strengths[(note.start // meter.step_ticks) % meter.steps] >= 0.5:
                    assert note.pitch % 12 in context.chord_at(note.start).classes
            assert max(note.pitch for note in notes) <= melody.HIGHEST


def test_chords_cover_the_song_without_gaps() -> None:
    for time in ("4/4", "5/4", "3/8"):
        context = songs.context(time, CHORDS)
        stage = songs.stage(CHORDS, context)
        for genome in stage.draw(SeededDraws(2), 20):
            spans = stage.render(genome).harmony
            assert spans[0].start == 0 and spans[-1].end == context.song.ticks
            assert all(one.end == other.start for one, other in pairwise(spans))
            assert len({span.name for span in spans}) <= 4


def test_energy_follows_tempo_and_moods() -> None:
    assert [wanted_energy(songs.song(bpm=bpm)) for bpm in (60, 100, 150)] == ["low", "medium", "high"]
    import dataclasses

    assert wanted_energy(dataclasses.replace(songs.song(), moods=("Meditative",))) == "low"
    assert wanted_energy(dataclasses.replace(songs.song(), moods=("driving", "bright"))) == "high"


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda notes: tuple(note._replace(pitch=100) for note in notes), f"outside {RANGES[BASS][0]} to"),
    (lambda notes: tuple(note for note in notes if note.start >= 1920), "bar 1 of the bass is empty"),
    (lambda notes: (*notes, Note(10**6, 10, 40, 80)), "is outside the 8 bars"),
])
def test_what_is_wrong_with_a_piece_is_said(spoil, said: str) -> None:
    context = songs.context("4/4", MELODY)
    parts = {**context.parts, BASS: spoil(context.parts[BASS])}
    assert said in str(wrong_with(to_midi(parts, context.song), context.song))
    assert "does not open" in str(wrong_with(b"MThd nothing", context.song))
