"""A pack of chords in the free-midi-chords layout, for benchmarks that run without a real one."""

from __future__ import annotations

import io
import tarfile
from itertools import product
from pathlib import Path

from rainbow_assets.music.midi_write import midi_bytes

SCALES = {
    "Major": ((0, 2, 4, 5, 7, 9, 11), ("I", "ii", "iii", "IV", "V", "vi")),
    "Minor": ((0, 2, 3, 5, 7, 8, 10), ("i", "iio", "III", "iv", "v", "VI", "VII")),
    "Modal": ((0, 2, 3, 5, 7, 9, 10), ("i", "ii", "III", "IV", "v", "vio", "VII")),
}
"""Category -> semitones of its scale, and the triads on the degrees; the modal one is dorian."""


def written_pack(path: Path, files: int) -> Path:
    """Write ``files`` progressions of four triads into the archive ``path``, the same on every run; return ``path``."""
    songs = []
    for category, (scale, names) in SCALES.items():
        degrees = [number for number, name in enumerate(names) if not name.endswith("o")]
        for rest in product(degrees, repeat=3):
            places = [0, *rest]
            songs.append((category, " ".join(names[place] for place in places),
                          midi_bytes([_triad(scale, place) for place in places])))
    songs.sort(key=lambda song: song[1])
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(files):
            category, name, midi = songs[number * 7 % len(songs)]
            home = "A" if category == "Minor" else "C"
            style = f"s{number // len(songs)} style/" if number >= len(songs) else ""
            folder = f"01 - C Major - A minor/4 Progression/{category}/{style}"
            member = tarfile.TarInfo(f"{folder}{home} - {name} - Calm.mid")
            member.size = len(midi)
            archive.addfile(member, io.BytesIO(midi))
    return path


def _triad(scale: tuple[int, ...], degree: int) -> tuple[int, ...]:
    notes = [scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in (0, 2, 4)]
    return tuple(48 + note for note in notes)
