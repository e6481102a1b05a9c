"""The graph in Dagster: row assets and their checks, jobs, sensors and resources. Only here is Dagster imported.

``rainbow_assets.definitions`` is made from it.
"""
