"""Audio: reading stems, measuring and cutting windows, FLAC, and a small synthesizer for the demo and for candidates.

Samples are int32 on the grid of 16 or 24 bits, so that levels, digests and FLAC are exact on every machine::

    stem = stems.read_stem(path)
    window = windows.cut(stem, start_ms, end_ms)
    data = flac.encode_checked(window.samples, stem.bits, stem.sample_rate)
"""
