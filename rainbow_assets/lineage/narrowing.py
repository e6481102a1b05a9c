"""Which sections of large ledgers must be compared: those that are not equal in a shard and in what it reads.

A section of a shard is equal to one of each upstream shard if its keys, its parts and the digests that it was made from
are those that the upstream has now. Its rows are up to date then, and so are no others: keys are unique, so the rest of
the shard has to be compared with the rest of each upstream only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.sections import GOOD, LedgerSection
from rainbow_assets.storage.shard import Shard, ShardIndex


@dataclass(frozen=True)
class Narrowed:
    """The numbers of the sections to compare, in the shard and in each asset that it reads; ``rows``: in the others."""

    own: tuple[int, ...]
    above: Mapping[str, tuple[int, ...]]
    rows: int


def narrowed(step: RowAsset, shard: Shard, index: ShardIndex, made_from: Mapping[str, str]) -> Narrowed | None:
    """Return the sections that differ, or None if all rows have to be compared.

    That is so if the asset lists its own rows or joins other keys or colors, if anything but its upstream rows has
    another version, if a ledger is too small to have sections, and if most sections differ.
    """
    edges = {f"in:{asset}": asset for asset in step.reads}
    known = index.inputs
    others = {name for name in {*known, *made_from} - set(edges) if known.get(name) != made_from.get(name)}
    listed = step.candidates is not None or step.joins or step.parts is not None
    if listed or others or not edges.keys() <= {*made_from}:
        return None
    own = shard.sections()
    above = {asset: shard.store.shard(asset, shard.partition).sections() for asset in step.reads}
    if own is None or None in above.values():
        return None
    left = {asset: {_made(section, step.reads[asset]): number for number, section in enumerate(found.sections)}
            for asset, found in above.items() if found is not None}
    differs, rows = [], 0
    matched: dict[str, set[int]] = {asset: set() for asset in left}
    for number, section in enumerate(own.sections):
        places = {asset: numbers.get(_read(section, asset, step.reads[asset])) for asset, numbers in left.items()}
        if None in places.values():
            differs.append(number)
            continue
        rows += section.rows
        for asset, place in places.items():
            matched[asset].add(place or 0)
    if rows * 2 < sum(section.rows for section in own.sections):
        return None
    rest = {asset: tuple(sorted({*numbers.values()} - matched[asset])) for asset, numbers in left.items()}
    return Narrowed(tuple(differs), rest, rows)


def _made(section: LedgerSection, names: Sequence[str]) -> tuple[str | None, ...]:
    return section.digests[GOOD], *(section.digests.get(f"out:{name}") for name in names)


def _read(section: LedgerSection, asset: str, names: Sequence[str]) -> tuple[str | None, ...]:
    return section.digests["key"], *(section.digests.get(f"in:{asset}.{name}", "") for name in names)
