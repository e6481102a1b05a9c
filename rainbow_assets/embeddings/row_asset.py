"""Embedding assets: row assets whose versions include the spec, so that a new revision makes their rows stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.embeddings import specs, tables
from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.embeddings.engine import Engine, Unit, open_engine
from rainbow_assets.embeddings.inputs import Rows, Wanted
from rainbow_assets.embeddings.runner import Runner, RunReport
from rainbow_assets.lineage import foresee
from rainbow_assets.lineage.codeversion import Used, used_by
from rainbow_assets.lineage.row_asset import Batch, Compute, RowAsset, Work
from rainbow_assets.storage.shard import DamagedShard, MissingShard, Shard

Read = Callable[[Shard, Wanted, specs.EncoderSpec], tuple[Rows, list[Unit]]]
"""(own shard, {part: keys}, spec) -> the requested rows by part, and their distinct inputs."""


UNKNOWN_SIZE = {specs.TEXT: 40, specs.AUDIO: 2}
"""Assumed size of an input that is not known yet: bytes of a lyric line, and windows of a segment of 10 to 20 s."""


@dataclass(frozen=True)
class EmbeddingAsset(RowAsset):
    """``modality`` chooses the spec, ``vector`` names the column, ``read`` gives the inputs of rows.

    ``engine`` None means the one of the settings. ``report`` is the sum of the runs' numbers.
    """

    compute: Compute = field(init=False, compare=False)
    modality: str = specs.TEXT
    vector: str = tables.LYRIC
    read: Read | None = None
    engine: Engine | None = None
    report: RunReport = field(default_factory=RunReport, compare=False)

    def __post_init__(self) -> None:
        """Bind ``compute`` to this asset, because it uses its engine and its report."""
        super().__post_init__()
        object.__setattr__(self, "compute", partial(compute, self))

    def spec(self, rules: settings.Rules) -> specs.EncoderSpec:
        """Return the spec that this asset embeds with."""
        return specs.spec_of(rules, self.modality)

    @property
    def code(self) -> Used:
        """The code that finds the inputs of rows. The code of encoders is versioned by their specs instead."""
        return used_by(self.read, self.candidates, tables.rows)

    def made_with(self, rules: settings.Rules) -> dict[str, Any]:
        """Return the values behind the digests, with the encoder and its spec among the settings."""
        found, spec = super().made_with(rules), self.spec(rules)
        return {**found, "settings": {**found["settings"], "embeddings.encoder": spec.label,
                                      "embeddings.spec": spec.digest}}

    def versions(self, rules: settings.Rules) -> dict[str, str]:
        """Return the asset's versions, with the spec's digest in that of the settings."""
        found = super().versions(rules)
        return {**found, "settings": digest(found["settings"], self.spec(rules).digest)}

    def runner(self, shard: Shard, rules: settings.Rules) -> Runner:
        """Return a runner with this asset's engine and the store's cache."""
        cache = VectorCache.of(shard.store, self.spec(rules))
        return Runner(self.engine or open_engine(rules.embeddings), cache, rules.embeddings)

    def price(self, shard: Shard, rules: settings.Rules, keys: set[str]) -> dict[str, Any] | None:
        """Return the cost of embedding the rows ``keys``: inputs without a vector, engine seconds and dollars.

        Rows whose input is not known yet, because their upstream is stale too, count as one input each; ``at_most`` is
        then True.
        """
        assert self.read is not None
        wanted: Wanted = {}
        for key in keys - self._unknown(shard):
            wanted.setdefault(key.rsplit("_t", 1)[0], set()).add(key)
        try:
            rows, units = self.read(shard, wanted, self.spec(rules))
        except (MissingShard, DamagedShard):
            rows, units = {}, []
        unknown = len(keys) - sum(len(part) for part in rows.values())
        units = [*units, *(Unit(f"unknown {n}", UNKNOWN_SIZE[self.modality], bytes) for n in range(unknown))]
        runner = self.runner(shard, rules)
        estimate, _ = runner.estimate(units)
        return {"engine": rules.embeddings.engine, "inputs": estimate.inputs, "in_cache": runner.report.cache_hits,
                "engine_seconds": round(estimate.seconds, 2), "usd": round(estimate.usd, 4), "at_most": unknown > 0}

    def _unknown(self, shard: Shard) -> set[str]:
        """Return the upstream keys whose values the planned build will change: their tables still have the old ones."""
        return {key for asset, shards in foresee.foreseen(self, shard).items() for item in shards
                for name in self.reads[asset] for key in item.moves.get(name, ())}

    def with_engine(self, engine: Engine | None) -> EmbeddingAsset:
        """Return this asset with another engine and an empty report; the rows it makes are the same."""
        return replace(self, engine=engine, report=RunReport())


def compute(step: EmbeddingAsset, work: Work) -> Iterator[Batch]:
    """Embed the distinct inputs of the requested rows that have no vector yet, then yield the rows part by part."""
    assert step.read is not None
    wanted = {part: set(rows["key"]) for part, rows in work.parts()}
    asked, units = step.read(work.shard, wanted, step.spec(work.rules))
    runner = step.runner(work.shard, work.rules)
    try:
        failed = runner.run(units)
    finally:
        step.report.add(runner.report)
    for part, rows in asked.items():
        table, quarantined = tables.rows(step.vector, rows, runner.cache, failed)
        yield Batch(part, table, quarantined)
