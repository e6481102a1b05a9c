"""Questions that the composer's tables must answer with yes, each with its numbers."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import Any

from rainbow_assets.composition import bass, chords, melody, review
from rainbow_assets.composition.commissions import commissions
from rainbow_assets.composition.evaluation_step import HUMAN_EVALUATION, folders, taken
from rainbow_assets.composition.final_step import FINAL_CANDIDATES
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, Song, bars_without
from rainbow_assets.composition.stage_step import SILENT
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.questions import names, unique_keys
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.music.keys import parse_key
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.taxonomy import COLOR_NAMES

RANGES = {CHORDS: (chords.LOWEST, chords.HIGHEST), DRUMS: (27, 87), BASS: (bass.LOWEST, bass.HIGHEST),
          MELODY: (melody.LOWEST, melody.HIGHEST)}
"""MIDI pitches that a part does not leave."""
_TOLD = ("song_id", "title", "key", "bpm", "time_signature", "bars", "concept", "rainbow_color")


def wrong_with(data: bytes, song: Song, twice: bool = True) -> str | None:
    """Return what is wrong with a piece (it does not open, a note is out of range, a bar is empty), or None.

    ``twice``: it is read by mido, too, which is slow, and both must find the same notes.
    """
    import mido

    try:
        parts = from_midi(data)
        told = sum(1 for track in mido.MidiFile(file=io.BytesIO(data)).tracks for item in track
                   if item.type == "note_on" and item.velocity) if twice else None
    except (RuntimeError, ValueError, EOFError, OSError, IndexError, KeyError) as error:
        return f"it does not open ({str(error)[:60]})"
    if told not in (None, sum(len(notes) for notes in parts.values())):
        return "two readers find different notes"
    for name, notes in parts.items():
        if name not in RANGES:
            return f"it has a part called {name[:20]!r}"
        low, high = RANGES[name]
        if any(not low <= note.pitch <= high for note in notes):
            return f"a note of the {name} is outside {low} to {high}"
        if any(note.start < 0 or note.start + note.length > song.ticks for note in notes):
            return f"a note of the {name} is outside the {song.bars} bars"
        empty = bars_without(notes, song)
        if empty:
            return f"bar {empty[0]} of the {name} is empty"
    return None if parts else "it has no part"


def song_of(row: dict[str, Any]) -> Song:
    """Return the song that a candidate's row is of."""
    top, bottom = (int(text) for text in row["time_signature"].split("/"))
    return Song(row["song_id"], row["title"], parse_key(row["key"]), row["bpm"], Meter(top, bottom),
                row["rainbow_color"], row["concept"], (), row["bars"])


def pieces_whole(step: Step) -> Check:
    """Build the check that every file opens, is what was scored, in range, and full; what is kept is read twice."""
    def evaluate(shard: Shard) -> Outcome:
        marks = ["kept"] if "kept" in step.schema.names else []
        rows = shard.table(step.schema, [step.key, *marks, *_TOLD, "midi_sha256", "midi"]).to_pylist()
        wrong = []
        for row in rows:
            said = "its digest is not its own" if sha256_bytes(row["midi"]) != row["midi_sha256"] else wrong_with(
                row["midi"], song_of(row), row.get("kept", True))
            wrong += [f"{row[step.key]}: {said}"] if said else []
        numbers = {"pieces": len(rows), "wrong": len(wrong)}
        if wrong:
            return Outcome(False, f"{len(wrong)} pieces are not whole: {names(wrong, 3)}; materialize {step.name} "
                                  "again", numbers)
        return Outcome(True, f"{len(rows)} pieces open, all bars full, all notes in range", numbers)

    return Check("pieces_whole", step.name, evaluate, "Every file opens, is in range, and has no empty bar.")


def candidates_differ(step: Step) -> Check:
    """Build the check that the candidates of a parent are different files, and that some of each song are kept."""
    def evaluate(shard: Shard) -> Outcome:
        rows = shard.table(step.schema, ["candidate_id", "song_id", "parent_id", "midi_sha256", "kept"]).to_pylist()
        own: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        kept: defaultdict[str, int] = defaultdict(int)
        for row in rows:
            own[row["song_id"], row["parent_id"] or ""].append(row["midi_sha256"])
            kept[row["song_id"]] += row["kept"]
        twice = sorted(f"{song} {parent}" for (song, parent), found in own.items() if len(set(found)) < len(found))
        nothing = sorted(song for song, count in kept.items() if not count)
        numbers = {"candidates": len(rows), "parents": len(own), "kept": sum(kept.values()), "equal": len(twice)}
        if twice or nothing:
            return Outcome(False, f"candidates of {names(twice) or 'no parent'} are equal files, and nothing was kept "
                                  f"of {names(nothing) or 'no song'}; materialize {step.name} again", numbers)
        return Outcome(True, f"{len(rows)} different candidates, {numbers['kept']} kept", numbers)

    return Check("candidates_differ", step.name, evaluate, "Candidates of one parent are different files.")


def scores_told(step: Step) -> Check:
    """Build the check that scores are in 0..1, that a ranking fitness moves, and that its status is said."""
    def evaluate(shard: Shard) -> Outcome:
        rows = shard.table(step.schema, ["candidate_id", "song_id", "score", "theory", "fitness", "scorer_status",
                                         "pattern"]).to_pylist()
        wrong = [row["candidate_id"] for row in rows if not (0 <= row["score"] <= 1 and 0 <= row["theory"] <= 1)
                 or not row["scorer_status"]]
        ranked: defaultdict[str, set[float | None]] = defaultdict(set)
        for row in rows:
            if row["scorer_status"] == "discriminative" and row["pattern"] != SILENT:
                ranked[row["song_id"]].add(row["fitness"])
        still = sorted(song for song, values in ranked.items() if len(values) < 2 or values == {0.0})
        numbers = {"candidates": len(rows), "ranked_by_fitness": len(ranked), "wrong": len(wrong), "still": len(still)}
        if wrong or still:
            return Outcome(False, f"{len(wrong)} candidates have no usable score ({names(wrong)}), and the fitness of "
                                  f"{names(still) or 'no song'} does not move; look at chromatic_scorer", numbers)
        return Outcome(True, f"{len(rows)} scores, {len(ranked)} songs ranked by fitness", numbers)

    return Check("scores_told", step.name, evaluate, "Scores are possible, and fitness moves where it ranks.")


def songs_composed(shard: Shard) -> Outcome:
    """Every commissioned song has candidates, or a proposal that cannot be read, which fails and is said."""
    known = {item.song_id: item for item in commissions(shard.store)}
    ledger = ledger_frame(shard, ["part", "status"])
    assert ledger is not None
    made = set(ledger.filter(ledger["status"] == "ok")["part"])
    refused = [item.problem for item in known.values() if item.proposal is None]
    lacking = sorted(name for name, item in known.items() if item.proposal and name not in made)
    numbers = {"commissions": len(known), "composed": len(made), "refused": len(refused), "lacking": len(lacking)}
    if refused or lacking:
        return Outcome(False, f"{' '.join(refused) or 'no proposal was refused'}; without candidates: "
                              f"{names(lacking) or 'none'}; mend the proposal, then: rainbow compose", numbers)
    return Outcome(True, f"{len(known)} songs commissioned, {len(made)} composed", numbers)


def finals_sound(shard: Shard) -> Outcome:
    """Every final has a mix that decodes, is as long as the piece, and is not silent; its stems are there."""
    import soundfile

    wrong, rows = [], 0
    for _, table in shard.tables(["final_id", "seconds", "flac", "stems"]):
        for row in table.to_pylist():
            rows += 1
            try:
                samples, rate = soundfile.read(io.BytesIO(row["flac"]), dtype="float32")
                fine = abs(len(samples) / rate - row["seconds"]) < 0.01 and float(abs(samples).max()) > 0.05
                fine = fine and len(row["stems"]) >= 1
            except (soundfile.LibsndfileError, RuntimeError):
                fine = False
            wrong += [] if fine else [row["final_id"]]
    numbers = {"finals": rows, "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} finals cannot be heard: {names(wrong)}; materialize final_candidates "
                              "again", numbers)
    return Outcome(True, f"{rows} finals can be heard", numbers)


def reviews_taken(shard: Shard) -> Outcome:
    """Every review can be read: one approval per label, no unknown status, every approved file there."""
    found = {song: taken(folder) for song, folder in folders(shard).items()}
    wrong = [str(error) for _, error in found.values() if error is not None]
    verdicts = [item for items, _ in found.values() for item in items]
    numbers = {"reviews": len(found), "wrong": len(wrong), "pieces": len(verdicts),
               "approved": sum(item.status == review.APPROVED for item in verdicts)}
    if wrong:
        return Outcome(False, f"{len(wrong)} reviews cannot be taken, and nothing of them was promoted: "
                              f"{' '.join(wrong[:3])}", numbers)
    return Outcome(True, f"{len(found)} reviews, {numbers['approved']} pieces approved", numbers)


def verdicts_whole(shard: Shard) -> Outcome:
    """Every verdict has a color of the table and a piece that is what it says."""
    rows = shard.table(HUMAN_EVALUATION.schema, ["evaluation_id", "rainbow_color", "midi_sha256", "midi"]).to_pylist()
    wrong = [row["evaluation_id"] for row in rows if row["rainbow_color"] not in (None, *COLOR_NAMES)
             or (row["midi"] is not None and sha256_bytes(row["midi"]) != row["midi_sha256"])]
    numbers = {"verdicts": len(rows), "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} verdicts have no color, or another piece than was judged: {names(wrong)}",
                       numbers)
    return Outcome(True, f"{len(rows)} verdicts with the pieces that were judged", numbers)


def stage_checks(step: Step) -> tuple[Check, ...]:
    """Return the checks of a stage."""
    first = (Check("songs_composed", step.name, songs_composed, "Every commissioned song was composed."),) if (
        step.name == "chord_candidates") else ()
    return (unique_keys(step), *first, pieces_whole(step), candidates_differ(step), scores_told(step))


def final_checks() -> tuple[Check, ...]:
    """Return the checks of `final_candidates`."""
    name = FINAL_CANDIDATES.name
    return (unique_keys(FINAL_CANDIDATES), pieces_whole(FINAL_CANDIDATES),
            Check("finals_sound", name, finals_sound, "Every final can be heard."))


def evaluation_checks() -> tuple[Check, ...]:
    """Return the checks of `human_evaluation`."""
    name = HUMAN_EVALUATION.name
    return (unique_keys(HUMAN_EVALUATION),
            Check("reviews_taken", name, reviews_taken, "Every review can be read and promoted."),
            Check("verdicts_whole", name, verdicts_whole, "Each verdict is on the piece that was judged."))

