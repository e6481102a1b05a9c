"""Embeddings: distinct work, length buckets against padding to 512, audio that keeps its encoder busy, injected faults.

Architectures are full-size with random, seeded weights (no checkpoint is needed): time does not depend on the values.
Ratios come from one run on one machine. Run: python benchmarks/embeddings.py (--audio leaves text out)
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _size import TINY, size

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rainbow_assets.embeddings.batches import plan_batches
from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.embeddings.encoders import Encoder
from rainbow_assets.embeddings.engine import Unit
from rainbow_assets.embeddings.local import LocalEngine
from rainbow_assets.embeddings.runner import Runner
from rainbow_assets.embeddings.specs import CLAP_MUSIC, DEBERTA_TEXT, MINILM_TEXT
from rainbow_assets.settings import EmbeddingRules
from rainbow_assets.storage.files import Files
from rainbow_assets_tests.embeddings import models
from rainbow_assets_tests.embeddings.faulty import FaultyEngine, units
from rainbow_assets_tests.embeddings.sounds import flac

CONCEPTS, LYRICS, CONCEPT_ROWS, LYRIC_ROWS = 83, 873, 11_605, 10_764
"""The published corpus: distinct texts, and the rows that use them."""
WORDS_PER_LINE = [1, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 9, 9, 10, 11, 12, 14, 18]
"""Lengths of lyric slices in words (a line, sometimes two joined); median 6.5."""


def main() -> None:
    distinct_work()
    faults()
    with tempfile.TemporaryDirectory() as folder:
        if "--audio" not in sys.argv:
            text(Path(folder))
        audio(Path(folder))


def distinct_work() -> None:
    """Count forward passes at the real corpus's shape."""
    draw = random.Random(1)
    keys = [f"concept {n}" for n in range(CONCEPTS)] + [f"lyric {n}" for n in range(LYRICS)]
    rows = keys + draw.choices(keys[:CONCEPTS], k=CONCEPT_ROWS - CONCEPTS) + draw.choices(
        keys[CONCEPTS:], k=LYRIC_ROWS - LYRICS)
    batches = plan_batches(DEBERTA_TEXT, [Unit(key, 40, key.encode) for key in rows])
    passes = sum(len(batch.units) for batch in batches)
    print(f"distinct work: {passes} forward passes for {len(rows):,} rows, {len(rows) / passes:.1f}x fewer "
          "(target 23x)")


def faults() -> None:
    """Run 1,000 batches of which a tenth fail."""
    with tempfile.TemporaryDirectory() as folder:
        engine, asked = FaultyEngine(seed=1, share=0.1), units(size(8000, 80), size=750)
        runner = Runner(engine, VectorCache(Files(folder), MINILM_TEXT), EmbeddingRules(retries=8),
                        wait=lambda seconds: None)
        failed = runner.run(asked)
        print(f"faults: {len(plan_batches(MINILM_TEXT, asked))} batches, {runner.report.retries} retries, "
              f"{runner.report.splits} splits; {len(runner.cache.keys())} of {len(asked)} vectors, {len(failed)} "
              f"lost, at most {max(engine.received.values())} time computed, {runner.report.seconds:.1f} s")


def text(folder: Path) -> None:
    """Compare length buckets with the original's batches of 32 padded to 512 tokens."""
    import torch

    from rainbow_assets.embeddings.production import Deberta

    models.deberta(folder / "deberta", full=not TINY)
    encoder = Deberta(str(folder / "deberta"), None, 512, "cpu")
    draw = random.Random(2)
    lines = [" ".join(draw.choices(models.WORDS, k=draw.choice(WORDS_PER_LINE))) for _ in range(size(128, 4))]
    lines = [f"{line} {n}" for n, line in enumerate(lines)]
    batches = plan_batches(DEBERTA_TEXT, [Unit(line, len(line), line.encode) for line in lines])
    encoder.forward([encoder.prepare(b"warm up")])
    started = time.perf_counter()
    done = sum(1 for _ in LocalEngine("cpu", lambda spec, device: encoder).run(batches))
    ours = done / (time.perf_counter() - started)
    padded: Any = encoder.tokenizer(lines[:32], padding="max_length", truncation=True, max_length=512,
                                    return_tensors="pt")
    started = time.perf_counter()
    with torch.inference_mode():
        encoder.model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"])
    theirs = 32 / (time.perf_counter() - started)
    tokens = np.mean([len(encoder.prepare(line.encode())) for line in lines])
    print(f"text, {tokens:.0f} tokens on average: {ours:.1f} texts/s in length buckets, {theirs:.2f} texts/s padded "
          f"to 512, {ours / theirs:.1f}x (target 8x)")


class Timed:
    """An encoder that counts the time its forward pass takes."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.seconds, self.prepare = encoder, 0.0, encoder.prepare

    def forward(self, prepared: list[Any]) -> Any:
        started = time.perf_counter()
        found = self.encoder.forward(prepared)
        self.seconds += time.perf_counter() - started
        return found


def audio(folder: Path) -> None:
    """Compare FLAC in, vectors out, with a loop of nothing but forward passes, and with one at a time."""
    from rainbow_assets.embeddings.production import Clap

    models.clap(folder / "clap", full=not TINY)
    encoder = Clap(str(folder / "clap"), None, 48000, 10000, "cpu")
    sounds = [flac(10 if n % 3 else 20, n) for n in range(size(24, 6))]
    asked = [Unit(str(n), 1 if n % 3 else 2, lambda data=data: data) for n, data in enumerate(sounds)]
    windows = sum(unit.size for unit in asked)
    batches = plan_batches(CLAP_MUSIC, asked)
    ready = [[encoder.prepare(unit.load()) for unit in batch.units] for batch in batches]
    encoder.forward(ready[0])
    bare, whole, share = 0.0, 0.0, 0.0
    for _ in range(3):  # in turns, and the best of each: other programs slow either
        started = time.perf_counter()
        for prepared in ready:
            encoder.forward(prepared)
        bare = max(bare, windows / (time.perf_counter() - started))
        timed = Timed(encoder)
        started = time.perf_counter()
        done = sum(1 for _ in LocalEngine("cpu", lambda spec, device, timed=timed: timed).run(batches))
        wall = time.perf_counter() - started
        assert done == len(asked)
        if windows / wall > whole:
            whole, share = windows / wall, timed.seconds / wall
    started = time.perf_counter()
    for data in sounds[:6]:
        encoder.forward([encoder.prepare(data)])
    single = sum(unit.size for unit in asked[:6]) / (time.perf_counter() - started)
    print(f"audio: {whole:.2f} windows/s from FLAC, {bare:.2f} in a bare loop ({100 * whole / bare:.0f} %, target 90), "
          f"forward {100 * share:.0f} % of wall time (target 85); one at a time {single:.2f} windows/s")


if __name__ == "__main__":
    main()
