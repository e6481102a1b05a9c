"""What the code makes today, down to the byte: keys, MIDI, statistics, packed threads. Rewriting code must not change it.

``as_it_was.json`` holds the answers. A change on purpose writes them again:

    python -m rainbow_assets_tests.test_as_it_was
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rainbow_assets.composition import midi, proposal
from rainbow_assets.composition.errors import ProposalError
from rainbow_assets.corpus import music
from rainbow_assets.demo.threads import write_threads
from rainbow_assets.demo.write import write_demo
from rainbow_assets.fitness import metrics
from rainbow_assets.music import keys
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.meter import parse_signature, usual
from rainbow_assets.music.midi_window import MidiSong, midi_window
from rainbow_assets.music.midi_write import Performance, midi_bytes
from rainbow_assets.settings import Rules
from rainbow_assets.stats import pair_auc
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.keys import first_letter_label, read_key, read_meter
from rainbow_assets.threads.measured import read_folder
from rainbow_assets.threads.metrics import entropy_interval, std_interval
from rainbow_assets.threads.shrinkwrap import shrinkwrap
from rainbow_assets_tests.composition import songs
from rainbow_assets_tests.threads.places import RAW, needs_shared

KEPT = Path(__file__).with_name("as_it_was.json")
SPELLINGS = (
    "A minor", "Am", "a minor", "AM", "A Minor", "A min", "A min.", "A-minor", "Aminor", "A", "C", "c", "Bb minor", "B♭ minor",
    "B flat minor", "B-flat major", "Bflat major", "bb major", "F♯ Major", "F # minor", "F sharp minor", "F#m", "C#min",
    "Cb major", "B# minor", "E♭ major", "A# major", "G## minor", "D dorian", "F lydian", "E phrygian", "C ionian", "A aeolian",
    "C major (resolving through A minor)", "A ll Keys (Chromatic Convergence)", "C hromatic Complete", "H minor", "", "  ", "7",
    "C major minor", "G maj", "G MAJOR", "Db maj", "d♭ M", "Em", "e m", "E\u00a0minor", "Ebm", "Gb major",
    "D", "Fx", "F#", "Abb minor", "F## minor", "F double sharp minor", "B𝄫 major", "E♮ minor", "A natural minor", "A minor minor",
    "A/B minor", "A minorish", "TK", "g mixolydian", "E locrian", "f - sharp min.", "B- flat minor", "C m (slow)", "Amaj7",
    "D Major, then E minor", "B sharp major", "C#  Major ", "A  ♭  minor", "G# minor", "C# major", "F# major", "Ab major",
    "E ♭ major", "A# minor", "Db minor", "Fb major", "E# minor", "minor", "A band", "12", "H dur", "C-dur", "Gb lydian",
)
SIGNATURES = ("4/4", "7/8", " 6 / 8 ", "18/32", "0/4", "4/0", "4", "4/4/4", "-4/4", "33/4", "100/4", "3/5", "", "Moderato", "C",
              "Contemplative drift", "4/8", "6/4", "5/4", "4 / 4.", "12/16", "17/4")
SHAPES: tuple[Any, ...] = (None, 4, [7, 8], ["7", "8"], [7], {"numerator": 3, "denominator": 4}, {"numerator": "6", "denominator": "8"},
                           {"numerator": 0, "denominator": 8}, {"numerator": True, "denominator": 4}, {"numerator": 4}, {})
MAPPINGS: tuple[Any, ...] = (
    {"note": {"pitch_name": "F", "accidental": "sharp"}, "mode": {"name": "minor"}}, {"note": "E", "mode": "major"},
    {"root": "B", "accidental": "b", "quality": "minor"}, {"note": {"name": "C", "accidental": None}, "mode": "Dorian"},
    {"note": 3}, None, 7, ["A", "minor"],
)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def spelled() -> dict[str, Any]:
    """How each reader of keys reads each spelling."""

    def harmony(text: str) -> str:
        try:
            return keys.parse_key(text).label
        except HarmonyUsageError:
            return "refused"

    def corpus(text: str) -> list[str | None]:
        read = music.parse_key(text)
        return [read.tonic, read.mode, read.label]

    def threads(value: Any) -> dict[str, Any]:
        return {**asdict(read_key(value)), "label": read_key(value).label, "first_letter": first_letter_label(value)}

    found = {text: {"corpus": corpus(text), "harmony": harmony(text), "threads": threads(text)} for text in SPELLINGS}
    return {**found, **{json.dumps(value): {"threads": threads(value)} for value in MAPPINGS}}


def meters() -> dict[str, Any]:
    """How each reader of time signatures reads each spelling: the corpus (and if it is usual), threads, the composer."""

    def corpus(text: str) -> list[Any]:
        found = parse_signature(text)
        return [found, usual(found) if found else None]

    def threads(value: Any) -> list[Any]:
        found = read_meter(value)
        return [found.label, found.mapping, found.text]

    def composed(value: Any) -> str:
        try:
            made = proposal.checked({"title": "x", "concept": "x", "key": "C major", "bpm": 90, "rainbow_color": "Red",
                                     "time_signature": value}, "song.yml")
            return f"{made.numerator}/{made.denominator}"
        except ProposalError as error:
            return str(error)

    found = {text: {"corpus": corpus(text), "threads": threads(text), "composer": composed(text)} for text in SIGNATURES}
    return {**found, **{json.dumps(value): {"threads": threads(value), "composer": composed(value)} for value in SHAPES}}


def files() -> dict[str, str]:
    """MIDI of each writer."""
    found = {}
    for how in (Performance(), Performance(120.5, (2.0, 1.0), 35, 100), Performance(60, (4.0,), -500)):
        found[f"chords {how}"] = sha(midi_bytes([(57, 60, 64), (53, 57, 60, 64), (48,)], how, "name"))
    for time in ("4/4", "7/8", "6/8"):
        context = songs.context(time, "melody", seed=3)
        found[f"composition {time}"] = sha(midi.to_midi(context.parts, context.song))
    with tempfile.TemporaryDirectory() as folder:
        write_demo(Path(folder), songs_per_color=1, seconds=6)
        for path in sorted(Path(folder).rglob("*.mid")):
            name, data = path.relative_to(folder).as_posix(), path.read_bytes()
            found[f"demo {name}"] = sha(data)
            song = MidiSong.load(data)
            for start, end in ((0, 2000), (1500, 4321)):
                found[f"window {name} {start} {end}"] = sha(midi_window(song, start, end) or b"none")
    return found


def drawn() -> dict[str, Any]:
    """Statistics with resampling, on drawn values."""
    draw = np.random.default_rng(5)
    colors = ["Black", "Red", "Orange", "Yellow", "Green", "Blue", "Indigo", "Violet"]
    probabilities = draw.dirichlet((1, 1, 1), (48, 3))
    predicted = metrics.Predictions(probabilities, [f"song{n // 3}" for n in range(48)], [colors[n // 3 % 8] for n in range(48)])
    labels = [[str(value) for value in draw.choice(list("abcde"), 4)] for _ in range(12)]
    tempi = [draw.integers(60, 180, 5).tolist() for _ in range(12)]
    judged = [(f"g{n % 6}", float(draw.random()), bool(draw.random() < 0.5)) for n in range(60)]
    return {
        "fitness": {name: rounded(asdict(value)) for name, value in metrics.measures(predicted).items()},
        "entropy": rounded(asdict(entropy_interval(labels, 42))), "std": rounded(asdict(std_interval(tempi, 42))),
        "agreement": rounded(asdict(pair_auc(judged))),
        "agreement by piece": rounded(asdict(pair_auc(judged, units=[f"p{n % 3}" for n in range(60)]))),
    }


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers to nine digits: the last ones may differ between processors."""
    return {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in values.items()}


def packed(source: Path) -> dict[str, str]:
    """Digests of all packed folders of threads, and of what is measured on them; all files have one time of change."""
    with tempfile.TemporaryDirectory() as folder:
        own, out = Path(folder) / "raw", Path(folder) / "packed"
        shutil.copytree(source, own)
        for path in own.rglob("*"):
            os.utime(path, (1_700_000_000, 1_700_000_000))
        shrinkwrap(own, out)
        found = {}
        for place in sorted(path for path in out.iterdir() if path.is_dir() and path.name[0] != "."):
            inside = sorted(path for path in place.rglob("*") if path.is_file())
            found[place.name] = sha("".join(f"{path.relative_to(place).as_posix()} {sha(path.read_bytes())}\n"
                                            for path in inside).encode())
        report = measure(read_folder(out), Rules().feedback)
        return {**found, "feedback": sha(json.dumps(report.as_dict(), sort_keys=True, ensure_ascii=False).encode())}


def demo_threads() -> dict[str, str]:
    """The demo's threads, packed."""
    with tempfile.TemporaryDirectory() as folder:
        write_threads(Path(folder))
        return packed(Path(folder))


MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "keys": spelled, "meters": meters, "midi": files, "statistics": drawn, "demo threads": demo_threads, "real threads": lambda: packed(RAW),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[needs_shared] if name == "real threads" else []) for name in MADE])
def test_it_is_as_it_was(name: str):
    kept, made = json.loads(KEPT.read_text("utf-8"))[name], json.loads(json.dumps(MADE[name]()))
    assert set(made) == set(kept)
    assert {key: value for key, value in made.items() if kept[key] != value} == {}


if __name__ == "__main__":
    everything = {name: make() for name, make in MADE.items()}
    KEPT.write_text(json.dumps(everything, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8", newline="\n")
