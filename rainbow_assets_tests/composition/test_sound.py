"""Sound: every part alone, the mix their sum, by fluidsynth where it is installed and by the plain synthesizer."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rainbow_assets.composition import sound
from rainbow_assets.composition.errors import SoundError
from rainbow_assets.composition.model import MELODY
from rainbow_assets.errors import UsageError
from rainbow_assets_tests.composition import songs

HAS_FLUID = shutil.which("fluidsynth") is not None and not isinstance(sound.renderer(), sound.Plain)


RIFF = b"RIFF\x04\x00\x00\x00sfbk"
"""Begins as a soundfont does, and is none."""


def heard(flac: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(flac), dtype="float32", always_2d=True)
    assert rate == 44100 and samples.shape[1] == 2
    return samples


@pytest.mark.parametrize("by", [sound.Plain(), pytest.param(None, marks=pytest.mark.skipif(
    not HAS_FLUID, reason="fluidsynth and a soundfont are not installed"))], ids=["plain", "fluidsynth"])
def test_the_mix_is_the_sum_of_its_parts(by) -> None:
    context = songs.context("7/8", MELODY)
    by = by or sound.renderer()
    flacs = sound.render(context.parts, context.song, by)
    assert set(flacs) == {"mix", *context.parts} and sound.render(context.parts, context.song, by) == flacs
    parts = sum(heard(flacs[name]) for name in context.parts)
    mix = heard(flacs["mix"])
    assert np.abs(mix - parts).max() < 3e-4 and np.abs(mix).max() == pytest.approx(sound.PEAK, abs=0.001)
    assert all(np.abs(heard(flacs[name])).max() > 0.02 for name in context.parts), "every part is heard"
    seconds = context.song.ticks / 480 * 60 / context.song.bpm
    assert sound.seconds(flacs) == pytest.approx(seconds + sound.TAIL_S, abs=0.01)


def test_a_soundfont_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="composition.soundfont is /nowhere.sf2, which is not a file; write the path of a .sf2"):
        sound.renderer("/nowhere.sf2")
    font = tmp_path / "mine.sf2"
    font.write_bytes(b"no soundfont")
    with pytest.raises(UsageError, match="which is not a soundfont"):
        sound.renderer(str(font))
    font.write_bytes(RIFF)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="fluidsynth is not installed; run: apt-get install fluidsynth"):
        sound.renderer(str(font))
    assert isinstance(sound.renderer(), sound.Plain), "without one, the plain synthesizer plays"


@pytest.mark.skipif(not HAS_FLUID, reason="fluidsynth and a soundfont are not installed")
def test_a_broken_soundfont_is_an_error_and_no_silence(tmp_path: Path) -> None:
    font = tmp_path / "mine.sf2"
    font.write_bytes(RIFF)
    context = songs.context("4/4", MELODY)
    with pytest.raises(SoundError, match=r"with mine.sf2"):
        sound.render(context.parts, context.song, sound.renderer(str(font)))


def test_the_token_names_the_soundfonts_bytes(tmp_path: Path) -> None:
    if not HAS_FLUID:
        pytest.skip("fluidsynth is not installed")
    font = tmp_path / "mine.sf2"
    font.write_bytes(RIFF)
    first = sound.renderer(str(font)).token
    font.write_bytes(RIFF + b"other")
    assert first.startswith("fluidsynth ") and sound.renderer(str(font)).token != first
