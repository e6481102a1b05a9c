"""The work of ``rainbow chords`` without its command line: read the options' texts, search, and format the result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError
from rainbow_assets.harmony.library import Library, with_fitness
from rainbow_assets.harmony.limits import SearchLimits
from rainbow_assets.harmony.model import Chord
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, FITNESS_WEIGHTS
from rainbow_assets.harmony.search import SearchResult, search
from rainbow_assets.layout import Lines, layout
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import Key
from rainbow_assets.music.midi_write import Performance, midi_bytes

MAX_NAME = 80
BEST, DRAWS = "best", "brute_force"


@dataclass(frozen=True, slots=True)
class Request:
    """A requested search: the key, the length, and how to search."""

    key: Key
    length: int = 4
    top: int = 10
    strategy: str | None = None
    """None: ``best``, or draws if a trained scorer has to score each progression."""
    weights: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    candidates: int = 1000
    seed: int = 0
    kinds: tuple[str, ...] = ()
    constraints: SearchLimits = field(default_factory=SearchLimits)
    color: str | None = None


def read_weights(text: str | None, color: str | None = None) -> dict[str, float]:
    """Return the weights in ``melody=.25,variety=.15``; for None the defaults, with fitness if there is a ``color``.

    Raises ``HarmonyUsageError``.
    """
    if text is None:
        return dict(FITNESS_WEIGHTS if color else DEFAULT_WEIGHTS)
    found: dict[str, float] = {}
    for part in text.split(","):
        name, sign, number = part.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            sign = ""
        if not sign:
            raise HarmonyUsageError(f"the weight {part.strip()!r} is not <scorer>=<number>; write for example "
                                    "melody=.25,voice_leading=.3")
    return found


def read_pins(texts: Iterable[str]) -> dict[int, str]:
    """Return {1: ``V7``} for the text ``2=V7`` (places in texts count from 1); raise ``HarmonyUsageError``."""
    found: dict[int, str] = {}
    for text in texts:
        place, _, chord = text.partition("=")
        if not place.strip().isdecimal() or int(place) < 1 or not chord.strip():
            raise HarmonyUsageError(f"the pin {text!r} is not <place>=<chord>; write for example 2=V7")
        if found.setdefault(int(place) - 1, chord.strip()) != chord.strip():
            raise HarmonyUsageError(f"two chords are pinned at place {place.strip()}; pin only one")
    return found


def read_beats(text: str) -> tuple[float, ...]:
    """Return the beats per chord in ``4`` or ``2,2,4``; raise ``HarmonyUsageError``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise HarmonyUsageError(f"the harmonic rhythm {text!r} is not beats per chord; write 4 or 2,2,4") from None


def find(library: Library, asked: Request) -> SearchResult:
    """Return the result of a search; raise ``HarmonyUsageError`` or ``NoProgression``."""
    scorers, unscored = with_fitness(asked.weights, None, asked.color)
    strategy = asked.strategy or (DRAWS if scorers else BEST)
    if scorers and strategy == BEST:
        raise HarmonyUsageError(f"the strategy {BEST} scores up to a million progressions, and the trained scorer only "
                                f"manages hundreds per second; use --strategy {DRAWS}")
    return search(library.pool(asked.key, asked.kinds), asked.length, strategy=strategy, top=asked.top,
                  weights=asked.weights, scorers=scorers, candidates=asked.candidates, seed=asked.seed,
                  constraints=asked.constraints, unscored=unscored)


def file_name(rank: int, chords: Sequence[Chord]) -> str:
    """Return a file name that is valid on every file system, for example ``01_Am-F-C_E-G``."""
    names = "-".join(chord.name for chord in chords)
    return f"{rank:02d}_" + re.sub(r"[^A-Za-z0-9#-]+", "_", names)[:MAX_NAME].strip("_-")


def write_midi(result: SearchResult, out: Path, how: Performance) -> list[Path]:
    """Write one MIDI file per progression into the folder ``out``; return their paths. Raises ``RainbowError``."""
    names = [out / f"{file_name(rank, item.progression)}.mid" for rank, item in enumerate(result.found, 1)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, item in zip(names, result.found, strict=True):
            title = " ".join(chord.name for chord in item.progression)
            path.write_bytes(midi_bytes([chord.voicing for chord in item.progression], how, title))
    except OSError as error:
        raise RainbowError(f"the MIDI files cannot be written to {out}: {error.strerror or error}") from error
    return names


def values(library: Library, asked: Request, result: SearchResult) -> dict[str, Any]:
    """Return the result as plain values, for ``--json``."""
    return {
        "key": asked.key.label, "length": asked.length, "strategy": result.strategy, "seed": asked.seed,
        "pack": library.name, "pack_digest": library.digest, "weights": asked.weights,
        "color": asked.color, "weights_used": dict(result.weights), "note": result.note,
        "candidates": result.candidates, "exact": result.exact, "upper_bound": round(result.upper_bound, 9),
        "gap": round(result.gap, 9),
        "progressions": [{
            "rank": rank, "score": round(item.score, 9),
            "breakdown": {name: round(score, 9) for name, score in item.breakdown.items()},
            "chords": [{"name": chord.name, "roman": chord.roman, "function": chord.function,
                        "voicing": list(chord.voicing), "notes": list(chord.note_names)} for chord in item.progression],
        } for rank, item in enumerate(result.found, 1)],
    }


def table(asked: Request, result: SearchResult) -> Lines:
    """Return the result as a text table for the terminal."""
    names = list(result.found[0].breakdown)
    chords = [" ".join(f"{chord.name}" for chord in item.progression) for item in result.found]
    romans = [" ".join(chord.roman for chord in item.progression) for item in result.found]
    wide, broad = max(map(len, chords)), max(map(len, romans))
    lines = [f"{'':>3}  {'score':>6}  {'chords':<{wide}}  {'functions':<{broad}}  " + "  ".join(names)]
    for rank, item in enumerate(result.found, 1):
        parts = "  ".join(f"{item.breakdown[name]:>{len(name)}.3f}" for name in names)
        lines.append(f"{rank:>3}  {item.score:>6.4f}  {chords[rank - 1]:<{wide}}  {romans[rank - 1]:<{broad}}  {parts}")
    if result.strategy != "best":
        whole = ", and there are no others" if result.exact else ""
        proof = f"{result.candidates} different candidates were scored{whole}"
    elif result.exact:
        proof = "exact: no other progression scores higher"
    else:
        proof = f"no progression scores above {result.upper_bound:.4f} (gap {result.gap:.4f})"
    lines += [f"note: {result.note}"] if result.note else []
    return layout([*lines, f"{asked.key.label}, {asked.length} chords, {result.strategy}: {proof}"])
