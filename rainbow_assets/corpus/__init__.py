"""Raw songs: manifests, lyrics, timecode, stems, anomalies and song splits."""
