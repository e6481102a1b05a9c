"""Keys, chords, clocks and MIDI: what music is written with. Knows no package above it."""
