"""Which rows are stale and why: row assets, the row ledger, checks and gates, plans, and code versions.

A :class:`~rainbow_assets.lineage.row_asset.RowAsset` declares what it reads and how its rows are computed. A build
compares the rows that should exist with the ledger of the last build, computes those that differ, and checks them::

    from rainbow_assets.lineage.materialize import bring_up_to_date
    result = bring_up_to_date(GRAPH["segments"], ShardStore("data"), "Green")
"""
