"""Turn raw songs into a versioned, playable dataset in which every row can be traced to its sources.

The command line is ``rainbow``; Dagster loads :mod:`rainbow_assets.definitions`. A program reads tables like this::

    from rainbow_assets.storage.store import ShardStore
    rows = ShardStore("data").shard("segments", "Green").rows("segment_id", "lyric_text")
"""

__version__ = "0.4.0.dev0"
