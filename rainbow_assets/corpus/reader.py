"""One song folder to one typed song, or to a quarantine entry with its reason; never an exception."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rainbow_assets.corpus import lrc, manifest, timecode, yaml_safe
from rainbow_assets.corpus.anomalies import Notes
from rainbow_assets.corpus.end import check_times, song_end
from rainbow_assets.corpus.manifest import ManifestEntry, RawSection
from rainbow_assets.corpus.model import LyricLine, Quarantined, Reading, Section, Song, Timecode
from rainbow_assets.corpus.timecode import Override, Overrides, load_overrides
from rainbow_assets.taxonomy import COLOR_NAMES, COLORS, UnknownColor, resolve

FOLDER = re.compile(r"^\d{2}_\d{2}$")
_COLOR_LINE = re.compile(rb"^rainbow_color:[ \t]*['\"]?([A-Za-z]+)['\"]?[ \t\r]*(?:#.*)?$", re.MULTILINE)
ORPHANS = COLOR_NAMES[0]
"""The color shard that accounts for folders whose color nobody can tell."""


def song_folders(root: Path) -> list[Path]:
    """Return the folders of ``root`` named ``<album>_<sequence>``, sorted."""
    return sorted(path for path in root.iterdir() if path.is_dir() and FOLDER.match(path.name))


def stray_folders(root: Path) -> list[Path]:
    """Return the other folders of ``root`` (hidden ones left out), sorted."""
    return sorted(path for path in root.iterdir()
                  if path.is_dir() and not FOLDER.match(path.name) and not path.name.startswith("."))


def album_color(song_id: str) -> str | None:
    """Return the color of a song's album number, or None."""
    return next((color.name for color in COLORS if color.album_prefix == song_id[:2]), None)


def folder_color(folder: Path) -> str:
    """Return the color whose shard accounts for the folder: its manifest's, else its album's, else the first."""
    path = folder / f"{folder.name}.yml"
    try:
        match = _COLOR_LINE.search(path.read_bytes()[: yaml_safe.LIMIT_BYTES]) if path.is_file() else None
        if match is not None:
            return resolve(match[1].decode()).name
    except (OSError, UnknownColor):
        pass
    return album_color(folder.name) or ORPHANS


def read_song(folder: Path, root: Path, overrides: Overrides | None = None, timecode: str = "evidence") -> Reading:
    """Read one song folder. ``timecode="ms"`` takes all stamps literally, hours included, as the original did."""
    notes = Notes(folder.name)
    overrides = overrides if overrides is not None else load_overrides(root)
    file = f"{folder.name}/{folder.name}.yml"
    entry = _entry(folder, file, notes)
    if entry is None:
        return _set_aside(folder, notes)
    try:
        color = resolve(entry.rainbow_color).name
    except UnknownColor as error:
        notes.add("unknown_color", file, "field rainbow_color", str(error), "the song is set aside")
        return _set_aside(folder, notes)
    song = _Builder(folder, file, notes, entry, overrides.of(folder.name), timecode == "ms").build(color)
    return Reading(folder.name, song, None, tuple(sorted(notes.found)))


def read_corpus(root: Path, color: str | None = None) -> list[Reading]:
    """Read every song folder (of one color): songs found = songs + quarantined, always."""
    overrides = load_overrides(root)
    folders = [folder for folder in song_folders(root) if color is None or folder_color(folder) == color]
    return [read_song(folder, root, overrides) for folder in folders]


def _entry(folder: Path, file: str, notes: Notes) -> ManifestEntry | None:
    path = folder / f"{folder.name}.yml"
    try:
        document = yaml_safe.load(path.read_bytes())
    except FileNotFoundError:
        notes.add("unreadable_manifest", file, "file", "the manifest is missing", "the song is set aside")
        return None
    except OSError as error:
        notes.add("unreadable_manifest", file, "file", f"the manifest cannot be opened ({error.strerror})",
                  "the song is set aside")
        return None
    except yaml_safe.UnreadableYaml as error:
        where = str(error).split(":", 1)[0] if str(error).startswith("line ") else "file"
        notes.add("unreadable_manifest", file, where, str(error), "the song is set aside")
        return None
    return manifest.validate(document, file, notes)


def _set_aside(folder: Path, notes: Notes) -> Reading:
    worst = next((a for a in notes.found if a.severity == "error"), None)
    reason, message = (worst.kind, f"{worst.file}, {worst.where}: {worst.message}") if worst else ("unreadable_manifest", "")
    quarantined = Quarantined(folder.name, album_color(folder.name), reason, message)
    return Reading(folder.name, None, quarantined, tuple(sorted(notes.found)))


class _Builder:
    """Puts one song together from its validated manifest and its lyrics."""

    def __init__(
        self, folder: Path, file: str, notes: Notes, entry: ManifestEntry, override: Override, literal: bool
    ) -> None:
        self.folder, self.file, self.notes, self.entry = folder, file, notes, entry
        self.override, self.literal = override, literal

    def build(self, color: str) -> Song:
        entry, notes = self.entry, self.notes
        self._identity(color)
        key, signature = self._music()
        raw = manifest.sections(entry, self.file, notes)
        trt = manifest.parse_stamp(entry.TRT, self.file, "field TRT", notes) if entry.TRT else None
        if trt is None and not entry.TRT:
            notes.add("missing_field", self.file, "field TRT", "TRT is missing", "the last section's end counts")
        lrc_name, lrc_text, lyrics = self._lyrics()
        # "next start = previous end + 1 ms" is how joins are typed, not evidence of milliseconds.
        joins = {(n.start.literal_ms) for p, n in zip(raw, raw[1:], strict=False)
                 if n.start.literal_ms - p.end.literal_ms == 1}
        stamps = [s for section in raw for s in (section.start, section.end) if s.literal_ms not in joins]
        stamps += [trt] if trt else []
        code = timecode.literal() if self.literal else timecode.decide(stamps, lyrics, self.override)
        lyric_code = None
        if lyrics:
            lyric_code = timecode.literal() if self.literal else timecode.decide(lyrics, stamps, self.override)
        sections = self._sections(raw, code)
        total_ms = timecode.to_ms(trt, code) if trt else 0
        lines = self._lines(lyrics, lyric_code, lrc_name, max([total_ms, *(s.end_ms for s in sections)]))
        end_ms = song_end(total_ms, sections, lines)
        self._report(code, lyric_code, stamps, lyrics, lrc_name)
        if not self.literal:
            check_times(notes, self.file, f"{self.folder.name}/{lrc_name}", total_ms, raw, sections, lines)
        tracks = manifest.tracks(entry, self.folder, self.file, notes)
        mix = manifest.name_of(entry.main_audio_file, self.folder, self.file, "field main_audio_file", notes,
                               (".wav", ".wave", ".flac"))
        if mix and mix != f"{self.folder.name}_main.wav":
            notes.add("nonstandard_mix_name", self.file, "field main_audio_file",
                      f"the mix is {mix}, not {self.folder.name}_main.wav", "the manifest's name is used")
        return Song(
            song_id=self.folder.name, folder=self.folder, title=entry.title, rainbow_color=color, bpm=entry.bpm,
            time_signature=signature, time_signature_raw=entry.tempo, key=key, release_date=entry.release_date,
            album_sequence=entry.album_sequence, main_audio_file=mix, total_ms=total_ms, end_ms=end_ms,
            vocals=entry.vocals, lyrics=entry.lyrics, sections=sections, mood=tuple(entry.mood),
            genres=tuple(entry.genres), sounds_like=tuple((s.name, s.discogs_id) for s in entry.sounds_like),
            concept=entry.concept, tracks=tracks, lrc_file=lrc_name, lrc_text=lrc_text, lines=lines,
            manifest_timecode=code, lyrics_timecode=lyric_code, extra=dict(entry.model_extra or {}),
        )

    def _identity(self, color: str) -> None:
        entry, notes, name = self.entry, self.notes, self.folder.name
        if entry.manifest_id != name:
            notes.add("id_disagrees", self.file, "field manifest_id", f"manifest_id is {entry.manifest_id!r}, the folder "
                      f"is {name}", "the folder's name is used")
        if f"{entry.album_sequence:02d}" != name[3:]:
            notes.add("id_disagrees", self.file, "field album_sequence", f"album_sequence is {entry.album_sequence}, the "
                      f"folder is {name}", "kept as it is")
        if color != album_color(name):
            notes.add("color_disagrees", self.file, "field rainbow_color", f"the song is {color}, album {name[:2]} is "
                      f"{album_color(name)}", f"{color} is used")
        for field in sorted(entry.model_extra or {}):
            notes.add("unknown_field", self.file, f"field {field}", f"{field} is not a field of a manifest", "kept as it is")
        for field in ("title", "concept", "key", "tempo", "release_date"):
            value = getattr(entry, field)
            if not value:
                notes.add("missing_field", self.file, f"field {field}", f"{field} is missing or empty", "left empty")
            elif value.strip().upper() == "TK":
                notes.add("placeholder", self.file, f"field {field}", f"{field} still says TK", "kept as it is")
        if not entry.structure:
            notes.add("missing_field", self.file, "field structure", "there are no sections", "the song is one stretch")

    def _music(self) -> tuple[Any, tuple[int, int] | None]:
        entry, notes = self.entry, self.notes
        if not 30 <= entry.bpm <= 300:
            notes.add("suspicious_bpm", self.file, "field bpm", f"{entry.bpm:g} beats per minute", "kept as it is")
        key, signature = manifest.parse_key(entry.key), manifest.parse_signature(entry.tempo)
        if entry.key and key.tonic is None:
            notes.add("unreadable_key", self.file, "field key", f"{entry.key!r} is no key", "key columns are null")
        if entry.tempo and signature is None:
            notes.add("odd_time_signature", self.file, "field tempo", f"{entry.tempo!r} is no time signature",
                      "its columns are null")
        elif signature and (signature[0] > 16 or signature[1] not in (1, 2, 4, 8, 16, 32)):
            notes.add("odd_time_signature", self.file, "field tempo", f"{entry.tempo} is unusual", "kept as it is")
        return key, signature

    def _lyrics(self) -> tuple[str | None, str | None, tuple[lrc.RawStamp, ...]]:
        entry, notes = self.entry, self.notes
        name = manifest.name_of(entry.lrc_file, self.folder, self.file, "field lrc_file", notes, (".lrc", ".txt"))
        default = f"{self.folder.name}.lrc"
        if name is None and (self.folder / default).is_file():
            notes.add("lyrics_disagree", self.file, "field lrc_file", f"{default} is there but not named", "it is used")
            name = default
        if name is None:
            if entry.lyrics:
                notes.add("lyrics_disagree", self.file, "field lyrics", "lyrics is true and there is no lyrics file",
                          "the song is sliced by its sections")
            return None, None, ()
        path, file = self.folder / name, f"{self.folder.name}/{name}"
        try:
            data = path.read_bytes()
        except OSError as error:
            notes.add("unreadable_lyrics", file, "file", f"the lyrics file cannot be opened ({error.strerror})",
                      "the song is sliced by its sections")
            return None, None, ()
        if len(data) > yaml_safe.LIMIT_BYTES:
            notes.add("unreadable_lyrics", file, "file", f"the lyrics file has {len(data):,} bytes",
                      "the song is sliced by its sections")
            return None, None, ()
        text = lrc.decode(data, file, notes)
        if text is None:
            return None, None, ()
        if not entry.lyrics:
            notes.add("lyrics_disagree", self.file, "field lyrics", "lyrics is false and there is a lyrics file", "it is used")
        return name, text, lrc.parse(text, file, notes).stamps

    def _sections(self, raw: list[RawSection], code: Timecode) -> tuple[Section, ...]:
        """Convert stamps; where the next start is typed as end + 1 ms, the sections join exactly."""
        times = [[timecode.to_ms(s.start, code), timecode.to_ms(s.end, code)] for s in raw]
        if not self.literal:
            for n in range(len(raw) - 1):
                if raw[n + 1].start.literal_ms - raw[n].end.literal_ms == 1:
                    # .999 -> .000: the whole second is the border that was meant.
                    border = times[n + 1][0] if raw[n].end.fraction == "999" else times[n][1]
                    times[n][1] = times[n + 1][0] = border
        return tuple(Section(s.name, start, end, s.description) for s, (start, end) in zip(raw, times, strict=True))

    def _lines(
        self, stamps: tuple[lrc.RawStamp, ...], code: Timecode | None, name: str | None, song_ms: int
    ) -> tuple[LyricLine, ...]:
        if code is None:
            return ()
        times = [timecode.to_ms(stamp, code) for stamp in stamps]
        hours = self._hours(times, song_ms, name)
        lines = [LyricLine(ms - hours * 3_600_000, stamp.text, stamp.line_number)
                 for ms, stamp in zip(times, stamps, strict=True)]
        return tuple(lines if self.literal else sorted(lines, key=lambda line: (line.start_ms, line.line_number)))

    def _hours(self, times: list[int], song_ms: int, name: str | None) -> int:
        if self.literal or not times:
            return 0
        if self.override.hour_offset is not None:
            return self.override.hour_offset
        hours = min(times) // 3_600_000
        if hours and song_ms < min(times):
            self.notes.add("hour_offset", f"{self.folder.name}/{name}", "all stamps", f"every stamp lies after hour {hours} "
                           f"and the song lasts {song_ms / 1000:.0f} s", f"{hours} h are subtracted")
            return hours
        return 0

    def _report(
        self, code: Timecode, lyric_code: Timecode | None, stamps: list[lrc.RawStamp], lyrics: tuple[lrc.RawStamp, ...],
        name: str | None,
    ) -> None:
        for file, found, own in ((self.file, code, stamps), (f"{self.folder.name}/{name}", lyric_code, list(lyrics))):
            if found is None or self.literal:
                continue
            reading = f"{found.unit} at {found.fps} fps" if found.fps else "milliseconds"
            if found.unit != timecode.MS:
                self.notes.add("timecode_frames", file, "all stamps", f"{found.evidence}; the largest shift is "
                               f"{found.largest_shift_ms} ms", f"read as {reading}")
            if found.ambiguous and own:
                self.notes.add("timecode_ambiguous", file, "all stamps", found.evidence,
                               f"read as {reading}; say so in {timecode.FILE} if that is wrong")
            for stamp in timecode.misfits(own, found):
                where = f"line {stamp.line_number}" if stamp.line_number else f"stamp {stamp.minutes:02d}:{stamp.seconds:02d}"
                self.notes.add("timecode_mixed", file, where, f"the fraction .{stamp.fraction} cannot be {found.unit}",
                               "read as milliseconds")
