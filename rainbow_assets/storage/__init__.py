"""Shard folders on disk: immutable parts, one replaced index, one writer at a time."""
