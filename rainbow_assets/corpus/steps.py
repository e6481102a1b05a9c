"""The corpus as a ledger step: `base_manifest`, a row per stem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus import manifest_rows as made_rows
from rainbow_assets.corpus import tables
from rainbow_assets.corpus.ids import stem_id
from rainbow_assets.corpus.model import Reading, Song
from rainbow_assets.corpus.reader import folder_color, read_song, song_folders
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.corpus.timecode import load_overrides
from rainbow_assets.digests import digest
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.sound.stems import UnreadableAudio, probe
from rainbow_assets.storage.shard import Shard

REASONS = {
    "unusable_song": "the song's manifest cannot be used; the anomaly says why",
    "no_tracks": "the manifest lists no stem",
}


@dataclass(frozen=True)
class Source:
    """The raw songs of one color with the digests of all their files."""

    root: Path
    folders: tuple[Path, ...]
    digests: dict[str, str]
    """Path relative to the root -> sha256."""

    def of(self, song_id: str) -> dict[str, str]:
        """Return {file name: sha256} of one song's folder."""
        prefix = f"{song_id}/"
        return {name.removeprefix(prefix): value for name, value in self.digests.items() if name.startswith(prefix)}


def load_source(shard: Shard) -> Source:
    """Find the song folders of the shard's color and digest their files (cached by stat)."""
    root = corpus_root()
    folders = tuple(folder for folder in song_folders(root) if folder_color(folder) == shard.partition)
    digests = FileDigests(root, shard.store.cache_path("file_digests.json"))
    found = {}
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
            name = path.relative_to(root).as_posix()
            found[name] = digests.digest(name)
    digests.save()
    return Source(root, folders, found)


def source_token(shard: Shard) -> str:
    """Return a digest of every raw file of the color, and of the time-code overrides."""
    root = corpus_root()
    overrides = root / "corpus.toml"
    return digest(load_source(shard).digests, overrides.read_bytes() if overrides.exists() else None)


def reading_of(source: Source, folder: Path) -> Reading:
    """Read one song; the same bytes are read once per process."""
    files = {name: value for name, value in source.of(folder.name).items() if name.endswith((".yml", ".lrc"))}
    overrides = source.root / "corpus.toml"
    text = overrides.read_text("utf-8") if overrides.exists() else ""
    return _read(str(folder), str(source.root), tuple(sorted(files.items())), text)


@lru_cache(maxsize=4096)
def _read(folder: str, root: str, files: tuple[tuple[str, str], ...], overrides: str) -> Reading:
    reading, known = read_song(Path(folder), Path(root), load_overrides(Path(root))), dict(files)
    for name, sha256 in reading.read.items():
        if known.get(name) != sha256:
            raise SourceMoved(f"{reading.song_id}/{name}")
    return reading


def audible_end_ms(song: Song) -> int:
    """Return the song's length: of its mix, else of its longest readable stem, else from the text."""
    names = [[song.main_audio_file], [track.audio_file for track in song.tracks]]
    for candidates in names:
        lengths = [ms for name in candidates if name and (ms := _length_ms(song.folder / name)) is not None]
        if lengths:
            return max(lengths)
    return song.end_ms


def _length_ms(path: Path) -> int | None:
    try:
        info = probe(path)
    except (UnreadableAudio, FileNotFoundError):
        return None
    return info.frames * 1000 // info.sample_rate


def manifest_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the stems that the color's manifests name; an unusable song stands as one row under its own id."""
    source = load_source(shard)
    overrides = load_overrides(source.root)
    columns = ["key", "part", *BASE_MANIFEST.input_columns]
    rows = []
    for folder in source.folders:
        reading = reading_of(source, folder)
        files, said = source.of(folder.name), digest(asdict(overrides.of(folder.name)))
        texts = {name: value for name, value in files.items() if name.endswith((".yml", ".lrc"))}
        song = reading.song
        if song is None or not song.tracks:
            rows.append([folder.name, folder.name, digest(texts), said, None, None, None])
            continue
        mix = files.get(song.main_audio_file or "")
        shared = [digest(texts, sorted(files)), said, digest(mix, audible_end_ms(song))]
        for track in song.tracks:
            own = [files.get(track.audio_file or ""), files.get(track.midi or "")]
            rows.append([stem_id(song.song_id, track.track_id), song.song_id, *shared, *own])
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def manifest_rows(source: Source, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of one song as plain values; none where it cannot be used."""
    song = reading_of(source, folder).song
    if song is None:
        return []
    digests = source.of(folder.name)
    end_ms = audible_end_ms(song)
    shared = made_rows.song_values(song, end_ms, digests.get(song.main_audio_file or ""))
    return [{**shared, **made_rows.track_values(song, track, position, digests, end_ms)}
            for position, track in enumerate(song.tracks)]


def manifest_compute(work: Work) -> Iterator[Batch]:
    """Make the rows of each song whose manifest, lyrics or media changed."""
    source = load_source(work.shard)
    folders = {folder.name: folder for folder in source.folders}
    for song_id, asked in work.parts():
        reading, keys = reading_of(source, folders[song_id]), set(asked["key"])
        facts = {"anomalies": [anomaly.as_dict() for anomaly in reading.anomalies], "files": source.of(song_id)}
        rows = manifest_rows(source, folders[song_id])
        if not rows:
            reason = "unusable_song" if reading.song is None else "no_tracks"
            sentence = reading.quarantined.message if reading.quarantined else "the manifest lists no stem"
            yield Batch(song_id, tables.SCHEMA.empty_table(), {song_id: reason}, {**facts, "unusable": sentence})
            continue
        mix = rows[0]["main_audio_file"] or ""
        if set(asked["in:corpus.mix"]) != {digest(source.of(song_id).get(mix), rows[0]["end_ms"])}:
            raise SourceMoved(f"{song_id}/{mix}")  # its length was measured again
        made = [row for row in rows if row["stem_id"] in keys]
        yield Batch(song_id, pa.Table.from_pylist(made, schema=tables.SCHEMA), {}, facts)


_SONG = tuple(item.name for item in tables.SONG_FIELDS if item.name not in
              ("sections", "lines", "end_ms", "main_audio_file", "main_audio_sha256", "concept", "lrc_lyrics"))

_TEXT = ("corpus.text", "corpus.override")
BASE_MANIFEST = Step(
    name="base_manifest",
    inputs={"corpus": ("text", "override", "mix", "audio", "midi")},
    compute=manifest_compute,
    schema=tables.SCHEMA,
    fields={
        "song": _SONG, "concept": ("concept",), "lyrics": ("lrc_lyrics",), "slice": ("sections", "lines", "end_ms"),
        "words": ("lines",),
        "mix": ("main_audio_file", "main_audio_sha256", "end_ms"),
        "stem": ("track_id", "description", "audio_file", "midi_file", "midi_group_file", "group", "player"),
        "audio": ("audio_sha256",), "midi": ("midi_sha256",), "training_data": ("training_data",),
    },
    key="stem_id",
    identity=("id", "rainbow_color"),
    candidates=manifest_candidates,
    source=source_token,
    material={"in:corpus.audio": "sound", "in:corpus.midi": "MIDI file"},
    reasons=REASONS,
    flows={
        "song": _TEXT, "concept": _TEXT, "lyrics": _TEXT,
        "slice": (*_TEXT, "corpus.mix"), "words": _TEXT, "mix": (*_TEXT, "corpus.mix"),
        "stem": _TEXT,
        "audio": ("corpus.audio",), "midi": ("corpus.midi",), "training_data": (*_TEXT, "corpus.mix"),
    },
    cheap=True,
)
