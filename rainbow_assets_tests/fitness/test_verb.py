"""`rainbow fitness` as a person meets it: train, evaluate, score; sentences for everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from rainbow_assets import settings
from rainbow_assets.orchestration import jobs
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.fitness import music

QUICK = "[fitness]\nmax_epochs = 1\nbatch = 64\nfolds = 3\ndevice = \"cpu\"\n"


@pytest.fixture
def trained(whole: Path) -> Iterator[Path]:
    (whole.parent / "rainbow.toml").write_text(QUICK, "utf-8")
    settings.default_rules.cache_clear()
    yield whole
    settings.default_rules.cache_clear()


def test_from_songs_to_scores(trained: Path, tmp_path: Path) -> None:
    early = rainbow("fitness", "evaluate")
    assert early.exit_code == 2 and "rainbow fitness train" in early.output
    unbuilt = rainbow("fitness", str(next((trained.parent / "corpus/05_01").glob("*.mid"))), "--color", "Green")
    assert unbuilt.exit_code == 1 and "there is no chromatic scorer yet; run: rainbow fitness train" in unbuilt.output

    done = rainbow("fitness", "train")
    assert done.exit_code == 0, done.output
    assert "the scorer is not discriminative" in done.output and "permuted" in done.output
    again = rainbow("fitness", "train")
    assert again.exit_code == 0 and "(0 rows computed)" in again.output
    shown = _metadata()
    assert "data:image/png" in shown["fusion_model"]["curves"] and "fold\\_0" in shown["fusion_model"]["models"]
    assert "data:image/png" in shown["fusion_evaluation"]["charts"]
    assert "data:image/png" in shown["piano_rolls"]["rolls"] and "| Green |" in shown["fusion_training_set"]["balance"]
    assert shown["chromatic_scorer"]["status"] == "not discriminative"

    document = parsed(rainbow("fitness", "evaluate", "--json"))
    assert {row["variant"] for row in document["evaluation"]} > {"all", "midi", "permuted", "majority"}
    assert document["scorer"]["status"] == "not discriminative"

    song = trained.parent / "corpus/05_01"
    files = [str(next(song.glob("*.mid"))), str(next(song.glob("*_main.wav")))]
    found = rainbow("fitness", *files, "--color", "G", "--concept", "a ladder into the fog", "--json")
    assert found.exit_code == 0, found.output
    scores = parsed(found)["scores"]
    assert [item["fitness"] for item in scores] == sorted((item["fitness"] for item in scores), reverse=True)
    assert {item["file"] for item in scores} == set(files) and {item["color"] for item in scores} == {"Green"}
    text = rainbow("fitness", "--color", "Green", *files)
    assert "the scorer is not discriminative" in text.output and "no release" not in text.output

    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"MThd")
    mixed = rainbow("fitness", files[0], str(broken), "--color", "Green")
    assert mixed.exit_code == 0 and "not a MIDI file that can be read" in mixed.output
    assert rainbow("fitness", str(broken), "--color", "Green").exit_code == 1
    white = rainbow("fitness", files[0], "--color", "White")
    assert white.exit_code == 1 and "White has no mode" in white.output
    junk = tmp_path / "scorer.onnx"
    junk.write_bytes(b"junk")
    other = rainbow("fitness", files[0], "--color", "Green", "--scorer", str(junk))
    assert other.exit_code == 1 and "not an ONNX file" in other.output


def _metadata() -> dict[str, dict[str, str]]:
    with jobs.instance() as here:
        found = {}
        for name in ("piano_rolls", "fusion_training_set", "fusion_model", "fusion_evaluation", "chromatic_scorer"):
            wanted = dg.AssetRecordsFilter(dg.AssetKey(name))
            records = here.fetch_materializations(wanted, limit=30).records
            materialized = [record.asset_materialization for record in records if record.asset_materialization]
            found[name] = {key: str(value.value) for item in reversed(materialized)
                           for key, value in item.metadata.items()}
    return found


@pytest.mark.parametrize(("words", "said"), [
    (("x.mid", "--color", "Greeen"), "not a color"), (("--color", "Green"), "nothing to score"),
    (("missing.mid", "--color", "Green"), "is not a file"), (("song.txt", "--color", "Green"), "neither MIDI"),
    (("song.mid",), "--color"), (("song.mid", "--color", "Green", "--scorer", "no.onnx"), "is not a file"),
])
def test_wrong_use_is_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str) -> None:
    monkeypatch.chdir(project)
    Path("song.txt").write_text("la")
    Path("song.mid").write_bytes(music.midi([(0, 1, 60, 90)]))
    Path("x.mid").write_bytes(b"")
    found = rainbow("fitness", *words)
    assert found.exit_code == 2 and said in found.output, found.output
    assert "Traceback" not in found.output


def test_help_shows_how_to_score() -> None:
    found = rainbow("fitness", "--help")
    assert found.exit_code == 0 and "FILE... --color" in found.output and "train" in found.output
