"""The playable previews: `preview` (stems) and `preview_mix` (the same slices of the main mix)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus.ids import MIX_TRACK, song_of, stem_of
from rainbow_assets.lineage.checks import relative_paths, unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding, check
from rainbow_assets.release.credit import MADE_BY
from rainbow_assets.release.features import PREVIEW_SCHEMA
from rainbow_assets.release.sampling import preview_rows
from rainbow_assets.release.text import BUDGET_BYTES, within_budget
from rainbow_assets.segments import table as segment_table
from rainbow_assets.segments.ids import segment_id
from rainbow_assets.sound.flac import FlacMismatch, decode_flac
from rainbow_assets.sound.levels import rms_db
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

RANK = pa.field("preview_rank", pa.int32(), metadata={"doc": "place in the color's hash ranking; a smaller preview "
                                                            "takes the first ones"})
DIGEST = pa.field("audio_digest", pa.string(), metadata={"doc": "sha256 of the samples of `audio`"})
FLAC = pa.field("flac_sha256", pa.string(), metadata={"doc": "sha256 of the FLAC: a row moves with its bytes"})
SCHEMA = PREVIEW_SCHEMA.append(DIGEST).append(RANK).append(FLAC)
INTERNAL = (RANK.name, FLAC.name)
"""Columns of the assets that versions do not publish."""
Choose = Callable[[Shard, settings.PreviewRules], list[str]]
READ = ["segment_id", "song_id", "start_ms", "has_audio", "is_mix"]
INPUTS = {
    "segments": ("window", "slice", "stem", "lyric_text", "audio"),
    "segment_media": ("audio", "flac"),
    "base_manifest": ("song", "concept", "stem"),
}


def eligible(segments: Shard) -> pl.DataFrame:
    """Return the color's audible windows (stems and mix), from which previews are chosen."""
    frame = pl.DataFrame(pl.from_arrow(segments.table(segment_table.SCHEMA, READ)))
    return frame.filter(pl.col("has_audio"))


def chosen_stems(segments: Shard, rules: settings.PreviewRules) -> list[str]:
    """Return the ids of the color's preview rows, in order of rank."""
    stems = eligible(segments).filter(~pl.col("is_mix")).with_columns(pl.lit(True).alias("eligible"))
    wanted = stems.select("segment_id", "song_id", "start_ms", "eligible")
    return preview_rows(wanted, rules.samples, rules.seed, slice_column="start_ms")


def chosen_mixes(segments: Shard, rules: settings.PreviewRules) -> list[str]:
    """Return the ids of the mix windows of the preview's slices, in order of rank, each once."""
    rows = eligible(segments)
    at = {row["segment_id"]: row for row in rows.iter_rows(named=True)}
    audible = set(at)
    wanted = [segment_id(at[key]["song_id"], MIX_TRACK, at[key]["start_ms"]) for key in chosen_stems(segments, rules)]
    return [key for key in dict.fromkeys(wanted) if key in audible]


def _candidates(step: RowAsset, shard: Shard, keys: list[str]) -> pl.DataFrame:
    """List the chosen rows with the digests of their inputs, and the rank in them, because rows contain it."""
    frame = pl.DataFrame({"key": keys, "rank": [str(n) for n in range(len(keys))]},
                         schema={"key": pl.String, "rank": pl.String})
    frame = frame.with_columns(song_of(pl.col("key")).alias("part"))
    for asset, names in step.reads.items():
        upstream = outputs(shard.store.shard(asset, shard.partition), asset, names).drop("part")
        on = step.joins.get(asset, pl.col("key"))
        frame = frame.with_columns(on.alias("_on")).join(
            upstream, left_on="_on", right_on="key", how="left", maintain_order="left").drop("_on")
    rank = pl.concat_str("in:segments.window", "rank", separator="#").alias("in:segments.window")
    return frame.with_columns(rank).drop("rank")


def preview_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's preview rows."""
    return _candidates(PREVIEW, shard, chosen_stems(shard.store.shard("segments", shard.partition), rules.preview))


def mix_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's mix preview rows."""
    keys = chosen_mixes(shard.store.shard("segments", shard.partition), rules.preview)
    frame = _candidates(PREVIEW_MIX, shard, keys)
    stems = outputs(shard.store.shard("base_manifest", shard.partition), "base_manifest", INPUTS["base_manifest"])
    # A mix has no manifest row of its own: it takes its song's digests from the song's first stem.
    first = stems.drop("key").unique("part", keep="first", maintain_order=True)
    return frame.drop(*(f"in:base_manifest.{name}" for name in INPUTS["base_manifest"])).join(
        first, on="part", how="left", maintain_order="left")


def compute(work: Work) -> Iterator[Batch]:
    """Collect text, facts and FLAC of the requested rows, song by song; only their row groups of media are read."""
    keys = {str(key) for key in work.asked["key"]}
    choose = chosen_mixes if work.shard.asset == "preview_mix" else chosen_stems
    ranks = {key: rank for rank, key in enumerate(choose(work.upstream("segments"), work.rules.preview))}
    wanted = pa.array(sorted(keys), pa.string())
    manifest = [row for _, rows in work.upstream("base_manifest").tables() for row in rows.to_pylist()]
    songs = {row["id"]: row for row in reversed(manifest)}
    for song_id, asked in work.parts():
        mine = sorted(set(asked["key"]))
        rows = _rows(work.upstream("segments"), song_id, wanted)
        sounds = _sounds(work.upstream("segment_media"), {rows[key]["stem_id"] for key in mine}, wanted)
        made = [_preview_row(rows[key], songs[song_id], sounds[key], ranks[key]) for key in mine]
        yield Batch(song_id, pa.Table.from_pylist(made, schema=SCHEMA))


def _rows(shard: Shard, group: str, wanted: pa.Array) -> dict[str, dict[str, Any]]:
    part = next(part for part in shard.require_index().parts if part.group == group)
    table = shard.read_part(part)
    return {row["segment_id"]: row for row in rows_of(table, "segment_id", wanted).to_pylist()}


def _sounds(shard: Shard, stems: set[str], wanted: pa.Array) -> dict[str, dict[str, Any]]:
    found = {}
    for part in shard.require_index().parts:
        if part.group in stems:
            table = shard.read_part(part, ["segment_id", "audio"])
            for row in rows_of(table, "segment_id", wanted).to_pylist():
                found[row["segment_id"]] = row["audio"]
    return found


def _preview_row(row: dict[str, Any], song: dict[str, Any], audio: dict[str, Any], rank: int) -> dict[str, Any]:
    text = within_budget({"concept": song["concept"], "lyric_text": row["lyric_text"]})
    made_by = MADE_BY[song["music"]]
    return {
        "segment_id": row["segment_id"], "rainbow_color": row["rainbow_color"], **text,
        "start_seconds": row["start_seconds"], "end_seconds": row["end_seconds"],
        "duration_seconds": row["duration_seconds"], "bpm": song["bpm"],
        "key_signature_note": song["key_signature_note"], "key_signature_mode": song["key_signature_mode"],
        "key": song["key"], "song_id": row["song_id"], "title": song["title"],
        "track_description": row["track_description"], "track_group": row["track_group"],
        "license": made_by.license_name, "attribution": made_by.author, "audio": audio,
        "audio_digest": row["audio_digest"],
        "preview_rank": rank, "flac_sha256": sha256_bytes(audio["bytes"]),
    }


def _enough(choose: Choose) -> Check:
    def evaluate(shard: Shard) -> Finding:
        """Check that the preview has min(N, eligible) rows, and that they are those that the hash ranking chooses."""
        rules = settings.default_rules().preview
        segments = shard.store.shard("segments", shard.partition)
        expected = choose(segments, rules)
        found = shard.table(SCHEMA, ["segment_id", "song_id"])
        keys = set(found.column("segment_id").to_pylist())
        songs = len(set(found.column("song_id").to_pylist()))
        possible = len(eligible(segments))
        numbers = {"asked": rules.samples, "eligible": possible, "rows": len(keys), "songs": songs}
        wrong = sorted(keys ^ set(expected))
        if wrong:
            return Finding(False, f"the preview is not the {len(expected)} rows that the ranking chooses "
                                  f"({some(wrong)}); materialize {shard.asset} again", numbers)
        short = f", fewer than {rules.samples}: no more windows are audible" if len(keys) < rules.samples else ""
        return Finding(True, f"{len(keys)} rows from {songs} songs{short}", numbers)

    return Check("enough_rows", evaluate, "The rows are the first min(N, eligible) ones of the ranking.")


@check("Each row decodes, sounds, and fits the dataset viewer.")
def rows_play(shard: Shard) -> Finding:
    """Check that every row's FLAC decodes in full, sounds and is named `.flac`, and that its text fits the viewer."""
    problems: dict[str, list[str]] = {}
    rows = total = 0
    for _, part in shard.tables(["segment_id", "audio", "duration_seconds", "concept", "lyric_text"]):
        for row in part.to_pylist():
            rows += 1
            total += len(row["audio"]["bytes"]) if row["audio"] else 0
            if problem := _problem(row):
                problems.setdefault(problem, []).append(row["segment_id"])
    numbers = {"rows": rows, "audio_bytes": total, **{name: len(keys) for name, keys in problems.items()}}
    if problems:
        details = "; ".join(f"{name}: {some(keys)}" for name, keys in sorted(problems.items()))
        return Finding(False, "the dataset viewer cannot show some rows, and one such row breaks its whole page: "
                              f"{details}", numbers)
    return Finding(True, f"{rows} rows play, {total / 1e6:.1f} MB", numbers)


def _problem(row: dict[str, object]) -> str | None:
    audio = row["audio"]
    if not isinstance(audio, dict) or not audio["bytes"]:
        return "has no audio"
    if audio["path"] != f"{row['segment_id']}.flac":
        return "is not named <segment_id>.flac"
    try:
        samples, bits, rate = decode_flac(audio["bytes"])
    except (FlacMismatch, RuntimeError, ValueError):
        return "does not decode"
    if abs(len(samples) / rate - float(str(row["duration_seconds"]))) > 2 / rate + 0.001:
        return "has another length than its slice"
    if rms_db(samples, bits) < settings.default_rules().audio.silence_db - 0.01:
        return "is silent"
    text = sum(len(str(row[name]).encode()) for name in ("concept", "lyric_text"))
    return "has more text than the viewer shows" if text > BUDGET_BYTES else None


def _step(name: str, description: str, candidates: Any, choose: Choose) -> RowAsset:
    return RowAsset(
        name=name, group="release", kinds={"flac", "parquet"}, description=description,
        reads=INPUTS, compute=compute, columns=SCHEMA,
        fields={"row": tuple(item for item in SCHEMA.names if item not in ("segment_id", "audio"))},
        settings=("preview",), candidates=candidates, joins={"base_manifest": stem_of(pl.col("key"))},
        media=("audio",), carries=("segments", "base_manifest", "segment_media"),
        chosen_by=("segments.window", "segments.audio"), ceiling=lambda rules: rules.preview.samples,
        checks=[unique_keys, relative_paths, _enough(choose), rows_play],
    )


PREVIEW = _step(
    "preview", "N playable stem windows per color, chosen by hash rank and spread over songs.",
    preview_candidates, chosen_stems)
PREVIEW_MIX = _step(
    "preview_mix", "The slices of preview, cut from the main mix: all stems together.",
    mix_candidates, chosen_mixes)
