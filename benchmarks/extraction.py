"""Extraction against the decode limit: segments and media of a corpus, beside decoding and encoding it bare.

Prints ratios from one run. The bare loop does what cannot be avoided: libsndfile decodes every stem once, and
encodes the kept windows as FLAC; on one thread, and on as many as the pipeline uses. Usage:

    python benchmarks/extraction.py [CORPUS]      (default: a demo corpus made for the run)
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile
from _size import demo, size

from rainbow_assets.assets import GRAPH
from rainbow_assets.demo.write import write_demo
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.segments.segment_media import SEGMENT_MEDIA
from rainbow_assets.segments.segments import SEGMENTS
from rainbow_assets.sound.flac import encode_flac
from rainbow_assets.sound.stems import read_stem
from rainbow_assets.sound.windows import window_of
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES


def run(step: str, data: str) -> float:
    """Bring ``step`` up to date in all colors; return seconds."""
    store, chosen = ShardStore(data), GRAPH[step]
    begun = time.perf_counter()
    for color in COLOR_NAMES:
        outcome = bring_up_to_date(chosen, store, color)
        if outcome.problem:
            sys.exit(outcome.problem)
    return time.perf_counter() - begun


def bare(corpus: Path, data: str, threads: int) -> tuple[float, float]:
    """Decode every stem once and encode the kept windows; return seconds of decoding and of encoding."""
    store = ShardStore(data)
    windows: dict[Path, list[tuple[int, int]]] = {}
    for color in COLOR_NAMES:
        columns = ["song_id", "source_audio_file", "start_ms", "end_ms", "has_audio"]
        rows = store.shard("segments", color).table(SEGMENTS.schema, columns)
        for row in rows.filter(rows["has_audio"]).to_pylist():
            path = corpus / row["song_id"] / row["source_audio_file"]
            windows.setdefault(path, []).append((row["start_ms"], row["end_ms"]))
    begun = time.perf_counter()
    for path in sorted(corpus.rglob("*.wav")):
        for _ in soundfile.blocks(str(path), 1 << 18, dtype="int32"):
            pass
    decode, encode = time.perf_counter() - begun, 0.0
    with ThreadPoolExecutor(threads) as pool:
        for path, spans in sorted(windows.items()):
            stem = read_stem(path)
            begun = time.perf_counter()
            list(pool.map(lambda span, stem=stem: encode_flac(window_of(stem, *span).samples, stem.bits, 44100), spans))
            encode += time.perf_counter() - begun
    return decode, encode


def sizes(data: str) -> tuple[int, int, int]:
    """Return rows with audio, bytes of their FLAC, and bytes as raw float32, as the original stored them."""
    rows = flac = raw = 0
    for color in COLOR_NAMES:
        for _, table in ShardStore(data).shard(SEGMENT_MEDIA.name, color).tables(["audio", "audio_frames"]):
            for row in table.to_pylist():
                if row["audio"]:
                    rows, flac = rows + 1, flac + len(row["audio"]["bytes"])
                    raw += 4 * row["audio_frames"]
    return rows, flac, raw


def measure(corpus: Path, data: str) -> None:
    """Run the pipeline and the bare loops once, and print the ratios."""
    os.environ["RAINBOW_CORPUS"] = str(corpus)
    seconds = {step: run(step, data) for step in ("base_manifest", "segments", "segment_media")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    again = sum(run(step, data) for step in ("base_manifest", "segments", "segment_media"))
    threads = os.cpu_count() or 1
    both = {count: bare(corpus, data, count) for count in sorted({1, threads})}
    rows, flac, raw = sizes(data)
    spent = seconds["segments"] + seconds["segment_media"]
    print(f"{rows} windows; segments {seconds['segments']:.2f} s, segment_media {seconds['segment_media']:.2f} s "
          "(measuring, digests, encoding, decoding back, parquet, all checks)")
    for count, (decode, encode) in both.items():
        print(f"bare decode {decode:.2f} s + FLAC encode on {count} threads {encode:.2f} s: pipeline / bare = "
              f"{spent / (decode + encode):.2f}")
    print(f"no-op of the three assets: {again:.2f} s, {spent / max(again, 1e-9):.0f} times faster than building")
    print(f"peak memory of the build {peak:.0f} MB")
    print(f"FLAC {flac / 1e6:.1f} MB, raw float32 {raw / 1e6:.1f} MB: {flac / raw:.3f}")


def main() -> None:
    """Measure on the given corpus, or on a demo corpus, in a process of its own so that peak memory is the build's."""
    if len(sys.argv) > 2 and sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]), sys.argv[3])
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "corpus"
        if len(sys.argv) < 2:
            write_demo(corpus, size(2, 1), **demo())
        subprocess.run([sys.executable, __file__, "--measure", str(corpus), f"{folder}/data"], check=True)


if __name__ == "__main__":
    main()
