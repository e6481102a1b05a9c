"""The whole is consistent: a build leaves nothing to do, and no version is made of two states. On the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import Result

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.corpus import media, source
from rainbow_assets.lineage.materialize import bring_up_to_date, problem
from rainbow_assets.release import publish
from rainbow_assets.release.tables import ReleaseRefused
from rainbow_assets.segments import segments, stem_audio
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import parsed, rainbow

ROOT = Path(__file__).resolve().parents[1]


def built() -> Result:
    done = rainbow("build")
    assert done.exit_code == 0, done.output
    return done


def todo() -> list[str]:
    """The shards that a plan has work for."""
    return [f"{entry['asset']}/{entry['partition']}" for entry in parsed(rainbow("plan", "--json"))["shards"]
            if entry["state"] != "fresh"]


def songs(version: str, config: str, project: Path) -> set[str]:
    """The songs of a published table."""
    found: set[str] = set()
    for path in sorted((project / f"hub/v{version}").rglob("*.parquet")):
        if config in path.parts:
            column = "id" if config == "base_manifest" else "song_id"
            found |= set(pq.ParquetFile(path).read([column])[column].to_pylist())
    return found


def titles(version: str, config: str, project: Path) -> set[str]:
    """The titles in a published table."""
    return {title for path in sorted((project / f"hub/v{version}").rglob("*.parquet")) if config in path.parts
            for title in pq.ParquetFile(path).read(["title"])["title"].to_pylist()}


def another_song(project: Path) -> Path:
    """Write a second Green song, which is the first one under another number."""
    first, second = project.parent / "corpus/05_01", project.parent / "corpus/05_02"
    shutil.copytree(first, second)
    (second / "05_01.yml").rename(second / "05_02.yml")
    return second


def retitle(song: Path, title: str) -> None:
    path = song / f"{song.name}.yml"
    content = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump({**content, "title": title}, sort_keys=False), "utf-8")


def refused(*causes: str) -> None:
    done = rainbow("release")
    assert done.exit_code == 1 and "nothing was published" in done.output and "run: rainbow build" in done.output
    for cause in causes:
        assert cause in done.output, done.output


@pytest.fixture(autouse=True)
def _nothing_to_do(whole: Path) -> Iterator[None]:
    """Each test begins with nothing left to do."""
    assert todo() == []
    yield
    settings.default_rules.cache_clear()


def test_the_plainest_day(whole: Path):
    """A song more: one build, one release, and every table has it; it goes and comes back, the same."""
    second = another_song(whole)
    refused("base_manifest/Green is out of date")
    built()
    assert todo() == [], "one build is enough"
    assert rainbow("release", "--version", "0.3.0").exit_code == 0
    for config in ("base_manifest", "audio", "midi", "training_segments", "training_full", "preview", "preview_mix"):
        assert "05_02" in songs("0.3.0", config, whole), config
    away = whole.parent / "05_02"
    shutil.move(second, away)
    assert rainbow("build", "--allow-deletes").exit_code == 0 and todo() == []
    shutil.move(away, second)
    built()
    assert todo() == []


@pytest.mark.heavy
def test_a_version_is_of_one_state(whole: Path):
    """A table made alone, and a rule that one color has: refused until the rest is made; the build says what it left."""
    retitle(whole.parent / "corpus/06_01", "Another Name")
    done = rainbow("build", "--asset", "base_manifest")
    assert done.exit_code == 0 and "still out of date: " in done.stderr
    refused("is out of date")
    built()
    assert todo() == []
    (whole.parent / "rainbow.toml").write_text("[slices]\nwindow_ms = 2000\noverlap_ms = 500\n", "utf-8")
    settings.default_rules.cache_clear()
    refused("segments/")
    assert rainbow("build", "--color", "Green").exit_code == 0
    refused("segments/Red")
    built()
    assert todo() == [] and rainbow("release").exit_code == 0


def test_a_song_that_changes_its_color_leaves_no_id_twice(whole: Path):
    song = whole.parent / "corpus/05_01"
    path = song / "05_01.yml"
    content = yaml.safe_load(path.read_text("utf-8"))
    before = content["rainbow_color"]
    path.write_text(yaml.safe_dump({**content, "rainbow_color": "Blue"}, sort_keys=False), "utf-8")
    assert rainbow("build", "--allow-deletes").exit_code == 0
    assert todo() == []
    path.write_text(yaml.safe_dump({**content, "rainbow_color": before}, sort_keys=False), "utf-8")
    done = rainbow("build", "--color", "Green")
    assert done.exit_code == 0, done.output
    refused("Blue")
    assert rainbow("build", "--allow-deletes").exit_code == 0
    assert rainbow("release", "--version", "0.3.0").exit_code == 0
    ids: Counter[str] = Counter()
    for path in (whole / "hub/v0.3.0").rglob("*.parquet"):
        if "training_full" in path.parts:
            ids.update(pq.ParquetFile(path).read(["segment_id"])["segment_id"].to_pylist())
    assert ids and max(ids.values()) == 1


def test_a_build_during_a_release_does_not_reach_it(whole: Path, monkeypatch: pytest.MonkeyPatch):
    """A version is of the state that was looked at: tables, card and provenance, whoever builds meanwhile."""
    store = ShardStore(settings.roots().data)
    before = store.shard("base_manifest", "Blue").require_index().data_version
    write = publish.write_bundle

    def meanwhile(*args, **more):
        retitle(whole.parent / "corpus/06_01", "Meanwhile")
        assert rainbow("build").exit_code == 0
        return write(*args, **more)

    monkeypatch.setattr(publish, "write_bundle", meanwhile)
    published = publish.publish(GRAPH, store, "0.3.0", say=lambda line: None)
    assert store.shard("base_manifest", "Blue").require_index().data_version != before
    assert published.manifest.provenance["shards"]["base_manifest"]["Blue"] == before
    assert "Meanwhile" not in titles("0.3.0", "training_full", whole) | titles("0.3.0", "preview", whole)
    assert parsed(rainbow("verify", "0.3.0", "--json"))["problems"] == []


def test_a_mixed_version_fails_its_audit(whole: Path, monkeypatch: pytest.MonkeyPatch):
    """A title changed in one table alone, a song that other tables lack, an edge to a shard of another state."""
    retitle(whole.parent / "corpus/06_01", "Meanwhile")
    assert rainbow("build", "--asset", "base_manifest").exit_code == 0
    another_song(whole)
    assert rainbow("build", "--asset", "base_manifest", "--asset", "segments", "--asset", "segment_media", "--asset",
                   "audio", "--asset", "song_splits").exit_code == 0
    monkeypatch.setattr(publish, "require_all", lambda graph, store: None)
    with pytest.raises(ReleaseRefused, match="nothing was published: the song 06_01 has title"):
        publish.publish(GRAPH, ShardStore(settings.roots().data), "0.3.0", say=lambda line: None)
    monkeypatch.setattr(publish, "require_one_state", lambda bundle, folder: None)
    publish.publish(GRAPH, ShardStore(settings.roots().data), "0.3.0", say=lambda line: None)
    done = rainbow("verify", "0.3.0", "--json")
    problems = "\n".join(parsed(done)["problems"])
    assert done.exit_code == 1
    assert "the song 06_01 has title 'Meanwhile' in base_manifest and " in problems
    assert "audio has stems that training_segments lacks: 05_02_t" in problems
    assert "training_full/Blue was made from base_manifest/Blue" in problems


def test_a_check_of_other_code_is_asked_again_and_blocks_nothing(whole: Path):
    verdicts = whole / "shards/base_manifest/Green/verdicts.json"
    document = json.loads(verdicts.read_text("utf-8"))
    for entry in document["verdicts"]:
        entry["check_version"] = "older"
    verdicts.write_text(json.dumps(document), "utf-8")
    found = parsed(rainbow("plan", "--json"))["shards"]
    assert [(entry["asset"], entry["partition"], entry["state"]) for entry in found if entry["state"] != "fresh"] == [
        ("base_manifest", "Green", "stale")]
    assert "to be checked again" in rainbow("plan").output
    built()
    assert todo() == []


def test_loss_is_counted_in_what_is_lost(whole: Path):
    """An emptied manifest is a song that is gone; so are sounds that are gone from songs that are there."""
    corpus = whole.parent / "corpus"
    kept = whole.parent / "kept"
    shutil.copytree(corpus, kept)
    (corpus / "05_01/05_01.yml").write_text("", "utf-8")
    done = rainbow("build")
    loss = "1 of 1 songs are gone or cannot be used (05_01/05_01.yml, line 1: the manifest"
    assert done.exit_code == 1 and loss in done.output, done.output
    assert loss in rainbow("why", "base_manifest", "--color", "Green").output
    refused(loss)
    removes = {entry["asset"]: entry["remove"] for entry in
               parsed(rainbow("plan", "--color", "Green", "--allow-deletes", "--json"))["shards"]}
    assert removes["base_manifest"] > 0 and removes["training_segments"] > 0
    shutil.copy(kept / "05_01/05_01.yml", corpus / "05_01/05_01.yml")
    built()
    for path in corpus.glob("06_01/*.wav"):
        path.unlink()
    done = rainbow("build")
    assert done.exit_code == 1 and "sounds are gone at once (06_01" in done.output, done.output
    assert rainbow("build", "--allow-deletes").exit_code == 0 and todo() == []


def test_impact_holds_what_a_change_does(whole: Path):
    """After an edit, a build recomputes no shard and no more rows than the impact of the edited file named."""
    song = whole.parent / "corpus/02_01"
    lyrics = song / "02_01.lrc"

    def another_word() -> None:
        lyrics.write_text(lyrics.read_text("utf-8").rstrip("\n") + " again\n", "utf-8")

    for name, edit in (("02_01.lrc", another_word), ("02_01.yml", lambda: retitle(song, "Other"))):
        touched = {(entry["asset"], entry["partition"]): entry
                   for entry in parsed(rainbow("impact", f"02_01/{name}", "--json"))["touched"]}
        assert all(entry["rows"] == len(entry["keys"]) for entry in touched.values())
        edit()
        done = parsed(rainbow("build", "--json"))
        for shard in done["shards"]:
            if shard["computed"] or shard["removed"]:
                where = shard["asset"], shard["partition"]
                assert where in touched and shard["computed"] <= touched[where]["rows"], (name, shard)
        assert {"lyric_embeddings" if name.endswith("lrc") else "concept_embeddings"} <= {asset for asset, _ in touched}
    assert ("preview_mix", "Red") in touched


def outputs(project: Path) -> dict[tuple[str, str], dict[str, str]]:
    """{shard: {key: digest of its row}} of everything that was built."""
    store, found = ShardStore(str(project)), {}
    for name, step in GRAPH.items():
        for partition in step.partitions:
            rows = store.shard(name, partition).ledger(["key", "output", "reason"])
            if rows is not None:
                found[name, partition] = {key: output or reason for key, output, reason in rows.iter_rows()}
    return found


@pytest.mark.heavy
def test_a_supposition_is_what_a_build_then_does(whole: Path, tmp_path: Path):
    """Another file's content, a file that is gone, another color, a song that is gone: said before, by key, and true."""
    song = whole.parent / "corpus/02_01"
    lyrics, sound = song / "02_01.lrc", sorted(song.glob("*.wav"))[1]
    longer = tmp_path / "longer.lrc"
    longer.write_text(lyrics.read_text("utf-8") + "[00:07.500]\none line more\n", "utf-8")
    manifest = song / "02_01.yml"
    content = yaml.safe_load(manifest.read_text("utf-8"))
    blue = yaml.safe_dump({**content, "rainbow_color": "Blue"}, sort_keys=False)
    before_all = {path: path.stat().st_mtime_ns for path in song.iterdir()}
    for words, edit in (
        (("02_01/02_01.lrc", "--with", str(longer)), lambda: shutil.copyfile(longer, lyrics)),
        ((f"02_01/{sound.name}", "--removed"), sound.unlink),
        (("02_01", "--color", "blue"), lambda: manifest.write_text(blue, "utf-8")),
        (("02_01", "--removed"), lambda: shutil.rmtree(song)),
    ):
        said = parsed(rainbow("impact", *words, "--json"))
        assert said["supposed"].startswith("supposed: 02_01")
        touched = {(entry["asset"], entry["partition"]): entry for entry in said["touched"]}
        assert all(path.stat().st_mtime_ns == time for path, time in before_all.items() if path.exists())
        before = outputs(whole)
        edit()
        before_all = {path: path.stat().st_mtime_ns for path in song.iterdir()} if song.exists() else {}
        assert rainbow("build", "--allow-deletes").exit_code == 0 and todo() == []
        after = outputs(whole)
        for where, rows in before.items():
            moved = {key for key, value in rows.items() if after[where].get(key) != value}
            assert moved <= set(touched[where]["keys"] if where in touched else ()), (words, where)
            assert set(after[where]) <= set(rows) or touched[where]["more"], (words, where)
    assert ("training_full", "Blue") in touched and "02_01" not in {key[:5] for key in after["segments", "Blue"]}


@pytest.mark.parametrize(("words", "said"), [
    (("nowhere/x.lrc", "--removed"), "is not a song of the corpus"), (("/", "--color", "Red"), "is not a song"),
    (("/nowhere/05_01/x.lrc", "--removed"), "05_01/x.lrc does not exist"), (("05_01/x.lrc", "--removed"), "does not exist"),
    (("05_01", "--with", "rainbow.toml"), "is a song, and only files have content"), (("05_01/05_01.yml", "--color", "Red"), "only songs have a color"),
    (("05_01", "--removed", "--color", "Red"), "use one of them"), (("05_01/../../x", "--with", "rainbow.toml"), "climbs out")])
def test_a_supposition_that_makes_no_sense_is_a_sentence(whole: Path, words: tuple[str, ...], said: str):
    (whole.parent / "rainbow.toml").write_text("", "utf-8")
    done = rainbow("impact", *words)
    assert done.exit_code == 2 and said in done.output, done.output


def test_a_song_that_is_renamed_is_known_by_its_sounds(whole: Path):
    """No loss, so nothing to allow; the plan says which song it is; no vector is made again."""
    song = whole.parent / "corpus/05_01"
    vectors = {path.name for path in (whole / "vectors").rglob("*") if path.is_file()}
    song.rename(song.with_name("05_07"))
    (song.with_name("05_07") / "05_01.yml").rename(song.with_name("05_07") / "05_07.yml")
    assert "song 05_01 is 05_07 now, with the same sounds" in rainbow("plan").output
    assert rainbow("release").exit_code == 1, "it is not built yet"
    built()
    assert todo() == [] and {key[:5] for key in outputs(whole)["segments", "Green"]} == {"05_07"}
    assert {path.name for path in (whole / "vectors").rglob("*") if path.is_file()} == vectors
    manifest = song.with_name("05_07") / "05_07.yml"
    content = yaml.safe_load(manifest.read_text("utf-8"))
    manifest.write_text(yaml.safe_dump({**content, "rainbow_color": "Blue"}, sort_keys=False), "utf-8")
    assert "song 05_07 is Blue now" in rainbow("plan").output
    built()  # nothing is lost: it is in another color
    assert todo() == []


def test_a_release_says_which_song_has_other_ids(whole: Path):
    assert rainbow("release").exit_code == 0
    assert todo() == [], "what is kept of a release asks no check"
    song = whole.parent / "corpus/05_01"
    song.rename(song.with_name("05_07"))
    (song.with_name("05_07") / "05_01.yml").rename(song.with_name("05_07") / "05_07.yml")
    built()
    assert rainbow("release").exit_code == 0
    changes = json.loads((whole / "hub/v0.4.0/manifest.json").read_text("utf-8"))["changes"]
    assert changes[0]["reasons"][0] == "song 05_01 is now 05_07, with the same audio files: its rows have new ids"


@pytest.mark.parametrize("kind", ["wav", "mid", "lrc", "yml"])
def test_a_file_that_is_written_during_a_build_and_put_back_leaves_no_wrong_row(
    whole: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is hashed is what is read: after the next build everything is as if nobody had touched the file."""
    song = whole.parent / "corpus/02_01"
    before = outputs(whole)
    path = next(path for path in sorted(song.glob(f"*.{kind}")) if "main" not in path.name)
    good, other = path.read_bytes(), next((whole.parent / "corpus/05_01").glob(f"*.{kind}")).read_bytes()
    shutil.rmtree(whole / "shards/segments/Red")
    if kind in ("lrc", "yml"):
        shutil.rmtree(whole / "shards/base_manifest/Red")
        monkeypatch.setattr(source, "read_song", meanwhile(source.read_song, path, other, good))
    else:
        reader = stem_audio if kind == "wav" else segments
        monkeypatch.setattr(reader, "unmoved", meanwhile(reader.unmoved, path, other, good))
    source._read.cache_clear()
    store = ShardStore(str(whole))
    for name in ("base_manifest", "segments"):
        outcome = bring_up_to_date(GRAPH[name], store, "Red", allow_deletes=True)
    assert outcome.problem is not None and (f"02_01/{path.name} changed while it was read" in outcome.problem
                                            or "base_manifest/Red" in outcome.problem)
    monkeypatch.undo()
    settings.default_rules.cache_clear()
    inside(whole, monkeypatch)
    assert rainbow("build").exit_code == 0 and todo() == [] and outputs(whole) == before


def inside(project: Path, patch: pytest.MonkeyPatch) -> None:
    """Be in the project again, after its settings were undone."""
    patch.chdir(project.parent)
    for name, place in (("RAINBOW_CORPUS", "corpus"), ("RAINBOW_DATA", "data"), ("DAGSTER_HOME", "home")):
        patch.setenv(name, str(project.parent / place))


def meanwhile(read: Callable[..., Any], path: Path, other: bytes, good: bytes) -> Callable[..., Any]:
    """Let ``path`` hold other bytes while ``read`` runs."""
    def reading(*words: Any, **more: Any) -> Any:
        path.write_bytes(other)
        try:
            return read(*words, **more)
        finally:
            path.write_bytes(good)

    return reading


def test_a_problem_is_forgotten_with_its_cause(whole: Path, monkeypatch: pytest.MonkeyPatch):
    """One run with a mistyped folder leaves nothing that a plan, a reason or a release would still be about."""
    corpus = os.environ["RAINBOW_CORPUS"]
    monkeypatch.setenv("RAINBOW_CORPUS", "/nowhere")
    assert rainbow("build").exit_code != 0
    monkeypatch.setenv("RAINBOW_CORPUS", corpus)
    for words in (["plan"], ["why", "base_manifest"], ["release"]):
        done = rainbow(*words)
        assert done.exit_code == 0 and "nowhere" not in done.output, done.output
    assert rainbow("build").exit_code == 0
    store = ShardStore(str(whole))
    assert [name for name in GRAPH if any(
        problem(store.shard(name, color)) for color in GRAPH[name].partitions)] == []


def test_a_mix_that_changes_while_it_is_measured_is_named(whole: Path, monkeypatch: pytest.MonkeyPatch):
    """A song's length is kept by the digest of the file that was measured, and by no other."""
    shutil.rmtree(whole / "shards/base_manifest/Red")
    (whole / "cache/media_facts.json").unlink()
    read = media.read_facts

    def written(path: Path, data: bytes | None = None) -> media.Facts | None:
        found = read(path, data)
        if path.name == "02_01_main.wav":
            path.write_bytes(path.read_bytes())
        return found

    monkeypatch.setattr(media, "read_facts", written)
    outcome = bring_up_to_date(GRAPH["base_manifest"], ShardStore(str(whole)), "Red")
    assert outcome.problem is not None and "02_01_main.wav changed while it was read" in outcome.problem


def test_a_version_without_a_file_that_a_song_names_verifies(whole: Path):
    """A stem's sound and another one's MIDI are gone: their rows have no digest, and nothing is traced to them."""
    song = whole.parent / "corpus/06_01"
    sounds = sorted(path for path in song.glob("*.wav") if "main" not in path.name)
    sounds[0].unlink()
    sorted(song.glob("*.mid"))[-1].unlink()
    built()
    assert rainbow("release").exit_code == 0
    done = rainbow("verify", "0.3.0", "--json")
    assert done.exit_code == 0 and parsed(done)["problems"] == [], done.output[:2000]
    fresh = subprocess.run([sys.executable, "-m", "rainbow_assets.cli", "verify", "0.3.0", "--json"], capture_output=True,
                           text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert json.loads(fresh.stdout)["differs"] == [], "a process of its own knows the ledgers, too"
