"""Songs with two faults each are read right, or what is wrong is named; nothing is wrong without a word."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus import faulty
from rainbow_assets_tests.corpus.faulty import BASS, KEYS, MIX, PAD, Piece
from rainbow_assets_tests.counts import count

pytestmark = pytest.mark.heavy
AT_ONCE = 30
"""Songs of one corpus."""
TRACKS = (MIX, PAD, BASS)
SILENT_DB = -40.0
ASSETS = ("base_manifest", "segments", "segment_media")


def built(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Build the corpus; return {song: {"song": its first row, "rows": its segments with audio and MIDI}}."""
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))
    store = ShardStore(str(root.parent / "data"))
    for name in ASSETS:
        result = bring_up_to_date(GRAPH[name], store, "Green")
        assert result.problem is None, result.problem
    media = {row["segment_id"]: row for _, table in store.shard("segment_media", "Green").tables() for row in table.to_pylist()}
    found: dict[str, dict[str, Any]] = {}
    for row in store.shard("base_manifest", "Green").rows("id", "title", "lines", "end_ms"):
        found.setdefault(row["id"], {"song": row, "rows": []})
    for row in store.shard("segments", "Green").rows("segment_id", "song_id", "track_number", "start_ms", "end_ms"):
        found[row["song_id"]]["rows"].append({**row, **media[row["segment_id"]]})
    return found


def heard(row: dict[str, Any]) -> dict[int, tuple[float, float]]:
    """Return {second of the song: (loudest pitch in Hz, level in dB)} of the whole seconds in a row's audio."""
    samples, rate = sf.read(io.BytesIO(row["audio"]["bytes"]))
    found = {}
    for second in range(-(-row["start_ms"] // 1000), row["end_ms"] // 1000):
        first = round((second + 0.2 - row["start_ms"] / 1000) * rate)
        window = samples[first:first + round(0.6 * rate)]
        window = window - window.mean()
        power = np.abs(np.fft.rfft(window * np.hanning(len(window))))
        found[second] = (float(power.argmax() * rate / len(window)), 10 * np.log10(max(np.mean(window**2), 1e-12)))
    return found


def sound_differences(piece: Piece, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (file, what is wrong) of the sound of each stem."""
    wrong = []
    for number, file in enumerate(TRACKS):
        seconds = {second: value for row in rows if row["track_number"] == number and row["audio"]
                   for second, value in heard(row).items()}
        for second in range(faulty.SECONDS):
            pitch, level = seconds.get(second, (0.0, -120.0))
            if second in piece.sounding[file] and (level < SILENT_DB or abs(pitch - faulty.tone(second, number)) > 5):
                wrong.append((file, f"second {second}: {pitch:.0f} Hz at {level:.0f} dB"))
            elif second not in piece.sounding[file] and level >= SILENT_DB:
                wrong.append((file, f"second {second} sounds, {level:.0f} dB"))
    return wrong


def note_differences(piece: Piece, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (file, what is wrong) of the notes: onsets in the windows that are not the song's."""
    found = set()
    for row in rows:
        if row["track_number"] == 3 and row["midi_binary"]:
            song = MidiSong.load(row["midi_binary"])
            found |= {(round(row["start_ms"] + song.ms_at(note.on), -1), note.pitch) for note in song.notes
                      if song.ms_at(note.on) > 5 or any(ms == row["start_ms"] for ms, _ in piece.notes)}
    wanted = {(round(float(ms), -1), pitch) for ms, pitch in piece.notes}
    near = {(ms + off, pitch) for ms, pitch in wanted for off in (-10, 0, 10)}
    lost = [item for item in wanted if not {(item[0] + off, item[1]) for off in (-10, 0, 10)} & found]
    return [(KEYS, f"note {item} is lost") for item in lost] + [(KEYS, f"note {item}") for item in found - near]


def differences(piece: Piece, made: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (file, what is not as it was meant)."""
    song = made["song"]
    wrong = sound_differences(piece, made["rows"]) + note_differences(piece, made["rows"])
    if song["title"] != piece.title:
        wrong.append(("title", f"title {song['title']!r}"))
    lines = [(line["start_ms"], line["text"]) for line in song["lines"]]
    if lines != piece.lines:
        wrong.append(("lrc", f"lines {lines}"))
    if abs(song["end_ms"] - piece.end_ms) > 50:
        wrong.append(("lasts", f"end {song['end_ms']}"))
    return wrong


def names(subject: str, anomaly: Anomaly) -> bool:
    """Return True if the anomaly is about ``subject``: a file of the song, ``lrc``, or a field of the manifest."""
    if anomaly.severity == "info":
        return False
    if subject == "lrc":
        return anomaly.file.endswith(".lrc")
    text = f"{anomaly.file} {anomaly.where} {anomaly.message}".lower()
    return subject.partition(".")[0] in text


def verdict(piece: Piece, made: dict[str, Any] | None, anomalies: list[Anomaly]) -> tuple[str, list[tuple[str, str]]]:
    """Return how a song was read, and what is wrong with it."""
    wrong = [("contradiction", "the whole song")] if made is None else differences(piece, made)
    unsaid = [(file, what) for file, what in wrong if not any(names(file, anomaly) for anomaly in anomalies)]
    unsaid += [(file, "refused without a sentence") for file in piece.refused
               if not any(names(file, anomaly) for anomaly in anomalies)]
    if unsaid:
        return "silently wrong", unsaid
    if wrong:
        return "told and wrong", wrong
    if piece.refused:
        return "refused with a sentence", []
    return ("right" if all(anomaly.severity == "info" for anomaly in anomalies) else "told and right"), []


@pytest.mark.counted
@pytest.mark.parametrize("corpus", range(-(-count("faulty_songs") // AT_ONCE)))
def test_no_two_faults_make_a_song_silently_wrong(
    corpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    made = list(faulty.pieces(AT_ONCE, int(os.environ["RAINBOW_TEST_SEED"]) * 100_003 + corpus))
    for piece, _ in made:
        piece.write(tmp_path / "corpus")
    report, songs = lint_report(tmp_path / "corpus"), built(tmp_path / "corpus", monkeypatch)
    bad = []
    for piece, faults in made:
        known = [entry for entry in report.anomalies if entry.of == piece.song]
        how, wrong = verdict(piece, songs.get(piece.song), known)
        record_property("songs with two faults", how)
        if wrong:
            bad.append((how, faults, wrong[:3]))
    assert not bad, "\n".join(map(str, bad[:20]))


@pytest.mark.parametrize(("kind", "fault"), [(kind, fault) for kind, faults in faulty.KINDS.items() for fault in faults])
def test_a_fault_alone(tmp_path_factory: pytest.TempPathFactory, kind: str, fault: str) -> None:
    """Each fault alone is read right or named; all in one corpus, built once."""
    how, wrong = alone(tmp_path_factory)[kind, fault]
    assert not wrong, (how, wrong[:5])


KNOWN: dict[tuple[str, str], tuple[str, list[tuple[str, str]]]] = {}


def alone(places: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, list[tuple[str, str]]]]:
    """Return {(kind, fault): verdict}."""
    if KNOWN:
        return KNOWN
    root, made = places.mktemp("faulty") / "corpus", {}
    for number, (kind, fault) in enumerate((kind, fault) for kind, faults in faulty.KINDS.items() for fault in faults):
        piece = Piece(f"05_{number + 10:02d}", faulty.random.Random(number))
        faulty.KINDS[kind][fault](piece)
        piece.write(root)
        made[kind, fault] = piece
    with pytest.MonkeyPatch.context() as monkeypatch:
        report, songs = lint_report(root), built(root, monkeypatch)
    for key, piece in made.items():
        known = [entry for entry in report.anomalies if entry.of == piece.song]
        KNOWN[key] = verdict(piece, songs.get(piece.song), known)
    return KNOWN
