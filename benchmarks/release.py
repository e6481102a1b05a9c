"""What a version weighs and costs: the playable `audio` config beside zstd float blobs, and building the preview.

The original kept each segment as a blob of float32 samples in parquet with zstd. Both layouts hold the same segments
here: the demo's, with its 16-bit stems and once more as 24-bit recordings (the lower bits are noise at -100 dBFS, as
a converter gives them). The preview is built again, in a separate process, from the media table of ``--data``
(default: the demo's). Usage:

    python benchmarks/release.py [--songs 1] [--data DATA]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
from _size import demo

from rainbow_assets.assets import GRAPH
from rainbow_assets.demo.write import write_demo
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.music_tables import audio_table
from rainbow_assets.release.previews import PREVIEW
from rainbow_assets.release.tables import song_splits
from rainbow_assets.storage.parquet import open_parquet, read_batches, write_parquet
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

AIMS = {16: 0.40, 24: 0.65}
FLOATS = pa.schema([("segment_id", pa.string()), ("audio_waveform", pa.binary())])


def build(store: ShardStore, names: list[str]) -> None:
    """Bring the named steps up to date in all colors."""
    for name, step in GRAPH.colored().items():
        for color in COLOR_NAMES if name in names else ():
            outcome = bring_up_to_date(step, store, color)
            if outcome.problem:
                sys.exit(outcome.problem)


def make_24_bit(corpus: Path) -> None:
    """Turn every stem into a 24-bit recording of itself."""
    noise = np.random.default_rng(1)
    for path in sorted(corpus.rglob("*.wav")):
        samples, rate = soundfile.read(path, dtype="int32")
        lower = np.round(noise.normal(0, 84, samples.shape)).astype(np.int32) << 8
        soundfile.write(path, np.clip(samples.astype(np.int64) + lower, -2**31, 2**31 - 1).astype(np.int32), rate,
                        subtype="PCM_24")


def _as_floats(batch: pa.RecordBatch) -> pa.Table:
    """Return the rows with their sound as raw floats instead of FLAC."""
    rows = [{"segment_id": row["segment_id"], "audio_waveform": soundfile.read(
        io.BytesIO(row["audio"]["bytes"]), dtype="float32")[0].tobytes()} for row in batch.to_pylist()]
    return pa.Table.from_pylist(rows, schema=FLOATS)


def sizes(store: ShardStore, folder: Path) -> tuple[int, int, int]:
    """Write both layouts; return rows, bytes of the `audio` config and bytes of the floats."""
    bundle = write_bundle([audio_table(GRAPH, store, song_splits(store))], folder)
    floats = 0
    for file in bundle.files:
        target = folder / "floats.parquet"
        with open_parquet(folder / file.path) as source:
            batches = map(_as_floats, read_batches(source, 16, ["segment_id", "audio"]))
            floats += write_parquet(target, batches, FLOATS).bytes
    config = bundle.configs[0]
    return config.rows, config.bytes, floats


def weigh(bits: int, songs: int, folder: Path) -> str:
    """Make a corpus of that width, and say what both layouts weigh; return the data root."""
    corpus = folder / f"corpus{bits}"
    write_demo(corpus, songs_per_color=songs, **demo())
    if bits == 24:
        make_24_bit(corpus)
    os.environ["RAINBOW_CORPUS"] = str(corpus)
    data = str(folder / f"data{bits}")
    store = ShardStore(data)
    build(store, ["base_manifest", "song_splits", "segments", "segment_media", "training_segments", "training_full",
                  "audio"])
    (folder / f"release{bits}").mkdir()
    rows, playable, floats = sizes(store, folder / f"release{bits}")
    print(f"{bits}-bit sources, {rows:,} segments: audio config {playable / 1e6:.1f} MB, zstd float blobs "
          f"{floats / 1e6:.1f} MB: {playable / floats:.2f}x (aim: at most {AIMS[bits]:.2f}x)")
    return data


def preview(data: str) -> dict[str, float]:
    """Build every color's preview again, in this process, beside the shards of ``data``."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shards").mkdir()
        for shard in (Path(data) / "shards").iterdir():
            if shard.name != PREVIEW.name:
                (Path(folder) / "shards" / shard.name).symlink_to(shard.resolve())
        begun = time.perf_counter()
        build(ShardStore(folder), [PREVIEW.name])
        seconds = time.perf_counter() - begun
    return {"seconds": seconds, "peak": peak_memory()}


def peak_memory() -> float:
    """Return this process's own peak in MB; what getrusage says would include the parent's."""
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=1)
    parser.add_argument("--data")
    parser.add_argument("--preview", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.preview:
        print(json.dumps(preview(chosen.preview)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weigh(24, chosen.songs, folder)
        made = weigh(16, chosen.songs, folder)
        data = chosen.data or made
        media = sum(part.bytes for color in COLOR_NAMES
                    for part in ShardStore(data).shard("segment_media", color).require_index().parts)
        done = subprocess.run([sys.executable, __file__, "--preview", data], capture_output=True, text=True, check=True)
        took = json.loads(done.stdout.splitlines()[-1])
        print(f"preview from a media table of {media / 1e6:,.0f} MB: {took['seconds']:.1f} s, peak memory "
              f"{took['peak']:.0f} MB (aim: under 60 s and 500 MB)")


if __name__ == "__main__":
    main()
