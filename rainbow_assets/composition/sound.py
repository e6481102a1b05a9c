"""Rendering parts to sound: with fluidsynth and a soundfont if both are installed, else with a plain synthesizer.

Each part is rendered alone and the mix is their sum, so that the stems sum to the mix.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rainbow_assets import scratch
from rainbow_assets.composition.errors import SoundError
from rainbow_assets.composition.midi import to_midi
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, Parts, SongBrief
from rainbow_assets.errors import UsageError
from rainbow_assets.music.clock import SAMPLE_RATE, Clock
from rainbow_assets.sound.flac import encode_flac, flac_seconds
from rainbow_assets.sound.stems import UnreadableAudio, read_channels
from rainbow_assets.storage.files import sha256_bytes

Sound = npt.NDArray[np.float32]
"""Stereo samples [frames, 2] at 44.1 kHz."""
TAIL_S, PEAK, TIMEOUT_S, SILENT = 1.5, 0.9, 300, 1e-4
PLACES = ("/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf3/default-GM.sf3")
FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts")
LEVELS = {CHORDS: 0.55, DRUMS: 0.8, BASS: 0.8, MELODY: 0.75}
"""Peak level of each part, 0 to 1, when the plain synthesizer renders it."""
PLAIN: dict[str, dict[str, Any]] = {
    CHORDS: {"decay_s": 2.2, "fm_index": 0.5, "room_s": 0.3}, DRUMS: {"drum": True},
    BASS: {"slope": 1.9, "decay_s": 1.4}, MELODY: {"slope": 1.5, "wobble_cents": 8, "wobble_hz": 5, "room_s": 0.4},
}
"""Timbre of each part for the plain synthesizer."""


class Renderer(Protocol):
    """Renders a part."""

    @property
    def token(self) -> str:
        """A text that is different if the sound would be different."""
        ...

    def part(self, name: str, parts: Parts, song: SongBrief) -> Sound:
        """Return one part of the piece before the mix is leveled."""
        ...


@dataclass(frozen=True)
class FluidSynth:
    """Renders with the fluidsynth command and a soundfont."""

    program: str
    soundfont: Path
    token: str

    def part(self, name: str, parts: Parts, song: SongBrief) -> Sound:
        """Return one part; raise ``SoundError`` if fluidsynth cannot render it."""
        with scratch.folder() as folder:
            midi, wav = folder / "part.mid", folder / "part.wav"
            midi.write_bytes(to_midi({name: parts[name]}, song))
            command = [self.program, "-ni", "-q", "-g", "0.5", "-r", str(SAMPLE_RATE), "-O", "float", "-F", str(wav),
                       str(self.soundfont), str(midi)]
            try:
                done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
                samples = read_channels(wav)
            except (OSError, subprocess.TimeoutExpired, UnreadableAudio) as error:
                raise SoundError(f"fluidsynth could not render the {name} with {self.soundfont.name} ({error}); set "
                                 "composition.soundfont to another soundfont") from error
            # If fluidsynth cannot read the soundfont, it plays another one or nothing, and still exits with 0.
            refused = b"error" in done.stderr and b"SoundFont" in done.stderr
            if done.returncode or refused or float(np.abs(samples).max(initial=0.0)) < SILENT:
                problem = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it is silent"]
                raise SoundError(f"fluidsynth could not render the {name} with {self.soundfont.name} ({problem[0]}); "
                                 "set composition.soundfont to another soundfont")
            return np.asarray(samples[:, :2] if samples.shape[1] > 1 else np.repeat(samples, 2, axis=1), np.float32)


@dataclass(frozen=True)
class Plain:
    """Renders with the demo's synthesizer, on machines without fluidsynth or a soundfont."""

    @property
    def token(self) -> str:
        """The synthesizer's version."""
        return "plain 1"

    def part(self, name: str, parts: Parts, song: SongBrief) -> Sound:
        """Return one part, the same in both channels."""
        # Imported here: the synthesizer loads scipy.signal, which is slow and not needed to load the definitions.
        from rainbow_assets.sound.instruments import Timbre
        from rainbow_assets.sound.render import render_notes

        clock = Clock(song.bpm, (song.meter.numerator, song.meter.denominator))
        frames = clock.samples(song.ticks) + round(TAIL_S * SAMPLE_RATE)
        mono = render_notes(parts[name], clock, Timbre(**PLAIN[name]), frames)
        peak = float(np.abs(mono).max(initial=0.0)) or 1.0
        return np.repeat((mono * (LEVELS[name] / peak))[:, None], 2, axis=1)


def renderer(soundfont: str = "") -> Renderer:
    """Return fluidsynth with ``soundfont`` (default: the first one installed), or else the plain synthesizer.

    Raises ``UsageError`` if ``soundfont`` is given and cannot be used: another one would change the sound unnoticed.
    """
    program = shutil.which("fluidsynth")
    if soundfont:
        path = Path(soundfont)
        if not path.is_file():
            raise UsageError(f"composition.soundfont is {soundfont}, which is not a file; write the path of a .sf2 or "
                             ".sf3 file, or leave it empty and run: apt-get install fluidsynth timgm6mb-soundfont")
        with path.open("rb") as stream:
            head = stream.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise UsageError(f"composition.soundfont is {soundfont}, which is not a soundfont; write the path of a "
                             ".sf2 or .sf3 file")
        if program is None:
            raise UsageError("composition.soundfont is set, but fluidsynth is not installed; run: apt-get install "
                             "fluidsynth")
    found = Path(soundfont) if soundfont else _installed()
    if program is None or found is None:
        return Plain()
    stat = found.stat()
    return FluidSynth(program, found, _token(program, str(found), stat.st_size, stat.st_mtime_ns))


def _installed() -> Path | None:
    named = [Path(place) for place in PLACES]
    others = [path for folder in FOLDERS if Path(folder).is_dir() for path in sorted(Path(folder).iterdir())
              if path.suffix.lower() in (".sf2", ".sf3")]
    return next((path for path in [*named, *others] if path.is_file()), None)


@lru_cache(maxsize=8)
def _token(program: str, path: str, size: int, changed_ns: int) -> str:
    """Return the version of fluidsynth and the digest of the soundfont.

    ``size`` and ``changed_ns`` are part of the cache key, so that a large soundfont is hashed again only if it changed.
    """
    output = subprocess.run([program, "--version"], capture_output=True, check=False).stdout.decode("utf-8", "replace")
    version = next((word for word in output.split() if word[:1].isdigit()), "?")
    return f"fluidsynth {version} {sha256_bytes(Path(path).read_bytes())[:16]}"


def render(parts: Parts, song: SongBrief, by: Renderer) -> dict[str, bytes]:
    """Return {name: 16-bit stereo FLAC} of the mix and of every part; the parts sum to the mix."""
    with ThreadPoolExecutor(2) as pool:
        sounds = dict(zip(parts, pool.map(lambda name: by.part(name, parts, song), parts), strict=True))
    frames = Clock(song.bpm).samples(song.ticks) + round(TAIL_S * SAMPLE_RATE)
    fitted = {name: _fitted(sound, frames) for name, sound in sounds.items()}
    total = np.sum(list(fitted.values()), axis=0)
    # One gain for all, so that the parts still sum to the mix.
    gain = np.float32(PEAK / max(float(np.abs(total).max(initial=0.0)), 1e-6))
    return {"mix": _flac(total * gain), **{name: _flac(sound * gain) for name, sound in fitted.items()}}


def _fitted(sound: Sound, frames: int) -> Sound:
    """Return ``sound`` cut or padded to ``frames``, with a fade at the end."""
    out = np.zeros((frames, 2), np.float32)
    out[:len(sound)] = sound[:frames]
    fade = round(TAIL_S * SAMPLE_RATE / 2)
    out[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return out


def _flac(sound: Sound) -> bytes:
    return encode_flac(np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int32), 16, SAMPLE_RATE)


def seconds(flacs: Mapping[str, bytes]) -> float:
    """Return the length of a rendered piece in seconds."""
    return flac_seconds(flacs["mix"])
