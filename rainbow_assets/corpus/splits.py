"""Train, validation and test: whole songs are assigned by hash rank within a color, so that no song is in two.

Songs of a color with a sound file in common are all in train. Equal sounds in other files or colors, and other exports
of a song, stop a release (:mod:`rainbow_assets.release.consistency`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


def _rank(song: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{song}".encode()).hexdigest()


def assign_splits(
    songs: Iterable[str], validation: float = 0.1, test: float = 0.1, seed: int = 42, train: Collection[str] = ()
) -> dict[str, str]:
    """Return {song: split} for the songs of one color, in order of song; those in ``train`` are in train.

    Songs are ranked by sha256 of seed and id, so that a new song changes few splits. With three songs or more,
    validation and test get at least one each if their share is above 0 and enough songs are not in ``train``; train
    keeps at least one. With one or two songs, all are in train.

    >>> assign_splits(["05_01", "05_02", "05_03"])
    {'05_01': 'test', '05_02': 'train', '05_03': 'validation'}
    """
    ranked = sorted(set(songs), key=lambda song: (_rank(song, seed), song))
    counts = {TEST: _share(len(ranked), test), VALIDATION: _share(len(ranked), validation)}
    chosen = dict.fromkeys(ranked, TRAIN)
    # The next songs take the places of songs that stay in train, so that no other song moves.
    free = (song for song in ranked[sum(counts.values()):] if song not in train)
    at = 0
    for split, count in counts.items():
        for song in ranked[at:at + count]:
            song = next(free, None) if song in train else song
            if song is not None:
                chosen[song] = split
        at += count
    return dict(sorted(chosen.items()))


def _share(songs: int, share: float) -> int:
    if songs < 3 or share <= 0:
        return 0
    return min(max(1, round(songs * share)), (songs - 1) // 2)


def copies(manifest: Shard) -> dict[str, str]:
    """Return {song: first song with the same sound file} for the songs of `base_manifest` that share one, by sha256."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for row in sorted(manifest.rows("id", "audio_sha256", "main_audio_sha256"), key=lambda row: row["id"]):
        for sha256 in (row["audio_sha256"], row["main_audio_sha256"]):
            other = first.setdefault(sha256, row["id"]) if sha256 else row["id"]
            if other != row["id"]:
                found.setdefault(other, other)
                found.setdefault(row["id"], other)
    return found


def splits_of(shard: Shard) -> dict[str, str]:
    """Return {song: split} of a shard of `song_splits`."""
    return {row["song_id"]: row["split"] for row in shard.rows("song_id", "split")}


def splits_kept(step: RowAsset) -> Check:
    """Return a check that each row of ``step`` has its song's split, so that no song is in two."""

    def evaluate(shard: Shard) -> Finding:
        splits = splits_of(shard.store.shard("song_splits", shard.partition))
        rows = shard.rows("song_id", "split")
        found = {(row["song_id"], row["split"]) for row in rows}
        wrong = sorted(f"{song} in {split}" for song, split in found if splits.get(song) != split)
        numbers = {"rows": len(rows), "songs": len(found), "songs_in_another_split": len(wrong)}
        if wrong:
            return Finding(False, f"the split of some rows is not that of their song in song_splits ({some(wrong)}); "
                                  f"materialize {step.name} again", numbers)
        return Finding(True, f"{len(rows)} rows in the splits of their {len(found)} songs", numbers)

    return Check("splits_kept", evaluate, "Each row has its song's split.")
