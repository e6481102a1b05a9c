"""Writing the demo corpus: folders, texts, stems, mixes and MIDI in the artist's layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rainbow_assets.corpus.overrides import DEMO, FILE
from rainbow_assets.demo import midifile
from rainbow_assets.demo.composer import DRUM_ROLES, compose, silent_sections
from rainbow_assets.demo.manifest import TrackPlan, lrc_text, manifest_text, tracks
from rainbow_assets.demo.songs import SongPlan, plan_songs
from rainbow_assets.demo.target import claim
from rainbow_assets.errors import UsageError
from rainbow_assets.music.clock import SAMPLE_RATE, Note
from rainbow_assets.sound import render
from rainbow_assets.sound.render import Pcm
from rainbow_assets.text import counted

Progress = Callable[[str, int, int], None]
SECONDS, SEED = 20.0, 7
PEAKS = {"kick": 0.5, "percussion": 0.32, "drums": 0.5, "static": 0.3, "texture": 0.14, "bass": 0.34, "chords": 0.28,
         "lead": 0.36}
"""Peak of each stem's WAV, full scale = 1."""
PANS = {"percussion": 0.3, "lead": -0.15, "texture": 0.2, "static": -0.3}
OVERRIDES = f"""# A program wrote these songs.
music = "{DEMO}"

# The stamps of album 08 hold SMPTE frames; the other albums are left to the evidence.
[album."08"]
unit = "frames"
fps = 25
"""


@dataclass(frozen=True, slots=True)
class DemoSong:
    """One written song; ``size`` is in bytes."""

    song_id: str
    color: str
    seconds: float
    stems: int
    size: int


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The written songs."""

    root: Path
    songs: tuple[DemoSong, ...]

    def lines(self) -> list[str]:
        """Return a summary for a person."""
        colors = Counter(song.color for song in self.songs)
        size = sum(song.size for song in self.songs)
        stems, minutes = sum(song.stems for song in self.songs), sum(song.seconds for song in self.songs) / 60
        return [f"{counted(len(self.songs), 'song')} in {counted(len(colors), 'color')}, "
                f"{counted(stems, 'stem')}, {minutes:.1f} minutes of music, "
                f"{size / 1e6:.0f} MB in {self.root}",
                ", ".join(f"{color} {number}" for color, number in colors.items())]


def write_demo(
    out: Path, songs_per_color: int = 2, seed: int = SEED, progress: Progress | None = None, seconds: float = SECONDS,
    shuffled: bool = False,
) -> DemoReport:
    """Write ``songs_per_color`` songs for each color that has albums into ``out``; every run writes the same bytes.

    ``seconds`` is the length of a sung song; ``shuffled`` assigns the songs to colors at random (control experiment);
    ``progress(label, done, total)`` is called after each song.
    Raises ``UsageError`` for numbers out of range and for a folder with other songs.
    """
    if not 1 <= songs_per_color <= 12:
        raise UsageError(f"{songs_per_color} songs per color cannot be made; ask for 1 to 12")
    if not 4 <= seconds <= 600:
        raise UsageError(f"songs of {seconds:g} seconds cannot be made; ask for 4 to 600")
    plans = plan_songs(songs_per_color, seed, seconds, shuffled)
    claim(out, "demo corpus", [plan.song_id for plan in plans], replace=True)
    (out / FILE).write_text(OVERRIDES, "utf-8", newline="\n")
    written = []
    for plan in plans:
        written.append(write_song(out, plan))
        if progress:
            progress("songs", len(written), len(plans))
    return DemoReport(out, tuple(written))


def write_example(out: Path, song_id: str) -> DemoSong:
    """Write one song of the demo, for example ``05_01``, and a ``corpus.toml`` that names it, into ``out``."""
    plan = next(plan for plan in plan_songs(2, SEED, SECONDS) if plan.song_id == song_id)
    text = f'# A program wrote this song. Remove it when you add your own.\n[song."{song_id}"]\nmusic = "{DEMO}"\n'
    (out / FILE).write_text(text, "utf-8", newline="\n")
    return write_song(out, plan)


def write_song(out: Path, plan: SongPlan) -> DemoSong:
    """Write one song's folder."""
    folder = out / plan.song_id
    folder.mkdir(parents=True, exist_ok=True)
    stems, music = tracks(plan), compose(plan)
    (folder / f"{plan.song_id}.yml").write_text(manifest_text(plan, stems), "utf-8", newline="\n")
    if not plan.instrumental:
        (folder / f"{plan.song_id}.lrc").write_text(lrc_text(plan), "utf-8", newline="\n")
    mix = render.Mix(plan.total_ms * SAMPLE_RATE // 1000)
    for stem in stems:
        if stem.audio_file:
            pcm = _stem(plan, stem, music[stem.role])
            render.write_wav(folder / stem.audio_file, pcm)
            mix.add(pcm, PANS.get(stem.role, 0.0))
    mix.write(folder / f"{plan.song_id}_main.wav")
    _write_midi(folder, plan, stems, music)
    size = sum(path.stat().st_size for path in folder.iterdir())
    heard = sum(stem.audio_file is not None for stem in stems)
    return DemoSong(plan.song_id, plan.color.name, plan.total_ms / 1000, heard, size)


def _stem(plan: SongPlan, stem: TrackPlan, notes: list[Note]) -> Pcm:
    frames, timbre = plan.total_ms * SAMPLE_RATE // 1000, plan.sound.voices[stem.role]
    sides = (1, 2) if stem.stereo else (0,)
    sounds = [render.render_notes(notes, plan.clock, timbre, frames, side) for side in sides]
    sound = np.column_stack(sounds) if stem.stereo else sounds[0]
    bar = plan.clock.bar_ticks
    rests = [plan.sections[n] for n in sorted(silent_sections(plan)[stem.role])]
    # The last section includes the time after the last bar, in which notes still ring.
    render.mute(sound, [(plan.clock.samples(rest.start_bar * bar),
                         frames if rest.end_bar == plan.bars else plan.clock.samples(rest.end_bar * bar))
                        for rest in rests])
    render.end_fade(sound)
    return render.to_pcm(sound, PEAKS[stem.role], stem.bits)


def _write_midi(folder: Path, plan: SongPlan, stems: list[TrackPlan], music: dict[str, list[Note]]) -> None:
    files: dict[str, list[midifile.MidiPart]] = {}
    for stem in stems:
        name = stem.midi_file or stem.midi_group_file
        if name:
            timbre = plan.sound.voices.get(stem.role, plan.sound.voices["lead"])
            part = midifile.MidiPart(stem.description, music[stem.role], timbre.program, stem.role in DRUM_ROLES)
            files.setdefault(name, []).append(part)
    for name, parts in files.items():
        midifile.write_midi(folder / name, plan.clock, parts, plan.bars * plan.clock.bar_ticks, plan.key)
