"""The fitness assets on a small corpus: exact rebuilds, nothing lost, honest where torch or songs are missing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.fitness import (
    chromatic_scorer,
    data,
    fusion_training_set,
    plans,
)
from rainbow_assets.fitness.contract import NOT_DISCRIMINATIVE, ScorerError
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, plan
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

RULES = replace(settings.Rules(), fitness=settings.FitnessRules(max_epochs=2, batch=64, patience=2, folds=3, device="cpu"))
BEFORE = ("base_manifest", "song_splits", "segments", "segment_media", "concept_embeddings", "lyric_embeddings",
          "audio_embeddings")
NAMES = ("piano_rolls", "fusion_training_set", "fusion_model", "fusion_evaluation", "chromatic_scorer")


def build(store: ShardStore, *names: str) -> dict[str, int]:
    """Bring steps up to date; every check must hold. Return how many rows each computed."""
    computed = {}
    for name in names:
        step = GRAPH[name]
        outcomes = [bring_up_to_date(step, store, partition, RULES) for partition in step.partitions]
        for outcome in outcomes:
            assert outcome.problem is None, outcome.problem
            assert all(verdict.passed for verdict in outcome.verdicts), outcome.verdicts
        computed[name] = sum(outcome.report.computed for outcome in outcomes if outcome.report)
    return computed


@pytest.fixture(scope="module")
def template(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fitness")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_CORPUS", str(tiny_corpus))
        build(ShardStore(str(root / "data")), *BEFORE, *NAMES)
    return root / "data"


@pytest.fixture
def store(template: Path, project: Path) -> ShardStore:
    shutil.rmtree(project)
    shutil.copytree(template, project)
    return ShardStore(str(project))


def rows(store: ShardStore, step: Any) -> list[dict[str, Any]]:
    return store.shard(step.name).table(step.schema).to_pylist()


def reasons(store: ShardStore, name: str) -> set[str]:
    ledger = ledger_frame(store.shard(name), ["status", "reason"])
    assert ledger is not None
    return set(ledger.filter(pl.col("status") != "ok")["reason"])


def test_a_second_build_computes_nothing(store: ShardStore) -> None:
    assert build(store, *NAMES) == dict.fromkeys(NAMES, 0)


def test_every_segment_is_in_the_training_set_with_its_targets(store: ShardStore) -> None:
    table = pl.DataFrame(pl.from_arrow(store.shard("fusion_training_set").table(fusion_training_set.SCHEMA)))
    segments = sum(store.shard("segments", color).require_index().rows for color in COLOR_NAMES)
    assert len(table) == segments and set(table["rainbow_color"]) == {"Red", "Green", "Blue"}
    assert table.group_by("song_id").agg(pl.col("fold").n_unique())["fold"].max() == 1
    loaded = data.load(store)
    assert len(loaded) == len(table) and loaded.has["midi"].sum() == table["uses_roll"].sum() > 0
    assert set(loaded.specs.values()) == set(loaded.specs.values()) - {""}


def test_models_evaluation_and_scorer_report_what_they_are(store: ShardStore) -> None:
    models = {row["model_id"]: row for row in rows(store, GRAPH["fusion_model"])}
    assert set(models) == {"final", *(f"{kind}_{n}" for kind in ("fold", "permuted") for n in range(3))}
    assert models["fold_0"]["test_songs"] == 1 and models["final"]["test_songs"] == 0
    variants = {row["variant"]: row for row in rows(store, GRAPH["fusion_evaluation"])}
    assert set(variants) == set(plans.VARIANTS) - {"other_midi"}
    assert reasons(store, "fusion_evaluation") == {"no_rows"}, "a fold of one color has no other music"
    assert variants["midi"]["rows"] == variants["composer"]["rows"] < variants["all"]["rows"]
    scorer = rows(store, GRAPH["chromatic_scorer"])[0]
    assert scorer["status"] == NOT_DISCRIMINATIVE and scorer["parity"] < 1e-4, "three songs prove nothing"
    opened = chromatic_scorer.load(store)
    assert opened.status == NOT_DISCRIMINATIVE and opened.contract.gates is not None
    assert not list(Path(store.files.root).glob("fitness/checkpoints/*"))


def test_an_edited_lyric_moves_the_rows_that_sing_it_and_then_the_models(store: ShardStore, project: Path) -> None:
    lyrics = next((project.parent / "corpus/05_01").glob("*.lrc"))
    text = lyrics.read_text("utf-8").splitlines()
    place = next(n for n, line in enumerate(text) if n > 4 and line and not line.startswith("["))
    text[place] = "Something else entirely is sung here"
    lyrics.write_text("\n".join(text), "utf-8")
    build(store, *BEFORE)
    moved = build(store, *NAMES)
    stems = len(list((project.parent / "corpus/05_01").glob("*.wav"))) + 1
    assert moved["piano_rolls"] == 0 and 0 < moved["fusion_training_set"] <= stems
    assert moved["fusion_model"] == 7 and moved["chromatic_scorer"] == 1


def test_without_torch_everything_says_so_and_torch_heals_it(
    store: ShardStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(plans, "has_torch", lambda: False)
        build(store, *NAMES)
        assert reasons(store, "fusion_model") == {"no_torch"}
        assert reasons(store, "fusion_evaluation") == reasons(store, "chromatic_scorer") == {"no_model"}
        with pytest.raises(ScorerError, match="torch is not installed"):
            chromatic_scorer.load(store)
    assert build(store, *NAMES)["fusion_model"] == 7
    assert chromatic_scorer.load(store).contract.profile == "compact"


def test_a_killed_training_goes_on_where_it_was(store: ShardStore, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {row["model_id"]: row["weights_sha256"] for row in rows(store, GRAPH["fusion_model"])}
    shutil.rmtree(Path(store.files.root) / "shards/fusion_model")
    from rainbow_assets.fitness import train

    epoch = train._TrainingRun.epoch  # pyright: ignore[reportPrivateUsage]
    seen: list[int] = []

    def dies(run: Any, number: int) -> None:
        seen.append(number)
        if len(seen) == 4:
            raise KeyboardInterrupt
        epoch(run, number)

    with monkeypatch.context() as patch:
        patch.setattr(train._TrainingRun, "epoch", dies)
        with pytest.raises(KeyboardInterrupt):
            build(store, "fusion_model")
    left = [path.name for path in Path(store.files.root).glob("fitness/checkpoints/*.safetensors")]
    assert len(left) == 1 and left[0].startswith("fold_0-")
    again: list[int] = []
    monkeypatch.setattr(train._TrainingRun, "epoch", lambda run, number: (again.append(number), epoch(run, number))[1])
    build(store, "fusion_model")
    assert again[0] == 1, "the first epoch of fold_0 was not repeated"
    assert {row["model_id"]: row["weights_sha256"] for row in rows(store, GRAPH["fusion_model"])} == wanted


def test_too_few_songs_are_reported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for song in ("05_01", "06_01"):
        shutil.rmtree(project.parent / "corpus" / song)
    store = ShardStore(str(project))
    build(store, *BEFORE, *NAMES)
    assert reasons(store, "fusion_model") == {"too_few_songs"}
    assert [row["model_id"] for row in rows(store, GRAPH["fusion_model"])] == ["final"]
    assert reasons(store, "chromatic_scorer") == set(), "there is a scorer, which knows that it is worth nothing"
    assert chromatic_scorer.load(store).status == NOT_DISCRIMINATIVE


def test_models_are_planned_once_they_were_made(store: ShardStore) -> None:
    steps = GRAPH
    asked = {name: steps[name] for name in (*BEFORE, *NAMES)}
    assert {entry.asset for entry in plan(asked, store, COLOR_NAMES, RULES)} == set(asked)
    assert all(entry.state == FRESH for entry in plan(asked, store, COLOR_NAMES, RULES))
    shutil.rmtree(Path(store.files.root) / "shards/fusion_model")
    assert "fusion_model" not in {entry.asset for entry in plan(asked, store, COLOR_NAMES, RULES)}
    assert set(GRAPH.on_request()) >= {"fusion_model", "fusion_evaluation", "chromatic_scorer"}


def test_a_vector_that_got_lost_is_named(store: ShardStore) -> None:
    shutil.rmtree(Path(store.files.root) / "shards/audio_embeddings/Green")
    with pytest.raises(data.BrokenJoin, match="audio_embeddings lacks"):
        data.load(store)
