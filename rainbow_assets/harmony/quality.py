"""Questions that the harmony tables must answer with yes, each with its numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from rainbow_assets.harmony.draws import Stream
from rainbow_assets.harmony.graph_steps import CHORD_GRAPH, FUNCTION_GRAPH, GRAPH_SCHEMA, graph_of
from rainbow_assets.harmony.graphs import cadences, function_graph, row_sums, transitions
from rainbow_assets.harmony.library_steps import CHORD_LIBRARY, PROGRESSION_LIBRARY
from rainbow_assets.harmony.pool import Pool, Progressions, transpose
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, totals, weighted
from rainbow_assets.harmony.tables import CHORD_SCHEMA, PROGRESSION_SCHEMA, chords_of
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.lineage.questions import names, unique_keys
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.music.chord_types import parse_chord_name
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.functions import DIATONIC, TONIC
from rainbow_assets.music.keys import MODES, all_keys, key_of
from rainbow_assets.storage.shard import Shard

SAMPLED, SAMPLED_LENGTH = 200, 5
SUM_TOLERANCE = 1e-9


def _differs(name: str, classes: set[int]) -> bool:
    try:
        return parse_chord_name(name).pitch_classes != classes
    except HarmonyUsageError:
        return True


def notes_match_names(shard: Shard) -> Outcome:
    """The pitch classes of every chord, sounding and listed, are those of its name."""
    rows = shard.table(CHORD_SCHEMA, ["chord_id", "chord_name", "voicing", "pitch_classes"]).to_pylist()
    wrong = [row["chord_id"] for row in rows
             if _differs(row["chord_name"], {pitch % 12 for pitch in row["voicing"]})
             or row["pitch_classes"] != sorted({pitch % 12 for pitch in row["voicing"]})]
    numbers = {"chords": len(rows), "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"the notes of {len(wrong)} chords are not those of their names: {names(wrong)}", numbers)
    return Outcome(True, f"{len(rows)} chords sound as they are called", numbers)


def functions_complete(shard: Shard) -> Outcome:
    """Every key of both modes has a chord on each of its seven degrees."""
    rows = shard.table(CHORD_SCHEMA, ["tonic_pc", "mode", "function"]).to_pylist()
    held: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in rows:
        held[row["tonic_pc"], row["mode"]].add(row["function"])
    lacking = [f"{function} of {key.label}" for key in all_keys() for function in DIATONIC[key.mode]
               if function not in held[key.pc, key.mode]]
    numbers = {"keys": sum(bool(found) for found in held.values()), "lacking": len(lacking)}
    if lacking:
        return Outcome(False, f"{len(lacking)} diatonic functions have no chord: {names(lacking)}; the built-in pack "
                              "has them all, build chord_library again", numbers)
    return Outcome(True, "every diatonic function of 24 keys has a chord", numbers)


def scores_keep(shard: Shard) -> Outcome:
    """The same progressions of each key score the same when they are transposed to C (sampled, seeded)."""
    chords = chords_of(shard.table(CHORD_SCHEMA).to_pylist())
    graph = function_graph(theory_pack().progressions)
    items = weighted(DEFAULT_WEIGHTS)
    wrong, tried = [], 0
    for key in all_keys():
        own = tuple(chord for chord in chords if chord.key.pc == key.pc and chord.key.mode == key.mode)
        if not own:
            continue
        table = transitions(graph, key.mode)
        here = Pool(key, own, table)
        home = Pool(key_of(0, key.mode), tuple(transpose(chord, key_of(0, key.mode)) for chord in own), table)
        draws = Stream(key.pc).take(SAMPLED * SAMPLED_LENGTH).reshape(SAMPLED, SAMPLED_LENGTH)
        # Every chord comes at least once where there are no more chords than draws.
        rows = (draws * len(own)).astype(np.int32)
        rows.ravel()[: len(own)] = np.arange(len(own), dtype=np.int32)[: rows.size]
        tried += len(rows)
        if not np.array_equal(totals(items, Progressions(here, rows))[0], totals(items, Progressions(home, rows))[0]):
            wrong.append(key.label)
    numbers = {"progressions": tried, "keys": len(wrong)}
    if wrong:
        return Outcome(False, f"progressions of {names(wrong)} score otherwise in C; a function or a voicing there is "
                              "not what the chord's root says", numbers)
    return Outcome(True, f"{tried} progressions score the same in C", numbers)


def progressions_sound(shard: Shard) -> Outcome:
    """Each progression has as many functions, chords, voicings and times as it says, in order, and sounds its names."""
    rows = shard.table(PROGRESSION_SCHEMA).to_pylist()
    wrong = [row["progression_id"] for row in rows if not _whole(row)]
    numbers = {"progressions": len(rows), "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} progressions are not whole, or do not sound as they are called: "
                              f"{names(wrong)}", numbers)
    return Outcome(True, f"{len(rows)} progressions are whole and sound as they are called", numbers)


def _whole(row: dict[str, Any]) -> bool:
    lists = ("functions", "romans", "chord_names", "voicings", "start_ms", "duration_ms")
    count = row["total_chords"]
    return (count > 0 and all(len(row[name]) == count for name in lists) and min(row["duration_ms"]) > 0
            and row["start_ms"] == sorted(row["start_ms"])
            and not any(_differs(name, {pitch % 12 for pitch in voicing})
                        for name, voicing in zip(row["chord_names"], row["voicings"], strict=True)))


def rows_sum_to_one(step: Step) -> Check:
    """Build the check that what follows a node has probability 1 in all."""
    def evaluate(shard: Shard) -> Outcome:
        sums = row_sums(graph_of(shard.table(GRAPH_SCHEMA)))
        wrong = sorted(node for node, total in sums.items() if abs(total - 1) > SUM_TOLERANCE)
        numbers = {"nodes": len(sums), "wrong": len(wrong)}
        if wrong:
            return Outcome(False, f"the probabilities after {len(wrong)} nodes do not sum to 1: {names(wrong)}",
                           numbers)
        return Outcome(True, f"the probabilities after each of {len(sums)} nodes sum to 1", numbers)

    return Check("rows_sum_to_one", step.name, evaluate, "What follows a node has probability 1 in all.")


def both_modes(step: Step) -> Check:
    """Build the check that major and minor have transitions that lead to their tonics."""
    def evaluate(shard: Shard) -> Outcome:
        graph = graph_of(shard.table(GRAPH_SCHEMA))
        seen = {mode: sum(int(data["count"]) for source, _, data in graph.edges(data=True)
                          if graph.nodes[source]["mode"] == mode) for mode in MODES}
        lacking = [mode for mode in MODES if not seen[mode] or not cadences(graph, mode)]
        numbers = {f"{mode}_transitions": count for mode, count in seen.items()}
        if lacking:
            return Outcome(False, f"the {' and '.join(lacking)} graph has no way to its tonic "
                                  f"({', '.join(TONIC[mode] for mode in lacking)}); see progression_library", numbers)
        return Outcome(True, f"{seen['major']} transitions in major and {seen['minor']} in minor", numbers)

    return Check("both_modes", step.name, evaluate, "Major and minor have transitions, and ways to the tonic.")


def chord_library_checks() -> tuple[Check, ...]:
    """Return the checks of `chord_library`."""
    name = CHORD_LIBRARY.name
    return (
        unique_keys(CHORD_LIBRARY),
        Check("notes_match_names", name, notes_match_names, "Each chord's notes are those of its name."),
        Check("functions_complete", name, functions_complete, "Each key has all its diatonic functions."),
        Check("scores_keep", name, scores_keep, "Scores do not change when chords are transposed."),
    )


def progression_library_checks() -> tuple[Check, ...]:
    """Return the checks of `progression_library`."""
    own = Check("progressions_sound", PROGRESSION_LIBRARY.name, progressions_sound,
                "Each progression is whole and sounds as it is called.")
    return (unique_keys(PROGRESSION_LIBRARY), own)


def function_graph_checks() -> tuple[Check, ...]:
    """Return the checks of `function_graph`."""
    return (unique_keys(FUNCTION_GRAPH), rows_sum_to_one(FUNCTION_GRAPH), both_modes(FUNCTION_GRAPH))


def chord_graph_checks() -> tuple[Check, ...]:
    """Return the checks of `chord_graph`."""
    return (unique_keys(CHORD_GRAPH), rows_sum_to_one(CHORD_GRAPH), both_modes(CHORD_GRAPH))
