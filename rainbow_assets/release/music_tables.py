"""The configs `audio` and `midi`: the sound and the notes from `segment_media`, with the facts that one trains with.

Both are joined by key, song by song, when a version is written. So media and texts are stored once, and a reader loads
one config.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.row_asset import column
from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.release.bundle import PartFile, ReleaseTable, UnreleasableTable, joined, shard_parts
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

OF_SONG = ("title", "concept", "key", "bpm")
"""Columns of `base_manifest` that a song's rows repeat."""
OF_SLICE = ("lyric_text", "structure_section", "track_description", "start_seconds", "duration_seconds")
"""Columns of `segments`."""
OF_NOTES = ("title", "key", "bpm", "track_description", "start_seconds", "duration_seconds")
"""The columns of `midi` that say where its notes are from; texts are joined by key."""
COUNTED = (column("midi_bpm", pa.float64(), "tempo at the start of the MIDI file, BPM"),
           column("notes", pa.int32(), "number of notes in the MIDI file"))
AUDIO_SECTION = ("Every audible segment, stems and mixes, as playable FLAC, with what one needs to train: title, "
                 "concept, key, tempo, lyric and section.")
MIDI_SECTION = ("The notes of every stem segment that has any, as a standalone MIDI file with its tempo. Join texts "
                "and sound by `segment_id`.")


def audio_table(graph: Graph, store: ShardStore, splits: Mapping[str, str]) -> ReleaseTable:
    """Return the rows of `audio` with their FLAC, the texts of their slices and the facts of their songs."""
    listed = graph["audio"].schema
    first = listed.names.index("split") + 1
    facts = _facts(graph, (*OF_SONG, *OF_SLICE))

    def listing(color: str, song: str) -> pa.Table:
        own = _song(store.shard("audio", color), song, listed.names, listed)
        return _with_facts(graph, store, color, song, own)

    media = graph["segment_media"].schema.field("audio")
    schema = pa.schema([*list(listed)[:first], *facts, *list(listed)[first:], media])
    return ReleaseTable("audio", _media(store), schema, AUDIO_SECTION, ("audio",), listing=listing, splits=splits)


def midi_table(graph: Graph, store: ShardStore, splits: Mapping[str, str]) -> ReleaseTable:
    """Return the MIDI of `segment_media` with its tempo and its number of notes."""
    media, own = graph["segment_media"].schema, graph["audio"].schema
    read = pa.schema([media.field("segment_id"), media.field("midi_binary")])

    def listing(color: str, song: str) -> pa.Table:
        shard = store.shard("segment_media", color)
        stems = [part for part in shard.require_index().parts if _song_of(part.group) == song]
        rows = pa.concat_tables([read.empty_table(), *(shard.read_part(part, read.names) for part in stems)])
        rows = rows.filter(rows["midi_binary"].is_valid())
        read_again = [MidiSong.load(data) for data in rows["midi_binary"].to_pylist()]
        columns = {"rainbow_color": [color] * len(rows), "split": [splits[song]] * len(rows),
                   "midi_bpm": [round(60e6 / midi.tempos[0][1], 3) for midi in read_again],
                   "notes": [len(midi.notes) for midi in read_again]}
        for item in (own.field("rainbow_color"), own.field("split"), *COUNTED):
            rows = rows.append_column(item, pa.array(columns[item.name], item.type))
        return _with_facts(graph, store, color, song, rows.drop_columns("midi_binary"))

    schema = pa.schema([*(own.field(name) for name in ("segment_id", "song_id", "rainbow_color", "split")),
                        *_facts(graph, OF_NOTES), *COUNTED, media.field("midi_digest"), media.field("midi_binary")])
    return ReleaseTable("midi", _media(store), schema, MIDI_SECTION, ("midi_binary",), listing=listing, splits=splits)


def _media(store: ShardStore) -> dict[str, list[PartFile]]:
    """Return the parts of `segment_media` by color, in order of song: each has the windows of a stem."""
    return {color: sorted(shard_parts(store.shard("segment_media", color), _song_of), key=lambda part: part.group)
            for color in COLOR_NAMES}


def _song_of(stem: str) -> str:
    return stem.rpartition("_t")[0]


def _song(shard: Shard, song: str, names: list[str], schema: pa.Schema) -> pa.Table:
    wanted = pa.schema([schema.field(name) for name in names])
    found = [shard.read_part(part, names) for part in shard.require_index().parts if part.group == song]
    return pa.concat_tables([wanted.empty_table(), *(rows.select(names).cast(wanted) for rows in found)])


def _facts(graph: Graph, names: tuple[str, ...]) -> list[pa.Field]:
    return [graph["base_manifest" if name in OF_SONG else "segments"].schema.field(name) for name in names]


def _with_facts(graph: Graph, store: ShardStore, color: str, song: str, rows: pa.Table) -> pa.Table:
    """Return ``rows`` with the columns of their slices and their song; raise if a row has no slice or no song."""
    slices = _song(store.shard("segments", color), song, ["segment_id", *OF_SLICE], graph["segments"].schema)
    songs = _song(store.shard("base_manifest", color), song, list(OF_SONG), graph["base_manifest"].schema)
    found = joined(rows, slices)
    if len(found) != len(rows) or (len(rows) and not len(songs)):
        raise UnreleasableTable(f"{len(rows) - len(found)} of {len(rows)} rows of {song} are not in segments, or "
                                "base_manifest does not have the song; run: rainbow build --repair")
    for name in OF_SONG if len(rows) else ():
        found = found.append_column(name, pa.repeat(songs[name][0], len(rows)))
    return found
