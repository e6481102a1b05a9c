"""The composer: a concept becomes chords, drums, bass and melody that can be heard, explained and judged."""
