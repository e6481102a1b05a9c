"""The values of harmony: chords, progressions and packs, and the anomalies of a pack's files."""

from __future__ import annotations

from dataclasses import dataclass, field

from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG
from rainbow_assets.ingest.anomalies import Anomaly, Kinds
from rainbow_assets.music.chord_types import ChordType
from rainbow_assets.music.functions import function_of, roman_of, spell_root
from rainbow_assets.music.keys import Key, note_name, spell

KINDS: Kinds = {
    "unusable_pack": ("error", "a pack that cannot be read at all, or whose name cannot be used; the others are used"),
    BUG: ("error", "a fault of the program, met while a pack was read; the others are used"),
    "unsafe_path": ("error", "a path that leads out of the pack"),
    "odd_file": ("error", "a link out of the pack, a pipe, or a file that cannot be read"),
    "not_midi": ("error", "a file that is not MIDI, or whose notes cannot be placed in time"),
    "repaired_midi": ("warning", "parts of a MIDI file were skipped or corrected; the rest is used"),
    "too_large": ("error", "a file that is too large for a chord or progression"),
    "no_notes": ("error", "a MIDI file without notes"),
    "unparsed_name": ("error", "a file name without a function, chord name or romans"),
    "unnamed_chord": ("error", "notes that are not those of any chord type"),
    "name_mismatch": ("warning", "notes that are not those of the file's name; the chord is named by its notes"),
    "roman_mismatch": ("warning", "a progression whose notes are not those of its romans; its notes are kept"),
    "outside_layout": ("info", "a file that is not in a folder of a supported layout"),
    "cluster_file": ("info", "an 'All ...' file, which contains many chords; not used"),
    "duplicate_chord": ("info", "a chord with the same key, name and notes as another one of the pack; not used"),
}
"""Kind of anomaly of a pack -> (severity, meaning). ``error``: the file is not used; ``warning``: it is, check it."""


def pack_anomaly(file: str, kind: str, message: str, action: str = "not used") -> Anomaly:
    """Return an anomaly of the pack's file ``file``; ``kind`` is a key of :data:`KINDS`."""
    return Anomaly("", file, "", kind, KINDS[kind][0], message, action)


@dataclass(frozen=True, slots=True)
class Chord:
    """One chord in one key, with its notes. ``voicing`` is sorted MIDI pitches.

    ``inversion`` is the position of the bass among the chord's tones above the root (0 root, 1 third, 2 fifth ...),
    or -1 if the bass is not a chord tone.
    """

    key: Key
    function: str
    roman: str
    name: str
    root_pc: int
    quality: str
    intervals: tuple[int, ...]
    inversion: int
    voicing: tuple[int, ...]
    category: str
    pack: str = "builtin"
    source_file: str = ""

    @property
    def bass_pc(self) -> int:
        """Pitch class of the lowest note."""
        return self.voicing[0] % 12

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Sorted distinct pitch classes that sound."""
        return tuple(sorted({pitch % 12 for pitch in self.voicing}))

    @property
    def note_names(self) -> tuple[str, ...]:
        """Note names with octaves, lowest first."""
        return tuple(note_name(pitch, self.key.flat) for pitch in self.voicing)

    @property
    def source_digest(self) -> str:
        """Digest of the chord's pack, file, name and notes."""
        return digest(self.pack, self.source_file, self.name, list(self.voicing))

    @property
    def chord_id(self) -> str:
        """A stable id such as ``builtin:A_minor:V7:E7:40-56-59-62-64``; two voicings of a chord have two ids."""
        voicing = "-".join(str(pitch) for pitch in self.voicing)
        return f"{self.pack}:{self.key.tonic}_{self.key.mode}:{self.roman}:{self.name}:{voicing}"


@dataclass(frozen=True, slots=True)
class Step:
    """One chord of a progression; times in milliseconds from its start."""

    function: str
    roman: str
    name: str
    voicing: tuple[int, ...]
    start_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords in time, in one key. ``name`` is its name in the pack, ``moods`` its mood tags."""

    progression_id: str
    name: str
    key: Key
    category: str
    style: str
    bpm: float
    steps: tuple[Step, ...]
    moods: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    """Romans in the file's name, as written; empty if it has none."""
    pack: str = "builtin"
    source_file: str = ""

    @property
    def functions(self) -> tuple[str, ...]:
        """Roman functions in order."""
        return tuple(step.function for step in self.steps)

    @property
    def romans(self) -> tuple[str, ...]:
        """Functions with chord types, in order."""
        return tuple(step.roman for step in self.steps)


@dataclass(frozen=True, slots=True)
class Pack:
    """The contents of a pack. ``files`` counts all of its MIDI files, used or not."""

    name: str
    digest: str
    files: int
    chords: tuple[Chord, ...]
    progressions: tuple[Progression, ...]
    anomalies: tuple[Anomaly, ...] = field(default_factory=tuple)


def make_chord(
    key: Key, root_pc: int, chord_type: ChordType, voicing: tuple[int, ...], category: str,
    pack: str = "builtin", source_file: str = "",
) -> Chord:
    """Return the chord of type ``chord_type`` on ``root_pc`` with the notes ``voicing``, as a chord of ``key``."""
    offset = (root_pc - key.pc) % 12
    function = function_of(offset, chord_type, key.mode)
    root = spell_root(offset, key)
    bass = (voicing[0] - root_pc) % 12
    inversion = chord_type.intervals.index(bass) if bass in chord_type.intervals else -1
    tone = max(inversion, 0)
    slash = "" if bass == 0 else "/" + spell(voicing[0] % 12, key)
    return Chord(
        key=key, function=function, roman=roman_of(function, chord_type, tone),
        name=f"{root}{chord_type.symbol}{slash}", root_pc=root_pc, quality=chord_type.quality,
        intervals=chord_type.intervals, inversion=inversion, voicing=voicing, category=category, pack=pack,
        source_file=source_file,
    )
