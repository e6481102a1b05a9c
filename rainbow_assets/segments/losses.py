"""What has no row: songs without a row in `training_full`, and stems without a row in `segments`, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from rainbow_assets.corpus.anomalies import KINDS
from rainbow_assets.corpus.ids import MIX_TRACK, stem_id, stem_of
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.lineage.ledger import STATUS_OK
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.text import counted, some

NO_WINDOW = "no_window"
"""The reason of a song that has rows in `base_manifest` but no length, so that it has no windows."""
UNEXPLAINED = "unexplained"
"""The reason of a song whose stems have rows in `segments`, and that is in `training_full` nevertheless not."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A song without rows, or with ``stem`` one stem of a song that has rows.

    ``reasons``: how many windows have no row for each reason (an unusable song has one, of `base_manifest`).
    ``sentences`` are the readers' own words.
    """

    song: str
    stem: str | None
    reasons: Mapping[str, int]
    sentences: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The most frequent reason."""
        return max(self.reasons, key=lambda name: (self.reasons[name], name), default=NO_WINDOW)

    def anomaly(self) -> Anomaly:
        """Return the loss as an irregularity of its song."""
        kind = "stem_without_rows" if self.stem else "song_without_rows"
        what = "the song has" if self.stem is None else "the mix has" if self._is_mix else "the stem has"
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.reasons.items())) or NO_WINDOW
        message = f"{what} no row ({counts})" + (f": {some(self.sentences, 2, '; ')}" if self.sentences else "")
        return Anomaly(self.song, f"{self.song}/{self.song}.yml", self._where, kind, KINDS[kind][0], message,
                       "correct its files, or leave it out on purpose")

    @property
    def _is_mix(self) -> bool:
        return self.stem == stem_id(self.song, MIX_TRACK)

    @property
    def _where(self) -> str:
        if self.stem is None:
            return "song"
        if self._is_mix:
            return "field main_audio_file"
        return f"field audio_tracks, track {int(self.stem.rpartition('_t')[2])}"


@dataclass(frozen=True, slots=True)
class Losses:
    """The sum of one color: ``found`` songs = ``kept`` songs with rows in `training_full` + ``songs`` without."""

    found: int
    kept: int
    songs: tuple[Loss, ...] = ()
    stems: tuple[Loss, ...] = ()

    def reasons(self) -> dict[str, list[str]]:
        """Return {reason: the songs without rows}, each song under its most frequent reason."""
        found: dict[str, list[str]] = {}
        for loss in self.songs:
            found.setdefault(loss.reason, []).append(loss.song)
        return dict(sorted(found.items()))

    def sentence(self) -> str:
        """Return the sum of the songs, with the reasons."""
        why = "; ".join(f"{name} {len(songs)}: {some(songs)}" for name, songs in self.reasons().items())
        return (f"{counted(self.found, 'song')} found = {self.kept} in training_full + {len(self.songs)} without rows "
                "there" + (f" ({why})" if why else ""))


def anomalies(found: Iterable[Losses]) -> list[Anomaly]:
    """Return an irregularity for each song and each stem without rows."""
    return [loss.anomaly() for one in found for loss in (*one.songs, *one.stems)]


def unreadable_audio(segments: Shard) -> set[tuple[str, str]]:
    """Return (song, sentence) of each audio file that a build could not read, whether or not its stem has rows."""
    found = _with_sentence(segments, ["key", "part", "status", "reason", "sentence"])
    rows = found.filter(pl.col("reason") == "unreadable_audio", pl.col("sentence").is_not_null())
    return set(rows.select("part", "sentence").iter_rows())


def losses(manifest: Shard, segments: Shard, full: Shard) -> Losses:
    """Return what has no row in a color; raise ``MissingShard`` if one of the three shards was never built."""
    names = ["key", "part", "status", "reason", "sentence"]
    stems, windows = (_with_sentence(shard, names) for shard in (manifest, segments))
    windows = windows.with_columns(stem_of(pl.col("key")).alias("stem"))
    good = windows.filter(pl.col("status") == STATUS_OK)
    kept = {part.group for part in full.require_index().parts if part.rows}
    sounding = set(good["stem"])
    lost, silent = [], []
    by_song = _by(windows.filter(~pl.col("stem").str.ends_with(f"_t{MIX_TRACK:02d}").fill_null(value=False)), "part")
    by_stem = _by(windows, "stem")
    songs = _by(stems, "part")
    for song, own in songs.items():
        if song not in kept:
            lost.append(_song(song, own, by_song.get(song, windows.clear())))
            continue
        mine = {*own["key"], stem_id(song, MIX_TRACK)} & (set(own["key"]) | by_stem.keys())
        silent += [_loss(song, stem, by_stem.get(stem, windows.clear())) for stem in sorted(mine - sounding)]
    return Losses(len(songs), len(songs) - len(lost), tuple(lost), tuple(silent))


def _with_sentence(shard: Shard, names: list[str]) -> pl.DataFrame:
    shard.require_index()
    found = shard.ledger(names)
    assert found is not None
    # A ledger of older code has no sentences.
    return found if "sentence" in found.columns else found.with_columns(pl.lit(None, pl.String).alias("sentence"))


def _by(frame: pl.DataFrame, name: str) -> dict[str, pl.DataFrame]:
    found = {str(value): rows for (value,), rows in frame.partition_by(name, as_dict=True).items()}
    return dict(sorted(found.items()))


def _song(song: str, own: pl.DataFrame, windows: pl.DataFrame) -> Loss:
    if not (own["status"] == STATUS_OK).any():
        return _loss(song, None, own)
    if (windows["status"] == STATUS_OK).any():
        return Loss(song, None, {UNEXPLAINED: 1})
    return _loss(song, None, windows)


def _loss(song: str, stem: str | None, rows: pl.DataFrame) -> Loss:
    reasons = Counter(str(reason) for reason in rows["reason"])
    sentences = dict.fromkeys(str(text) for text in rows["sentence"] if text)
    return Loss(song, stem, dict(sorted(reasons.items())), tuple(sentences))


def losses_of(store: ShardStore, colors: Iterable[str]) -> list[Losses]:
    """Return the sums of those ``colors`` whose `base_manifest`, `segments` and `training_full` have been built."""
    found = []
    for color in colors:
        shards = [store.shard(name, color) for name in ("base_manifest", "segments", "training_full")]
        if all(shard.index() is not None for shard in shards):
            found.append(losses(*shards))
    return found


def summed(found: Iterable[Losses]) -> Losses:
    """Return one sum for several colors."""
    all_of = list(found)
    return Losses(sum(one.found for one in all_of), sum(one.kept for one in all_of),
                  tuple(loss for one in all_of for loss in one.songs),
                  tuple(loss for one in all_of for loss in one.stems))
