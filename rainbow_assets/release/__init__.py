"""Versioned releases: preview, card, bundle, hubs."""
