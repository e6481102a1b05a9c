"""Inputs that nobody meant to write: good files with bytes, lines and values put wrong by a seeded grammar."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable

import yaml

from rainbow_assets_tests.composition.songs import FIELDS
from rainbow_assets_tests.corpus.songs import LRC, manifest
from rainbow_assets_tests.segments.midi_files import midi, off, on, tempo

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = (
    "!!bool maybe", '!!int ""', "!!float x", "!!timestamp x", "!!python/object/apply:os.system [id]", "!!binary x", "!!set {a}",
    "&a [*a]", "*nowhere", "99999999999999999999999", "-1", "0", "1e400", ".nan", ".inf", "-0.0", "0x10", "1_000", "07", "4:25",
    '"\\ud800"', '"\\0"', '"\\e[31m"', '"\\u2028"', "'<script>alert(1)</script>'", "'| a | b |'", "null", "~", "true", "{}", "[]",
    "[a, {b: c}]", "{a: [1]}", "../../etc/passwd", "/etc/passwd", "'C:\\x'", "'a\nb'", "x" * 5000, "[" * 60 + "]" * 60, "- - - a",
    "'%TAG ! !'", "\u202e", "e\u0301", "\U0001f3b5", "''", '"', "'", "|\n  a", ">\n", "@", "`", "%", "#",
)
STAMPS = ("[00:00.000]", "[99:59.999]", "[0:0]", "[-1:00.00]", "[00:99.00]", "[999999999999:00]", "[00:01.", "[", "]", "<00:01.00>",
          "[offset:+x]", "[ar:]", "[:]", "[a:b]", "[[00:01.00]]", "[00:01.00][00:01.00]", "[01:02:03:04.5]", "[00:0\u0660.00]", "\0", "\x1b[2J",
          "\ufeff", "\u2028", "\r", "\ud7ff")
"""Parts of lyrics that may be anywhere."""


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with one to three wrong bytes, numbers, cuts or copies."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        if not found:
            break
        at = rng.randrange(len(found))
        kind = rng.randrange(7)
        if kind == 0:
            found[at] = rng.randrange(256)
        elif kind == 1:
            found[at:at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(NUMBERS))
        elif kind == 2:
            found[at:at + 2] = struct.pack(rng.choice("<>") + "H", rng.choice(NUMBERS) & 0xFFFF)
        elif kind == 3:
            del found[at:]
        elif kind == 4:
            del found[at:at + rng.randint(1, 40)]
        elif kind == 5:
            found[at:at] = found[at:at + rng.randint(1, 200)] * rng.randint(1, 5)
        else:
            found[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 20)))
    return bytes(found)


def respelled(text: str, rng: random.Random) -> bytes:
    """Return YAML with one or two values, lines or bytes put wrong."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(lines))
        head, colon, _ = lines[at].partition(": ")
        kind = rng.randrange(6)
        if kind < 3:
            lines[at] = f"{head}{colon}{rng.choice(WORDS)}" if colon else f"{lines[at]} {rng.choice(WORDS)}"
        elif kind == 3:
            lines.insert(at, rng.choice(lines))
        elif kind == 4:
            del lines[at]
            lines = lines or [""]
        else:
            lines[at] = " " * rng.randint(0, 6) + lines[at].lstrip()
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return mutated(data, rng) if rng.random() < 0.2 else data


def sung(rng: random.Random) -> bytes:
    """Return lyrics with wrong stamps, brackets and bytes."""
    lines = LRC.split("\n")
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(lines))
        place = rng.randint(0, len(lines[at]))
        lines[at] = lines[at][:place] + rng.choice(STAMPS) + lines[at][place:]
    text = rng.choice(["\n", "\r\n", "\r"]).join(lines)
    data = text.encode(rng.choice(["utf-8", "utf-8", "utf-16", "utf-8-sig", "latin-1"]), "replace")
    return mutated(data, rng) if rng.random() < 0.3 else data


def sound(rng: random.Random) -> bytes:
    """Return a sound file of some container with wrong chunks, numbers or ends."""
    import numpy as np
    import soundfile as sf

    kind, subtype = rng.choice([("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16"),
                                ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"),
                                ("CAF", "PCM_16"), ("AU", "PCM_16")])
    file = io.BytesIO()
    wave = np.sin(np.arange(rng.choice([0, 1, 7, 3000])) * 0.05)[:, None].repeat(rng.choice([1, 2]), 1) * 0.5
    sf.write(file, wave, rng.choice([8000, 44100, 48000]), format=kind, subtype=subtype)
    data = file.getvalue()
    # The header decides, so most mistakes are there.
    return mutated(data[:120], rng) + data[120:] if rng.random() < 0.6 else mutated(data, rng)


def notes(rng: random.Random) -> bytes:
    """Return a MIDI file with wrong chunks, numbers and events."""
    events = [(0, tempo(97))]
    for number in range(rng.randint(0, 20)):
        events += [(number * 240, on(60 + number)), (number * 240 + 200, off(60 + number))]
    return mutated(midi(sorted(events, key=lambda event: event[0]), kind=rng.choice([0, 1])), rng)


def proposal(rng: random.Random) -> bytes:
    """Return a song proposal with wrong values."""
    return respelled(yaml.safe_dump(FIELDS, sort_keys=False), rng)


def song(rng: random.Random) -> bytes:
    """Return a song's manifest with wrong values."""
    return respelled(manifest(), rng)


RULES = ("[audio]\nsilence_db = -40.0\nsample_rate = 44100\n[splits]\ntest = 0.1\nseed = 42\ntrain = ''\n[preview]\nsamples = 3\n"
         "[composition]\nbeam = 6\nprune = 'parent'\n[midi]\nsliver_ms = 50\n")


def settings(rng: random.Random) -> bytes:
    """Return a settings file with wrong values."""
    lines = RULES.split("\n")
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(lines))
        value = rng.choice(["nan", "inf", "-1", "1e400", "99999999999999999999", "''", "[]", "{}", "true", "1979-05-27", "'\\u0000'", "=", '"""',
                            "0x7fffffffffffffff", "[[a]]", "'" + "x" * 5000 + "'", "[" * 500 + "]" * 500])
        head, equals, _ = lines[at].partition(" = ")
        lines[at] = f"{head} = {value}" if equals else f"{lines[at]}{value}" if rng.random() < 0.3 else lines[at]
    data = "\n".join(lines).encode()
    return mutated(data, rng) if rng.random() < 0.3 else data


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "manifest": song, "lyrics": sung, "sound": sound, "MIDI": notes, "proposal": proposal, "settings": settings,
}
