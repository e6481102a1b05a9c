"""A small corpus with music, made from the Rainbow Table alone, and stand-in media for real manifests without audio.

Everything is synthesized offline from names and a seed, so that every run writes the same bytes. Only the command line
imports this package::

    report = write.write_demo(Path("songs"), songs_per_color=1)
"""
