"""Chromatic fitness: how well music, sound and words fit a color, with numbers that are honest about it."""
