"""Colors sound as their modes say: in tempo, pitch classes, onsets, lengths and spectrum."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import soundfile

from rainbow_assets.demo.character import character
from rainbow_assets.demo.composer import compose
from rainbow_assets.demo.songs import SongPlan, plan_songs
from rainbow_assets.demo.write import DemoReport
from rainbow_assets.taxonomy import COLORS, by_name

PLANS = plan_songs(8, 7, 20)
NAMES = [color.name for color in COLORS[:8]]
MAJOR = {0, 2, 4, 5, 7, 9, 11}


def songs(name: str) -> list[SongPlan]:
    return [plan for plan in PLANS if plan.color.name == name]


def pitch_classes(name: str) -> np.ndarray:
    """Share of the twelve pitch classes over the tonic, in lead and chords."""
    counts = np.zeros(12)
    for plan in songs(name):
        parts = compose(plan)
        for note in parts["lead"] + parts["chords"]:
            counts[(note.pitch - plan.tonic) % 12] += 1
    return counts / counts.sum()


def lead(plan: SongPlan) -> tuple[float, float, float]:
    """Return the lead's onsets per second, mean length in seconds, and share of onsets on a quarter."""
    notes = compose(plan)["lead"]
    span = plan.clock.seconds(max(n.start for n in notes) - min(n.start for n in notes)) or 1
    starts = sorted({n.start for n in notes})
    on_beat = float(np.mean([start % plan.clock.bar_ticks % 480 == 0 for start in starts]))
    return len(starts) / span, float(np.mean([plan.clock.seconds(n.length) for n in notes])), on_beat


def mean_lead(name: str) -> np.ndarray:
    return np.mean([lead(plan) for plan in songs(name)], axis=0)


def test_a_color_sounds_as_its_modes_not_as_its_name() -> None:
    red = by_name("Red")
    assert character(replace(red, name="Teal", number=42)) == character(red)
    for changed in (replace(red, temporal="Future"), replace(red, spatial="Place"), replace(red, ontological=())):
        assert character(changed) != character(red)
    different = {(character(color).era, character(color).body, *character(color).knowledge)
                 for color in COLORS[:8]}
    assert len(different) == 8


def test_colors_with_different_modes_differ_in_their_notes() -> None:
    features = {name: (pitch_classes(name), mean_lead(name)) for name in NAMES}
    for one, other in combinations(NAMES, 2):
        pitch = 0.5 * float(np.abs(features[one][0] - features[other][0]).sum())
        rhythm = float(np.max(np.abs(np.log((features[one][1] + 0.05) / (features[other][1] + 0.05)))))
        assert pitch > 0.12 or rhythm > 0.4, (one, other, pitch, rhythm)


@pytest.mark.parametrize(("known", "imagined", "forgotten"), [("Red", "Orange", "Blue"), ("Violet", "Yellow", "Green")])
def test_ontological_modes_are_scales_and_rhythms(known: str, imagined: str, forgotten: str) -> None:
    plain, dream, lost, none = (pitch_classes(name) for name in (known, imagined, forgotten, "Black"))
    outside = [sum(found[n] for n in range(12) if n not in MAJOR) for found in (plain, dream, lost, none)]
    assert outside[0] == 0 and min(outside[1:]) > 0.08
    assert dream[6] > 0.02 and dream[5] == 0  # the raised fourth
    assert lost[3] > 0.02 and lost[4] == 0  # the minor third
    assert np.count_nonzero(none) == 12
    assert mean_lead(forgotten)[2] < 0.1 < mean_lead(known)[2]


def test_temporal_modes_are_tempi() -> None:
    tempi = {name: [plan.clock.bpm for plan in songs(name)] for name in NAMES}
    assert max(tempi["Red"] + tempi["Orange"]) < min(tempi["Blue"] + tempi["Violet"])
    assert max(tempi["Blue"] + tempi["Violet"]) < min(tempi["Yellow"] + tempi["Green"])


def _mix(demo: DemoReport, name: str) -> tuple[float, float]:
    """Return the spectral centroid in hertz of the pitched stems, and how much of the chord stem is loud."""
    centers, sustained = [], []
    for song in (song for song in demo.songs if song.color == name):
        folder = demo.root / song.song_id
        for path in sorted(folder.glob("*.wav")):
            words = path.stem[6:]
            sound = soundfile.read(path, always_2d=True)[0].mean(1)
            if words in ("toy_mallets", "glass_bells", "lead_vocal", "noise_bells"):
                power = np.abs(np.fft.rfft(sound)) ** 2
                centers.append(float(power @ np.fft.rfftfreq(sound.size, 1 / 44100) / power.sum()))
            if words in ("plucked_strings", "wide_pad", "electric_piano", "organ"):
                blocks = np.sqrt(np.mean(sound[: sound.size // 2205 * 2205].reshape(-1, 2205) ** 2, 1))
                blocks = blocks[blocks > 1e-3]
                sustained.append(float(np.median(blocks) / np.percentile(blocks, 98)))
    return float(np.mean(centers)), float(np.mean(sustained))


def test_modes_are_heard_in_the_spectrum(demo: DemoReport) -> None:
    heard = {name: _mix(demo, name) for name in NAMES}
    past, present, future = (np.mean([heard[n][0] for n in pair])
                             for pair in (("Red", "Orange"), ("Blue", "Violet"), ("Yellow", "Green")))
    assert past * 1.3 < present and present * 1.3 < future
    thing, place = (np.mean([heard[n][1] for n in pair]) for pair in (("Red", "Orange"), ("Yellow", "Green")))
    assert thing * 1.5 < place  # plucks die away, pads stay


def test_two_ontological_modes_take_turns() -> None:
    sound = character(by_name("Indigo"))
    assert [sound.knows(n).rhythm for n in range(3)] == ["regular", "sparse", "regular"]
