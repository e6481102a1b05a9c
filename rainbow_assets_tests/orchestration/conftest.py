"""Fixtures of a demo that is built once."""

from __future__ import annotations

from rainbow_assets_tests.lineage.once import built, template  # noqa: F401  (fixtures)
