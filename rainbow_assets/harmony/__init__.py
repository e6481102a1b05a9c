"""Chords and progressions: packs become a library and transition graphs, and a search finds the best progressions.

Each file of a chord pack becomes rows of `chord_library` or `progression_library`, or is quarantined with a reason. A
search ranks the progressions of one key by weighted scorers, under constraints::

    for score, chords, breakdown in generate_progression_brute_force("A minor", length=4):
        print(score, [chord.name for chord in chords])
"""
