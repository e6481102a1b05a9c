"""What a version publishes of the vectors, what is kept of it to notice drift, and the picture in the metadata."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rainbow_assets import markdown, settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.embeddings import embeddings, health, pictures, published
from rainbow_assets.embeddings.specs import MINILM_TEXT, SIGNAL_AUDIO
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.tables import song_splits
from rainbow_assets.release.vectors import embeddings_table, remember
from rainbow_assets.segments.training_segments import TRAINING_SEGMENTS
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

NEEDED = ("base_manifest", "song_splits", "segments", "segment_media", "training_segments",
          *(step.name for step in embeddings.ASSETS))


@pytest.fixture(scope="module")
def template(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release reads, built once."""
    data = tmp_path_factory.mktemp("template") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_CORPUS", str(tiny_corpus))
        for color in COLOR_NAMES:
            for name in NEEDED:
                assert bring_up_to_date(GRAPH[name], ShardStore(str(data)), color).problem is None
    return data


@pytest.fixture
def store(template: Path, project: Path) -> ShardStore:
    """A copy to change."""
    shutil.rmtree(project)
    shutil.copytree(template, project)
    return ShardStore(str(project))


def test_the_release_table_is_joined_by_key_with_fixed_lists_and_splits(store: ShardStore, tmp_path: Path):
    (tmp_path / "out").mkdir()
    bundle = write_bundle([embeddings_table(store, song_splits(store))], tmp_path / "out")
    rows = [row for file in bundle.files for row in pq.read_table(tmp_path / "out" / file.path).to_pylist()]
    kinds = pq.read_schema(tmp_path / "out" / bundle.files[0].path)
    for name, spec in (("concept_emb", MINILM_TEXT), ("lyric_emb", MINILM_TEXT), ("audio_emb", SIGNAL_AUDIO)):
        assert kinds.field(name).type == pa.list_(pa.float32(), spec.dims)
    segments = {row["segment_id"]: row for color in COLOR_NAMES for row in
                store.shard("training_segments", color).table(TRAINING_SEGMENTS.schema).to_pylist()}
    assert sorted(row["segment_id"] for row in rows) == sorted(segments)
    assert not any("_t00_" in row["segment_id"] for row in rows), "the mix is no stem"
    made = {row["segment_id"]: row for color in COLOR_NAMES for row in
            store.shard("audio_embeddings", color).table(embeddings.AUDIO_EMBEDDINGS.schema).to_pylist()}
    for row in rows:
        segment = segments[row["segment_id"]]
        assert row["has_audio_embedding"] == segment["has_audio"] == (row["audio_emb"] is not None)
        assert row["has_lyric_embedding"] == bool(segment["lyric_text"]) == (row["lyric_emb"] is not None)
        assert row["split"] in ("train", "validation", "test") and row["profile"] == "embedded"
        assert row["audio_emb"] == made[row["segment_id"]]["audio_emb"]
    text = published.section(published.chosen(store))
    assert MINILM_TEXT.label in text and SIGNAL_AUDIO.digest in text


def test_a_release_of_two_profiles_is_refused(store: ShardStore, offline_models):
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(profile="production"))
    assert bring_up_to_date(GRAPH["lyric_embeddings"], store, "Red", rules).problem is None
    with pytest.raises(published.MixedEncoders, match="lyric_embeddings has vectors of 2 encoders"):
        embeddings_table(store, {})
    for color in COLOR_NAMES:
        bring_up_to_date(GRAPH["lyric_embeddings"], store, color, rules)
    with pytest.raises(published.MixedEncoders, match="different profiles"):
        embeddings_table(store, {})


def test_what_was_released_is_compared_and_another_encoder_is_not(store: ShardStore, offline_models):
    remember(store)
    check = next(c for c in GRAPH["lyric_embeddings"].checks if c.name == "no_drift")
    same = check.evaluate(store.shard("lyric_embeddings", "Red"))
    assert same.passed and same.numbers["compared"] > 0 and same.numbers["least_cosine"] > 0.99999
    rules = dataclasses.replace(settings.Rules(), embeddings=settings.EmbeddingRules(profile="production"))
    bring_up_to_date(GRAPH["lyric_embeddings"], store, "Red", rules)
    other = check.evaluate(store.shard("lyric_embeddings", "Red"))
    assert other.passed and other.numbers == {"compared": 0, "another_spec": 1}


def test_the_picture_is_of_the_data_and_of_nothing_else(store: ShardStore):
    found = {color: health.vectors_of(store.shard("audio_embeddings", color), "audio_emb") for color in COLOR_NAMES}
    first = pictures.picture(found, "audio")
    assert first.startswith(b"\x89PNG") and len(first) < 200_000
    assert pictures.picture(found, "audio") == first
    assert pictures.picture(dict(list(found.items())[:2]), "audio") != first
    assert markdown.picture(first, "x").startswith("![x](data:image/png;base64,iVBOR")
    assert pictures.picture({}, "nothing yet").startswith(b"\x89PNG")


def test_health_figures_tell_a_point_a_line_and_a_cloud():
    draw = np.random.default_rng(5)
    cloud = draw.normal(size=(200, 32)).astype(np.float32)
    line = np.outer(np.linspace(1, 2, 200), draw.normal(size=32)).astype(np.float32)
    assert health.effective_rank(cloud) > 25
    assert health.effective_rank(line) == pytest.approx(1, abs=0.05)
    assert health.effective_rank(np.ones((200, 32), np.float32)) == 0
    assert abs(health.cosines(cloud).mean()) < 0.05
    assert health.cosines(line).mean() > 0.999
    assert health.doubles(np.vstack([cloud, cloud[:7]])) == 7
    inside, between, share = health.closeness(np.repeat(cloud[:20], 3, axis=0), np.repeat(np.arange(20), 3).astype(str))
    assert inside == pytest.approx(1) and abs(between) < 0.1 and share == 1
    assert health.closeness(cloud, ["one"] * 200) is None
    assert health.closeness(cloud[:9], ["one", "two", "two"] * 3) is None, "of so few, chance decides"
