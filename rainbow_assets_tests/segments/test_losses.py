"""Nothing is lost without a sum: songs and stems without rows, their reasons, and the readers' own sentences."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import soundfile as sf
import yaml

from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.verdicts import Verdict
from rainbow_assets.release.facts import anomaly_facts, gaps
from rainbow_assets.segments.losses import anomalies, losses_of
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.command import parsed, rainbow

BUILT = ("base_manifest", "song_splits", "segments", "segment_media", "training_segments", "training_full")


def build(*colors: str) -> ShardStore:
    store = ShardStore(os.environ["RAINBOW_DATA"])
    for name in BUILT:
        for color in colors:
            outcome = bring_up_to_date(GRAPH[name], store, color)
            assert outcome.problem is None and all(verdict.passed for verdict in outcome.verdicts), outcome.verdicts
    return store


def verdict(store: ShardStore, color: str) -> Verdict:
    outcome = bring_up_to_date(GRAPH["training_full"], store, color)
    return next(one for one in outcome.verdicts if one.check == "songs_accounted")


def copy(corpus: Path, source: str, song: str) -> Path:
    """Return the folder of a copy of a song under another id."""
    folder = corpus / song
    shutil.copytree(corpus / source, folder)
    for path in sorted(folder.iterdir()):
        path.rename(folder / path.name.replace(source, song))
    path = folder / f"{song}.yml"
    path.write_text(path.read_text("utf-8").replace(source, song), "utf-8")
    return folder


@pytest.fixture
def damaged(project: Path) -> Path:
    """Green songs: a whole one with one stem cut short and one missing, one without media, one that is not YAML, and
    one whose only stem has a MIDI file that cannot be read. The corpus."""
    corpus = project.parent / "corpus"
    first = yaml.safe_load((corpus / "05_01/05_01.yml").read_text("utf-8"))
    cut, gone = [track["audio_file"] for track in first["audio_tracks"] if track.get("audio_file")][:2]
    empty, broken, notes = (copy(corpus, "05_01", song) for song in ("05_02", "05_03", "05_04"))
    for track in first["audio_tracks"]:
        if track.get("audio_file") in (cut, gone):
            track.pop("midi_file", None)
            track.pop("midi_group_file", None)
    (corpus / "05_01/05_01.yml").write_text(yaml.safe_dump(first, sort_keys=False), "utf-8")
    (corpus / "05_01" / gone).unlink()
    # A FLAC whose header is whole, and that breaks off in the middle.
    samples, rate = sf.read(corpus / "05_01" / cut)
    sf.write(corpus / "05_01" / cut, samples, rate, format="FLAC")
    data = (corpus / "05_01" / cut).read_bytes()
    (corpus / "05_01" / cut).write_bytes(data[:len(data) // 2] + bytes(len(data) // 2))
    for path in (*empty.glob("*.wav"), *empty.glob("*.mid"), *notes.glob("*.wav"), *notes.glob("*.mid")):
        path.unlink()
    (broken / "05_03.yml").write_text("title: [\n", "utf-8")
    document = yaml.safe_load((notes / "05_04.yml").read_text("utf-8"))
    document.pop("main_audio_file", None)
    document["audio_tracks"] = [{"id": 1, "description": "Piano", "midi_file": "05_04.mid"}]
    (notes / "05_04.yml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    (notes / "05_04.mid").write_bytes(b"MThd no more")
    return corpus


def test_songs_and_stems_without_rows_are_summed_by_reason(damaged: Path) -> None:
    store = build("Green")
    (found,) = losses_of(store, ["Green"])
    assert (found.found, found.kept) == (4, 1)
    assert {loss.song: loss.reason for loss in found.songs} == {
        "05_02": "missing_audio", "05_03": "unusable_song", "05_04": "unreadable_midi"}
    assert {loss.reason for loss in found.stems} == {"missing_audio", "unreadable_audio"} and len(found.stems) == 2
    told = {anomaly.of: anomaly for anomaly in anomalies([found]) if anomaly.kind == "song_without_rows"}
    assert "05_04.mid is not a MIDI file" in told["05_04"].message and "unreadable_midi" in told["05_04"].message
    assert "05_03.yml" in told["05_03"].message
    for anomaly in anomalies([found]):
        if anomaly.kind == "stem_without_rows":
            assert anomaly.severity == "warning" and anomaly.where.startswith("field audio_tracks, track ")
            assert "does not exist" in anomaly.message or "breaks off" in anomaly.message or "is cut" in anomaly.message

    answer = verdict(store, "Green")
    assert answer.passed and answer.message.startswith("4 songs found = 1 in training_full + 3 without rows there")
    assert "unreadable_midi 1: 05_04" in answer.message
    assert answer.numbers["reasons"] == {"missing_audio": 1, "unreadable_midi": 1, "unusable_song": 1}

    ledger = ledger_frame(store.shard("segments", "Green"), ["part", "reason", "sentence"])
    assert ledger is not None
    own = ledger.filter(ledger["part"] == "05_04")
    assert set(own["reason"]) == {"unreadable_midi"} and "05_04.mid is not a MIDI file" in own["sentence"][0]


def test_the_card_lists_media_and_losses_as_it_lists_texts(damaged: Path) -> None:
    store = build(*COLOR_NAMES)
    counts = {fact.kind: (fact.severity, fact.count, fact.songs) for fact in anomaly_facts(store)}
    assert counts["missing_file"] == ("warning", 1, 1) and counts["no_media"][1:] == (1, 1)
    assert counts["unreadable_midi"] == ("error", 1, 1) and counts["unreadable_audio"] == ("error", 1, 1)
    assert counts["song_without_rows"] == ("warning", 3, 3) and counts["stem_without_rows"] == ("warning", 2, 1)
    sentences = gaps(GRAPH, store)
    assert "6 songs found = 3 in training_full + 3 without rows there (missing_audio 1: 05_02; " in sentences[0]
    assert any(sentence.startswith("05_04, song: the song has no row (unreadable_midi ") for sentence in sentences)
    assert sum(": the stem has no row (" in sentence for sentence in sentences) == 2


def test_a_whole_corpus_has_no_losses(project: Path) -> None:
    store = build("Green")
    (found,) = losses_of(store, ["Green", "Blue"])
    assert found.sentence() == "1 song found = 1 in training_full + 0 without rows there"
    assert anomalies([found]) == [] and verdict(store, "Green").passed


def test_a_file_that_is_mended_takes_its_sentence_along(damaged: Path) -> None:
    build("Green")
    folder = damaged / "05_04"
    shutil.copy(next((damaged / "05_01").glob("*.mid")), folder / "05_04.mid")
    (found,) = losses_of(build("Green"), ["Green"])
    assert (found.kept, sorted(loss.song for loss in found.songs)) == (2, ["05_02", "05_03"])


def test_a_build_prints_what_has_no_row(damaged: Path) -> None:
    done = rainbow("build", "--color", "Green", "--asset", "base_manifest", "--asset", "song_splits", "--asset",
                   "segments", "--asset", "segment_media", "--asset", "training_segments", "--asset", "training_full")
    assert done.exit_code == 0, done.output
    assert "without rows: 3 songs, and 2 stems of other songs" in done.output
    assert "warning: 05_04, song: the song has no row (unreadable_midi" in done.output
    (damaged / "05_04/05_04.mid").write_bytes(b"RIFF")
    again = rainbow("build", "--color", "Green", "--asset", "base_manifest", "--asset", "segments", "--json")
    assert again.exit_code == 0, again.output
    found = parsed(again)["without_rows"]
    assert {entry["kind"] for entry in found} == {"song_without_rows", "stem_without_rows"} and len(found) == 5
