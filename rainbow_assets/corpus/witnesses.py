"""Facts that a song gives twice: what each source says, which one the song's end follows, and which disagree.

Length, tempo, key and start each have several sources, and no single one of them can be trusted: a mix is exported too
short, a program writes 120 BPM by default, a stem is cut out of its time line. Here they are compared.
A difference above the tolerance is reported with both numbers; one that no reading explains is a contradiction, and the
song waits until a person has looked at it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.end import AGREES_MS
from rainbow_assets.corpus.media import AudioFacts, Media, MidiFacts, named, report
from rainbow_assets.corpus.model import Quarantined, Song, SongReading
from rainbow_assets.errors import bug
from rainbow_assets.music.keys import accidentals
from rainbow_assets.music.midi_song import STANDARD_BPM, same_tempo
from rainbow_assets.text import counted, some

LENGTH_BOUND_MS, LENGTH_BOUND = 10_000, 0.5
"""Text and sound, or notes and sound, contradict each other if they differ by more than both: half of the longer."""
TEMPO_BOUND = 2.2
"""Where one tempo is more than 2.2 times the other, not even half or double notes explain it."""
MULTIPLES = (0.5, 2.0, 2 / 3, 1.5)
"""A tempo may be counted in other notes: half, double, dotted."""
START_AGREES_MS, START_BOUND_MS = 10, 250
HOUR_MS = 3_600_000
TOGETHER_MS = 20
"""Lines that begin within this time are sung together: editors stamp a translation 10 ms after its line."""
WORDS_PER_S, WORDS_BOUND = 8.0, 0.5
"""No one sings more words in a second; if more than half of the lines ask for it, the stamps belong to another song."""
FEWEST_WORDS, FEWEST_LINES = 4, 4


@dataclass(frozen=True, slots=True)
class Witness:
    """One source's word on one fact.

    ``fact`` is length, tempo, key, start or words; ``value`` is in ms, BPM, sharps, ms or words per second. ``agrees``:
    within the tolerance of what is used; None where nothing is compared.
    """

    fact: str
    source: str
    value: float
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class SongEnd:
    """The end of a song in milliseconds, and the sentence that names its source."""

    ms: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The end of a song, what every witness says, and why the song must wait (None: nothing contradicts itself)."""

    end: SongEnd
    witnesses: tuple[Witness, ...]
    contradiction: str | None


def find_end(song: Song, media: Media) -> SongEnd:
    """Return the song's end: its longest sound, unless the text sides with a shorter mix; without sound, the text.

    A length of 0 is no length.
    """
    mix, longest = audio_ms(song.main_audio_file, media), max(stem_lengths(song, media).values(), default=0)
    text, notes = text_lengths(song), max(midi_lengths(song, media).values(), default=0)
    known = {f"mix {song.main_audio_file}": mix, "longest stem": longest, **text, "longest MIDI file": notes}
    for_mix, for_stems = (sum(agree(ms, sound) for ms in text.values()) for sound in (mix, longest))
    if mix and (agree(mix, longest) or mix > longest or for_mix > for_stems):
        name, ms = f"mix {song.main_audio_file}", mix
    elif longest:
        name, ms = "longest stem", longest
    else:
        name, ms = ("text", song.end_ms) if song.end_ms else ("longest MIDI file", notes)
    others = [f"{other} {seconds(value)}" for other, value in known.items() if other != name and value]
    return SongEnd(ms, f"{name} {seconds(ms)}" + (f" ({', '.join(others)})" if others else ""))


def agree(one: float, other: float) -> bool:
    """Return True if two lengths in milliseconds are one within the tolerance."""
    return abs(one - other) <= AGREES_MS


def seconds(ms: float) -> str:
    """Return ``12.500 s``."""
    return f"{ms / 1000:.3f} s"


def audio_ms(name: str | None, media: Media) -> int:
    """Return the length of an audio file, 0 if there is none that can be read."""
    found = media.get(name or "")
    return found.ms if isinstance(found, AudioFacts) else 0


def stem_lengths(song: Song, media: Media) -> dict[str, int]:
    """Return {file name: length} of the stems that can be read."""
    return {name: ms for track in song.tracks if (name := track.audio_file) and (ms := audio_ms(name, media))}


def midi_files(song: Song, media: Media) -> dict[str, MidiFacts]:
    """Return {file name: facts} of the MIDI files that are used and can be read."""
    return {name: found for track in song.tracks
            if (name := track.midi) and isinstance(found := media.get(name), MidiFacts)}


def midi_lengths(song: Song, media: Media) -> dict[str, int]:
    """Return {file name: when the last note ends} of the MIDI files that have notes."""
    return {name: ms for name, found in midi_files(song, media).items() if (ms := found.length_ms(song.bpm))}


def text_lengths(song: Song) -> dict[str, int]:
    """Return what TRT and the last section say, without times that are before the last section's start."""
    starts = max((section.start_ms for section in song.sections), default=0)
    last = max((section.end_ms for section in song.sections if section.end_ms > section.start_ms), default=0)
    return {name: ms for name, ms in (("TRT", song.total_ms), ("last section", last)) if ms > starts}


def judge(reading: SongReading, media: Media, trusted: bool = False) -> tuple[SongReading, Evidence | None]:
    """Compare all witnesses; return the reading with what is wrong or disagrees, and the evidence (None: no song).

    Files in ``media`` that the song does not name are no witnesses.

    A song that contradicts itself is quarantined, unless it is ``trusted``: a person has looked at it, so that the
    contradiction is reported and does not stop it.
    """
    if reading.song is None:
        return reading, None
    notes = AnomalyLog(reading.song_id)
    own = {name: media[name] for name in named(reading.song) if name in media}
    try:
        report(reading.song, own, notes)
        evidence = _Comparison(reading.song, own, notes, trusted).evidence()
    except Exception as error:
        sentence = bug(error, f"comparing the files of {reading.song_id}")
        notes.add("bug", reading.song_id, "folder", sentence, "the song is quarantined")
        waiting = Quarantined(reading.song_id, reading.song.rainbow_color, "bug", sentence)
        return replace(reading, song=None, quarantined=waiting,
                       anomalies=tuple(sorted({*reading.anomalies, *notes.sorted()}))), None
    anomalies = tuple(sorted({*reading.anomalies, *notes.sorted()}))
    if evidence.contradiction is None:
        return replace(reading, anomalies=anomalies), evidence
    waiting = Quarantined(reading.song_id, reading.song.rainbow_color, "contradiction", evidence.contradiction)
    return replace(reading, song=None, quarantined=waiting, anomalies=anomalies), evidence


class _Comparison:
    """The comparisons of one song."""

    def __init__(self, song: Song, media: Media, notes: AnomalyLog, trusted: bool) -> None:
        self.song, self.media, self.notes, self.trusted = song, media, notes, trusted
        self.end = find_end(song, media)
        self.manifest = f"{song.song_id}/{song.song_id}.yml"
        self.witnesses: list[Witness] = []
        self.contradictions: list[str] = []

    def evidence(self) -> Evidence:
        """Compare everything."""
        self._sound_lengths()
        self._text_lengths()
        self._midi_lengths()
        self._tempos()
        self._keys()
        self._starts()
        self._rates()
        self._copies()
        self._words()
        return Evidence(self.end, tuple(self.witnesses), self.contradictions[0] if self.contradictions else None)

    def _file(self, name: str | None) -> str:
        return f"{self.song.song_id}/{name}"

    def _say(self, fact: str, source: str, value: float, agrees: bool | None = True) -> None:
        self.witnesses.append(Witness(fact, source, round(value, 3), agrees))

    def _report(self, kind: str, file: str, where: str, message: str, action: str, contradicts: bool = False) -> None:
        if not contradicts or self.trusted:
            self.notes.add(kind, file, where, message, action)
            return
        self.contradictions.append(f"{file}, {where}: {message}")
        self.notes.add("contradiction", file, where, message,
                       "the song is quarantined; correct one of them, or if both are right, write trusted = true below "
                       f'[song."{self.song.song_id}"] in corpus.toml')

    def _sound_lengths(self) -> None:
        end = self.end.ms
        if mix := audio_ms(self.song.main_audio_file, self.media):
            self._say("length", "mix", mix, agree(mix, end))
            if not agree(mix, end):
                self._report("length_disagrees", self._file(self.song.main_audio_file), "field main_audio_file",
                             f"the mix lasts {seconds(mix)}, and the song {seconds(end)}: {self.end.evidence}",
                             "the song's end follows the others; export the mix again")
        for name, ms in stem_lengths(self.song, self.media).items():
            self._say("length", name, ms, agree(ms, end))
            if ms > end + AGREES_MS:
                self._report("length_disagrees", self._file(name), "file",
                             f"the stem lasts {seconds(ms)}, and the song {seconds(end)}: {self.end.evidence}",
                             "what is after the song's end is not cut")
            elif not agree(ms, end):
                self._report("short_stem", self._file(name), "file",
                             f"the stem lasts {seconds(ms)}, and the song {seconds(end)}: {self.end.evidence}",
                             "it has no windows after its end")

    def _text_lengths(self) -> None:
        end, known = self.end.ms, text_lengths(self.song)
        sound = bool(audio_ms(self.song.main_audio_file, self.media) or stem_lengths(self.song, self.media))
        far = bool(known) and all(_far(ms, end) for ms in known.values())
        for name, ms in known.items():
            self._say("length", name, ms, agree(ms, end))
            if sound and not agree(ms, end):
                self._report("length_disagrees", self.manifest, f"field {'TRT' if name == 'TRT' else 'structure'}",
                             f"{name} is at {seconds(ms)}, and the song ends at {seconds(end)}: {self.end.evidence}",
                             "the sound is used", far)
        if not self.song.lines:
            return
        last = max(self.song.lines, key=lambda line: line.start_ms)
        self._say("length", "last stamp", last.start_ms, last.start_ms < end)
        # A stamp after the end that the text gives is reported where the text is read.
        reported = last.start_ms >= max(known.values(), default=last.start_ms + 1)
        if sound and not far and last.start_ms >= end and not reported:
            self._report("length_disagrees", self._file(self.song.lrc_file), f"line {last.line_number}",
                         f"the last stamp is at {seconds(last.start_ms)}, and the song ends at {seconds(end)}: "
                         f"{self.end.evidence}", "lines after the end have no slice", _far(last.start_ms, end))

    def _midi_lengths(self) -> None:
        end = self.end.ms
        for name, ms in midi_lengths(self.song, self.media).items():
            agrees = ms <= end + AGREES_MS
            self._say("length", name, ms, agrees)
            if agrees:
                continue
            message = f"its last note ends at {seconds(ms)}, and the song at {seconds(end)}: {self.end.evidence}"
            # The reader ends such a note with its track, because the file gives it no end: that contradicts nothing.
            if open_end := midi_files(self.song, self.media)[name].open_end:
                message = (f"its last note has no end, because its key or pedal stays down to the end of the track at "
                           f"{seconds(ms)}, and the song ends at {seconds(end)}: {self.end.evidence}")
            self._report("length_disagrees", self._file(name), "file", message, "notes after the end are not cut",
                         not open_end and _far(ms, end))

    def _tempos(self) -> None:
        bpm = self.song.bpm
        self._say("tempo", "manifest", bpm, None)
        for name, found in midi_files(self.song, self.media).items():
            if found.open_beats and set(found.tempos) != {STANDARD_BPM}:
                self._report("midi_without_tempo", self._file(name), "file", "the file sets no tempo at its start",
                             f"its notes are placed at {bpm:.6g} BPM, the manifest's bpm; export the file with its "
                             "tempo if it has another one")
            if not found.tempos:
                continue
            if set(found.tempos) == {STANDARD_BPM} and not same_tempo(STANDARD_BPM, bpm):
                self._say("tempo", name, STANDARD_BPM, False)
                self._report("midi_default_tempo", self._file(name), "file",
                             f"its only tempo is {STANDARD_BPM:g} BPM, the one that programs write by default, "
                             f"and the manifest has {bpm:g}", "its notes are placed at the manifest's bpm")
                continue
            nearest = min(found.tempos, key=lambda tempo: abs(tempo - bpm))
            between = found.tempos[0] <= bpm <= found.tempos[-1]
            agrees = between or any(same_tempo(nearest * multiple, bpm) for multiple in (1.0, *MULTIPLES))
            self._say("tempo", name, nearest, agrees)
            if not agrees:
                self._report("tempo_disagrees", self._file(name), "file",
                             f"its tempo is {nearest:g} BPM, and the manifest's bpm is {bpm:g}",
                             "its notes are where the file places them",
                             not 1 / TEMPO_BOUND <= nearest / bpm <= TEMPO_BOUND)

    def _keys(self) -> None:
        own = self.song.key
        if own.tonic is None or own.mode is None:
            return
        wanted = accidentals(own.tonic, own.mode)
        self._say("key", "manifest", wanted, None)
        for name, found in midi_files(self.song, self.media).items():
            # No sharps and no flats is what programs write by default.
            if not any(found.accidentals):
                continue
            agrees = any((sharps - wanted) % 12 == 0 for sharps in found.accidentals)
            self._say("key", name, min(found.accidentals, key=lambda sharps: abs(sharps - wanted)), agrees)
            if not agrees:
                self._report("key_disagrees", self._file(name), "file",
                             f"its key signature has {_signature(found.accidentals[0])}, and the manifest's key "
                             f"{own.raw} has {_signature(wanted)}", "the manifest's key is used")

    def _starts(self) -> None:
        """Compare the places of the sounds on their programs' time lines.

        A file without a reference is no evidence. Nor is a 0, which programs write by default, against references
        that agree; and a session that begins after a whole hour of tape begins at its start.
        """
        names = dict.fromkeys(name for name in (self.song.main_audio_file,
                                                *(track.audio_file for track in self.song.tracks)) if name)
        starts = {name: found.start_ms for name in names
                  if isinstance(found := self.media.get(name), AudioFacts) and found.start_ms is not None}
        if not any(starts.values()):
            return
        common, files = Counter(ms % HOUR_MS for ms in starts.values()).most_common(1)[0]
        if len(starts) == 1:
            common = 0  # nothing but the start of the time line to compare it with
        near = next((ms for ms in starts.values() if ms % HOUR_MS == common), 0)
        for name, ms in starts.items():
            away = (ms - common + HOUR_MS // 2) % HOUR_MS - HOUR_MS // 2
            agrees = not ms or abs(away) <= START_AGREES_MS
            self._say("start", name, away if ms else 0, agrees)
            if not agrees:
                others = f"that of the other files {seconds(near)}" if len(starts) > 1 else "the other files have none"
                self._report("start_disagrees", self._file(name), "file",
                             f"its time reference is {seconds(ms)}, and {others}: it was cut out of its time line",
                             "it is placed at the song's start", files > 1 and abs(away) > START_BOUND_MS)

    def _rates(self) -> None:
        rates: dict[int, list[str]] = {}
        for name, found in sorted(self.media.items()):
            if isinstance(found, AudioFacts):
                rates.setdefault(found.rate, []).append(name)
        if len(rates) > 1:
            counts = ", ".join(f"{rate} Hz in {some(names, 2)}" for rate, names in sorted(rates.items()))
            self._report("rates_differ", self.manifest, "field audio_tracks", f"the sample rates differ: {counts}",
                         "all are resampled to one rate")

    def _copies(self) -> None:
        """Report files with one sound: stems that were exported without soloing them are all the mix."""
        stems, mix = [track.audio_file for track in self.song.tracks if track.audio_file], self.song.main_audio_file
        # The mix of a song with one stem may be that stem; of stems with one file, the manifest's reader reports it.
        names = dict.fromkeys(([mix] if mix and len(stems) > 1 else []) + stems)
        same: dict[str, list[str]] = {}
        for name in names:
            if isinstance(found := self.media.get(name), AudioFacts) and found.sample:
                same.setdefault(found.sample, []).append(name)
        for files in same.values():
            if len(files) > 1:
                self._report("equal_sounds", self._file(files[-1]), "file", f"{some(files, between=' and ')} have the "
                             "same sound", "all are kept; export those that are wrong again")
        if mix in stems and len(stems) > 1:
            self._report("equal_sounds", self._file(mix), "field audio_tracks", f"a track has the mix, {mix}, as its "
                         "stem", "kept; write the name of the track's own file")

    def _words(self) -> None:
        fast, lines = [], self.song.lines
        if not lines:
            return
        starts = [line.start_ms for line in lines]
        for line in lines:
            later = bisect_right(starts, line.start_ms + TOGETHER_MS)
            until = starts[later] if later < len(starts) else self.end.ms
            words = len(line.text.split())
            if words >= FEWEST_WORDS and until > line.start_ms:
                rate = words * 1000 / (until - line.start_ms)
                if rate > WORDS_PER_S:
                    fast.append((line, words, until, rate))
        self._say("words", self.song.lrc_file or "lyrics", max((rate for *_, rate in fast), default=0.0), not fast)
        contradicts = len(fast) > max(WORDS_BOUND * len(lines), FEWEST_LINES)
        for line, words, until, rate in fast:
            self._report("fast_lyrics", self._file(self.song.lrc_file), f"line {line.line_number}",
                         f"{words} words have {seconds(until - line.start_ms)}, {rate:.0f} words per second, and "
                         f"no one sings more than {WORDS_PER_S:g}", "kept as it is; correct the stamps", contradicts)


def _far(one: float, other: float) -> bool:
    """Return True if no reading explains the difference of two lengths."""
    return abs(one - other) > max(LENGTH_BOUND_MS, LENGTH_BOUND * max(one, other))


def _signature(sharps: int) -> str:
    return "no sharps or flats" if not sharps else counted(abs(sharps), "sharp" if sharps > 0 else "flat")
