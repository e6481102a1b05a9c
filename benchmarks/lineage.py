"""What the ledger costs: a plan with nothing to do, and one edge at a million rows beside Metaxy's `resolve_update`.

Prints ratios from one run on one machine. Both sides answer the same question over the same rows (see ``_edge.py``),
each in fresh processes that open their files again; ours verifies the ledgers by sha256 besides. Metaxy gets an
environment of its own below ``build/``. Usage:

    python benchmarks/lineage.py [--rows 1000000] [--no-metaxy]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from _edge import Row, after, answer, before, digest
from _size import TINY, size

from rainbow_assets import settings
from rainbow_assets.lineage import parts
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.ledger import data_version, reconcile, schema_digest, signature
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, plan
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.storage.shard import ShardIndex
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

HERE = Path(__file__).resolve()
METAXY = "metaxy[delta]==0.1.11"
REPEATS = size(3, 1)
ROWS, ASSETS, SONGS = size(11_605, 80), size(20, 8), 5
SONG_ROWS = 1000
SCHEMA = pa.schema([("key", pa.string()), ("value", pa.string())])


def compute(work: Work) -> Iterator[Batch]:
    """Rows whose value follows from their key."""
    for part, rows in work.parts():
        made = [{"key": key, "value": f"{work.shard.asset} {key}"} for key in rows["key"]]
        yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))


def source(shard: object, rules: object) -> pl.DataFrame:
    """One color's share of the rows, in songs."""
    color = COLOR_NAMES.index(shard.partition)  # type: ignore[attr-defined]
    numbers = range(color, ROWS, len(COLOR_NAMES))
    rows = [(f"{n:05d}", f"{color}_{n % SONGS}", digest(n)) for n in numbers]
    return pl.DataFrame(rows, schema=["key", "part", "in:corpus.value"], orient="row")


def chain() -> Graph:
    """Assets that each read the one before."""
    fields, found = {"value": ("value",)}, list[RowAsset]()
    for number in range(ASSETS):
        inputs = {f"asset_{number - 1}": ("value",)} if number else {"corpus": ("value",)}
        outside = {"candidates": source, "source": lambda shard: "same"} if not number else {}
        step = RowAsset(f"asset_{number}", inputs, compute, SCHEMA, fields, key="key", **outside)  # type: ignore[arg-type]
        found.append(step)
    return Graph(found)


def plan_nothing(folder: str) -> dict[str, float]:
    """Return the processor seconds of a plan that finds everything fresh, the first time in a process, and again."""
    steps, store = chain(), ShardStore(folder)
    took = []
    for _ in range(2):
        begun = time.process_time()
        planned = plan(steps, store, COLOR_NAMES)
        took.append(time.process_time() - begun)
        assert all(entry.state == FRESH for entry in planned) and sum(entry.rows for entry in planned) == ROWS * ASSETS
    return {"cold": took[0], "warm": took[1]}


def edge_steps() -> tuple[RowAsset, RowAsset]:
    """The edge: an upstream with two fields, and a consumer of one of them."""
    two = pa.schema([("key", pa.string()), ("read", pa.string()), ("unread", pa.string())])
    upstream = RowAsset("edge_upstream", {"corpus": ("row",)}, compute, two, {"read": ("read",), "unread": ("unread",)},
                    key="key", candidates=source, source=lambda shard: "now")
    consumer = RowAsset("edge_consumer", {"edge_upstream": ("read",)}, compute, SCHEMA, {"value": ("value",)},
                        key="key")
    graph = Graph([upstream, consumer])
    return graph["edge_upstream"], graph["edge_consumer"]


def make_edge(folder: str, rows: int) -> None:
    """Write both ledgers as builds would have left them; the media of a million rows are not what is measured."""
    _edge(folder, before(rows), after(rows))


def make_song(folder: str, rows: int) -> None:
    """Write the same edge with songs of a thousand rows, of which one was edited."""
    songs = max(1, rows // SONG_ROWS)
    keys = [f"{song:05d}_{number:04d}" for song in range(songs) for number in range(min(rows, SONG_ROWS))]
    old = [Row(key, digest(key, "old"), digest(key)) for key in keys]
    edited = f"{songs // 2:05d}"
    _edge(folder, old, [Row(row.key, digest(row.key, "new"), row.unread) if row.key.startswith(edited) else row
                        for row in old])


def _edge(folder: str, was: list[Row], now: list[Row]) -> None:
    upstream, consumer = edge_steps()
    store = ShardStore(folder)
    _ledger(store, upstream, now, {"in:corpus.row": "unread"}, {"out:read": "read", "out:unread": "unread"})
    _ledger(store, consumer, was, {"in:edge_upstream.read": "read"}, {"out:value": "read"})


def _ledger(
    store: ShardStore, step: RowAsset, rows: list[Row], inputs: dict[str, str], outputs: dict[str, str]
) -> None:
    frame = pl.DataFrame([(row.key, row.read, row.unread) for row in rows], schema=["key", "read", "unread"],
                         orient="row")
    versions = {name: pl.lit(value) for name, value in step.versions(settings.Rules()).items()}
    columns = {name: pl.col(column) for name, column in {**inputs, **outputs}.items()}
    ledger = frame.select("key", part=pl.col("key").str.head(5), **columns, **versions, output=pl.col("read"),
                          status=pl.lit("ok"), reason=pl.lit(None, pl.String)).sort("key")
    shard = store.shard(step.name, "Green")
    version = data_version(schema_digest(step), ledger)
    made_from = signature(step, shard, settings.Rules()) | ({f"in:{name}": "before" for name in step.above})
    shard.replace_index(ShardIndex(step.name, "Green", version, (), inputs=made_from,
                                   **parts.write_ledger(shard, ledger)))


def resolve_edge(folder: str) -> dict[str, float]:
    """Reconcile once, in this fresh process, which knows its code versions: it reads them once for all edges."""
    _, consumer = edge_steps()
    shard = ShardStore(folder).shard(consumer.name, "Green")
    consumer.versions(settings.Rules())
    begun = time.perf_counter()
    delta = reconcile(consumer, shard)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "new": len(delta.new), "changed": len(delta.changed), "removed": len(delta.gone)}


def fresh(python: Path | str, script: Path, *words: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    done = subprocess.run([str(python), str(script), *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONWARNINGS": "ignore"})
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}


def environment() -> Path:
    """Make Metaxy's environment once; return its interpreter."""
    home = HERE.parents[1] / "build/metaxy"
    python = home / "bin/python"
    if not (home / "ready").exists():
        print(f"installing {METAXY} into {home.relative_to(HERE.parents[1])} ...")
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", METAXY], check=True)
        (home / "ready").touch()
    return python


def compare(rows: int, folder: str, metaxy: bool) -> None:
    """Both sides, taking turns, so that a busy moment hits both; the best of each counts."""
    print(f"one edge, {rows:,} rows:")
    fresh(sys.executable, HERE, "--make", folder, "--rows", str(rows))
    sides = {"reconcile": (sys.executable, HERE, "--resolve", folder)}
    if metaxy:
        python, script = environment(), HERE.with_name("_metaxy_edge.py")
        fresh(python, script, "make", f"{folder}/metaxy", str(rows))
        sides["metaxy"] = (str(python), script, "resolve", f"{folder}/metaxy")
    best: dict[str, float] = {}
    for _ in range(REPEATS):
        for name, (python_, script_, *words) in sides.items():
            found = fresh(python_, Path(script_), *map(str, words))
            if {key: found[key] for key in answer(rows)} != answer(rows):
                sys.exit(f"{name} says {found}, right is {answer(rows)}")
            best[name] = min(best.get(name, found["seconds"]), found["seconds"])
    for name, seconds in best.items():
        print(f"  {name:<10} {seconds:7.3f} s")
    if metaxy:
        print(f"  reconcile is {best['metaxy'] / best['reconcile']:.1f} times as fast (aim: 10)")


def one_song(rows: int, folder: str) -> None:
    """One edited song among a thousand."""
    fresh(sys.executable, HERE, "--song", folder, "--rows", str(rows))
    found = [fresh(sys.executable, HERE, "--resolve", folder) for _ in range(REPEATS)]
    if any((one["new"], one["changed"], one["removed"]) != (0, min(rows, SONG_ROWS), 0) for one in found):
        sys.exit(f"reconcile says {found}, right is one song of {min(rows, SONG_ROWS)} rows")
    print(f"one song of {max(1, rows // SONG_ROWS):,} edited, {rows:,} rows: "
          f"{1000 * min(one['seconds'] for one in found):.1f} ms (aim: 20 ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=size(1_000_000, 2000))
    parser.add_argument("--no-metaxy", action="store_true", default=TINY)
    for name in ("--make", "--song", "--resolve", "--plan"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        make_edge(chosen.make, chosen.rows)
    elif chosen.song:
        make_song(chosen.song, chosen.rows)
    elif chosen.resolve:
        print(json.dumps(resolve_edge(chosen.resolve)))
    elif chosen.plan:
        print(json.dumps(plan_nothing(chosen.plan)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            store = ShardStore(f"{folder}/plan")
            for step in chain().values():
                for color in COLOR_NAMES:
                    outcome = bring_up_to_date(step, store, color)
                    assert outcome.problem is None, outcome.problem
            took = fresh(sys.executable, HERE, "--plan", f"{folder}/plan")
            print(f"a plan with nothing to do, {ROWS:,} rows x {ASSETS} assets: {took['cold']:.3f} s of CPU in a "
                  f"fresh process, {took['warm']:.3f} s again (aim: 0.15 s)")
            compare(chosen.rows, f"{folder}/edge", not chosen.no_metaxy)
            one_song(chosen.rows, f"{folder}/song")


if __name__ == "__main__":
    main()
