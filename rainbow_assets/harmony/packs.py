"""Turn the files of a pack into chords and progressions; a file that is not used has an anomaly with the cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise

from rainbow_assets.harmony.layouts import ChordPath, NotAChord, ProgressionPath, read_path
from rainbow_assets.harmony.midi_read import Hit, MidiChords, read_midi
from rainbow_assets.harmony.model import Chord, Pack, Progression, Step, make_chord, pack_anomaly
from rainbow_assets.harmony.pack_files import PackFiles, PackSource, read_files
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.music.chord_types import ChordType, identify, parse_chord_name, type_on_root
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.functions import function_of, offset_of, roman_of, spell_root
from rainbow_assets.music.keys import Key, key_of, pitch_class, spell

_OPTIONAL = (1 << 7) | (1 << 5) | (1 << 2)
"""Fifth, eleventh and ninth: tones that players omit from extended chords without renaming them."""


def read_pack(source: PackSource, name: str | None = None) -> Pack:
    """Return the pack in a folder, a tar archive or a mapping, in either layout; raise ``PackError`` if there is none.

    A bad file becomes an anomaly, and the other files are used. The same files give the same pack from any source.
    """
    return build_pack(read_files(source, name))


def build_pack(source: PackFiles) -> Pack:
    """Return the pack made from the files of ``source``."""
    wanted: list[tuple[str, bytes]] = []
    paths: list[ChordPath | ProgressionPath] = []
    anomalies = list(source.anomalies)
    for path, data in source.files:
        named = read_path(path)
        if isinstance(named, NotAChord):
            anomalies.append(pack_anomaly(path, named.kind, named.message))
        else:
            wanted.append((path, data))
            paths.append(named)
    midi, refused = read_midi(wanted)
    anomalies += refused
    chords: dict[tuple[Key, str, tuple[int, ...]], Chord] = {}
    progressions: list[Progression] = []
    for (path, _), named, music in zip(wanted, paths, midi, strict=True):
        if music is None:
            continue
        if isinstance(named, ProgressionPath):
            made, problem = _progression(path, named, music, source.name)
            progressions += [made] if made else []
            anomalies += [problem] if problem else []
            continue
        for item in _chords(path, named, music, source.name):
            if isinstance(item, Anomaly):
                anomalies.append(item)
                continue
            known = chords.setdefault((item.key, item.name, item.voicing), item)
            if known is not item:
                anomalies.append(pack_anomaly(
                    path, "duplicate_chord", f"{item.name} in {item.key.label} is also the chord of "
                    f"{known.source_file}", "the first file is used"))
    looked_at = len(source.files) + len(source.anomalies)
    return Pack(source.name, source.digest, looked_at, tuple(chords.values()), tuple(progressions),
                tuple(sorted(anomalies)))


def _chords(path: str, named: ChordPath, music: MidiChords, pack: str) -> Iterator[Chord | Anomaly]:
    """Yield the chord of a file once for each of its keys, and an anomaly if its name and notes disagree."""
    pitches = tuple(sorted({pitch for hit in music.hits for pitch in hit.pitches}))
    mask = 0
    for hit in music.hits:
        mask |= hit.mask
    root, chord_type, complaint = _name(named.name, mask, pitches[0] % 12)
    if chord_type is None:
        yield pack_anomaly(path, "unnamed_chord", complaint)
        return
    if complaint:
        yield pack_anomaly(path, "name_mismatch", complaint, "named by its notes")
    for key, _ in named.placements:
        yield make_chord(key, root, chord_type, pitches, named.category, pack, path)


def _name(declared: str, mask: int, bass: int) -> tuple[int, ChordType | None, str]:
    """Return (root, type, complaint) of the notes of a file named ``declared``; no complaint if they agree."""
    try:
        name = parse_chord_name(re.sub(r"^[b#]?[ivIV]+ - ", "", declared))
    except HarmonyUsageError as error:
        found = identify(mask, bass)
        return (*found, str(error)) if found else (0, None, f"{error}; its notes are not a known chord either")
    root = pitch_class(name.root)
    # A slash bass outside the chord is not part of its type.
    inside = mask & ~(1 << bass) if name.bass and bass not in {(root + s) % 12 for s in name.type.intervals} else mask
    sounded = type_on_root(inside, root)
    if sounded is not None:
        missing = name.type.mask & ~sounded.mask
        extra = sounded.mask & ~name.type.mask
        if not extra and not missing & ~_OPTIONAL:
            return root, sounded, ""
    found = identify(mask, bass)
    if found is None:
        return root, None, f"the notes are not those of {declared!r} or of another known chord"
    return (*found, f"the notes are not those of {declared!r}")


@lru_cache(maxsize=65536)
def _placed(mask: int, bass: int, root: int | None, key: Key) -> tuple[str, str, str] | None:
    """Return (function, roman, name) of sounding notes in ``key``, or None; the declared ``root`` is tried first."""
    chord_type = type_on_root(mask, root) if root is not None else None
    if chord_type is None or root is None:
        found = identify(mask, bass)
        if found is None:
            return None
        root, chord_type = found
    offset = (root - key.pc) % 12
    step = (bass - root) % 12
    function = function_of(offset, chord_type, key.mode)
    tone = chord_type.intervals.index(step) if step in chord_type.intervals else 0
    slash = "/" + spell(bass, key) if step else ""
    return function, roman_of(function, chord_type, tone), f"{spell_root(offset, key)}{chord_type.symbol}{slash}"


def _progression(
    path: str, named: ProgressionPath, music: MidiChords, pack: str
) -> tuple[Progression | None, Anomaly | None]:
    runs = [list(run) for _, run in groupby(music.hits, key=lambda hit: (hit.mask, hit.pitches[0] % 12))]
    declared = _declared_roots(named)
    problem = None
    if declared is None:
        problem = pack_anomaly(path, "roman_mismatch", f"the romans of {named.name!r} cannot be read",
                              "kept as it sounds")
    groups = _align(runs, declared) if declared else None
    if groups is None:
        groups = [(run, None) for run in runs]
        problem = problem or pack_anomaly(path, "roman_mismatch", f"the {len(runs)} sounding chords are not the romans "
                                         f"{' '.join(named.romans)} of the name", "kept as it sounds")
    key = named.key
    mode = _sounding_mode(named, groups) if named.modal else key.mode
    if mode != key.mode:
        key = key_of(key.pc, mode)
    steps = []
    for hits, root in groups:
        placed = _placed(hits[0].mask, hits[0].pitches[0] % 12, root, key)
        if placed is None:
            names = " ".join(str(pitch) for pitch in hits[0].pitches)
            return None, pack_anomaly(path, "unnamed_chord", f"the notes {names} are not a known chord")
        start, end = music.milliseconds(hits[0].start), music.milliseconds(hits[-1].end)
        steps.append(Step(*placed, hits[0].pitches, start, end - start))
    identity = f"{pack}:{path.rsplit('.', 1)[0]}"
    made = Progression(identity, named.name, key, named.category, named.style, music.bpm, tuple(steps), named.moods,
                       named.romans, pack, path)
    return made, problem


def _declared_roots(named: ProgressionPath) -> list[tuple[int, str]] | None:
    """Return (root pitch class, roman) for each roman of the file's name, or None if one cannot be read."""
    scale = "major" if named.modal else named.key.mode
    try:
        return [((named.key.pc + offset_of(text, scale)) % 12, text) for text in named.romans]
    except HarmonyUsageError:
        return None


def _align(runs: list[list[Hit]], declared: Sequence[tuple[int, str]]) -> list[tuple[list[Hit], int | None]] | None:
    """Assign the sounding ``runs`` (equal neighbors merged) to the ``declared`` romans; return None if they disagree.

    A rhythm may repeat a chord, and a name may repeat a roman, so a run is cut into as many equal shares as the name
    repeats its roman.
    """
    wanted = [(root, len(list(same))) for (root, _), same in groupby(declared)]
    if len(wanted) != len(runs) or any(
        not run[0].mask >> root & 1 or len(run) < times for run, (root, times) in zip(runs, wanted, strict=True)
    ):
        return None
    shared: list[tuple[list[Hit], int | None]] = []
    for run, (root, times) in zip(runs, wanted, strict=True):
        borders = [round(part * len(run) / times) for part in range(times + 1)]
        shared += [(run[low:high], root) for low, high in pairwise(borders)]
    return shared


def _sounding_mode(named: ProgressionPath, groups: Sequence[tuple[list[Hit], int | None]]) -> str:
    """Return the mode of the first tonic chord with a third, or else of the third degree that more chords have."""
    tonic = named.key.pc
    major_third, minor_third = (tonic + 4) % 12, (tonic + 3) % 12
    for hits, root in groups:
        base = hits[0].pitches[0] % 12 if root is None else root
        if base == tonic:
            mask = hits[0].mask
            if mask >> minor_third & 1 and not mask >> major_third & 1:
                return "minor"
            if mask >> major_third & 1:
                return "major"
    low = sum(hits[0].mask >> minor_third & 1 for hits, _ in groups)
    high = sum(hits[0].mask >> major_third & 1 for hits, _ in groups)
    return "minor" if low > high else "major"


