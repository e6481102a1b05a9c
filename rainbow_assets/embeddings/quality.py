"""What must hold of the vectors before anything is built on them: a bad checkpoint is caught before release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rainbow_assets.embeddings import drift, health
from rainbow_assets.embeddings.body import NORM_TOLERANCE
from rainbow_assets.embeddings.specs import SPECS, EncoderSpec
from rainbow_assets.embeddings.step import EmbeddingStep
from rainbow_assets.embeddings.tables import HAS, SOUND
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.questions import names, unique_keys
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.storage.shard import Shard

LEAST_RANK = 2.0
"""Distinct inputs spread over fewer directions than this are one point, or a line."""
CLOSER = 0.01
"""Segments of one stem are closer to each other than to other stems by at least this much cosine."""


def keys_match(step: EmbeddingStep) -> Check:
    """Rows and rows with a reason are exactly the segments: nothing lost, nothing doubled, nothing by position."""

    def evaluate(shard: Shard) -> Outcome:
        own = set(shard.table(step.schema, ["segment_id"]).column("segment_id").to_pylist())
        ledger = ledger_frame(shard, ["key", "status"])
        segments = ledger_frame(shard.store.shard("segments", shard.partition), ["key", "status"])
        assert ledger is not None and segments is not None
        aside = set(ledger.filter(ledger["status"] != "ok")["key"])
        wanted = set(segments.filter(segments["status"] == "ok")["key"])
        lost, extra = sorted(wanted - own - aside), sorted((own | aside) - wanted)
        numbers = {"rows": len(own), "segments": len(wanted), "quarantined": len(aside), "lost": len(lost),
                   "extra": len(extra)}
        if lost or extra:
            return Outcome(False, f"{len(lost)} segments have no row ({names(lost)}) and {len(extra)} rows no segment "
                                  f"({names(extra)}); materialize {step.name} again", numbers)
        return Outcome(True, f"{len(own)} rows and {len(aside)} with a reason, 1:1 with segments", numbers)

    return Check("matches_segments", step.name, evaluate, "Rows are 1:1 the segments, by key.")


def missing_is_null(step: EmbeddingStep) -> Check:
    """A row without an input has a null vector and says so; a row with one has a vector that is not all zeros."""
    vector, flag = step.vector, HAS[step.vector]

    def evaluate(shard: Shard) -> Outcome:
        wrong: list[str] = []
        filled = empty = 0
        for _, table in shard.tables(["segment_id", flag, "input_digest", vector]):
            for key, said, digest, value in zip(
                table.column("segment_id").to_pylist(), table.column(flag).to_pylist(),
                table.column("input_digest").to_pylist(), health.arrays(table.column(vector)), strict=True,
            ):
                filled, empty = filled + (value is not None), empty + (value is None)
                if len({said, digest is not None, value is not None}) > 1 or (value is not None and not value.any()):
                    wrong.append(key)
        numbers = {"with_vector": filled, "null": empty, "wrong": len(wrong)}
        if wrong:
            return Outcome(False, f"{len(wrong)} rows have a vector without an input, no vector for one, or zeros: "
                                  f"{names(wrong)}; materialize {step.name} again", numbers)
        return Outcome(True, f"{filled} vectors; {empty} rows have no input and are null", numbers)

    return Check("missing_is_null", step.name, evaluate,
                 f"{flag}, the input's digest and the vector agree; no vector is zeros.")


def vectors_sound(step: EmbeddingStep) -> Check:
    """All vectors are of one spec, finite, of its size, of norm 1 where it promises that, and equal for equal input."""

    def evaluate(shard: Shard) -> Outcome:
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
            said = "; ".join(f"{name}: {names(keys)}" for name, keys in sorted(problems.items()))
            return Outcome(False, f"vectors are not what their spec says. {said}", numbers)
        who = ", ".join(f"{profile}: {encoder}" for profile, encoder, _ in sorted(made_by)) or "nobody"
        return Outcome(True, f"{len(seen)} distinct vectors, by {who}", numbers)

    return Check("vectors_sound", step.name, evaluate,
                 "One spec; finite; right size; norm 1 where promised; equal for equal inputs.")


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


def not_collapsed(step: EmbeddingStep) -> Check:
    """Different inputs have different vectors: mean cosine below the spec's bound, several directions in use."""

    def evaluate(shard: Shard) -> Outcome:
        found = health.vectors_of(shard, step.vector)
        if len(found) < health.TOO_FEW:
            return Outcome(True, f"{len(found)} distinct inputs are too few to judge an encoder by",
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
            return Outcome(False, f"the encoder has collapsed: {len(found)} different inputs have a mean cosine of "
                                  f"{pairs.mean():.4f} (bound {bound}), an effective rank of {rank:.1f} and {twice} "
                                  "equal vectors; choose another checkpoint (embeddings.audio_checkpoint)", numbers)
        return Outcome(True, f"mean cosine {pairs.mean():.3f} of {len(found)} inputs, effective rank {rank:.1f}",
                       numbers)

    return Check("not_collapsed", step.name, evaluate,
                 "Mean pairwise cosine, effective rank and equal vectors of different inputs are within bounds.")


def stems_sound_alike(step: EmbeddingStep) -> Check:
    """Segments of one stem are closer than segments of different stems: vectors belong to the rows they stand in."""

    def evaluate(shard: Shard) -> Outcome:
        found = health.vectors_of(shard, step.vector)
        near = health.closeness(found.matrix, found.stems)
        if near is None:
            too_few = "there are too few different segments of one stem to compare"
            return Outcome(True, too_few, {"distinct": len(found)})
        inside, between, share = near
        numbers = {"distinct": len(found), "cosine_inside_stems": round(inside, 4),
                   "cosine_between_stems": round(between, 4), "neighbor_of_same_stem": round(share, 3)}
        if inside - between < CLOSER:
            return Outcome(False, f"segments of one stem (mean cosine {inside:.3f}) are no closer than segments of "
                                  f"different stems ({between:.3f}): vectors are in the wrong rows, or the encoder "
                                  "hears nothing", numbers)
        return Outcome(True, f"mean cosine {inside:.3f} inside stems, {between:.3f} between", numbers)

    return Check("stems_sound_alike", step.name, evaluate,
                 "Segments of one stem are closer to each other than to other stems.")


def no_drift(step: EmbeddingStep) -> Check:
    """Inputs that the last release held have, by the same spec, the vector that it held."""

    def evaluate(shard: Shard) -> Outcome:
        return drift.compare(shard, step.vector)

    return Check("no_drift", step.name, evaluate, "Against the last release: same input and spec, same vector.")


def embedding_checks(step: EmbeddingStep) -> tuple[Check, ...]:
    """Return the checks of an embedding table."""
    builders: list[Callable[[EmbeddingStep], Check]] = [keys_match, missing_is_null, vectors_sound, not_collapsed,
                                                        no_drift]
    if step.vector == SOUND:
        builders.append(stems_sound_alike)
    return (unique_keys(step), *(build(step) for build in builders))
