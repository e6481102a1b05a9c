"""The facts of a card and of a manifest, counted from shards and written files."""

from __future__ import annotations

import json
import platform
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from rainbow_assets import taxonomy
from rainbow_assets.corpus.anomalies import KINDS
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.codeversion import Used, library_versions
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.ledger import EDGE
from rainbow_assets.lineage.reading import FILE
from rainbow_assets.release import pages
from rainbow_assets.release.bundle import Bundle
from rainbow_assets.release.card import (
    REPOSITORY,
    AnomalyFacts,
    CardFacts,
    ColorClip,
    ColorFacts,
    VerdictFacts,
    config_facts,
)
from rainbow_assets.release.changelog import ChangelogEntry
from rainbow_assets.release.listen import Clips
from rainbow_assets.release.tables import published
from rainbow_assets.release.text import clip
from rainbow_assets.release.versions import Version
from rainbow_assets.segments.losses import anomalies, losses_of, summed, unreadable_audio
from rainbow_assets.storage.parquet import open_parquet, read_batches
from rainbow_assets.storage.store import ShardStore

RELEASE = Used((("rainbow_assets.release.publish", "publish"),))
"""The code that writes a version; its code version is part of the provenance."""
MOST_NAMED = 50
"""The number of songs and stems without rows that a card names."""
SAMPLE_BYTES = 120
"""Largest size of a cell of the card's sample row, as text."""
LIBRARIES = ("numpy", "polars", "pyarrow", "soundfile", "soxr")


def card_facts(
    graph: Graph, store: ShardStore, version: Version, bundle: Bundle, folder: Path, clips: Clips,
    changes: tuple[ChangelogEntry, ...] = (), repository: str = REPOSITORY,
) -> CardFacts:
    """Return all facts of the card of ``version``, written into ``folder``; ``changes`` is its changelog."""
    return CardFacts(
        version=version, configs=config_facts(bundle), colors=tuple(color_facts(graph, store)),
        anomalies=tuple(anomaly_facts(store)), verdicts=tuple(verdict_facts(graph, store)),
        gaps=tuple(gaps(graph, store)),
        skipped=tuple(bundle.skipped.values()), lineage=tuple(lineage(store)), changes=changes, repository=repository,
        songs=music(store), sample=sample(bundle, folder),
        players={color: ColorClip(found[0].source, found[0].title, found[0].place) for color, found in clips.items()
                 if found},
    )


def music(store: ShardStore) -> dict[str, list[str]]:
    """Return {who made the sounds: ids of the songs}, from the rows of `base_manifest`."""
    found: dict[str, set[str]] = {}
    for color in taxonomy.COLOR_NAMES:
        for row in store.shard("base_manifest", color).rows("id", "music"):
            found.setdefault(row["music"], set()).add(row["id"])
    return {kind: sorted(songs) for kind, songs in sorted(found.items())}


def sample(bundle: Bundle, folder: Path) -> tuple[tuple[str, str], ...]:
    """Return the first row of the default config (else of the first one) as (column, short text)."""
    chosen = next((config for config in bundle.configs if config.table.default), bundle.configs[0])
    with open_parquet(folder / chosen.files[0].path) as file:
        (row,) = next(iter(read_batches(file, 1))).slice(0, 1).to_pylist()
    return tuple((name, _short(value)) for name, value in row.items())


def _short(value: object) -> str:
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return f"{value.get('path') or 'bytes'}, {pages.size(len(value['bytes']))}"
    if isinstance(value, bytes):
        return pages.size(len(value))
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return clip(" ".join(text.split()), SAMPLE_BYTES)


def color_facts(graph: Graph, store: ShardStore) -> list[ColorFacts]:
    """Return the numbers of songs and segments and the coverage of each color with rows."""
    columns = ["song_id", "has_audio", "has_midi", "lyric_text", "duration_seconds"]
    found = []
    for color in taxonomy.COLOR_NAMES:
        frame = store.shard("training_segments", color).frame(graph["training_segments"].schema, columns)
        if not len(frame):
            continue
        seconds = float(frame.filter(pl.col("has_audio"))["duration_seconds"].sum())
        found.append(ColorFacts(
            color, frame["song_id"].n_unique(), len(frame), int(frame["has_audio"].sum()), int(frame["has_midi"].sum()),
            int((frame["lyric_text"].fill_null("") != "").sum()), round(seconds, 3)))
    return found


def anomaly_facts(store: ShardStore) -> list[AnomalyFacts]:
    """Return how often each kind of irregularity occurs in the raw songs, errors first.

    Sound that cannot be decoded is found by `segments`, and a song or stem without rows by its ledger.
    """
    times: Counter[tuple[str, str]] = Counter()
    songs: dict[tuple[str, str], set[str]] = {}

    def count(kind: str, severity: str, song: str) -> None:
        times[kind, severity] += 1
        songs.setdefault((kind, severity), set()).add(song)

    for color in taxonomy.COLOR_NAMES:
        index = store.shard("base_manifest", color).require_index()
        entries = [(part.group, entry) for part in index.parts for entry in part.facts.get("anomalies", [])]
        for song, entry in entries:
            count(entry["kind"], entry["severity"], song)
        known = {(song, entry["message"]) for song, entry in entries}
        for song, _ in unreadable_audio(store.shard("segments", color)) - known:
            count("unreadable_audio", KINDS["unreadable_audio"][0], song)
    for anomaly in anomalies(losses_of(store, taxonomy.COLOR_NAMES)):
        count(anomaly.kind, anomaly.severity, anomaly.of)
    order = {"error": 0, "warning": 1, "info": 2}
    return [AnomalyFacts(kind, severity, count, len(songs[kind, severity]), KINDS[kind][1])
            for (kind, severity), count in sorted(times.items(), key=lambda item: (order[item[0][1]], item[0]))]


def verdict_facts(graph: Graph, store: ShardStore) -> list[VerdictFacts]:
    """Return in how many colors each check passed, with the sums of its whole numbers.

    The figures of a check that also read a file (the last release's vectors) are left out: they depend on more than
    this version, and equal versions must have equal cards.
    """
    found = []
    for name, step in graph.items():
        if not step.colored:
            continue
        shards = [store.shard(name, color) for color in taxonomy.COLOR_NAMES]
        for check in step.checks:
            answers = [v for shard in shards if (v := verdicts.current(shard, check)) is not None]
            sums: Counter[str] = Counter()
            beside = any(name.startswith(FILE) for verdict in answers for name in verdict.read)
            for verdict in () if beside else answers:
                sums.update({key: value for key, value in verdict.numbers.items()
                             if isinstance(value, int) and not isinstance(value, bool)})
            text = ", ".join(f"{key.replace('_', ' ')} {value:,}" for key, value in sums.items() if key != "asked")
            found.append(VerdictFacts(name, check.name, sum(v.passed for v in answers), len(shards), text))
    return found


def gaps(graph: Graph, store: ShardStore) -> list[str]:
    """Return sentences on which songs are quarantined, and how many windows have no row for which reason."""
    found = []
    unusable: list[str] = []
    reasons: Counter[str] = Counter()
    for color in taxonomy.COLOR_NAMES:
        manifest = store.shard("base_manifest", color).require_index()
        unusable += [part.group for part in manifest.parts if "unusable" in part.facts]
        reasons.update(store.shard("segments", color).require_index().facts["quarantined"])
    lost = losses_of(store, taxonomy.COLOR_NAMES)
    found.append(f"{summed(lost).sentence()}.")
    if unusable:
        found.append(f"{len(unusable)} songs could not be used: {', '.join(unusable)}.")
    named = [f"{anomaly.of}, {anomaly.where.removeprefix('field ')}: {anomaly.message}."
             for anomaly in anomalies(lost)]
    found += named[:MOST_NAMED]
    if len(named) > MOST_NAMED:
        found.append(f"{len(named) - MOST_NAMED} more songs and stems have no row.")
    meanings = graph["segments"].reasons
    found += [f"{count:,} windows have no row, {reason.replace('_', ' ')}: {meanings[reason]}."
              for reason, count in sorted(reasons.items())]
    return found


def lineage(store: ShardStore) -> list[str]:
    """Return sentences on what the version was made from: songs, rules and libraries."""
    songs = sum(len(store.shard("base_manifest", color).require_index().parts) for color in taxonomy.COLOR_NAMES)
    shards = [store.shard("segments", color).require_index() for color in taxonomy.COLOR_NAMES]
    filled = next((index for index in shards if index.rows), shards[0])
    settings = filled.facts["made_with"]["settings"]
    rules = ", ".join(f"{name} = {value}" for name, value in sorted(settings.items()))
    libraries = ", ".join(f"{name} {value}" for name, value in library_versions(LIBRARIES).items())
    return [f"Made from {songs} song folders; manifest.json lists the data version of every shard.",
            f"Rules: {rules}.", f"Libraries that affect the bytes: {libraries}."]


def provenance(graph: Graph, store: ShardStore, options: dict[str, Any]) -> dict[str, Any]:
    """Return the provenance for ``manifest.json``: data versions, code, rules, libraries, raw files.

    Two versions with equal provenance have equal bytes.
    """
    shards: dict[str, dict[str, str]] = {}
    made_with: dict[str, Any] = {}
    raw: dict[str, dict[str, str]] = {}
    edges: dict[str, dict[str, dict[str, str]]] = {}
    wanted = graph.followed(published(graph))
    for name, step in graph.items():
        for color in step.partitions if name in wanted else ():
            shard = store.shard(name, color)
            if shard.index() is None:  # optional assets, such as models, may not have been built
                continue
            index = shard.require_index()
            shards.setdefault(name, {})[color] = index.data_version
            read = {where: version for where, version in index.inputs.items() if where.startswith(EDGE)}
            edges.setdefault(name, {})[color] = {where.removeprefix(EDGE): version for where, version in read.items()}
            # A color without rows is not rebuilt when a rule changes, so its settings may be outdated.
            if index.rows or name not in made_with:
                made_with[name] = index.facts["made_with"]
            if name == "base_manifest":
                raw.update({part.group: dict(part.facts.get("files", {})) for part in index.parts})
    document = {"options": options, "release_code": RELEASE.version,
                "templates": pages.templates(),
                "shards": shards, "edges": edges, "made_with": made_with, "raw_files": raw,
                "libraries": {**library_versions(LIBRARIES), "python": platform.python_version()}}
    return json.loads(json.dumps(document))
