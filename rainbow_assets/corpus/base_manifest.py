"""`base_manifest`: one row per stem, made from the raw songs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import markdown, settings
from rainbow_assets.caches import kept
from rainbow_assets.corpus import changes, tables
from rainbow_assets.corpus.ids import stem_id
from rainbow_assets.corpus.model import SongReading
from rainbow_assets.corpus.overrides import parse_overrides
from rainbow_assets.corpus.source import RawSongs, judged, load_source, manifest_rows, source_token, texts_of
from rainbow_assets.corpus.witnesses import Witness
from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.checks import relative_paths, unique_keys
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import Markdown
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

REASONS = {
    "unusable_song": "the song's manifest cannot be used; an anomaly has the cause",
    "no_tracks": "the manifest lists no stem",
    "contradiction": "the song's files and texts contradict each other; an anomaly has both numbers",
}


def manifest_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the stems that the color's manifests name; an unusable song is one candidate under its own id."""
    source = load_source(shard)
    overrides = parse_overrides(source.decided)
    columns = ["key", "part", *BASE_MANIFEST.input_columns]
    rows = []
    for folder in source.folders:
        reading, evidence = judged(source, folder)
        files, override = source.of(folder.name), digest(asdict(overrides.of(folder.name)))
        odd = source.below[folder.name].odd
        texts = {**texts_of(files), **{f"odd: {name}": why for name, why in odd.items()}}
        song = reading.song
        tracks = song.tracks if song and evidence else ()
        used = {song.main_audio_file if song else None,
                *(name for track in tracks for name in (track.audio_file, track.midi))} if tracks else set()
        # Of files that no row uses, the song's facts have the digests and what is remarked on them.
        unused = {name: sha256 for name, sha256 in files.items() if name not in {*used, *texts}}
        text = digest(texts, sorted(files), *([unused] if unused else []))
        if song is None or evidence is None or not tracks:
            why = evidence.contradiction if evidence else None
            rows.append([folder.name, folder.name, text, override, digest(why) if why else None, None, None])
            continue
        shared = [text, override, digest(files.get(song.main_audio_file or ""), evidence.end.ms)]
        for track in song.tracks:
            own = [files.get(track.audio_file or ""), files.get(track.midi or "")]
            rows.append([stem_id(song.song_id, track.track_id), song.song_id, *shared, *own])
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def manifest_compute(work: Work) -> Iterator[Batch]:
    """Make the rows of each song whose manifest, lyrics or media changed."""
    source = load_source(work.shard)
    folders = {folder.name: folder for folder in source.folders}
    for song_id, asked in work.parts():
        yield work.guarded(song_id, asked, partial(_of_song, source, folders[song_id], asked))


def _of_song(source: RawSongs, folder: Path, asked: pl.DataFrame) -> Batch:
    (reading, evidence), song_id = judged(source, folder), folder.name
    # Sound is decoded by `segments`, whose ledger has the sentences on what cannot be decoded.
    anomalies = [{"song": song_id, **anomaly.as_dict()} for anomaly in reading.anomalies]
    witnesses = [asdict(witness) for witness in evidence.witnesses] if evidence else []
    facts = {"anomalies": anomalies, "files": source.of(song_id), "witnesses": witnesses}
    rows = manifest_rows(source, folder)
    if not rows or evidence is None:
        reason = "no_tracks" if reading.quarantined is None else (
            reading.quarantined.reason if reading.quarantined.reason in ("contradiction", BUG) else "unusable_song")
        sentence = _why(reading)
        return Batch(song_id, tables.SCHEMA.empty_table(), {song_id: reason}, {**facts, "unusable": sentence},
                     {song_id: sentence})
    mix = rows[0]["main_audio_file"] or ""
    if set(asked["in:corpus.mix"]) != {digest(source.of(song_id).get(mix), evidence.end.ms)}:
        # The mix changed after the candidates were listed: the ledger would record the digest of the old one.
        raise SourceMoved(f"{song_id}/{mix}")
    keys = set(asked["key"])
    made = [row for row in rows if row["stem_id"] in keys]
    return Batch(song_id, pa.Table.from_pylist(made, schema=tables.SCHEMA), {}, facts)


def _why(reading: SongReading) -> str:
    """Return why the song has no row."""
    return reading.quarantined.message if reading.quarantined else "the manifest lists no stem"


def unusable(shard: Shard) -> dict[str, str]:
    """Return {song that has no row: a sentence that names it and says why}."""
    source = load_source(shard)
    found = {}
    for folder in source.folders:
        reading, evidence = judged(source, folder)
        if reading.song is None or evidence is None or not reading.song.tracks:
            why = _why(reading)
            found[folder.name] = why if why.startswith(folder.name) else f"{folder.name}: {why}"
    return found


LATE_SHARE = 0.1
"""Up to this share of a song's stamps may be after its end (each is reported); with more, the stamps were misread."""


@check("Songs found = processed + quarantined.")
def songs_accounted(shard: Shard) -> Finding:
    """Check that each song folder either has rows or is quarantined."""
    found = {folder.name for folder in load_source(shard).folders}
    ledger = ledger_frame(shard, ["part", "status"])
    assert ledger is not None
    processed = set(ledger.filter(ledger["status"] == "ok")["part"])
    quarantined = set(ledger.filter(ledger["status"] == "quarantined")["part"]) - processed
    lost = sorted(found ^ (processed | quarantined))
    numbers = {"found": len(found), "processed": len(processed), "quarantined": len(quarantined), "lost": len(lost)}
    if lost:
        return Finding(False, f"{len(lost)} song folders are not accounted for ({some(lost)}); materialize "
                              "base_manifest again", numbers)
    summary = f"{len(found)} songs found = {len(processed)} processed + {len(quarantined)} quarantined"
    return Finding(True, summary + (f" ({some(sorted(quarantined))})" if quarantined else ""), numbers)


@check("A color with song folders has rows.")
def color_has_rows(shard: Shard) -> Finding:
    """Check that a color with song folders has rows."""
    folders = len(load_source(shard).folders)
    rows = shard.require_index().rows
    numbers = {"song_folders": folders, "rows": rows}
    if folders and not rows:
        return Finding(False, f"{folders} song folders have no row; see the anomalies: rainbow lint", numbers)
    return Finding(True, f"{rows} stems" if rows else "no song folder: an empty color", numbers)


@check("Lyric stamps are inside their song.")
def stamps_plausible(shard: Shard) -> Finding:
    """Check that at most a tenth of a song's lyric stamps is after its end; with more, the stamps were misread."""
    columns = ["id", "lines", "sections", "end_ms"]
    songs = {row["id"]: row for _, table in shard.tables(columns) for row in table.to_pylist()}
    late, wrong, total = 0, [], 0
    for name, row in sorted(songs.items()):
        starts = [line["start_ms"] for line in row["lines"]]
        out = sum(start >= row["end_ms"] for start in starts)
        total += len(starts)
        late += out
        if out > LATE_SHARE * len(starts):
            wrong.append(f"{name} ({out} of {len(starts)})")
    numbers = {"songs": len(songs), "stamps": total, "past_the_end": late, "songs_misread": len(wrong)}
    if wrong:
        return Finding(False, f"stamps are after the end of {some(wrong)}; correct the LRC, or set its unit in "
                              "corpus.toml", numbers)
    return Finding(True, f"{total} stamps, {late} past the end of their song", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the anomalies of the built colors as a table, errors first."""
    found = [entry for shard in built.shards() for part in shard.require_index().parts
             for entry in part.facts.get("anomalies", [])]
    found.sort(key=lambda a: (["error", "warning", "info"].index(a["severity"]), a["song"], a["file"], a["where"]))
    cells = [[a[k] for k in ("severity", "song", "file", "where", "message", "action")] for a in found]
    return {"anomalies": markdown.table(("severity", "song", "file", "where", "what", "done"), cells),
            "anomaly_count": len(found)}


def who_agrees(built: Built) -> Mapping[str, Any]:
    """Return a picture of what the files and texts of each song say of it, which is redrawn only if that changed."""
    sources = {part.group: part.facts.get("witnesses", []) for shard in built.shards()
               for part in shard.require_index().parts}
    ends = {row["id"]: row["end_ms"] for shard in built.shards() for row in shard.rows("id", "end_ms")}

    def drawn() -> Markdown:
        from rainbow_assets.corpus.pictures import picture  # loads matplotlib, which is slow

        songs = {song: [Witness(**witness) for witness in found] for song, found in sources.items() if song in ends}
        return markdown.picture(picture(songs, ends), "which sources agree on each song")

    cache = built.store.cache_path("pictures/witnesses.json")
    return {"witnesses": kept(cache, digest(sources, ends), drawn)}


_APART = ("sections", "lines", "word_times", "end_ms", "main_audio_file", "main_audio_sha256", "concept", "lrc_lyrics")
_SONG = tuple(item.name for item in tables.SONG_FIELDS if item.name not in _APART)

_TEXT = ("corpus.text", "corpus.override")
BASE_MANIFEST = RowAsset(
    name="base_manifest",
    group="corpus",
    kinds={"yaml", "parquet"},
    description=(
        "One row per stem: the facts of the artist's manifest and lyrics, typed, with the digests of the files "
        "that it names."),
    reads={"corpus": ("text", "override", "mix", "audio", "midi")},
    compute=manifest_compute,
    columns=tables.SCHEMA,
    fields={
        "song": _SONG, "concept": ("concept",), "lyrics": ("lrc_lyrics",), "slice": ("sections", "lines", "end_ms"),
        "words": ("lines",), "word_times": ("word_times",), "tempo": ("bpm",),
        "mix": ("main_audio_file", "main_audio_sha256", "end_ms"),
        "stem": ("track_id", "description", "audio_file", "midi_file", "midi_group_file", "group", "player"),
        "audio": ("audio_sha256",), "midi": ("midi_sha256",), "training_data": ("training_data",),
    },
    key="stem_id",
    identity=("id", "rainbow_color"),
    candidates=manifest_candidates,
    source=source_token,
    material={"in:corpus.audio": "sound", "in:corpus.midi": "MIDI file"},
    unusable=unusable,
    reasons=REASONS,
    flows={
        "song": _TEXT, "concept": _TEXT, "lyrics": _TEXT,
        "slice": (*_TEXT, "corpus.mix"), "words": _TEXT, "word_times": _TEXT, "tempo": _TEXT,
        "mix": (*_TEXT, "corpus.mix"),
        "stem": _TEXT,
        "audio": ("corpus.audio",), "midi": ("corpus.midi",), "training_data": (*_TEXT, "corpus.mix"),
    },
    cheap=True,
    explain=changes.explain,
    checks=[unique_keys, relative_paths, songs_accounted, color_has_rows, stamps_plausible],
    shows=[shown, who_agrees],
)
