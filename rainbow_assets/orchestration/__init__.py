"""The graph in Dagster: assets, checks, jobs, sensors and resources, made from the declarations of the row assets.

Only this package, ``definitions`` and the Dagster home import Dagster. ``definitions`` puts everything together::

    dg.Definitions(assets=[dagster_asset(asset) for asset in GRAPH.values()], ...)
"""
