"""Harmony in one run: parsing a large pack, a re-run with nothing to do, search speed, and musical sanity.

Run: ``python benchmarks/harmony.py [pack.tar.gz]``; without a pack, one of as many files is written. Exit code 1 where
a bound is missed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from _chord_loop import loop_candidates
from _pack import written_pack
from _size import size

from rainbow_assets.assets import GRAPH
from rainbow_assets.harmony.graphs import function_graph
from rainbow_assets.harmony.library import Library, builtin_library
from rainbow_assets.harmony.limits import SearchLimits
from rainbow_assets.harmony.model import Pack, Progression
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.harmony.pool import Pool
from rainbow_assets.harmony.search import search
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.music.keys import MODES, Key, parse_key
from rainbow_assets.storage.store import ShardStore

FILES, DRAWS, LOOPS, LENGTH = size(13_536, 300), size(100_000, 500), size(300, 5), size(8, 4)
PARSE_S, NO_OP_S, BEST_S = 3.0, 1.0, 0.2
PER_SECOND, TIMES_LOOP = 50_000, 200
TIMES = ("s", "candidates/s", "x")
SANITY_TOP, SANITY_LEAST = 100, 5
KEYS = ("A minor", "C major", "F# minor", "Eb major")
LIKELY = {"likelihood": 1.0}


class Bounds:
    """Figures as they come, and whether one missed its bound; a missed time is reported and fails nothing."""

    def __init__(self) -> None:
        self.missed = 0

    def say(self, what: str, value: float, unit: str, bound: float | None = None, least: bool = False) -> None:
        """Print a figure, and count it as missed where it is beyond its bound."""
        fine = bound is None or (value >= bound if least else value <= bound)
        self.missed += not fine and unit not in TIMES
        word, missed = "at least" if least else "at most", "" if fine else ": MISSED"
        wanted = "" if bound is None else f"  ({word} {bound:g}{missed})"
        print(f"{what:<62}{value:>12,.3f} {unit}{wanted}", flush=True)


def fastest(times: int, work: Callable[[], object]) -> float:
    """Return the least seconds that ``work`` took in so many runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def parsing(say: Bounds, pack: Path, work: Path) -> Pack:
    """Time the parsing of the pack, and a second build of the assets with nothing to do."""
    read = read_pack(pack)
    say.say(f"parse {read.files} files", fastest(3, lambda: read_pack(pack)), "s", PARSE_S)
    print(f"  {len(read.chords)} chords, {len(read.progressions)} progressions, anomalies "
          f"{dict(Counter(item.kind for item in read.anomalies))}")
    chords = work / "chords"
    chords.mkdir()
    (chords / pack.name).symlink_to(pack.resolve())
    os.environ["RAINBOW_CHORDS"] = str(chords)
    store = ShardStore(str(work / "data"))
    say.say("build the four assets", fastest(1, lambda: build(store)), "s")
    say.say("build them again (nothing moved)", fastest(2, lambda: build(store)), "s", NO_OP_S)
    return read


def build(store: ShardStore) -> None:
    """Bring the harmony assets up to date."""
    for name in ("chord_library", "progression_library", "function_graph", "chord_graph"):
        outcome = bring_up_to_date(GRAPH[name], store)
        assert outcome.problem is None, outcome.problem


def speed(say: Bounds) -> None:
    """Time the search against the loop, and the exact search of eight chords."""
    library, key = builtin_library(), parse_key("A minor")
    pool = library.pool(key)
    search(pool, 4)  # load: voice leading between all pairs
    loop = LOOPS / fastest(1, lambda: loop_candidates(library, key, 4, LOOPS, 1))
    drawn = search(pool, 4, strategy="brute_force", candidates=DRAWS, seed=1).candidates
    seconds = fastest(3, lambda: search(pool, 4, strategy="brute_force", candidates=DRAWS, seed=1))
    say.say(f"loop over {len(library.chords)} chords", loop, "candidates/s")
    say.say(f"brute_force, {drawn} different candidates drawn and scored", drawn / seconds, "candidates/s", PER_SECOND,
            True)
    say.say("times the loop", drawn / seconds / loop, "x", TIMES_LOOP, True)
    for name in KEYS:
        there = library.pool(parse_key(name))
        search(there, LENGTH)
        say.say(f"best, top 10 of length {LENGTH}, {name} (exact: {search(there, LENGTH).exact})",
                fastest(3, lambda there=there: search(there, LENGTH)), "s", BEST_S)


def sanity(say: Bounds, pack: Pack) -> None:
    """Learn a graph from half of the pack, and look for the most frequent progressions of the other half."""
    halves: tuple[list[Progression], list[Progression]] = ([], [])
    for item in pack.progressions:
        halves[hashlib.sha256(item.source_file.encode()).digest()[0] % 2].append(item)
    library = Library(pack.name, "", theory_pack().chords, function_graph(halves[0]))
    for mode in MODES:
        wanted = frequent([item for item in halves[1] if item.key.mode == mode])
        pool = one_per_function(library.pool(Key("C", mode)))
        for weights, name in ((LIKELY, "likelihood"), (None, "default weights")):
            hits = {strategy: found_in(search(pool, 4, strategy=strategy, top=SANITY_TOP, weights=weights), wanted)
                    for strategy in ("best", "random")}
            title = f"{pack.name}, {mode}, {name}: of 10 held out, best finds"
            say.say(title, hits["best"], f"random {hits['random']}", SANITY_LEAST if weights else None, True)
            if weights:
                say.say("  more than random", hits["best"] - hits["random"], "", 1, True)


def frequent(songs: list[Progression]) -> list[tuple[str, ...]]:
    """Return the ten most frequent runs of four functions."""
    seen = Counter(item.functions[n : n + 4] for item in songs for n in range(len(item.functions) - 3))
    return [run for run, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:10]]


def one_per_function(pool: Pool) -> Pool:
    """Return the pool with one chord for each function that the graph knows, triads first."""
    assert pool.graph is not None
    plain = sorted(pool.chords, key=lambda chord: (len(chord.intervals), abs(chord.inversion), chord.voicing))
    first = {chord.function: chord for chord in reversed(plain) if chord.function in pool.graph.labels}
    return Pool(pool.key, tuple(first.values()), pool.graph)


def found_in(result: object, wanted: list[tuple[str, ...]]) -> int:
    """Return how many of ``wanted`` are among the found."""
    got = {tuple(chord.function for chord in item.progression) for item in result.found}  # type: ignore[attr-defined]
    return sum(run in got for run in wanted)


def craft(say: Bounds) -> None:
    """Count parallel fifths with and without a price on them, and notes out of range where a range is asked for."""
    pool = builtin_library().pool(parse_key("C major"), ["triad"])
    place = {chord: number for number, chord in enumerate(pool.chords)}
    for title, weights in (("default weights", {}), ("with no_parallel_fifths=.3", {"no_parallel_fifths": 0.3})):
        found = search(pool, 8, weights={"melody": 0.25, "graph_probability": 0.3, **weights}).found
        fifths = sum(int(pool.moves.fifths[place[a], place[b]]) for item in found
                     for a, b in zip(item.progression, item.progression[1:], strict=False))
        say.say(f"parallel fifths in the ten best of eight chords, {title}", fifths, "")
    ranged = search(builtin_library().pool(parse_key("C major")), 8, constraints=SearchLimits(low=38, high=74)).found
    outside = sum(not 38 <= pitch <= 74 for item in ranged for chord in item.progression for pitch in chord.voicing)
    say.say("notes outside a range of 38 to 74", outside, "", 0)


def main(pack: str | None = None) -> int:
    """Run everything; return 1 where a bound is missed."""
    work, say = Path(tempfile.mkdtemp(prefix="rainbow-harmony-")), Bounds()
    try:
        speed(say)
        read = parsing(say, Path(pack) if pack else written_pack(work / "written.tar.gz", FILES), work)
        for known in (theory_pack(), *([read] if pack else [])):
            sanity(say, known)
        craft(say)
        return 1 if say.missed else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
