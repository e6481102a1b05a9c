"""What must hold of the corpus tables before anything is built on them."""

from __future__ import annotations

from rainbow_assets.corpus.split_step import SCHEMA as SPLIT_SCHEMA
from rainbow_assets.corpus.split_step import SONG_SPLITS
from rainbow_assets.corpus.steps import BASE_MANIFEST, load_source
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.questions import names, relative_paths, unique_keys
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.storage.shard import Shard

LATE_SHARE = 0.1
"""Up to this share of a song's stamps may lie past its end (each is an anomaly and quarantined); more is a misread."""


def songs_accounted(shard: Shard) -> Outcome:
    """Song folders found = songs with rows + songs quarantined."""
    found = {folder.name for folder in load_source(shard).folders}
    ledger = ledger_frame(shard, ["part", "status"])
    assert ledger is not None
    processed = set(ledger.filter(ledger["status"] == "ok")["part"])
    quarantined = set(ledger.filter(ledger["status"] == "quarantined")["part"]) - processed
    lost = sorted(found ^ (processed | quarantined))
    numbers = {"found": len(found), "processed": len(processed), "quarantined": len(quarantined), "lost": len(lost)}
    if lost:
        return Outcome(False, f"{len(lost)} song folders are not accounted for ({names(lost)}); materialize "
                              "base_manifest again", numbers)
    said = f"{len(found)} songs found = {len(processed)} processed + {len(quarantined)} quarantined"
    return Outcome(True, said + (f" ({names(sorted(quarantined))})" if quarantined else ""), numbers)


def color_has_rows(shard: Shard) -> Outcome:
    """A color that has song folders has rows."""
    folders = len(load_source(shard).folders)
    rows = shard.require_index().rows
    numbers = {"song_folders": folders, "rows": rows}
    if folders and not rows:
        return Outcome(False, f"{folders} song folders gave no row; see the anomalies: rainbow lint", numbers)
    return Outcome(True, f"{rows} stems" if rows else "no song folder: an empty color", numbers)


def stamps_plausible(shard: Shard) -> Outcome:
    """Lyric stamps lie inside their song; more than a tenth outside means that they are misread."""
    columns = ["id", "lines", "sections", "end_ms"]
    songs = {row["id"]: row for _, table in shard.tables(columns) for row in table.to_pylist()}
    late, wrong, total = 0, [], 0
    for name, row in sorted(songs.items()):
        starts = [line["start_ms"] for line in row["lines"]]
        out = sum(start >= row["end_ms"] for start in starts)
        total += len(starts)
        late += out
        if out > LATE_SHARE * len(starts):
            wrong.append(f"{name} ({out} of {len(starts)})")
    numbers = {"songs": len(songs), "stamps": total, "past_the_end": late, "songs_misread": len(wrong)}
    if wrong:
        return Outcome(False, f"stamps lie past the end of {names(wrong)}; correct the LRC or say how to read it in "
                              "corpus.toml", numbers)
    return Outcome(True, f"{total} stamps, {late} past the end of their song", numbers)


def splits_by_song(shard: Shard) -> Outcome:
    """Each song of the manifest is in exactly one split, and train is never empty."""
    rows = shard.table(SPLIT_SCHEMA).to_pylist()
    manifest = shard.store.shard("base_manifest", shard.partition)
    songs = set(manifest.table(BASE_MANIFEST.schema, ["id"]).column("id").to_pylist())
    counts = {split: sum(row["split"] == split for row in rows) for split in ("train", "validation", "test")}
    lost = sorted(songs ^ {row["song_id"] for row in rows})
    if lost or sum(counts.values()) != len(rows) or (rows and not counts["train"]):
        return Outcome(False, f"splits do not cover the songs: {names(lost)}; counts {counts}", counts)
    return Outcome(True, ", ".join(f"{split} {n}" for split, n in counts.items()), counts)


def splits_kept(step: Step) -> Check:
    """Each row of ``step`` carries its song's split, so no song is in two."""

    def evaluate(shard: Shard) -> Outcome:
        own = shard.store.shard("song_splits", shard.partition).table(SPLIT_SCHEMA, ["song_id", "split"])
        splits = dict(zip(own["song_id"].to_pylist(), own["split"].to_pylist(), strict=True))
        rows = shard.table(step.schema, ["song_id", "split"])
        found = set(zip(rows["song_id"].to_pylist(), rows["split"].to_pylist(), strict=True))
        wrong = sorted(f"{song} in {split}" for song, split in found if splits.get(song) != split)
        numbers = {"rows": rows.num_rows, "songs": len(found), "songs_in_another_split": len(wrong)}
        if wrong:
            return Outcome(False, f"rows carry another split than song_splits gives their song ({names(wrong)}), so a "
                                  f"song would leak; materialize {step.name} again", numbers)
        return Outcome(True, f"{rows.num_rows} rows in the splits of their {len(found)} songs", numbers)

    return Check("splits_kept", step.name, evaluate, "Each row carries its song's split.")


def base_manifest_checks() -> tuple[Check, ...]:
    """Return the checks of `base_manifest`."""
    own = [
        Check("songs_accounted", "base_manifest", songs_accounted, "Songs found = processed + quarantined."),
        Check("color_has_rows", "base_manifest", color_has_rows, "A color with song folders has rows."),
        Check("stamps_plausible", "base_manifest", stamps_plausible, "Lyric stamps lie inside their song."),
    ]
    return (unique_keys(BASE_MANIFEST), relative_paths(BASE_MANIFEST), *own)


def song_splits_checks() -> tuple[Check, ...]:
    """Return the checks of `song_splits`."""
    own = Check("splits_by_song", "song_splits", splits_by_song, "Each song is in exactly one split.")
    return (unique_keys(SONG_SPLITS), own)
