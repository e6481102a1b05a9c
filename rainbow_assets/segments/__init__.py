"""Stem x time slices: slicing, audibility, FLAC and MIDI windows, training tables."""
