"""Shards: one folder per asset and color, on a disk or behind a URL.

A shard has immutable Parquet parts, a ledger, and one index that is replaced atomically; one process writes it at a
time. :class:`~rainbow_assets.storage.store.ShardStore` opens shards::

    shard = ShardStore("data").shard("segments", "Green")
    rows = shard.rows("segment_id", "lyric_text")
"""
