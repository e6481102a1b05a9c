"""Every gate of a release with its verdict in every color, passed or failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.release.tables import published
from rainbow_assets.storage.store import ShardStore


@dataclass(frozen=True)
class Gate:
    """One check of one asset: colors that pass, colors that fail with the check's message, colors without a verdict."""

    asset: str
    check: str
    passed: tuple[str, ...]
    failed: dict[str, str] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return plain values for ``--json``."""
        return {"gate": f"{self.asset}.{self.check}", "passed": list(self.passed), "failed": self.failed,
                "not_asked": list(self.not_asked)}

    def lines(self) -> list[str]:
        """Return lines for a person: a summary, one for each color that fails, and one for colors without a verdict."""
        total = len(self.passed) + len(self.failed) + len(self.not_asked)
        found = [f"gate {self.asset}.{self.check}: passed in {len(self.passed)} of {total} colors"]
        found += [f"  {color} failed: {message}" for color, message in self.failed.items()]
        if self.not_asked:
            found.append(f"  has not run on the current data of {', '.join(self.not_asked)}; run: rainbow build")
        return found


def gate_report(graph: Graph, store: ShardStore) -> list[Gate]:
    """Return the verdicts that a release requires; no check is run."""
    found = []
    for name, step in published(graph).items():
        shards = {partition: store.shard(name, partition) for partition in step.partitions}
        for check in step.checks:
            passed, failed, missing = [], {}, []
            for partition, shard in shards.items():
                verdict = verdicts.current(shard, check) if shard.index() else None
                if verdict is None:
                    missing.append(partition)
                elif verdict.passed:
                    passed.append(partition)
                else:
                    failed[partition] = verdict.message
            found.append(Gate(name, check.name, tuple(passed), failed, tuple(missing)))
    return found
