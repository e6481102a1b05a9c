"""Keys, chords, roman functions, musical time, MIDI files and seeded draws; imports no package of the asset graph.

Texts become frozen values, and an error names the text and gives a valid form. Typical calls::

    chord = parse_chord_name("Cmaj7/E")
    data = midi_bytes([(48, 60, 64, 67)], Performance(bpm=90))
"""
