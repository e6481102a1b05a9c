"""The three assets end to end on the tiny corpus: nulls, sharing, pruning, staleness, prices."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.embeddings import embeddings, specs, tables
from rainbow_assets.embeddings.engine import POISON, Fault
from rainbow_assets.embeddings.local import LocalEngine
from rainbow_assets.embeddings.runner import RunReport
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import plan, render
from rainbow_assets.lineage.materialize import BuildResult, bring_up_to_date
from rainbow_assets.storage.store import ShardStore

COLOR = "Red"
UPSTREAM = ("base_manifest", "song_splits", "segments", "segment_media")
NAMES = [step.name for step in embeddings.ASSETS]


def build(store: ShardStore, rules: settings.Rules | None = None, engine=None) -> tuple[dict[str, RunReport], dict[str, BuildResult]]:
    reports: dict[str, RunReport] = {}
    outcomes = {}
    for name in UPSTREAM:
        assert bring_up_to_date(GRAPH[name], store, COLOR).problem is None
    for step in embeddings.ASSETS:
        asset = GRAPH[step.name].with_engine(engine)
        outcomes[step.name] = bring_up_to_date(asset, store, COLOR, rules)
        if asset.report != RunReport():
            reports[step.name] = asset.report
    return reports, outcomes


@pytest.fixture
def store(project: Path) -> ShardStore:
    return ShardStore(str(project))


def rows(store: ShardStore, step) -> list[dict]:
    return store.shard(step.name, COLOR).table(step.schema).to_pylist()


def test_rows_are_those_of_segments_and_missing_is_null(store: ShardStore):
    reports, outcomes = build(store)
    segments = {row["segment_id"]: row for row in
                store.shard("segments", COLOR).table(GRAPH["segments"].schema).to_pylist()}
    for step in embeddings.ASSETS:
        outcome = outcomes[step.name]
        assert outcome.problem is None
        assert all(verdict.passed for verdict in outcome.verdicts), outcome.verdicts
        made, spec = rows(store, step), step.spec(settings.Rules())
        assert [row["segment_id"] for row in made] == sorted(segments)
        by_input: dict[str, list[float]] = {}
        for row in made:
            segment = segments[row["segment_id"]]
            wanted = {"lyric_embeddings": bool(segment["lyric_text"]), "audio_embeddings": segment["has_audio"],
                      "concept_embeddings": True}[step.name]
            assert row[tables.HAS[step.vector]] == wanted == (row[step.vector] is not None)
            assert (row["profile"], row["spec_digest"]) == ("embedded", spec.digest)
            if wanted:
                assert len(row[step.vector]) == spec.dims
                assert by_input.setdefault(row["input_digest"], row[step.vector]) == row[step.vector]
        assert reports[step.name].forwards <= len(by_input), "each distinct input once, or not at all"
    assert reports["concept_embeddings"].forwards == 1, "one song, one concept, one forward pass"
    assert any(row["lyric_emb"] is None for row in rows(store, embeddings.LYRIC_EMBEDDINGS))
    again, outcomes = build(store)
    assert again == {}
    assert all(outcome.report.computed == 0 for outcome in outcomes.values())


def test_an_edited_lyric_is_one_text_and_no_sound(store: ShardStore, project: Path):
    build(store)
    lyrics = project.parent / "corpus/02_01/02_01.lrc"
    text = lyrics.read_text("utf-8")
    line = next(line for line in text.splitlines() if line and not line.startswith("["))
    assert text.count(line) == 1
    lyrics.write_text(text.replace(line, line + " and one more word"), "utf-8")
    reports, outcomes = build(store)
    assert reports["lyric_embeddings"].forwards == 1
    assert "audio_embeddings" not in reports
    assert outcomes["audio_embeddings"].report.computed == 0
    assert "concept_embeddings" not in reports


def test_a_clean_build_from_the_cache_runs_no_encoder(store: ShardStore):
    build(store)
    before = {step.name: rows(store, step) for step in embeddings.ASSETS}
    versions = {step.name: store.shard(step.name, COLOR).require_index().data_version for step in embeddings.ASSETS}
    for step in embeddings.ASSETS:
        store.files.remove(f"shards/{step.name}")
    reports, _ = build(store)
    assert [report.forwards for report in reports.values()] == [0, 0, 0]
    assert {step.name: rows(store, step) for step in embeddings.ASSETS} == before
    assert {s.name: store.shard(s.name, COLOR).require_index().data_version for s in embeddings.ASSETS} == versions


def test_another_profile_makes_rows_stale_and_says_so(store: ShardStore, offline_models):
    build(store)
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(profile="production"))
    planned = {entry.asset: entry for entry in plan.plan(GRAPH, store, [COLOR], rules)}
    for name in NAMES:
        assert planned[name].state == plan.STALE
        assert "embeddings.encoder" in " ".join(planned[name].reasons)
    _, outcomes = build(store, rules)
    assert outcomes["lyric_embeddings"].problem is None
    assert {row["profile"] for row in rows(store, embeddings.LYRIC_EMBEDDINGS)} == {"production"}
    assert {len(row["lyric_emb"]) for row in rows(store, embeddings.LYRIC_EMBEDDINGS) if row["lyric_emb"]} == {768}
    assert {len(row["audio_emb"]) for row in rows(store, embeddings.AUDIO_EMBEDDINGS) if row["audio_emb"]} == {512}
    sound = next(v for v in outcomes["audio_embeddings"].verdicts if v.check == "vectors_sound")
    assert sound.passed and sound.numbers["encoders"] == 1
    collapsed = next(v for v in outcomes["audio_embeddings"].verdicts if v.check == "not_collapsed")
    assert not collapsed.passed, "random weights give nearly one vector for everything: caught before a release"
    assert collapsed.numbers["mean_cosine"] > 0.95


def test_a_sound_that_cannot_be_embedded_is_set_aside(store: ShardStore):
    class Poisoned(LocalEngine):
        def run(self, batches):
            for number, (key, value) in enumerate(super().run(batches)):
                yield key, Fault(POISON, "NaN") if number == 0 else value

    _, outcomes = build(store, engine=Poisoned())
    outcome = outcomes["audio_embeddings"]
    assert outcome.problem is None
    assert outcome.report.quarantined == {"poisoned_input": 1}
    assert next(v for v in outcome.verdicts if v.check == "matches_segments").passed


def test_settings_are_told_apart(project: Path):
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(
        profile="production", audio_checkpoint="laion/clap-htsat-unfused"))
    assert specs.spec_of(rules, specs.AUDIO) is specs.CLAP_UNFUSED
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(
        profile="production", audio_checkpoint="someone/else"))
    with pytest.raises(RainbowError, match="embeddings.audio_checkpoint is 'someone/else'"):
        specs.spec_of(rules, specs.AUDIO)


def test_the_plan_prices_what_is_stale(store: ShardStore, project: Path):
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(
        profile="production", engine="modal"))
    unknown = plan.plan(GRAPH, store, [COLOR], rules)
    priced = {entry.asset: entry.price for entry in unknown if entry.price}
    assert all(price["at_most"] for price in priced.values())
    for name in UPSTREAM:
        bring_up_to_date(GRAPH[name], store, COLOR)
    planned = plan.plan(GRAPH, store, [COLOR], rules)
    priced = {entry.asset: entry.price for entry in planned if entry.price}
    assert set(priced) == set(NAMES)
    assert priced["concept_embeddings"]["inputs"] == 1
    assert priced["audio_embeddings"]["inputs"] > 5
    assert not any(price["at_most"] for price in priced.values())
    assert all(price["usd"] > 0 and price["engine_seconds"] > 0 for price in priced.values())
    text = render.plan_tree(planned)
    assert "GPU seconds on modal" in text and "USD" in text
    assert not (project / "vectors").exists(), "a plan changes nothing"
