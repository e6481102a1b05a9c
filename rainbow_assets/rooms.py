"""Every step of the graph, in the order of the rooms; importing this makes all of them known."""

from __future__ import annotations

from rainbow_assets.composition import registry as composition
from rainbow_assets.corpus import registry as corpus
from rainbow_assets.embeddings import registry as embeddings
from rainbow_assets.fitness import registry as fitness
from rainbow_assets.harmony import registry as harmony
from rainbow_assets.lineage import catalog
from rainbow_assets.lineage.step import Step
from rainbow_assets.release import registry as release
from rainbow_assets.segments import registry as segments
from rainbow_assets.threads import registry as threads

ROOMS = (corpus, segments, embeddings, harmony, fitness, threads, composition, release)


def steps() -> dict[str, Step]:
    """Return all row-producing steps, upstream first."""
    return catalog.steps()


def requested() -> tuple[str, ...]:
    """Return the names of the steps that are made when somebody asks for them, and by no build."""
    return tuple(name for name, step in steps().items() if step.on_request)


def color_steps() -> dict[str, Step]:
    """Return the steps that have one shard per color, upstream first."""
    return {name: step for name, step in steps().items() if step.colored}
