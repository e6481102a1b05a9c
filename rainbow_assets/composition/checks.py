"""Checks on the composer's tables."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rainbow_assets.composition import bass, chords, melody
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, SILENT, SongBrief, bars_without
from rainbow_assets.composition.songs import orders
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.lineage.verdicts import Check, Finding, check
from rainbow_assets.music.keys import parse_key
from rainbow_assets.music.midi_song import UnreadableMidi
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

RANGES = {CHORDS: (chords.LOWEST, chords.HIGHEST), DRUMS: (27, 87), BASS: (bass.LOWEST, bass.HIGHEST),
          MELODY: (melody.LOWEST, melody.HIGHEST)}
"""Lowest and highest MIDI pitch of each part."""
_OF_SONG = ("song_id", "title", "key", "bpm", "time_signature", "bars", "concept", "rainbow_color")


def wrong_with(data: bytes, song: SongBrief) -> str | None:
    """Return what is wrong with a piece (it does not open, a note is out of range, a bar is empty), or None."""
    try:
        parts = from_midi(data)
    except UnreadableMidi as error:
        return f"it does not open ({str(error)[:60]})"
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


def song_of(row: dict[str, Any]) -> SongBrief:
    """Return the song that the candidate in ``row`` belongs to."""
    top, bottom = (int(text) for text in row["time_signature"].split("/"))
    return SongBrief(row["song_id"], row["title"], parse_key(row["key"]), row["bpm"], Meter(top, bottom),
                row["rainbow_color"], row["concept"], (), row["bars"])


def pieces_whole(step: RowAsset) -> Check:
    """Return the check that every file opens, matches its digest, is in range, and has no empty bar."""
    def evaluate(shard: Shard) -> Finding:
        rows = shard.table(step.schema, [step.key, *_OF_SONG, "midi_sha256", "midi"]).to_pylist()
        wrong = []
        for row in rows:
            problem = "its midi_sha256 is wrong" if sha256_bytes(row["midi"]) != row["midi_sha256"] else wrong_with(
                row["midi"], song_of(row))
            wrong += [f"{row[step.key]}: {problem}"] if problem else []
        numbers = {"pieces": len(rows), "wrong": len(wrong)}
        if wrong:
            return Finding(False, f"{len(wrong)} pieces are damaged: {some(wrong, 3)}; materialize {step.name} "
                                  "again", numbers)
        return Finding(True, f"{len(rows)} pieces open, without an empty bar, with all notes in range", numbers)

    return Check("pieces_whole", evaluate, "Every file opens, is in range, and has no empty bar.")


def candidates_differ(step: RowAsset) -> Check:
    """Return the check that candidates of one parent are different files, and that every song has kept ones."""
    def evaluate(shard: Shard) -> Finding:
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
            return Finding(False, f"equal files among the candidates of {some(twice) or 'no parent'}, and no candidate "
                                  f"kept of {some(nothing) or 'no song'}; materialize {step.name} again", numbers)
        return Finding(True, f"{len(rows)} different candidates, {numbers['kept']} kept", numbers)

    return Check("candidates_differ", evaluate, "Candidates of one parent are different files.")


def scores_told(step: RowAsset) -> Check:
    """Return the check that scores are in 0..1, a scorer status is given, and fitness differs if it ranks."""
    def evaluate(shard: Shard) -> Finding:
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
            return Finding(False, f"{len(wrong)} candidates have a score outside 0 to 1 or no scorer status "
                                  f"({some(wrong) or 'none'}), and the fitness of {some(still) or 'no song'} is "
                                  "constant; check chromatic_scorer", numbers)
        return Finding(True, f"{len(rows)} scores, {len(ranked)} songs ranked by fitness", numbers)

    return Check("scores_told", evaluate, "Scores are in 0..1, and fitness differs if it ranks.")


@check("Every ordered song was composed.")
def songs_composed(shard: Shard) -> Finding:
    """Every ordered song has candidates, or a reason why not; one at least has candidates.

    The finding quotes what is wrong with a proposal that cannot be used. It stops no other song.
    """
    known = {item.song_id for item in orders(shard.store)}
    ledger = ledger_frame(shard, ["part", "status", "sentence"])
    assert ledger is not None
    made = set(ledger.filter(ledger["status"] == "ok")["part"])
    left = ledger.filter(ledger["status"] != "ok").unique("part", maintain_order=True)
    lacking = sorted(known - made - set(left["part"]))
    numbers = {"commissions": len(known), "composed": len(made), "refused": len(left), "lacking": len(lacking)}
    why = f" ({some(left['sentence'].drop_nulls().to_list(), between='; ')})" if len(left) else ""
    if lacking or (known and not made):
        return Finding(False, f"songs without candidates: {some(lacking or sorted(known))}{why}; correct the "
                              "proposals, then run: rainbow compose", numbers)
    return Finding(True, f"{len(known)} songs ordered, {len(made)} composed{why}", numbers)
