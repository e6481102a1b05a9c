"""rainbow_assets: from raw songs to a lineage-true, playable, versioned dataset."""

__version__ = "0.4.0.dev0"
