"""The graph: row assets, linked to the assets that they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rainbow_assets.lineage.row_asset import RowAsset, UnknownAsset


class Graph(Mapping[str, RowAsset]):
    """Row assets by name, upstream first.

    >>> from rainbow_assets.assets import GRAPH
    >>> GRAPH["training_segments"].above["segments"].key
    'segment_id'
    """

    def __init__(self, assets: Iterable[RowAsset]) -> None:
        """Link each of ``assets`` to those before it.

        Raises ``LookupError`` if an asset that is read is missing, and ``ValueError`` if two have the same name.
        """
        self._assets: dict[str, RowAsset] = {}
        for asset in assets:
            if asset.name in self._assets:
                raise ValueError(f"two assets are called {asset.name}")
            above = {name: self._assets[name] for name in asset.reads if name in self._assets}
            linked = replace(asset, above=above)
            for name in asset.reads:
                linked.read_partitions(name, linked.partitions[0])
            self._assets[asset.name] = linked

    def __getitem__(self, name: str) -> RowAsset:
        try:
            return self._assets[name]
        except KeyError:
            raise UnknownAsset(f"no asset is called {name!r}; use one of {', '.join(sorted(self._assets))}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._assets

    def __iter__(self) -> Iterator[str]:
        return iter(self._assets)

    def __len__(self) -> int:
        return len(self._assets)

    def on_request(self) -> tuple[str, ...]:
        """Return the names of the assets that are built only when named."""
        return tuple(name for name, asset in self._assets.items() if asset.on_request)

    def followed(self, names: Iterable[str]) -> set[str]:
        """Return ``names`` and the names of all assets upstream of them."""
        todo = list(names)
        found = set(todo)
        while todo:
            fresh = set(self[todo.pop()].above) - found
            found |= fresh
            todo += fresh
        return found

    def colored(self) -> dict[str, RowAsset]:
        """Return the assets that have one shard per color."""
        return {name: asset for name, asset in self._assets.items() if asset.colored}
