"""How files from outside come in: opened below their folder, read within bounds, compared with their digest.

What is irregular about them is an :class:`~rainbow_assets.ingest.anomalies.Anomaly`.
"""
