"""`concept_embeddings`, `lyric_embeddings`, `audio_embeddings`: one row per segment.

Each reads only the field that it embeds: after an edit of a lyric, one text is embedded and no audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from rainbow_assets import digests, settings
from rainbow_assets.caches import kept
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.embeddings import drift, health, inputs, specs, tables
from rainbow_assets.embeddings.body import NORM_TOLERANCE
from rainbow_assets.embeddings.row_asset import EmbeddingAsset, Read
from rainbow_assets.embeddings.runner import REASONS
from rainbow_assets.embeddings.specs import SPECS, EncoderSpec
from rainbow_assets.embeddings.tables import HAS
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import Built
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.markdown import Markdown, picture
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some


def concept_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's segments with the digest of their song's concept (the manifest has no row for the mix)."""
    segments = ledger_frame(shard.store.shard("segments", shard.partition), ["key", "part", "status"])
    manifest = ledger_frame(shard.store.shard("base_manifest", shard.partition), ["part", "status", "out:concept"])
    assert segments is not None and manifest is not None
    songs = manifest.filter(pl.col("status") == "ok").unique("part", keep="first", maintain_order=True)
    return segments.filter(pl.col("status") == "ok").drop("status").join(
        songs.select("part", pl.col("out:concept").alias("in:base_manifest.concept")), on="part", how="left",
        maintain_order="left")


LEAST_RANK = 2.0
"""Lowest effective rank of distinct inputs: below it, their vectors are a point or a line."""


CLOSER = 0.01
"""Least difference between the mean cosine inside stems and that between stems."""


def keys_match(step: EmbeddingAsset) -> Check:
    """Return a check that rows and quarantined rows together are exactly the segments, by key."""

    def evaluate(shard: Shard) -> Finding:
        own = set(shard.table(step.schema, ["segment_id"]).column("segment_id").to_pylist())
        ledger = ledger_frame(shard, ["key", "status"])
        segments = ledger_frame(shard.store.shard("segments", shard.partition), ["key", "status"])
        assert ledger is not None and segments is not None
        quarantined = set(ledger.filter(ledger["status"] != "ok")["key"])
        wanted = set(segments.filter(segments["status"] == "ok")["key"])
        lost, extra = sorted(wanted - own - quarantined), sorted((own | quarantined) - wanted)
        numbers = {"rows": len(own), "segments": len(wanted), "quarantined": len(quarantined), "lost": len(lost),
                   "extra": len(extra)}
        if lost or extra:
            return Finding(False, f"{len(lost)} segments have no row ({some(lost)}) and {len(extra)} rows no segment "
                                  f"({some(extra)}); materialize {step.name} again", numbers)
        return Finding(True, f"{len(own)} rows and {len(quarantined)} quarantined, 1:1 with segments", numbers)

    return Check("matches_segments", evaluate, "Rows are 1:1 the segments, by key.")


def missing_is_null(step: EmbeddingAsset) -> Check:
    """Return a check that flag, input and vector of a row agree, and that no vector is all zeros."""
    vector, flag = step.vector, HAS[step.vector]

    def evaluate(shard: Shard) -> Finding:
        wrong: list[str] = []
        filled = empty = 0
        for _, table in shard.tables(["segment_id", flag, "input_digest", vector]):
            for key, flagged, digest, value in zip(
                table.column("segment_id").to_pylist(), table.column(flag).to_pylist(),
                table.column("input_digest").to_pylist(), health.arrays(table.column(vector)), strict=True,
            ):
                filled, empty = filled + (value is not None), empty + (value is None)
                if len({flagged, digest is not None, value is not None}) > 1 or (value is not None and not value.any()):
                    wrong.append(key)
        numbers = {"with_vector": filled, "null": empty, "wrong": len(wrong)}
        if wrong:
            return Finding(False, f"{len(wrong)} rows have a vector without an input, no vector for one, or zeros: "
                                  f"{some(wrong)}; materialize {step.name} again", numbers)
        return Finding(True, f"{filled} vectors; {empty} rows have no input and are null", numbers)

    return Check("missing_is_null", evaluate, f"{flag}, the input's digest and the vector agree; no vector is zeros.")


def vectors_sound(step: EmbeddingAsset) -> Check:
    """Return a check that all vectors have one spec, its size and norm, are finite, and are equal for equal inputs."""

    def evaluate(shard: Shard) -> Finding:
        problems: dict[str, list[str]] = {}
        made_by: set[tuple[str, str, str]] = set()
        seen: dict[str, bytes] = {}
        for _, table in shard.tables():
            made_by.update(zip(*(table.column(n).to_pylist() for n in ("profile", "encoder", "spec_digest")),
                               strict=True))
            for key, digest, encoder, value in zip(
                *(table.column(name).to_pylist() for name in ("segment_id", "input_digest", "encoder")),
                health.arrays(table.column(step.vector)), strict=True,
            ):
                if value is not None and (problem := _problem(value, encoder, digest, seen)):
                    problems.setdefault(problem, []).append(key)
        if len(made_by) > 1:
            problems["vectors of several encoders in one shard"] = sorted(f"{p} {e}" for p, e, _ in made_by)
        numbers: dict[str, Any] = {"encoders": len(made_by), "distinct": len(seen),
                                   **{name: len(keys) for name, keys in problems.items()}}
        if problems:
            details = "; ".join(f"{name}: {some(keys)}" for name, keys in sorted(problems.items()))
            return Finding(False, f"vectors do not match their spec: {details}", numbers)
        who = ", ".join(f"{profile}: {encoder}" for profile, encoder, _ in sorted(made_by)) or "no encoder"
        return Finding(True, f"{len(seen)} distinct vectors, by {who}", numbers)

    return Check("vectors_sound", evaluate,
                 "One spec; finite; right size; norm 1 if promised; equal for equal inputs.")


def _problem(value: health.Matrix, encoder: str, digest: str, seen: dict[str, bytes]) -> str:
    spec = _spec(encoder)
    if spec is None:
        return "unknown encoder"
    if not np.isfinite(value).all():
        return "not finite"
    if len(value) != spec.dims:
        return "wrong size"
    if spec.unit_norm and abs(float(np.linalg.norm(value.astype(np.float64))) - 1) > NORM_TOLERANCE:
        return "norm is not 1"
    data = value.astype("<f4").tobytes()
    return "" if seen.setdefault(digest, data) == data else "differs for one and the same input"


def _spec(encoder: str) -> EncoderSpec | None:
    return next((spec for spec in SPECS.values() if f"{spec.checkpoint}@{spec.revision}" == encoder), None)


def not_collapsed(step: EmbeddingAsset) -> Check:
    """Return a check that different inputs have different vectors: a low mean cosine, and several directions in use."""

    def evaluate(shard: Shard) -> Finding:
        found = health.vectors_of(shard, step.vector)
        if len(found) < health.TOO_FEW:
            return Finding(True, f"{len(found)} distinct inputs are too few to judge an encoder by",
                           {"distinct": len(found)})
        spec = _spec(next(iter(shard.tables(["encoder"])))[1].column("encoder")[0].as_py())
        bound = spec.mean_cosine if spec else 0.95
        pairs, rank, twice = health.cosines(found.matrix), health.effective_rank(found.matrix), health.doubles(
            found.matrix)
        near = health.closeness(found.matrix, found.songs)
        numbers = {"distinct": len(found), "mean_cosine": round(float(pairs.mean()), 4), "bound": bound,
                   "effective_rank": round(rank, 2), "doubles": twice,
                   "neighbor_of_same_song": None if near is None else round(near[2], 3)}
        if pairs.mean() > bound or rank < LEAST_RANK or twice > len(found) // 2:
            return Finding(False, f"the encoder has collapsed: {len(found)} different inputs have a mean cosine of "
                                  f"{pairs.mean():.4f} (bound {bound}), an effective rank of {rank:.1f} and {twice} "
                                  "equal vectors; choose another checkpoint (embeddings.audio_checkpoint)", numbers)
        return Finding(True, f"mean cosine {pairs.mean():.3f} of {len(found)} inputs, effective rank {rank:.1f}",
                       numbers)

    return Check("not_collapsed", evaluate,
                 "Mean pairwise cosine, effective rank and equal vectors of different inputs are within bounds.")


def stems_sound_alike(step: EmbeddingAsset) -> Check:
    """Return a check that segments of one stem are closer than those of different stems; if not, rows were mixed up."""

    def evaluate(shard: Shard) -> Finding:
        found = health.vectors_of(shard, step.vector)
        near = health.closeness(found.matrix, found.stems)
        if near is None:
            too_few = "there are too few different segments of one stem to compare"
            return Finding(True, too_few, {"distinct": len(found)})
        inside, between, share = near
        numbers = {"distinct": len(found), "cosine_inside_stems": round(inside, 4),
                   "cosine_between_stems": round(between, 4), "neighbor_of_same_stem": round(share, 3)}
        if inside - between < CLOSER:
            return Finding(False, f"segments of one stem (mean cosine {inside:.3f}) are no closer than segments of "
                                  f"different stems ({between:.3f}): vectors are in the wrong rows, or the encoder "
                                  "does not distinguish them", numbers)
        return Finding(True, f"mean cosine {inside:.3f} inside stems, {between:.3f} between", numbers)

    return Check("stems_sound_alike", evaluate, "Segments of one stem are closer to each other than to other stems.")


def no_drift(step: EmbeddingAsset) -> Check:
    """Return a check that inputs of the last release still have the same vectors by the same spec."""

    def evaluate(shard: Shard) -> Finding:
        return drift.compare(shard, step.vector)

    return Check("no_drift", evaluate, "An input of the last release has the same vector by the same spec.")


def shown(built: Built) -> Mapping[str, Any]:
    """Return the numbers of the run, and a picture of the vectors by color, which is redrawn only if they changed."""
    from rainbow_assets.embeddings import pictures  # loads matplotlib, which is slow

    assert isinstance(built.asset, EmbeddingAsset)
    name, vector = built.asset.name, built.asset.vector
    made = {shard.partition: shard.require_index().data_version for shard in built.shards()}

    def drawn() -> Markdown:
        found = {color: health.vectors_of(built.store.shard(name, color), vector) for color in made}
        return picture(pictures.picture(found, name), f"vectors of {name} by color")

    chart = kept(built.store.cache_path(f"pictures/{name}.json"), digests.digest(made), drawn)
    return {"embedding_run": built.asset.report.numbers(), "vectors": chart}


def _asset(
    name: str, description: str, vector: str, modality: str, read: Read, given: dict[str, tuple[str, ...]]
) -> EmbeddingAsset:
    checks = [unique_keys, keys_match, missing_is_null, vectors_sound, not_collapsed, no_drift]
    return EmbeddingAsset(
        name=name, group="embeddings", kinds={"onnx" if modality == specs.TEXT else "flac", "parquet"},
        description=description, reads=given, columns=tables.schema(vector), fields=tables.fields(vector),
        reasons=REASONS, modality=modality, vector=vector, read=read, parts=song_of(pl.col("key")),
        candidates=concept_candidates if vector == tables.CONCEPT else None, row_by_row=True, shows=[shown],
        checks=[*checks, stems_sound_alike] if modality == specs.AUDIO else checks,
    )


CONCEPT_EMBEDDINGS = _asset(
    "concept_embeddings", "A vector of each song's concept, repeated for its segments; each distinct concept is "
    "embedded once.", tables.CONCEPT, specs.TEXT, inputs.concepts, {"segments": (), "base_manifest": ("concept",)})
LYRIC_EMBEDDINGS = _asset(
    "lyric_embeddings", "A vector of each segment's lyric, null if it has none; each distinct text is embedded "
    "once.",
    tables.LYRIC, specs.TEXT, inputs.lyrics, {"segments": ("lyric_text",)})
AUDIO_EMBEDDINGS = _asset(
    "audio_embeddings", "A vector of each segment's audio, null if it has none; the mean of windows of 10 s, each "
    "distinct audio embedded once.", tables.SOUND, specs.AUDIO, inputs.sounds, {"segment_media": ("audio",)})
ASSETS = (CONCEPT_EMBEDDINGS, LYRIC_EMBEDDINGS, AUDIO_EMBEDDINGS)
