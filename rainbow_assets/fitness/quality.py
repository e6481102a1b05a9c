"""Questions that the fitness tables must answer with yes, each with its numbers."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from rainbow_assets.fitness import eval_step, model_step, plans, roll, roll_step, scorer_step, set_step, targets
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.questions import names, unique_keys
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.storage.shard import Shard
from rainbow_assets.taxonomy import COLOR_NAMES


def _frame(shard: Shard, schema: object, columns: list[str] | None = None) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(shard.table(schema, columns)))  # type: ignore[arg-type]


def rolls_hold_notes(shard: Shard) -> Outcome:
    """Every roll's notes lie within 256 steps and 128 pitches, as many as it says; without MIDI there are none."""
    wrong, rows = [], 0
    for _, table in shard.tables(["segment_id", "has_roll", "note_count", "notes"]):
        found = roll_step.notes_of(table.column("notes"))
        for row, notes in zip(table.drop(["notes"]).to_pylist(), found, strict=True):
            rows += 1
            fine = (notes is None and row["note_count"] == 0) if not row["has_roll"] else (
                notes is not None and len(notes) == row["note_count"] > 0
                and bool((notes["end"] <= roll.STEPS).all() and (notes["start"] < notes["end"]).all()
                         and (notes["pitch"] < roll.PITCHES).all() and (notes["velocity"] > 0).all()))
            wrong += [] if fine else [row["segment_id"]]
    numbers = {"rolls": rows, "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} rolls do not hold what they say: {names(wrong)}; materialize piano_rolls "
                              "again", numbers)
    return Outcome(True, f"{rows} rows, every note within its roll", numbers)


def rolls_complete(shard: Shard) -> Outcome:
    """Every segment with media has a roll, or is set aside with a reason."""
    ledger = ledger_frame(shard, ["key", "status"])
    media = ledger_frame(shard.store.shard("segment_media", shard.partition), ["key", "status"])
    assert ledger is not None and media is not None
    rows = _frame(shard, roll_step.SCHEMA, ["segment_id"])["segment_id"]
    aside = ledger.filter(pl.col("status") != "ok")["key"]
    missing = sorted(set(media.filter(pl.col("status") == "ok")["key"]) - set(rows) - set(aside))
    numbers = {"segments": len(media), "rows": len(rows), "set_aside": len(aside), "missing": len(missing)}
    if missing:
        return Outcome(False, f"{len(missing)} segments have no row: {names(missing)}; materialize piano_rolls again",
                       numbers)
    return Outcome(True, f"{len(rows)} rows, {len(aside)} set aside", numbers)


def nothing_leaks(shard: Shard) -> Outcome:
    """No song, concept, lyric, sound or roll that is used stands in two folds, and no song in two splits."""
    rows = _frame(shard, set_step.SCHEMA)
    leaks: dict[str, int] = {}
    for what, column, sides, used in (
            ("song", "song_id", ("fold", "split"), pl.lit(True)),
            ("concept", "concept_digest", ("fold",), pl.col("uses_concept")),
            *((f"{name}", f"{name}_digest", ("fold", "split"), pl.col(f"uses_{name}"))
              for name in ("lyric", "audio", "roll"))):
        for side in sides:
            several = rows.filter(used).group_by(column).agg(pl.col(side).n_unique())
            leaks[f"{what}_in_two_{side}s"] = int((several[side] > 1).sum())
    numbers = {"rows": len(rows), **leaks}
    found = [f"{count} x {name.replace('_', ' ')}" for name, count in leaks.items() if count]
    if found:
        return Outcome(False, f"the evaluation would see what it is tested with: {', '.join(found)}", numbers)
    return Outcome(True, f"{len(rows)} rows, nothing that is used is on two sides", numbers)


def targets_as_taxonomy(shard: Shard) -> Outcome:
    """Every row's target is its color's in the Rainbow Table, null where the color has no such mode."""
    wrong, rows = [], _frame(shard, set_step.SCHEMA, ["segment_id", "rainbow_color", "has_target", *targets.KINDS])
    for row in rows.iter_rows(named=True):
        vectors, mask = targets.vectors(row["rainbow_color"])
        for number, kind in enumerate(targets.KINDS):
            wanted = vectors[number].tolist() if mask[number] else None
            if row[kind] != wanted or row["has_target"] != bool(mask.any()):
                wrong.append(row["segment_id"])
                break
    numbers = {"rows": len(rows), "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} rows aim at another color's modes: {names(wrong)}; materialize "
                              "fusion_training_set again", numbers)
    return Outcome(True, f"{len(rows)} rows aim at what the taxonomy says", numbers)


def all_segments(shard: Shard) -> Outcome:
    """Every segment that has a piano-roll row is in the training set once; what is hidden of it has a reason."""
    own = _frame(shard, set_step.SCHEMA)
    wanted: set[str] = set()
    for color in COLOR_NAMES:
        ledger = ledger_frame(shard.store.shard("piano_rolls", color), ["key", "status"])
        wanted |= set(ledger.filter(pl.col("status") == "ok")["key"]) if ledger is not None else set()
    missing = sorted(wanted - set(own["segment_id"]))
    hidden = pl.any_horizontal(pl.col(f"{name}_digest").is_not_null() & ~pl.col(f"uses_{name}")
                               for name in set_step.SOURCES)
    silent = own.filter(hidden & pl.col("reason").is_null())["segment_id"].to_list()
    counts = own["reason"].drop_nulls().value_counts().sort("reason")
    numbers = {"rows": len(own), "missing": len(missing), "unexplained": len(silent),
               **{f"uses_{name}": int(own[f"uses_{name}"].sum()) for name in set_step.SOURCES},
               **{str(reason): count for reason, count in counts.iter_rows()}}
    if missing or silent:
        return Outcome(False, f"{len(missing)} segments are missing ({names(missing)}) and of {len(silent)} something "
                              f"is hidden without a reason ({names(silent)})", numbers)
    return Outcome(True, f"{len(own)} segments, {int(own['reason'].is_null().sum())} of them whole", numbers)


def models_learned(shard: Shard) -> Outcome:
    """Every model's loss fell and stayed finite."""
    wrong, rows = [], shard.table(model_step.SCHEMA, ["model_id", "history"]).to_pylist()
    for row in rows:
        losses = [item["train_loss"] for item in row["history"]]
        if not losses or not np.isfinite(losses).all() or (len(losses) > 1 and min(losses[1:]) >= losses[0]):
            wrong.append(row["model_id"])
    numbers = {"models": len(rows), "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{names(wrong)} did not learn: the training loss is not finite or did not fall; lower "
                              "fitness.learning_rate", numbers)
    return Outcome(True, f"the loss of {len(rows)} models fell", numbers)


def models_apart(shard: Shard) -> Outcome:
    """No fold model has learned from as many songs as there are: the held-out ones are missing from each."""
    rows = shard.table(model_step.SCHEMA, ["model_id", "kind", "train_songs", "validation_songs", "test_songs"]
                       ).to_pylist()
    totals = defaultdict(set)
    for row in rows:
        if row["kind"] != plans.FINAL:
            totals[row["train_songs"] + row["validation_songs"] + row["test_songs"]].add(row["model_id"])
    numbers = {"models": len(rows), "sums": len(totals)}
    lacking = [row["model_id"] for row in rows if row["kind"] != plans.FINAL and not row["test_songs"]]
    if len(totals) > 1 or lacking:
        return Outcome(False, "songs are counted twice or not at all among what the fold models learn from and are "
                              f"tested with ({names(lacking or sorted(map(str, totals)))})", numbers)
    return Outcome(True, f"{len(rows)} models, each tested with songs of its own", numbers)


def permuted_is_chance(shard: Shard) -> Outcome:
    """Models trained on shuffled colors do not tell colors apart: otherwise something leaks."""
    row = next((row for row in shard.table(eval_step.SCHEMA).to_pylist() if row["variant"] == "permuted"), None)
    found = next((item for item in (row or {}).get("measures", ()) if item["measure"] == "modes"), None)
    if found is None:
        return Outcome(True, "no model was trained on shuffled colors", {"songs": 0})
    numbers = {name: found[name] for name in ("value", "low", "high", "chance", "p_value", "songs")}
    if found["p_value"] < 0.001:
        return Outcome(False, f"models trained on shuffled colors reach {found['value']:.3f} (chance "
                              f"{found['chance']:.3f}, p = {found['p_value']:.4f}): something tells the folds apart",
                       numbers)
    return Outcome(True, f"shuffled colors give {found['value']:.3f}, chance {found['chance']:.3f}", numbers)


def scorer_as_torch(shard: Shard) -> Outcome:
    """The ONNX file computes what the trained model does, within 1e-4, and its contract says which model that is."""
    rows = shard.table(scorer_step.SCHEMA).to_pylist()
    worst = max((row["parity"] for row in rows), default=0.0)
    numbers = {"scorers": len(rows), "largest_difference": worst}
    if worst > scorer_step.MOST_DIFFERENCE:
        return Outcome(False, f"the exported scorer differs from the model by {worst:.6f}, at most "
                              f"{scorer_step.MOST_DIFFERENCE} is allowed; materialize chromatic_scorer again", numbers)
    return Outcome(True, f"the scorer differs from the model by {worst:.1e} at most", numbers)


def status_told(shard: Shard) -> Outcome:
    """A scorer's status is what its gates say: not discriminative exactly where it lists a reason."""
    rows = shard.table(scorer_step.SCHEMA, ["scorer_id", "status", "reasons"]).to_pylist()
    wrong = [row["scorer_id"] for row in rows
             if (row["status"] == "discriminative") is bool(row["reasons"])]
    numbers = {"scorers": len(rows), "status": rows[0]["status"] if rows else "no scorer"}
    if wrong:
        return Outcome(False, f"the status of {names(wrong)} contradicts its reasons; materialize it again", numbers)
    said = "; ".join(rows[0]["reasons"]) if rows else ""
    return Outcome(True, f"{numbers['status']}{': ' + said if said else ''}", numbers)


def piano_roll_checks() -> tuple[Check, ...]:
    """Return the checks of `piano_rolls`."""
    name = roll_step.PIANO_ROLLS.name
    return (unique_keys(roll_step.PIANO_ROLLS),
            Check("rolls_complete", name, rolls_complete, "Every segment has a row or a reason."),
            Check("rolls_hold_notes", name, rolls_hold_notes, "Every note lies within its roll."))


def training_set_checks() -> tuple[Check, ...]:
    """Return the checks of `fusion_training_set`."""
    name = set_step.FUSION_TRAINING_SET.name
    return (unique_keys(set_step.FUSION_TRAINING_SET),
            Check("all_segments", name, all_segments, "Every segment is there once; what is hidden is said."),
            Check("nothing_leaks", name, nothing_leaks, "No song, text, sound or roll is on two sides."),
            Check("targets_as_taxonomy", name, targets_as_taxonomy, "Targets are the taxonomy's."))


def model_checks() -> tuple[Check, ...]:
    """Return the checks of `fusion_model`."""
    name = model_step.FUSION_MODEL.name
    return (unique_keys(model_step.FUSION_MODEL),
            Check("models_learned", name, models_learned, "Every loss fell and is finite."),
            Check("models_apart", name, models_apart, "Every fold model is tested with songs of its own."))


def evaluation_checks() -> tuple[Check, ...]:
    """Return the checks of `fusion_evaluation`."""
    name = eval_step.FUSION_EVALUATION.name
    return (unique_keys(eval_step.FUSION_EVALUATION),
            Check("permuted_is_chance", name, permuted_is_chance, "Shuffled colors teach nothing."))


def scorer_checks() -> tuple[Check, ...]:
    """Return the checks of `chromatic_scorer`."""
    name = scorer_step.NAME
    return (unique_keys(scorer_step.CHROMATIC_SCORER),
            Check("scorer_as_torch", name, scorer_as_torch, "The ONNX file computes what the model does."),
            Check("status_told", name, status_told, "The status is what the gates say."))
