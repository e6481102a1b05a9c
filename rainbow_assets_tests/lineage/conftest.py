"""Tests of this room register steps of their own; the catalog is left as it was found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rainbow_assets import rooms
from rainbow_assets.lineage import catalog
from rainbow_assets_tests.lineage.once import built, template  # noqa: F401  (fixtures)


@pytest.fixture(autouse=True)
def _catalog_as_found() -> Iterator[None]:
    before = set(rooms.steps())
    yield
    for name in set(catalog.steps()) - before:
        catalog.forget(name)
