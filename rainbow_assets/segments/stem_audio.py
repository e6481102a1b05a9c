"""The sound of a stem in each window: whether it is kept, in which channel, and how loud it is.

Whether something sounds is judged by the channels of the file (:mod:`rainbow_assets.sound.channels`). What is kept is
judged once more, because a gain or a lower sample rate may leave nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.ingest.unmoved import unmoved
from rainbow_assets.segments.raw_slices import Slice
from rainbow_assets.segments.settings import AudioRules
from rainbow_assets.sound.channels import WindowLevels, kept_channel
from rainbow_assets.sound.fingerprint import sound_print
from rainbow_assets.sound.levels import span_frames, window_digest, window_levels
from rainbow_assets.sound.stems import Stem, UnreadableAudio, read_stem
from rainbow_assets.sound.windows import window_of

PROBLEMS = ("missing_audio", "unreadable_audio", "offset", "buried")
"""Reasons that are a fault of the file; that a stem is silent, or shorter than its song, is none."""


@dataclass(frozen=True, slots=True)
class WindowAudio:
    """The columns of a window's audio.

    ``reason``: why it is not kept; None if it is, or if the stem names no file. ``sentence``: what the file has wrong.
    """

    kept: bool
    reason: str | None
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    sentence: str | None = None


def stem_audio(path: Path | None, sha256: str | None, wanted: Sequence[Slice], rules: AudioRules) -> list[WindowAudio]:
    """Return the audio of each wanted slice of one stem, whose file is ``path``; raise ``SourceMoved``."""
    data = None if path is None else unmoved(path, sha256)
    if path is None or data is None:
        return [_without("missing_audio", f"{path.name} does not exist") if path else _without(None)] * len(wanted)
    try:
        found = dict(_measured(path, data, wanted, rules))
    except UnreadableAudio as error:
        return [_without("unreadable_audio", str(error))] * len(wanted)
    return [found[number] for number in range(len(wanted))]


def _without(reason: str | None, sentence: str | None = None) -> WindowAudio:
    return WindowAudio(False, reason, {"audio_problem": reason}, sentence)


def _measured(path: Path, data: bytes, wanted: Sequence[Slice], rules: AudioRules) -> Iterator[tuple[int, WindowAudio]]:
    """Yield (number, audio) of each slice; decode the file again for each channel that is kept instead of the mean."""
    stem = read_stem(path, rules.sample_rate, data=data, windows_ms=[(one.start_ms, one.end_ms) for one in wanted])
    source = stem.levels
    channels = [kept_channel(levels, rules.silence_db) for levels in source]
    for channel in sorted(set(channels), key=lambda one: -1 if one is None else one):
        if channel is not None:
            del stem  # so that only one is in memory
            stem = read_stem(path, rules.sample_rate, data=data, channel=channel)
        numbers = [number for number, one in enumerate(channels) if one == channel]
        spans = [span_frames(wanted[number].start_ms, wanted[number].end_ms, stem.sample_rate) for number in numbers]
        levels = window_levels(stem.samples, stem.bits, spans)
        for number, (first, _), *own in zip(numbers, spans, *levels, strict=True):
            rms, peak = (round(float(level), 3) for level in own)
            reason = _reason(source[number], rms, stem, rules.silence_db) if first < len(stem.samples) else "past_end"
            values = {"rms_db": rms, "peak_db": peak, **_source_values(source[number]),
                      "audio_problem": reason if reason in PROBLEMS else None}
            if reason is None:
                values.update(_kept_values(stem, wanted[number]))
            yield number, WindowAudio(reason is None, reason, values)


def _reason(source: WindowLevels, rms_db: float, stem: Stem, silence_db: float) -> str | None:
    """Return why nothing of a window is kept, or None; ``rms_db`` is the level of what would be kept."""
    if source.loudest_db < silence_db:
        return "offset" if source.uncentered_db >= silence_db else "silent"
    if rms_db >= silence_db:
        return None
    return "buried" if rms_db - stem.gain_db >= silence_db else "silent"


def _source_values(levels: WindowLevels) -> dict[str, Any]:
    return {"source_rms_db": levels.loudest_db, "source_peak_db": levels.peak_db, "source_offset": levels.offset,
            "clipped_runs": levels.clipped_runs}


def _kept_values(stem: Stem, slice_: Slice) -> dict[str, Any]:
    window = window_of(stem, slice_.start_ms, slice_.end_ms)
    return {
        "audio_padding_ms": window.padding_ms, "source_sample_rate": stem.source_rate,
        "source_channels": stem.channels, "mono": stem.mono, "bits": stem.bits, "gain_db": round(stem.gain_db, 6),
        "audio_digest": window_digest(window.samples, stem.bits, stem.sample_rate),
        "sound_print": sound_print(window.samples, stem.sample_rate),
    }
