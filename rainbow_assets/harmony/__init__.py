"""Chords: packs become a library and graphs, and progressions are found by score."""
