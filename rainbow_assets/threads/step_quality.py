"""What must hold of the tables of threads, and of the packed folders behind them, before anything is built on them."""

from __future__ import annotations

import math
from collections.abc import Callable

from rainbow_assets.lineage.questions import names, rows_match, unique_keys
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads import constraints as limits
from rainbow_assets.threads import quality
from rainbow_assets.threads.feedback_steps import (
    CONSTRAINTS,
    FEEDBACK,
    NEGATIVE_CONSTRAINTS,
    RESULT_FEEDBACK,
    constraints_path,
)
from rainbow_assets.threads.quality import Packing
from rainbow_assets.threads.steps import MANIFESTS, THREAD_INDEX, THREAD_MANIFESTS, places


def _of_folders(name: str, ask: Callable[[Packing], Outcome], says: str) -> Check:
    """Ask a question of the packed folders; where there never was a raw thread, there is nothing to ask."""
    def evaluate(shard: Shard) -> Outcome:
        source, out = places(shard)
        if not source.is_dir():
            return Outcome(True, "there is no folder of raw threads", {"folders": 0})
        return ask(quality.load_packing(source, out))

    return Check(name, THREAD_MANIFESTS.name, evaluate, says)


def rows_are_manifests(shard: Shard) -> Outcome:
    """The table has a row for every packed thread, with the id, title, key and files of its manifest, and no path."""
    rows = {row["thread_id"]: row for row in shard.table(MANIFESTS).to_pylist()}
    source, out = places(shard)
    packing = quality.load_packing(source, out)
    # A packed thread whose source is gone, or can no longer be read, stays packed, and has no row any more.
    aside = {item.folder for item in packing.register.quarantined}
    held = {key: item for key, item in packing.manifests.items() if key not in aside and (source / key).is_dir()}
    lost = sorted(held.keys() ^ rows.keys())
    other = [key for key in sorted(held.keys() & rows.keys())
             if any(rows[key][name] != held[key].get(name) for name in ("title", "key", "directory", "bpm"))
             or {item["file"] for item in rows[key]["files"]} != {item["file"] for item in held[key]["files"]}]
    paths = quality.rows_without_paths(list(rows.values()))
    numbers = {"rows": len(rows), "packed": len(held), "other": len(other), "absolute_paths": paths.numbers["found"]}
    if lost or other or not paths.passed:
        return Outcome(False, f"rows and manifests differ: {len(lost)} stand in one of the two ({names(lost)}), "
                              f"{len(other)} say something else ({names(other)}), {paths.numbers['found']} hold an "
                              "absolute path; materialize thread_manifests again", numbers)
    return Outcome(True, f"{len(rows)} rows are the manifests of {len(held)} packed threads", numbers)


def figures_possible(shard: Shard) -> Outcome:
    """Shares lie in 0..1, entropies between 0 and log2 of the labels there can be, both scopes speak of all threads."""
    rows = shard.table(FEEDBACK).to_pylist()
    threads = len(shard.store.shard(THREAD_MANIFESTS.name).table(MANIFESTS, ["thread_id"]))
    wrong = []
    for row in rows:
        most = math.log2(max(2, row["proposals"]))
        for series in ("original", "normalized"):
            bits, share = row[f"{series}_key_entropy_bits"], row[f"{series}_top_key_share"]
            if bits is not None and not 0 <= bits <= most + 1e-9:
                wrong.append(f"{row['scope']}: {bits} bits of {series} keys")
            if share is not None and not 0 <= share <= 1:
                wrong.append(f"{row['scope']}: a share of {share} of {series} keys")
        if row["threads"] != threads:
            wrong.append(f"{row['scope']}: {row['threads']} threads measured of {threads}")
    numbers = {"scopes": len(rows), "threads": threads, "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"the measurement cannot be: {names(wrong)}; materialize result_feedback again", numbers)
    return Outcome(True, f"{threads} threads measured in {len(rows)} scopes", numbers)


def file_says_the_same(shard: Shard) -> Outcome:
    """The constraints' file, which prompts and `rainbow threads check` read, holds exactly the rows."""
    rows = {(row["kind"], row["value"], row["severity"]) for row in shard.table(CONSTRAINTS).to_pylist()}
    path = constraints_path(shard)
    held = limits.load(path).constraints if path.exists() else ()
    read = {(item.kind, item.value, item.severity) for item in held}
    differ = sorted(" ".join(map(str, item)) for item in rows ^ read)
    numbers = {"rows": len(rows), "in_file": len(read), "differ": len(differ)}
    if differ:
        return Outcome(False, f"{path.name} and the table differ in {len(differ)} constraints ({names(differ)}); "
                              "materialize negative_constraints again", numbers)
    return Outcome(True, f"{len(rows)} constraints in the table and in {path.name}", numbers)


def thread_manifests_checks() -> tuple[Check, ...]:
    """Return the checks of `thread_manifests`."""
    folders = [_of_folders(name, ask, says) for name, (ask, says) in quality.CHECKS.items()]
    own = Check("rows_are_manifests", THREAD_MANIFESTS.name, rows_are_manifests,
                "The rows are those of the packed manifests.")
    return (unique_keys(THREAD_MANIFESTS), *folders, own)


def thread_index_checks() -> tuple[Check, ...]:
    """Return the checks of `thread_index`."""
    return (unique_keys(THREAD_INDEX), rows_match(THREAD_INDEX, THREAD_MANIFESTS))


def result_feedback_checks() -> tuple[Check, ...]:
    """Return the checks of `result_feedback`."""
    return (unique_keys(RESULT_FEEDBACK), Check("figures_possible", RESULT_FEEDBACK.name, figures_possible,
                                                "Shares, entropies and counts are possible ones."))


def negative_constraints_checks() -> tuple[Check, ...]:
    """Return the checks of `negative_constraints`."""
    return (unique_keys(NEGATIVE_CONSTRAINTS),
            Check("file_says_the_same", NEGATIVE_CONSTRAINTS.name, file_says_the_same,
                  "The constraints' file holds exactly the rows."))
