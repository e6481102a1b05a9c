"""Songs with faults whose truth is known by construction: what must be heard, sung and played, whatever was written.

Each fault is one way in which programs or people write files (see the public reports named in docs/corpus.md); two of
different kinds are put into one song. Each second of a stem has its own pitch, so that sound that moved, was lost or was
invented is found.
"""

from __future__ import annotations

import io
import random
import struct
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

RATE, SECONDS, BPM, TICKS = 44100, 12, 90.0, 480
LEVEL = 10 ** (-13 / 20) * 2**0.5
MIX, PAD, BASS, KEYS = "main.wav", "pad.wav", "bass.wav", "keys.mid"
Sound = npt.NDArray[np.float64]
Pack = Callable[[Sound], bytes]


def tone(second: int, part: int) -> float:
    """Return the pitch in Hz of a second of a part; no two are the same."""
    return 200.0 + 37.0 * second + 500.0 * part


def sound(part: int, seconds: int = SECONDS, level: float = LEVEL) -> Sound:
    """Return a part, float64 [frames, 1]: a tone for each second."""
    at = np.arange(RATE) / RATE
    return np.concatenate([level * np.sin(2 * np.pi * tone(n, part) * at) for n in range(seconds)])[:, None]


@dataclass
class Piece:
    """A song as it is meant, and as it is written.

    ``sounding``: {file: seconds in which it must be heard}; ``refused``: files and fields that must be named and not be
    used.
    ``lines``: (ms, words); ``notes``: (onset ms, pitch). Functions write the files; ``manifest`` edits its text.
    """

    song: str
    rng: random.Random
    title: str = "Paper Kite"
    end_ms: int = SECONDS * 1000
    sounds: dict[str, Sound] = field(default_factory=lambda: {MIX: sound(0), PAD: sound(1), BASS: sound(2)})
    packs: dict[str, Pack] = field(default_factory=dict)
    sounding: dict[str, set[int]] = field(default_factory=lambda: {
        name: set(range(SECONDS)) for name in (MIX, PAD, BASS)})
    refused: set[str] = field(default_factory=set)
    written: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, int]] = field(default_factory=list)
    lyrics: Callable[[list[tuple[int, str]]], bytes] = field(default=lambda lines: plain_lyrics(lines).encode())
    midi: Callable[[list[tuple[int, int]]], bytes] = field(default=lambda notes: smf(track(tempo()), track(*keys(notes))))
    edits: list[Callable[[str], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make up the lyrics and the notes."""
        words = ["wait", "kite", "wind", "hill", "paper", "cloud", "field", "night", "river", "stone"]
        self.lines = [(1000 + 2470 * n, " ".join(self.rng.choices(words, k=3))) for n in range(4)]
        beat = 60_000 / BPM
        self.notes = [(round(n * beat), 48 + (5 * n) % 24) for n in range(int(SECONDS * 1000 / beat) - 1)]

    def name(self, file: str) -> str:
        """Return the name of a file in the manifest, before anybody misspells it."""
        return f"{self.song}_{file}"

    def write(self, root: Path) -> None:
        """Write the song's folder."""
        folder = root / self.song
        for file, samples in self.sounds.items():
            path = folder / self.written.get(file, self.name(file))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.packs.get(file, pcm)(samples))
        (folder / self.name(KEYS)).write_bytes(self.midi(self.notes))
        (folder / f"{self.song}.lrc").write_bytes(self.lyrics(self.lines))
        text = self._manifest()
        for edit in self.edits:
            text = edit(text)
        (folder / f"{self.song}.yml").write_text(text, "utf-8")

    def _manifest(self) -> str:
        parts = "".join(f"  - section_name: Part {n}\n    start_time: '{stamp(4000 * n)}'\n"
                        f"    end_time: '{stamp(4000 * n + 4000)}'\n    description: a part\n" for n in range(3))
        return (f"manifest_id: '{self.song}'\nbpm: {BPM:g}\ntempo: 4/4\nkey: C major\nrainbow_color: G\n"
                f"title: {Piece.title}\nrelease_date: '2020-01-01'\nalbum_sequence: {int(self.song[3:])}\n"
                f"TRT: '{stamp(12000)}'\nvocals: true\nlyrics: true\nmood: [calm]\ngenres: [ambient]\n"
                f"sounds_like: [{{name: Someone}}]\nconcept: A kite made of paper waits for wind.\n"
                f"main_audio_file: {self.name(MIX)}\nlrc_file: {self.song}.lrc\nstructure:\n{parts}audio_tracks:\n"
                f"  - id: 1\n    description: Pad\n    audio_file: {self.name(PAD)}\n"
                f"  - id: 2\n    description: Bass\n    audio_file: {self.name(BASS)}\n"
                f"  - id: 3\n    description: Keys\n    midi_file: {self.name(KEYS)}\n")


def stamp(ms: int) -> str:
    return f"[{ms // 60000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}]"


def plain_lyrics(lines: list[tuple[int, str]]) -> str:
    return "[ti:Kite]\n" + "".join(f"{stamp(ms)}{words}\n" for ms, words in lines)


def riff(*chunks: tuple[bytes, bytes, int | None]) -> bytes:
    """Return a WAVE file of (name, bytes, size that its header claims)."""
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data) if claimed is None else claimed) + data +
                              b"\0" * (len(data) % 2) for name, data, claimed in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _fmt(channels: int, bits: int = 16, tag: int = 1) -> tuple[bytes, bytes, None]:
    frame = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, RATE, RATE * frame, frame, bits), None


def _ints(samples: Sound) -> bytes:
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def pcm(samples: Sound, claimed: int | None = None, after: tuple[bytes, bytes, int | None] | None = None) -> bytes:
    """Return a 16-bit WAV."""
    return riff(_fmt(samples.shape[1]), (b"data", _ints(samples), claimed), *([after] if after else []))


def _float(samples: Sound) -> bytes:
    return riff(_fmt(samples.shape[1], 32, 3), (b"data", samples.astype("<f4").tobytes(), None))


def _rf64(samples: Sound) -> bytes:
    data = _ints(samples)
    sizes = struct.pack("<QQQI", len(data) + 72, len(data), len(samples), 0)
    whole = riff((b"ds64", sizes, None), _fmt(samples.shape[1]), (b"data", data, 0xFFFFFFFF))
    return b"RF64" + b"\xff" * 4 + whole[8:]


def _flac(samples: Sound) -> bytes:
    out = io.BytesIO()
    sf.write(out, samples, RATE, format="FLAC", subtype="PCM_16")
    data = bytearray(out.getvalue())
    data[21], data[22:26] = data[21] & 0xF0, bytes(4)
    return bytes(data)


def _aiff(samples: Sound) -> bytes:
    out = io.BytesIO()
    sf.write(out, samples, RATE, format="AIFF", subtype="PCM_16")
    return out.getvalue()


# --- MIDI -------------------------------------------------------------------------------------------------------------
END = (0, b"\xff\x2f\x00")


def variable(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def tempo(bpm: float = BPM) -> tuple[int, bytes]:
    return 0, b"\xff\x51\x03" + round(60e6 / bpm).to_bytes(3, "big")


def track(*events: tuple[int, bytes]) -> bytes:
    """Return an MTrk chunk of (tick, message), in any order."""
    data, reached = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        data += variable(tick - reached) + message
        reached = tick
    data += variable(0) + END[1]
    return b"MTrk" + struct.pack(">I", len(data)) + data


def smf(*tracks: bytes, count: int | None = None, division: int = TICKS) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks) if count is None else count, division) + b"".join(tracks)


def keys(notes: list[tuple[int, int]], per_ms: float = TICKS * BPM / 60_000, ends: bool = True) -> list[tuple[int, bytes]]:
    """Return the events of the notes, each three quarters of a beat long."""
    length = round(45_000 / BPM * per_ms)
    return [event for ms, pitch in notes for event in
            ((round(ms * per_ms), bytes((0x90, pitch, 90))),
             *([(round(ms * per_ms) + length, bytes((0x80, pitch, 64)))] if ends else []))]


def _running(notes: list[tuple[int, int]]) -> bytes:
    events = sorted((tick, bytes((message[1], message[2] if message[0] == 0x90 else 0))) for tick, message in keys(notes))
    (first, data), *rest = events
    return smf(track(tempo()), track((first, b"\x90" + data), *rest))


def _rmid(notes: list[tuple[int, int]]) -> bytes:
    data = smf(track(tempo()), track(*keys(notes)))
    body = b"RMIDdata" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _smpte(notes: list[tuple[int, int]]) -> bytes:
    return smf(track(*keys(notes, 1.0)), division=0xE728)  # 25 frames of 40 ticks: a tick is a millisecond


def _extra(*events: tuple[int, bytes], bpm: float | None = BPM, count: int | None = None) -> Callable[..., bytes]:
    def made(notes: list[tuple[int, int]]) -> bytes:
        head = [] if bpm is None else [tempo(bpm)]
        return smf(track(*head, *events), track(*keys(notes)), count=count)
    return made


MIDI_FAULTS: dict[str, Callable[[list[tuple[int, int]]], bytes]] = {
    "no tempo": _extra(bpm=None),
    "only the standard's tempo": _extra(bpm=120),
    "a key signature of 128 flats": _extra((0, b"\xff\x59\x02\x80\x00")),
    "more tracks than its header counts": _extra(count=1),
    "fewer tracks than its header counts": _extra(count=7),
    "a tempo of 0 among the others": _extra((960, b"\xff\x51\x03\x00\x00\x00")),
    "sysex and text in between": _extra((480, b"\xf0\x03\x01\x02\xf7"), (960, b"\xff\x01\x05hello")),
    "the standard's tempo, rounded": lambda notes: smf(track((0, b"\xff\x51\x03" + (500_001).to_bytes(3, "big"))),
                                                       track(*keys(notes))),
    "the standard's tempo in a later track": lambda notes: smf(track(tempo()), track(tempo(120), *keys(notes))),
    "a pedal left down in a long track": _extra((15 * TICKS, b"\xb0\x40\x7f"), (300 * TICKS, b"\xff\x06\x03end")),
    "running status": _running,
    "RIFF around it": _rmid,
    "SMPTE frames": _smpte,
    "bytes after the end": lambda notes: smf(track(tempo()), track(*keys(notes))) + b"\0" * 40,
    "a note of velocity 0 first": lambda notes: smf(track(tempo()), track((0, b"\x90\x30\x00"), *keys(notes))),
    "a second end of the same note": lambda notes: smf(
        track(tempo()), track(*keys(notes), *[(tick + 3, message) for tick, message in keys(notes) if message[0] == 0x80])),
}


# --- lyrics -----------------------------------------------------------------------------------------------------------
def _spread(before: str, after: str, inside: bool) -> Callable[[list[tuple[int, str]]], bytes]:
    def made(lines: list[tuple[int, str]]) -> bytes:
        text = "[ti:Kite]\n"
        for ms, words in lines:
            stamps = [f"{before}{stamp(ms + 400 * n)[1:-1]}{after}" for n in range(len(words.split()))]
            marked = " ".join(f"{mark}{word}" for mark, word in zip(stamps, words.split(), strict=True))
            text += f"{stamp(ms)}{marked}\n" if inside else f"{marked}\n"
        return text.encode()
    return made


def _tags(lines: list[tuple[int, str]]) -> bytes:
    first, *rest = plain_lyrics(lines).splitlines(keepends=True)
    return (first + "[ar:Someone]\n" + "[by:A person]\n".join(rest) + "[re:editor]\n").encode()


LYRIC_FAULTS: dict[str, Callable[[list[tuple[int, str]]], bytes]] = {
    "stamps of words in angles": _spread("<", ">", True),
    "stamps of words in brackets": _spread("[", "]", False),
    "tags among the lines": _tags,
    "line ends of Windows": lambda lines: plain_lyrics(lines).replace("\n", "\r\n").encode(),
    "line ends of old Macs": lambda lines: plain_lyrics(lines).replace("\n", "\r").encode(),
    "a byte order mark": lambda lines: plain_lyrics(lines).encode("utf-8-sig"),
    "UTF-16": lambda lines: plain_lyrics(lines).encode("utf-16"),
    "words on the next line": lambda lines: plain_lyrics(lines).replace("]", "]\n").encode(),
    "who sings": lambda lines: "".join(f"{stamp(ms)}v{n}: {words}\n" for n, (ms, words) in enumerate(lines)).encode(),
    "characters as in HTML": lambda lines: plain_lyrics(lines).replace("t", "&#116;").replace("[&#116;i:", "[ti:").encode(),
    "unseen characters": lambda lines: plain_lyrics(lines).replace("]", "]\u200b").replace("\n", "\u200e\n\u200b").encode(),
    "lines out of order": lambda lines: plain_lyrics(lines[::-1]).encode(),
    "blank lines and spaces": lambda lines: plain_lyrics(lines).replace("\n", "  \n\n").encode(),
    "a bracket that is neither": lambda lines: plain_lyrics(lines).replace(lines[1][1], lines[1][1] + " [x2]").encode(),
}


# --- what a person or a program does to a song ------------------------------------------------------------------------
Fault = Callable[[Piece], None]


def _pack(file: str, how: Pack) -> Fault:
    return lambda piece: piece.packs.update({file: how})


def _refused(file: str, how: Pack) -> Fault:
    def fault(piece: Piece) -> None:
        piece.packs[file] = how
        piece.refused.add(file)
        piece.sounding[file] = set()
    return fault


def _nan(samples: Sound) -> bytes:
    broken = samples.copy()
    broken[RATE] = np.nan
    return _float(broken)


def _wide(samples: Sound) -> bytes:
    words = np.round(np.clip(samples, -1, 1) * 8388607).astype("<i4") << 8
    form = struct.pack("<HHIIHH", 1, 1, RATE, 4 * RATE, 4, 24)
    return riff((b"fmt ", form, None), (b"data", words.tobytes(), None))


def _placed(samples: Sound) -> bytes:
    bext = bytes(338) + struct.pack("<Q", 3590 * RATE) + bytes(256)
    return riff((b"bext", bext, None), _fmt(samples.shape[1]), (b"data", _ints(samples), None))


def _ogg(samples: Sound) -> bytes:
    out = io.BytesIO()
    sf.write(out, samples, RATE, format="OGG", subtype="VORBIS")
    return out.getvalue()


CONTAINERS: dict[str, Fault] = {
    "the header says 2 s": _pack(PAD, lambda s: pcm(s, 4 * RATE)),
    "the header says 0": _pack(PAD, lambda s: pcm(s, 0)),
    "the header says FFFFFFFF": _pack(PAD, lambda s: pcm(s, 0xFFFFFFFF)),
    "the header says 7FFFFFFF": _pack(MIX, lambda s: pcm(s, 0x7FFFFFFF)),
    "a chunk after the sound": _pack(PAD, lambda s: pcm(s, None, (b"LIST", b"INFOIART\x04\0\0\0abc\0", None))),
    "a chunk of odd length after the sound": _pack(PAD, lambda s: pcm(s, None, (b"id3 ", b"abc", None))),
    "cut": _refused(PAD, lambda s: pcm(s)[:-RATE]),
    "two sounds": _refused(PAD, lambda s: pcm(s, None, (b"data", _ints(s), None))),
    "samples that are no numbers": _refused(PAD, _nan),
    "24 bits in words of 32": _pack(PAD, _wide),
    "an hour of tape before the stems": lambda piece: piece.packs.update({PAD: _placed, BASS: _placed}),
    "Ogg, called WAV": _refused(PAD, _ogg),
    "half an Ogg, called WAV": _refused(PAD, lambda s: _ogg(s)[:len(_ogg(s)) // 2]),
    "RF64": _pack(PAD, _rf64),
    "FLAC of open length, called WAV": _pack(PAD, _flac),
    "AIFF, called WAV": _pack(PAD, _aiff),
}


def _opposed(piece: Piece) -> None:
    piece.sounds[BASS] = np.concatenate([piece.sounds[BASS], -piece.sounds[BASS]], axis=1)


def _one_sided(piece: Piece) -> None:
    quiet = piece.sounds[BASS] * 10 ** (-24 / 20)
    piece.sounds[BASS] = np.concatenate([quiet, 0 * quiet], axis=1)


def _offset(piece: Piece) -> None:
    piece.sounds[BASS] = piece.sounds[BASS] + 0.3


def _only_offset(piece: Piece) -> None:
    piece.sounds[BASS][8 * RATE:] = 0.3
    piece.sounding[BASS] = set(range(8))


def _six_channels(piece: Piece) -> None:
    piece.sounds[BASS] = np.concatenate([0 * piece.sounds[BASS]] * 5 + [piece.sounds[BASS]], axis=1)


LEVELS: dict[str, Fault] = {
    "opposed channels": _opposed, "one quiet channel": _one_sided, "a constant part": _offset,
    "nothing but a constant part at the end": _only_offset, "one of six channels": _six_channels,
}


def _length(file: str, seconds: int) -> Fault:
    def fault(piece: Piece) -> None:
        part = (MIX, PAD, BASS).index(file)
        piece.sounds[file] = sound(part, seconds)
        piece.sounding[file] = set(range(min(seconds, SECONDS)))
    return fault


def _empty_end(piece: Piece) -> None:
    piece.sounds[MIX] = np.concatenate([piece.sounds[MIX], np.zeros((3 * RATE, 1))])
    piece.end_ms += 3000


LENGTHS: dict[str, Fault] = {
    "a mix of 4 s": _length(MIX, 4), "a stem of 5 s": _length(BASS, 5), "a stem of 15 s": _length(BASS, 15),
    "a mix with an empty end": _empty_end,
}


def _named(as_written: Callable[[str], str], on_disk: Callable[[str], str] = lambda name: name) -> Fault:
    def fault(piece: Piece) -> None:
        name = piece.name(BASS)
        piece.written[BASS] = on_disk(name)
        piece.edits.append(lambda text: text.replace(f"audio_file: {name}", f"audio_file: '{as_written(name)}'"))
    return fault


def _missing(piece: Piece) -> None:
    del piece.sounds[BASS]
    piece.sounding[BASS] = set()
    piece.refused.add(BASS)


def _ambiguous(piece: Piece) -> None:
    name = piece.name(BASS)
    piece.edits.append(lambda text: text.replace(f"audio_file: {name}", f"audio_file: {name.upper()}"))
    piece.sounds["Bass.wav"], piece.written["Bass.wav"] = piece.sounds[BASS], name.replace("bass", "Bass")
    piece.sounding[BASS] = set()
    piece.refused.add(BASS)


def _accents(form: str, other: str) -> Fault:
    def named(name: str, how: str) -> str:
        return unicodedata.normalize(how, name.replace("bass", "bäss"))
    return _named(lambda name: named(name, form), lambda name: named(name, other))


NAMES: dict[str, Fault] = {
    "another case in the manifest": _named(str.upper),
    "another case on the disk": _named(str, lambda name: name.replace("bass.wav", "Bass.WAV")),
    "a space at the end": _named(lambda name: name + " "),
    "a folder in another case": _named(lambda name: f"Stems/{name}", lambda name: f"stems/{name}"),
    "composed and decomposed accents": _accents("NFC", "NFD"),
    "decomposed and composed accents": _accents("NFD", "NFC"),
    "a missing stem": _missing, "two files that it may mean": _ambiguous,
}


def _titled(text: str, title: str) -> Fault:
    def fault(piece: Piece) -> None:
        piece.edits.append(lambda whole: whole.replace(f"title: {Piece.title}\n", f"title: {text}\n"))
        piece.title = title
    return fault


def _cut_title(piece: Piece) -> None:
    _titled("Take #9 of the Kite", "Take")(piece)
    piece.refused.add("title")


def _anchored_title(piece: Piece) -> None:
    _titled("&Burn it down", "it down")(piece)
    piece.refused.add("title")


TITLES: dict[str, Fault] = {
    "an ampersand before the title": _anchored_title,
    "a number sign in the title": _cut_title,
    "a title that is a truth value": _titled("Yes", "Yes"), "a title with zeros": _titled("007", "007"),
    "a title like a time": _titled("12:30", "12:30"),
    "a title like a date": _titled("2020-02-02", "2020-02-02"), "a title like a version": _titled("1.10", "1.10"),
}


def _with_midi(how: Callable[[list[tuple[int, int]]], bytes]) -> Fault:
    return lambda piece: setattr(piece, "midi", how)


def _with_lyrics(how: Callable[[list[tuple[int, str]]], bytes]) -> Fault:
    return lambda piece: setattr(piece, "lyrics", how)


KINDS: dict[str, dict[str, Fault]] = {
    "container": CONTAINERS, "levels": LEVELS, "length": LENGTHS, "name": NAMES, "title": TITLES,
    "midi": {name: _with_midi(how) for name, how in MIDI_FAULTS.items()},
    "lyrics": {name: _with_lyrics(how) for name, how in LYRIC_FAULTS.items()},
}
APART = ({"levels", "name"}, {"levels", "length"}, {"length", "name"}, {"container", "length"})
"""Kinds that spoil the same file."""


def pieces(count: int, seed: int) -> Iterator[tuple[Piece, tuple[str, str]]]:
    """Yield songs, each with two faults of different kinds, and the names of the faults; all of one color."""
    rng = random.Random(seed)
    for number in range(count):
        piece = Piece(f"05_{number % 90 + 10:02d}", rng)
        while (kinds := set(rng.sample(sorted(KINDS), 2))) in APART:
            pass
        names = []
        for kind in sorted(kinds):
            name = rng.choice(sorted(KINDS[kind]))
            KINDS[kind][name](piece)
            names.append(f"{kind}: {name}")
        yield piece, (names[0], names[1])
