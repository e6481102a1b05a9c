"""Cutting songs into segments: one stem (or the main mix) in one slice of time.

`segments` lists the audible windows with their levels and digests, `segment_media` encodes them as FLAC and MIDI, and
`training_segments` and `training_full` are the published tables. The rules of slicing are a pure function::

    plan = slicing.slice_song(sections, lines, end_ms, rules.slices)
"""
