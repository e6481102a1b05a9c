"""Every check passes on good data, and fails, with numbers and a name, when its data are broken.

The data are made wrong, not corrupt: a part is rewritten and listed with its new digest, so that only the check
itself can see what happened.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.embeddings import drift
from rainbow_assets.lineage import parts
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.release.publish import publish
from rainbow_assets.release.tables import ReleaseRefused
from rainbow_assets.settings import FitnessRules, Rules
from rainbow_assets.sound.flac import decode_flac, encode_flac
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets.storage.shard import Part, Shard
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.threads.thread_manifests import places
from rainbow_assets_tests.composition.songs import SMALL, STAGES, commissioned
from rainbow_assets_tests.threads import synth

COLOR = "Red"
FEW = Rules(composition=SMALL, fitness=FitnessRules(max_epochs=1, folds=3, device="cpu"))
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def template(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything built once."""
    data = tmp_path_factory.mktemp("template") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_CORPUS", str(tiny_corpus))
        patch.setenv("RAINBOW_THREADS", str(data.parent / "raw"))
        for seed in range(3):
            synth.write_thread(data.parent / "raw", seed, files=30)
        store = ShardStore(str(data))
        commissioned(store)
        for step in GRAPH.values():
            for partition in step.partitions:
                outcome = bring_up_to_date(step, store, partition, FEW)
                assert outcome.problem is None, outcome.problem
    return data


@pytest.fixture
def store(template: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> ShardStore:
    """A copy to break, with a corpus and raw threads of its own."""
    shutil.rmtree(project)
    shutil.copytree(template, project)
    shutil.copytree(template.parent / "raw", project.parent / "raw")
    monkeypatch.setenv("RAINBOW_THREADS", str(project.parent / "raw"))
    return ShardStore(str(project))


def rewrite(shard: Shard, change: Callable[[Rows], Rows]) -> None:
    """Change the rows of the shard's largest part and list the part as what it now is."""
    step, index = GRAPH[shard.asset], shard.require_index()
    part = max(index.parts, key=lambda part: (part.rows, part.group))
    rows = change(shard.read_part(part).to_pylist())
    table = pa.Table.from_pylist(rows, schema=step.schema)
    with shard.files.staged() as staged:
        written = write_parquet(staged, [table], step.schema, step.media)
        shard.files.adopt(staged, f"{part.group}-broken.parquet")
    broken = Part(part.group, f"{part.group}-broken.parquet", written.sha256, written.rows, written.bytes, part.facts)
    shard.replace_index(dataclasses.replace(index, parts=tuple(broken if p is part else p for p in index.parts)))


def with_first(**values: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**rows[0], **values}, *rows[1:]]


def sounding(rows: Rows, change: Callable[[bytes], bytes | None]) -> Rows:
    """Change the FLAC of the first row that has one."""
    place = next(n for n, row in enumerate(rows) if row["audio"])
    data = change(rows[place]["audio"]["bytes"])
    audio = None if data is None else {**rows[place]["audio"], "bytes": data}
    return [*rows[:place], {**rows[place], "audio": audio}, *rows[place + 1:]]


def samples_to(change: Callable[[Any, int], Any]) -> Callable[[Rows], Rows]:
    def apply(data: bytes) -> bytes:
        samples, bits, rate = decode_flac(data)
        return encode_flac(change(samples, bits).astype(np.int32), bits, rate)

    return lambda rows: sounding(rows, apply)


def clip(samples: Any, bits: int) -> Any:
    samples = samples.copy()
    samples[100:200] = 2 ** (bits - 1) - 1
    return samples


def midi(rows: Rows, data: bytes | None) -> Rows:
    place = next(n for n, row in enumerate(rows) if row["midi_binary"])
    return [*rows[:place], {**rows[place], "midi_binary": data}, *rows[place + 1:]]


def without_songs(shard: Shard) -> None:
    """Empty the ledger and the table, as a reader that skips every song would."""
    rewrite(shard, lambda rows: [])


def forget_ledger_rows(shard: Shard) -> None:
    ledger = ledger_frame(shard)
    assert ledger is not None
    fields = parts.write_ledger(shard, ledger.slice(0, len(ledger) - 3))
    shard.replace_index(dataclasses.replace(shard.require_index(), **fields))


def vectors(column: str, change: Callable[[int, list[float]], list[float] | None]) -> Callable[[Shard], None]:
    """Change the n-th vector of a part; rows without one stay null."""
    def apply(rows: Rows) -> Rows:
        filled = iter(range(len(rows)))
        return [row if row[column] is None else {**row, column: change(next(filled), row[column])} for row in rows]

    return lambda shard: rewrite(shard, apply)


def collapse(column: str) -> Callable[[Shard], None]:
    """Every row has an input of its own, and all of them have one vector: what a broken checkpoint gives."""
    def apply(rows: Rows) -> Rows:
        one = next(row[column] for row in rows if row[column] is not None)
        return [{**row, column: one, "input_digest": f"{n:032x}"} for n, row in enumerate(rows)]

    return lambda shard: rewrite(shard, apply)


def shuffle(rows: Rows) -> Rows:
    """Give each row the vector of the row that is half a part away, as a join by position would."""
    held = [row["audio_emb"] for row in rows]
    turned = held[::2] + held[1::2]
    return [{**row, "audio_emb": vector} for row, vector in zip(rows, turned, strict=True)]


def drifted(column: str) -> Callable[[Shard], None]:
    """The last release had other vectors for the same inputs and the same spec."""
    def apply(shard: Shard) -> None:
        drift.remember(shard, column)
        vectors(column, lambda n, value: value[::-1])(shard)

    return apply


COMPOSED = (*STAGES, "final_candidates")
LATE = [{"start_ms": 10**8, "text": "late", "line_number": 4}]
BREAK: dict[tuple[str, str], Callable[[Shard], None]] = {
    ("base_manifest", "songs_accounted"): lambda shard: shutil.copytree(
        corpus_root() / "02_01", corpus_root() / "02_09"),
    ("base_manifest", "color_has_rows"): without_songs,
    ("base_manifest", "stamps_plausible"): lambda shard: rewrite(
        shard, lambda rows: [{**row, "lines": LATE} for row in rows]),
    ("song_splits", "splits_by_song"): lambda shard: rewrite(shard, with_first(song_id="02_77")),
    ("segments", "slices_expected"): forget_ledger_rows,
    ("segments", "time_covered"): lambda shard: rewrite(
        shard, lambda rows: [{**rows[0], "end_ms": rows[0]["start_ms"] + 100}, *rows[1:]]),
    ("segments", "rows_inside"): lambda shard: rewrite(shard, with_first(end_ms=10**9)),
    ("segment_media", "matches_segments"): lambda shard: rewrite(shard, lambda rows: rows[1:]),
    ("segment_media", "media_present"): lambda shard: rewrite(shard, lambda rows: sounding(rows, lambda _: None)),
    ("segment_media", "audio_playable"): lambda shard: rewrite(shard, samples_to(lambda samples, bits: samples * 0)),
    ("segment_media", "midi_fits"): lambda shard: rewrite(
        max_midi(shard), lambda rows: midi(rows, b"MThd no midi at all")),
    ("training_segments", "stems_only"): lambda shard: rewrite(shard, lambda rows: rows[:-1]),
    ("training_full", "matches_training_segments"): lambda shard: rewrite(shard, lambda rows: rows[2:]),
    ("training_full", "splits_kept"): lambda shard: rewrite(shard, with_first(split="test")),
    ("training_full", "songs_accounted"): lambda shard: rewrite(shard, lambda rows: []),
    ("audio", "splits_kept"): lambda shard: rewrite(shard, with_first(split="test")),
    ("audio", "sounds_listed"): lambda shard: rewrite(shard, with_first(audio_digest="0" * 64)),
    ("preview", "enough_rows"): lambda shard: rewrite(shard, lambda rows: rows[1:]),
    ("preview", "rows_play"): lambda shard: rewrite(shard, lambda rows: sounding(rows, lambda data: data[:200])),
    ("preview_mix", "enough_rows"): lambda shard: rewrite(shard, lambda rows: rows[:-1]),
    ("preview_mix", "rows_play"): lambda shard: rewrite(shard, lambda rows: sounding(rows, lambda _: None)),
}
for _asset, _column in (("concept_embeddings", "concept_emb"), ("lyric_embeddings", "lyric_emb"),
                        ("audio_embeddings", "audio_emb")):
    BREAK[_asset, "matches_segments"] = lambda shard: rewrite(shard, lambda rows: rows[1:])
    BREAK[_asset, "missing_is_null"] = vectors(_column, lambda n, value: [0.0] * len(value))
    BREAK[_asset, "vectors_sound"] = vectors(_column, lambda n, value: [float("nan"), *value[1:]])
    BREAK[_asset, "not_collapsed"] = collapse(_column)
    BREAK[_asset, "no_drift"] = drifted(_column)
BREAK["audio_embeddings", "stems_sound_alike"] = lambda shard: rewrite(shard, shuffle)
for _asset in ("base_manifest", "song_splits", "segments", "segment_media", "training_segments", "training_full",
               "concept_embeddings", "lyric_embeddings", "audio_embeddings", "audio", "preview", "preview_mix", "chord_library",
               "progression_library", "function_graph", "chord_graph", "thread_manifests", "thread_index", "result_feedback",
               "negative_constraints", "piano_rolls", "fusion_training_set", "fusion_model", "fusion_evaluation",
               "chromatic_scorer", *COMPOSED, "human_evaluation"):
    BREAK[_asset, "unique_keys"] = lambda shard: rewrite(shard, lambda rows: [rows[0], *rows])
for _asset, _column in (("base_manifest", "audio_file"), ("segments", "midi_file"), ("preview", "concept"),
                        ("training_segments", "source_audio_file"), ("training_full", "lrc_file"),
                        ("preview_mix", "title")):
    BREAK[_asset, "relative_paths"] = lambda shard, column=_column: rewrite(
        shard, with_first(**{column: "/Users/somebody/song.wav"}))


BREAK["piano_rolls", "rolls_complete"] = lambda shard: rewrite(shard, lambda rows: rows[1:])
BREAK["piano_rolls", "rolls_hold_notes"] = lambda shard: rewrite(shard, with_first(note_count=999))
BREAK["fusion_training_set", "all_segments"] = lambda shard: rewrite(shard, lambda rows: rows[1:])
BREAK["fusion_training_set", "nothing_leaks"] = lambda shard: rewrite(shard, with_first(fold=99))
BREAK["fusion_training_set", "targets_as_taxonomy"] = lambda shard: rewrite(shard, with_first(temporal=[1.0, 0.0, 0.0]))
BREAK["fusion_model", "models_learned"] = lambda shard: rewrite(shard, lambda rows: [
    {**row, "history": [{**item, "train_loss": float("nan")} for item in row["history"]]} for row in rows])
BREAK["fusion_model", "models_apart"] = lambda shard: rewrite(shard, with_first(test_songs=0))
BREAK["fusion_evaluation", "permuted_is_chance"] = lambda shard: rewrite(shard, lambda rows: [
    {**row, "measures": [{**item, "p_value": 0.0001} for item in row["measures"]]} for row in rows])
BREAK["chromatic_scorer", "scorer_as_torch"] = lambda shard: rewrite(shard, with_first(parity=0.5))
BREAK["chromatic_scorer", "status_told"] = lambda shard: rewrite(shard, with_first(status="discriminative"))
for _asset in COMPOSED:
    BREAK[_asset, "pieces_whole"] = lambda shard: rewrite(shard, with_first(time_signature="3/4", midi_sha256="0" * 64))
for _asset in STAGES:
    BREAK[_asset, "candidates_differ"] = lambda shard: rewrite(
        shard, lambda rows: [{**row, "midi_sha256": rows[0]["midi_sha256"]} for row in rows])
    BREAK[_asset, "scores_told"] = lambda shard: rewrite(
        shard, lambda rows: [{**row, "scorer_status": "discriminative", "fitness": 0.0} for row in rows])
BREAK["chord_candidates", "songs_composed"] = lambda shard: shutil.copytree(
    Path(shard.store.files.root) / "compositions/green-field-notes",
    Path(shard.store.files.root) / "compositions/green-later")
BREAK["final_candidates", "finals_sound"] = lambda shard: rewrite(shard, with_first(flac=b"fLaC and no more"))
BREAK["human_evaluation", "reviews_taken"] = lambda shard: (
    Path(shard.store.files.root) / "compositions/green-field-notes/review.yml").write_text("candidates: [", "utf-8")
BREAK["human_evaluation", "verdicts_whole"] = lambda shard: rewrite(shard, with_first(rainbow_color="Pink"))
BREAK["chord_library", "notes_match_names"] = lambda shard: rewrite(shard, with_first(voicing=[36, 37, 38]))
BREAK["chord_library", "functions_complete"] = lambda shard: rewrite(
    shard, lambda rows: [row for row in rows if (row["key"], row["function"]) != ("E major", "vi")])
BREAK["chord_library", "scores_keep"] = lambda shard: rewrite(
    shard, lambda rows: [{**row, "function": "V"} if row["chord_name"] == "Bb" else row for row in rows])
BREAK["progression_library", "progressions_sound"] = lambda shard: rewrite(
    shard, lambda rows: [{**rows[0], "duration_ms": rows[0]["duration_ms"][:-1]}, *rows[1:]])
for _asset in ("function_graph", "chord_graph"):
    BREAK[_asset, "rows_sum_to_one"] = lambda shard: relink(shard, lambda link: link.update(probability=0.5))
    BREAK[_asset, "both_modes"] = lambda shard: relink(shard, lambda link: link.update(count=0))


def packed(change: Callable[[Path], None]) -> Callable[[Shard], None]:
    """Change the folder of one packed thread."""
    return lambda shard: change(sorted(places(shard)[1].glob("*/manifest.yml"))[0].parent)


def manifest(change: Callable[[dict[str, Any]], None]) -> Callable[[Shard], None]:
    """Change the manifest of one packed thread."""
    def apply(folder: Path) -> None:
        document = yaml.safe_load((folder / "manifest.yml").read_text("utf-8"))
        change(document)
        (folder / "manifest.yml").write_text(yaml.safe_dump(document), "utf-8")

    return packed(apply)


def without_a_listed_file(shard: Shard) -> None:
    """Take a file that a manifest lists out of the raw threads."""
    next((places(shard)[0]).glob("*/md/*_CHROMATIC_SYNTHESIS.md")).unlink()


BREAK["thread_manifests", "every_folder_accounted_for"] = lambda shard: (places(shard)[0] / "a new folder").mkdir()
BREAK["thread_manifests", "ids_are_unique"] = manifest(lambda document: document.update(thread_id="another"))
BREAK["thread_manifests", "copies_are_true"] = packed(
    lambda folder: next(folder.glob("png/*")).write_bytes(b"something else"))
BREAK["thread_manifests", "keys_are_read_or_flagged"] = manifest(
    lambda document: document.update(key="C major", key_tonic=None))
BREAK["thread_manifests", "colors_match_taxonomy"] = manifest(lambda document: document.update(mnemonic="Q"))
BREAK["thread_manifests", "nothing_listed_is_pruned"] = without_a_listed_file
BREAK["thread_manifests", "no_absolute_paths"] = packed(
    lambda folder: next(folder.glob("md/*.md")).write_text("see /Users/somebody/song.wav", "utf-8"))
BREAK["thread_manifests", "rows_are_manifests"] = lambda shard: rewrite(shard, with_first(title="Another"))
BREAK["thread_index", "matches_thread_manifests"] = lambda shard: rewrite(shard, lambda rows: [])
BREAK["result_feedback", "figures_possible"] = lambda shard: rewrite(
    shard, with_first(normalized_key_entropy_bits=99.0))
BREAK["negative_constraints", "file_says_the_same"] = lambda shard: rewrite(shard, lambda rows: rows[1:])


def relink(shard: Shard, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every edge of one mode of a graph."""
    def apply(rows: Rows) -> Rows:
        document = json.loads(rows[0]["node_link"])
        for link in document["links"]:
            change(link)
        return [{**rows[0], "node_link": json.dumps(document)}, *rows[1:]]

    rewrite(shard, apply)


def max_midi(shard: Shard) -> Shard:
    """Make a part with MIDI the one that `rewrite` picks: drop larger parts' rows from consideration."""
    index = shard.require_index()
    with_notes = {part.group for part in index.parts
                  if any(data is not None for data in shard.read_part(part, ["midi_binary"]).column(0).to_pylist())}
    parts = tuple(part for part in index.parts if part.group in with_notes)
    shard.replace_index(dataclasses.replace(index, parts=parts))
    return shard


def declared() -> list[tuple[str, str]]:
    return [(asset, check.name) for asset in GRAPH for check in GRAPH[asset].checks]


def test_every_check_has_a_test_that_breaks_it():
    assert sorted(BREAK) == sorted(declared())


@pytest.mark.parametrize(("asset", "name"), declared(), ids=str)
def test_it_passes_on_good_data_and_fails_on_broken(store: ShardStore, asset: str, name: str):
    check = next(check for check in GRAPH[asset].checks if check.name == name)
    shard = store.shard(asset, COLOR if GRAPH[asset].colored else WHOLE)
    good = check.evaluate(shard)
    assert good.passed, good.message
    assert good.numbers
    BREAK[asset, name](shard)
    bad = check.evaluate(shard)
    assert not bad.passed
    assert len(bad.message) > 30
    assert bad.numbers
    assert bad.message != good.message
    if GRAPH[asset].colored:
        empty = check.evaluate(store.shard(asset, "White"))
        assert empty.passed, "a color without songs is no failure"


@pytest.mark.parametrize(("change", "problem"), [
    (samples_to(lambda samples, bits: samples[: len(samples) - 3]), "wrong length"),
    (samples_to(clip), "clipped"),
    (samples_to(lambda samples, bits: samples * 0), "silent"),
    (lambda rows: sounding(rows, lambda data: data[: len(data) // 2]), "does not decode"),
    (lambda rows: sounding(rows, lambda data: b"fLaC" + b"\0" * 90), "does not decode"),
])
def test_what_is_wrong_with_the_sound_is_named(store: ShardStore, change, problem):
    shard = store.shard("segment_media", COLOR)
    rewrite(shard, change)
    check = next(check for check in GRAPH["segment_media"].checks if check.name == "audio_playable")
    bad = check.evaluate(shard)
    assert not bad.passed
    assert bad.numbers[problem] == 1
    assert f"{problem}: 02_01_t" in bad.message


def test_clipping_of_the_recording_is_no_fault_of_the_build(store: ShardStore):
    shard = store.shard("segment_media", COLOR)
    rewrite(shard, samples_to(clip))
    rewrite(store.shard("segments", COLOR), lambda rows: [{**row, "clipped_runs": 1} for row in rows])
    check = next(check for check in GRAPH["segment_media"].checks if check.name == "audio_playable")
    found = check.evaluate(shard)
    assert found.passed, found.message


def test_a_failed_check_stops_the_release_with_its_sentence(store: ShardStore):
    shard = store.shard("training_full", COLOR)
    data = shard.files.read("verdicts.json") or b""
    shard.files.write("verdicts.json", data.replace(b'"passed": true', b'"passed": false', 1))
    with pytest.raises(ReleaseRefused, match=r"training_full/Red is blocked: its check matches_training_segments failed"):
        publish(GRAPH, store, say=lambda text: None)
    assert not (Path(store.files.root) / "hub/v0.3.0").exists()


def test_a_missing_shard_stops_the_release_and_names_the_command(store: ShardStore):
    store.shard("preview", "White").files.remove("shard.json")
    with pytest.raises(ReleaseRefused, match=r"preview/White is out of date: preview has never been built for White; run: rainbow build"):
        publish(GRAPH, store, say=lambda text: None)


def test_broken_sound_is_never_called_silent(store: ShardStore):
    folder = corpus_root() / "02_01"
    wavs = sorted(path for path in folder.glob("*.wav") if "main" not in path.name)
    wavs[0].write_bytes(wavs[0].read_bytes()[:3000])
    wavs[1].unlink()
    midis = sorted(folder.glob("*.mid"))
    for path in midis:
        path.write_bytes(b"MThd")
    for name in ("base_manifest", "segments"):
        assert bring_up_to_date(GRAPH[name], store, COLOR).problem is None
    ledger = ledger_frame(store.shard("segments", COLOR), ["key", "status", "reason"])
    assert ledger is not None
    reasons = set(ledger.filter(ledger["status"] == "quarantined")["reason"])
    assert {"unreadable_audio", "missing_audio"} <= reasons


def test_an_unusable_song_is_accounted_for_and_the_others_go_on(store: ShardStore):
    broken = corpus_root() / "02_09"
    broken.mkdir()
    (broken / "02_09.yml").write_text("rainbow_color: R\nbpm: [\n", "utf-8")
    outcome = bring_up_to_date(GRAPH["base_manifest"], store, COLOR)
    assert outcome.report is not None
    assert outcome.report.quarantined == {"unusable_song": 1}
    answers = {verdict.check: verdict for verdict in outcome.verdicts}
    assert answers["songs_accounted"].passed
    assert "2 songs found = 1 processed + 1 quarantined (02_09)" in answers["songs_accounted"].message
