"""What the rows of `thread_manifests` say together: the threads as they are measured, and where the results lie."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads.commands import packed_folder
from rainbow_assets.threads.feedback import Feedback, measure
from rainbow_assets.threads.packed import OUTPUT, Packed, proposal
from rainbow_assets.threads.tables import rows_of

THREADS = "in:thread_manifests.thread"


def packed_threads(shard: Shard) -> list[Packed]:
    """Return the threads of `thread_manifests` as the measurement takes them, in order of id."""
    found = []
    for thread_id, row in rows_of(shard).items():
        every = [proposal(thread_id, {**item, "tempo": item["tempo_text"]}) for item in [row, *row["iterations"]]]
        time, newest = row["timestamp"], row["newest_artifact_at"]
        found.append(Packed(
            thread_id, row["directory"], every[0], tuple(every[1:]), row["iteration_count"],
            tuple(row["dialogue_openers"]), time or newest,
            "manifest" if time else "newest_artifact" if newest else None))
    return found


def measured(manifests: Shard, rules: settings.Rules) -> Feedback | None:
    """Measure the threads of the shard; None where there are none."""
    threads = packed_threads(manifests)
    return measure(threads, rules.feedback) if threads else None


def constraints_path(shard: Shard) -> Path:
    """Return the constraints' file of this store: beside the packed threads."""
    return packed_folder(shard.store.files.url).parent / OUTPUT


def all_threads(shard: Shard) -> str | None:
    """Return one digest for all threads, or None where there are none."""
    rows = outputs(shard.store.shard("thread_manifests"), "thread_manifests", ("thread",)).sort("key")
    return digest(rows["key"].to_list(), rows[THREADS].to_list()) if len(rows) else None
