"""Reading the raw songs: YAML manifests, LRC lyrics, SMPTE time code and the names of stems.

Every irregularity becomes an anomaly with its file, its place and what was done about it. A song that cannot be used is
quarantined, and the other songs are read all the same. The assets are `base_manifest` (a row per stem) and
`song_splits` (train, validation or test for each song). The main call gives one ``SongReading`` per song folder::

    readings = reader.read_corpus(Path("songs"), color="Green")
"""
