"""What must hold of the previews before a release may carry them."""

from __future__ import annotations

from collections.abc import Callable

from rainbow_assets import settings
from rainbow_assets.corpus.quality import splits_kept
from rainbow_assets.lineage.questions import names, relative_paths, unique_keys
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.release.audio_step import AUDIO
from rainbow_assets.release.preview_step import PREVIEW, PREVIEW_MIX, chosen_mixes, chosen_stems, eligible
from rainbow_assets.release.text import BUDGET_BYTES
from rainbow_assets.sound.flac import FlacMismatch, decode_flac
from rainbow_assets.sound.levels import rms_db
from rainbow_assets.storage.shard import Shard


def _enough(choose: Callable[[Shard, settings.PreviewRules], list[str]]) -> Callable[[Shard], Outcome]:
    def evaluate(shard: Shard) -> Outcome:
        """The preview holds min(N, eligible) rows, the very ones that the hash ranking chooses."""
        rules = settings.default_rules().preview
        segments = shard.store.shard("segments", shard.partition)
        expected = choose(segments, rules)
        found = shard.table(PREVIEW.schema, ["segment_id", "song_id"])
        keys = set(found.column("segment_id").to_pylist())
        songs = len(set(found.column("song_id").to_pylist()))
        possible = len(eligible(segments))
        numbers = {"asked": rules.samples, "eligible": possible, "rows": len(keys), "songs": songs}
        wrong = sorted(keys ^ set(expected))
        if wrong:
            return Outcome(False, f"the preview is not the {len(expected)} rows that the ranking chooses "
                                  f"({names(wrong)}); materialize {shard.asset} again", numbers)
        short = f", fewer than {rules.samples} for want of audible windows" if len(keys) < rules.samples else ""
        return Outcome(True, f"{len(keys)} rows from {songs} songs{short}", numbers)

    return evaluate


def rows_play(shard: Shard) -> Outcome:
    """Every row's FLAC decodes to its full length, sounds, is named `.flac`, and its text fits the viewer's page."""
    problems: dict[str, list[str]] = {}
    rows = total = 0
    for _, part in shard.tables(["segment_id", "audio", "duration_seconds", "concept", "lyric_text"]):
        for row in part.to_pylist():
            rows += 1
            total += len(row["audio"]["bytes"]) if row["audio"] else 0
            if problem := _problem(row):
                problems.setdefault(problem, []).append(row["segment_id"])
    numbers = {"rows": rows, "audio_bytes": total, **{name: len(keys) for name, keys in problems.items()}}
    if problems:
        said = "; ".join(f"{name}: {names(keys)}" for name, keys in sorted(problems.items()))
        return Outcome(False, f"one bad row spoils the viewer's whole page. {said}", numbers)
    return Outcome(True, f"{rows} rows play, {total / 1e6:.1f} MB", numbers)


def _problem(row: dict[str, object]) -> str | None:
    audio = row["audio"]
    if not isinstance(audio, dict) or not audio["bytes"]:
        return "has no audio"
    if audio["path"] != f"{row['segment_id']}.flac":
        return "is not named <segment_id>.flac"
    try:
        samples, bits, rate = decode_flac(audio["bytes"])
    except (FlacMismatch, RuntimeError, ValueError):
        return "does not decode"
    if abs(len(samples) / rate - float(str(row["duration_seconds"]))) > 2 / rate + 0.001:
        return "has another length than its slice"
    if rms_db(samples, bits) < settings.default_rules().audio.silence_db - 0.01:
        return "is silent"
    text = sum(len(str(row[name]).encode()) for name in ("concept", "lyric_text"))
    return "has more text than the viewer shows" if text > BUDGET_BYTES else None


def _checks(step: Step, choose: Callable[[Shard, settings.PreviewRules], list[str]]) -> tuple[Check, ...]:
    return (
        unique_keys(step), relative_paths(step),
        Check("enough_rows", step.name, _enough(choose), "min(N, eligible) rows, as the ranking chooses."),
        Check("rows_play", step.name, rows_play, "Each row decodes, sounds, and fits the dataset viewer."),
    )


def sounds_listed(shard: Shard) -> Outcome:
    """The rows are the windows of `segment_media` that sound, with the digest and the name of that very sound."""
    columns = ["segment_id", "audio_digest", "audio_frames", "bits"]
    own = {row["segment_id"]: row for row in shard.table(AUDIO.schema, columns).to_pylist()}
    media: dict[str, dict[str, object]] = {}
    unnamed = []
    for _, part in shard.store.shard("segment_media", shard.partition).tables([*columns, "audio.path"]):
        for row, audio in zip(part.select(columns).to_pylist(), part["audio"].to_pylist(), strict=True):
            path = audio["path"] if audio else None
            if path is not None:
                media[row["segment_id"]] = row
                unnamed += [row["segment_id"]] if path != f"{row['segment_id']}.flac" else []
    missing, extra = sorted(media.keys() - own.keys()), sorted(own.keys() - media.keys())
    other = sorted(key for key in own.keys() & media.keys() if own[key] != media[key])
    numbers = {"rows": len(own), "sounds": len(media), "missing": len(missing), "extra": len(extra),
               "other_sound": len(other), "not_named_flac": len(unnamed)}
    if missing or extra or other or unnamed:
        return Outcome(False, f"audio does not list the sounds of segment_media: {len(missing)} are missing "
                              f"({names(missing)}), {len(extra)} do not sound ({names(extra)}), {len(other)} are other "
                              f"sounds ({names(other)}), {len(unnamed)} are not named <segment_id>.flac "
                              f"({names(unnamed)}); materialize segment_media and audio again", numbers)
    return Outcome(True, f"{len(own)} windows that sound, stems and mixes", numbers)


def audio_checks() -> tuple[Check, ...]:
    """Return the checks of `audio`."""
    return (unique_keys(AUDIO), splits_kept(AUDIO),
            Check("sounds_listed", AUDIO.name, sounds_listed, "The rows are the sounds of segment_media, each once."))


def preview_checks() -> tuple[Check, ...]:
    """Return the checks of `preview`."""
    return _checks(PREVIEW, chosen_stems)


def preview_mix_checks() -> tuple[Check, ...]:
    """Return the checks of `preview_mix`."""
    return _checks(PREVIEW_MIX, chosen_mixes)
