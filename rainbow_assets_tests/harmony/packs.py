"""Small packs in both layouts, made from the theory pack, so that no test needs a bought or downloaded one."""

from __future__ import annotations

import io
import tarfile

from rainbow_assets.harmony.theory import key_chords, key_progressions
from rainbow_assets.music.keys import Key
from rainbow_assets.music.midi_write import Performance, midi_bytes

C, AM = Key("C", "major"), Key("A", "minor")
AMEN = [(36, 55, 60, 64), (41, 57, 60, 65), (36, 55, 60, 64)]


def original_layout() -> dict[str, bytes]:
    """The folder shape of the original pack: one pair of keys, four kinds of chord files, clusters, progressions."""
    files = {}
    root = "01 - C Major - A Minor"
    for key in (C, AM):
        mode = key.mode.capitalize()
        folders = {"triad": "1 Triads", "seventh": "2 Extended Chords", "borrowed": "3 Borrowed & Modal Chords"}
        for chord in key_chords(key):
            folder = folders.get(chord.category)
            if folder and "/" not in chord.name:
                name = f"{chord.function} - {chord.name}"
                files[f"{root}/{folder}/01 - {key.tonic} {mode}/{name}.mid"] = midi_bytes([chord.voicing])
        files[f"{root}/1 Triads/All Triads ({key.tonic} {mode}).mid"] = midi_bytes([range(48, 72)])
        for number, item in enumerate(key_progressions(key), 1):
            group = "1 Diatonic Triads" if item.category == "diatonic" else "2 Advanced Progressions"
            name = f"{mode} Prog {number:02d} ({'-'.join(item.declared)})"
            path = f"{root}/4 Progressions/{group}/{mode} Progressions/{name}.mid"
            files[path] = midi_bytes([step.voicing for step in item.steps], Performance(bpm=120))
    return files


def free_layout() -> dict[str, bytes]:
    """The folder shape of free-midi-chords: shared chord files and progressions with moods in their names."""
    root = "01 - C Major - A minor"
    c, f, g, am = (36, 60, 64, 67), (41, 60, 65, 69), (43, 62, 67, 71), (45, 60, 64, 69)
    return {
        f"{root}/1 Triad/Major/I - C.mid": midi_bytes([c]),
        f"{root}/1 Triad/Minor/i - Am.mid": midi_bytes([am]),
        f"{root}/3 All chords/IV-VI - F.mid": midi_bytes([f]),
        f"{root}/3 All chords/IV-VI - Fmaj.mid": midi_bytes([f]),
        f"{root}/4 Progression/Major/C - I IV V - Joyful Bold.mid": midi_bytes([c, f, g]),
        f"{root}/4 Progression/Minor/basic4 style/A - i VI i - Sad.mid": midi_bytes([am, am, f, f, am, am]),
        f"{root}/4 Progression/Modal/A - i bVII.mid": midi_bytes([am, g]),
    }


def tar_of(files: dict[str, bytes], prefix: str = "./") -> bytes:
    """A .tar.gz of ``files``."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(prefix + path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()
