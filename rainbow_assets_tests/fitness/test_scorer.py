"""The scorer: torch's numbers without torch, behind a contract that refuses what it was not made for."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from rainbow_assets.embeddings import encoders
from rainbow_assets.fitness import contract, export, gates, roll, targets
from rainbow_assets.fitness.contract import ScorerError
from rainbow_assets.fitness.data import TrainingData
from rainbow_assets.fitness.model import ModelSpec
from rainbow_assets.fitness.progressions import ProgressionFitness
from rainbow_assets.fitness.scorer import ChromaticScorer, Vector
from rainbow_assets.fitness.train import fit, predict
from rainbow_assets.harmony.library import builtin_library
from rainbow_assets.harmony.pool import Progressions
from rainbow_assets.harmony.scorers import fitness_scorer
from rainbow_assets.music.keys import parse_key
from rainbow_assets.music.midi_write import midi_bytes
from rainbow_assets_tests.fitness import music

MIDI = music.midi([(beat * 0.5, beat * 0.5 + 0.4, pitch, 90) for beat in range(16) for pitch in (60, 64, 67)])


@pytest.fixture(scope="module")
def rows() -> TrainingData:
    return music.demo(1)


@pytest.fixture(scope="module")
def weights(rows: TrainingData) -> bytes:
    return fit(rows, rows.take([]), replace(music.QUICK, max_epochs=3), 3).weights


@pytest.fixture(scope="module")
def signed(rows: TrainingData) -> contract.Contract:
    return contract.Contract("compact", contract.encodings(rows.specs, rows.dims), "0" * 64, classes=targets.CLASSES)


@pytest.fixture(scope="module")
def model(weights: bytes, rows: TrainingData, signed: contract.Contract) -> bytes:
    return export.with_contract(export.to_onnx(weights, ModelSpec("compact", **rows.dims)), signed)


@pytest.fixture(scope="module")
def scorer(model: bytes) -> ChromaticScorer:
    return ChromaticScorer(model)


def test_a_scorer_does_not_contain_where_it_was_made(model: bytes) -> None:
    """Two machines, or two folders of one, make the same file."""
    assert not re.search(rb"[\w./\\]+\.py|stack_trace", model)
    assert str(Path(export.__file__).parents[2]).encode() not in model


def test_it_computes_what_torch_does(scorer: ChromaticScorer, weights: bytes, rows: TrainingData) -> None:
    wanted, _ = predict(weights, ModelSpec("compact", **rows.dims), rows.only("midi"))
    assert np.abs(scorer.probabilities(rows.notes) - wanted).max() < 1e-4
    both, sure = predict(weights, ModelSpec("compact", **rows.dims), rows.take([0]).only("midi", "concept"))
    windows = [rows.notes[0]]
    vectors = {"audio": None, "lyric": None, "concept": rows.vectors["concept"][0]}
    found, certain = scorer._predict(windows, vectors)  # pyright: ignore[reportPrivateUsage]
    assert np.abs(found - both).max() < 1e-4 and abs(certain[0] - sure[0]) < 1e-4


def test_a_batch_scores_as_one_by_one_does(scorer: ChromaticScorer) -> None:
    other = music.midi([(0, 2, 40, 50)])
    batch = scorer.score_batch([MIDI, other, MIDI], concept="a ladder into the fog", color="Green")
    alone = [scorer.score(midi=item, concept="a ladder into the fog", color="Green") for item in (MIDI, other, MIDI)]
    assert [item.fitness for item in batch] == pytest.approx([item.fitness for item in alone], abs=1e-5)
    assert batch[0].fitness == batch[2].fitness != batch[1].fitness
    assert batch[0].given == ("midi", "concept")


def test_relative_fitness_is_what_the_music_adds(scorer: ChromaticScorer) -> None:
    concept = "a ladder into the fog"
    words = scorer.score(concept=concept, color="Blue")
    both = scorer.score(midi=MIDI, concept=concept, color="Blue")
    assert words.relative is None and words.fitness is not None and both.fitness is not None
    assert both.relative == pytest.approx(both.fitness - words.fitness, abs=1e-5)
    alone = scorer.score(midi=MIDI, color="Blue")
    assert alone.fitness is not None and alone.relative == pytest.approx(alone.fitness - targets.CHANCE)


def test_black_and_white_are_scored_without_a_fitness(scorer: ChromaticScorer) -> None:
    for color in ("Black", "A"):
        found = scorer.score(midi=MIDI, color=color)
        assert found.fitness is None and found.relative is None and "no mode" in str(found.reason)
        assert sum(found.modes["temporal"].values()) == pytest.approx(1)


def test_a_broken_candidate_does_not_stop_the_others(scorer: ChromaticScorer) -> None:
    found = scorer.score_batch([MIDI, b"junk", music.midi([]), None], color="Red")
    assert found[0].fitness is not None and [item.fitness for item in found[1:]] == [None] * 3
    assert "cannot be read" in str(found[1].reason) or "not a MIDI file" in str(found[1].reason)
    assert "no notes" in str(found[2].reason)
    with pytest.raises(roll.RollError, match="no notes"):
        scorer.score(midi=music.midi([]), color="Red")


def test_ten_minutes_are_scored_over_all_their_windows(scorer: ChromaticScorer) -> None:
    long = music.midi([(second, second + 0.5, 60 + second % 12, 90) for second in range(600)])
    assert scorer.score(midi=long, color="Red").windows == 20


def test_nothing_at_all_is_an_error_and_no_third(scorer: ChromaticScorer) -> None:
    for words in (None, "  "):
        with pytest.raises(ScorerError, match="nothing to score"):
            scorer.score(concept=words, color="Red")


def test_vectors_of_another_spec_shape_or_number_are_refused(scorer: ChromaticScorer, rows: TrainingData) -> None:
    good = rows.vectors["concept"][0]
    assert scorer.score(concept=Vector(good, music.TEXT.digest), color="Red").fitness is not None
    broken = good.copy()
    broken[3] = np.nan
    for vector, said in ((Vector(good, "f" * 32), "trained on"), (Vector(good[:9], music.TEXT.digest), "shape"),
                         (Vector(broken, music.TEXT.digest), "not finite")):
        with pytest.raises(ScorerError, match=said):
            scorer.score(concept=vector, color="Red")


def test_a_scorer_of_other_encoders_refuses_to_embed(model: bytes, signed: contract.Contract) -> None:
    moved = {name: replace(item, digest="e" * 32) for name, item in signed.encoders.items()}
    other = ChromaticScorer(export.with_contract(model, replace(signed, encoders=moved)))
    assert other.score(midi=MIDI, color="Red").fitness is not None
    with pytest.raises(ScorerError, match="no longer makes"):
        other.score(concept="anything", color="Red")


@pytest.mark.parametrize(("change", "said"), [
    ({"roll_step_ms": 100}, "rolls of 100 ms"), ({"format": "other/9"}, "format"),
    ({"classes": {"temporal": ["Then"]}}, "classes of the scorer"),
])
def test_a_contract_of_another_world_is_refused(model: bytes, signed: contract.Contract, change: dict[str, object],
                                                said: str) -> None:
    with pytest.raises(ScorerError, match=said):
        ChromaticScorer(export.with_contract(model, replace(signed, **change)))  # type: ignore[arg-type]


def test_corrupt_files_are_sentences(model: bytes) -> None:
    bare = onnx.load_from_string(model)
    del bare.metadata_props[:]
    for data, said in ((b"", "not an ONNX"), (b"junk" * 100, "not an ONNX"), (model[:5000], "not an ONNX"),
                       (bare.SerializeToString(), "no preprocessing contract")):
        with pytest.raises(ScorerError, match=said):
            ChromaticScorer(data)


def test_music_alone_loads_no_encoder_and_nothing_loads_torch(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "scorer.onnx").write_bytes(model)
    (tmp_path / "song.mid").write_bytes(MIDI)
    program = f"""
import sys
from pathlib import Path
from rainbow_assets.fitness.progressions import ProgressionFitness
from rainbow_assets.fitness.scorer import ChromaticScorer
scorer = ChromaticScorer(Path({str(tmp_path / 'scorer.onnx')!r}).read_bytes())
first = scorer.score(midi=Path({str(tmp_path / 'song.mid')!r}), color="Green")
assert not scorer._encoders and "tokenizers" not in sys.modules and "soundfile" not in sys.modules, "loaded too much"
scorer.score(midi=Path({str(tmp_path / 'song.mid')!r}), concept="a ladder", lyric="go up", color="Green")
assert scorer._encoders["concept"] is scorer._encoders["lyric"]
assert "torch" not in sys.modules and "onnx" not in sys.modules
print(first.fitness)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 <= float(done.stdout) <= 1


def test_a_sound_file_is_heard(scorer: ChromaticScorer, tiny_corpus: Path, tmp_path: Path) -> None:
    wav = next((tiny_corpus / "05_01").glob("*_main.wav"))
    found = scorer.score(audio=wav, color="Green")
    assert found.given == ("audio",) and found.fitness is not None
    encoder = encoders.load_encoder(music.SOUND)
    from rainbow_assets.embeddings.encoders import as_flac

    vector = Vector(encoder.forward([encoder.prepare(as_flac(wav))])[0], music.SOUND.digest)
    assert scorer.score(audio=vector, color="Green").fitness == pytest.approx(found.fitness)


def test_random_progressions_are_many_and_the_same_each_time() -> None:
    first = gates.random_progressions(48)
    gates.random_progressions.cache_clear()
    assert first == gates.random_progressions(48) and len(set(first)) == 48
    assert all(len(roll.read_notes(item)) >= 8 for item in first)


def test_a_scorer_that_does_not_move_is_not_discriminative(scorer: ChromaticScorer) -> None:
    untold = gates.judge(scorer, {})
    assert untold.status == contract.NOT_DISCRIMINATIVE
    assert any("was not measured" in reason for reason in untold.reasons)
    flat = {name: {"fitness_median": 0.5, "measures": [
        {"measure": "modes", "value": 0.34, "chance": 1 / 3, "p_value": 0.4}]} for name in ("all", "cropped", "composer",
                                                                                        "other_midi")}
    reasons = " ".join(gates.judge(scorer, flat).reasons)
    assert "p = 0.4000" in reasons and "lowers the median by 0.0000" in reasons


def test_progressions_are_scored_as_their_midi_files(scorer: ChromaticScorer, tmp_path: Path, monkeypatch) -> None:
    pool = builtin_library().pool(parse_key("C major"))
    rows_of_chords = np.array([[0, 1, 2, 3], [3, 2, 1, 0], *([n, n + 1, n, n + 2] for n in range(90))], np.int32)
    found = ProgressionFitness(scorer, "Green").score(Progressions(pool, rows_of_chords))
    files = [midi_bytes([pool.chords[place].voicing for place in row]) for row in rows_of_chords]
    assert found.tolist() == pytest.approx([scorer.score(midi=data, color="Green").fitness for data in files])
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path))
    for color, said in (("Black", "has no target"), ("Green", "there is no chromatic scorer yet")):
        with pytest.raises(ScorerError, match=said):
            fitness_scorer(color)
