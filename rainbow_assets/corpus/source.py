"""The raw songs of a color: their folders, the digests of their files, and the content of their manifests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from rainbow_assets.corpus import manifest_rows as made_rows
from rainbow_assets.corpus.media import Facts, MediaFacts, Unreadable
from rainbow_assets.corpus.model import SongReading
from rainbow_assets.corpus.overrides import ARTIST, overrides_text, parse_overrides
from rainbow_assets.corpus.reader import folder_color, read_song, song_folders, song_listing
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.corpus.track_list import AUDIO, MIDI
from rainbow_assets.corpus.witnesses import Evidence, judge
from rainbow_assets.digests import digest
from rainbow_assets.door import MEDIA_BYTES, TEXT_BYTES, RefusedFile
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.ingest.names import Listing, has_ending
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.music.midi_file import MIDI_BYTES
from rainbow_assets.storage.shard import Shard

TEXTS = (".yml", ".lrc", ".txt")
"""Endings of manifests and lyrics."""


@dataclass(frozen=True)
class RawSongs:
    """The raw songs of one color with the digests of all their files."""

    root: Path
    folders: tuple[Path, ...]
    digests: dict[str, str]
    """Path relative to the root -> sha256."""
    media: dict[str, Facts]
    """Path relative to the root -> what the media file says of its song."""
    below: dict[str, Listing]
    """Song -> what its folder has."""
    decided: str
    """The text of ``corpus.toml``."""

    def of(self, song_id: str) -> dict[str, str]:
        """Return {file name: sha256} of one song's folder."""
        prefix = f"{song_id}/"
        return {name.removeprefix(prefix): value for name, value in self.digests.items() if name.startswith(prefix)}


def load_source(shard: Shard) -> RawSongs:
    """Return the raw songs of the shard's color, read once per evaluation."""
    root, color = corpus_root(), shard.partition
    cache = shard.store.cache_path("file_digests.json")
    return shard.store.once(("raw songs", root, color), partial(_load, root, color, cache))


def _load(root: Path, color: str, cache: Path | None) -> RawSongs:
    """Find the song folders of ``color`` and digest their files (cached by stat)."""
    folders = tuple(folder for folder in song_folders(root) if folder_color(folder) == color)
    digests = FileDigests(root, cache)
    facts = MediaFacts(cache.with_name("media_facts.json") if cache else None)
    found, media = {}, {}
    below = {folder.name: song_listing(folder) for folder in folders}
    for song, listed in below.items():
        for name in (f"{song}/{name}" for name in listed.names):
            is_media = has_ending(name, (*AUDIO, *MIDI))
            try:
                found[name] = digests.digest(name, _most_bytes(name))
            except RefusedFile as error:
                # Its readers refuse it as well, and say why; the other files are read.
                found[name] = digest("not read", str(error))
                if is_media:
                    media[name] = Unreadable(str(error).removeprefix(f"{song}/"))
                continue
            if is_media:
                media[name] = facts.of(root / name, found[name], partial(digests.holds, name))
    digests.save()
    facts.save()
    return RawSongs(root, folders, found, media, below, overrides_text(root))


def _most_bytes(name: str) -> int:
    """Return the size that the file ``name`` has at most if it is read."""
    return TEXT_BYTES if has_ending(name, TEXTS) else MIDI_BYTES if has_ending(name, MIDI) else MEDIA_BYTES


def source_token(shard: Shard) -> str:
    """Return a digest of every raw file of the color, and of the time-code overrides."""
    source = load_source(shard)
    odd = {song: dict(below.odd) for song, below in source.below.items() if below.odd}
    return digest(source.digests, source.decided.encode() if source.decided else None, *([odd] if odd else []))


def texts_of(files: dict[str, str]) -> dict[str, str]:
    """Return those of {file name: sha256} that may be a manifest or lyrics."""
    return {name: value for name, value in files.items() if has_ending(name, TEXTS)}


def reading_of(source: RawSongs, folder: Path) -> SongReading:
    """Return the reading of one song; the same bytes are read only once per process."""
    texts, below = texts_of(source.of(folder.name)), source.below[folder.name]
    return _read(str(folder), str(source.root), tuple(sorted(texts.items())), below.names, tuple(below.odd.items()),
                 source.decided)


@lru_cache(maxsize=4096)
def _read(
    folder: str, root: str, texts: tuple[tuple[str, str], ...], names: tuple[str, ...],
    odd: tuple[tuple[str, str], ...], decided: str,
) -> SongReading:
    reading = read_song(Path(folder), Path(root), parse_overrides(decided), below=Listing(names, dict(odd)))
    known = dict(texts)
    for name, sha256 in reading.read.items():
        # A file that changed after it was digested would give rows of one state with the digests of another.
        if known.get(name) != sha256:
            raise SourceMoved(f"{reading.song_id}/{name}")
    return reading


def judged(source: RawSongs, folder: Path) -> tuple[SongReading, Evidence | None]:
    """Return the reading of one song after its files were compared with its text, and the evidence."""
    reading, prefix = reading_of(source, folder), f"{folder.name}/"
    media = {name.removeprefix(prefix): facts for name, facts in source.media.items() if name.startswith(prefix)}
    return judge(reading, media, parse_overrides(source.decided).of(folder.name).trusted)


def manifest_rows(source: RawSongs, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of one song as plain values; [] if the song cannot be used."""
    reading, evidence = judged(source, folder)
    song = reading.song
    if song is None or evidence is None:
        return []
    digests, end_ms = source.of(folder.name), evidence.end.ms
    music = parse_overrides(source.decided).of(folder.name).music or ARTIST
    shared = made_rows.song_values(song, end_ms, digests.get(song.main_audio_file or ""), music)
    return [{**shared, **made_rows.track_values(song, track, position, digests, end_ms)}
            for position, track in enumerate(song.tracks)]
