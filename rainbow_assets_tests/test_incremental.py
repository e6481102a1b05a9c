"""One thing changes in the raw songs: exactly the rows that depend on it are made anew, and nothing else moves."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml

from rainbow_assets import settings
from rainbow_assets.assets import ASSETS, GRAPH
from rainbow_assets.corpus import manifest_rows
from rainbow_assets.demo.write import write_demo
from rainbow_assets.digests import digest
from rainbow_assets.lineage.codeversion import Code, Root
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.ledger import Report
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, plan
from rainbow_assets.segments import segment_media
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import by_name

COLORS = ("Red", "Green", "Blue")
SONG = "05_01"
MEDIA = ("segment_media",)
Rows = dict[str, dict[str, str]]


@dataclass
class Built:
    """A corpus with five Green songs, one Red and one Blue, built once; tests work on copies."""

    corpus: Path
    data: Path

    @property
    def store(self) -> ShardStore:
        return ShardStore(str(self.data))

    @property
    def song(self) -> Path:
        return self.corpus / SONG

    def build(self, graph: Graph = GRAPH) -> dict[tuple[str, str], Report]:
        """Bring the three colors up to date; return what each shard's build did."""
        reports = {}
        for color in COLORS:
            for name, step in graph.colored().items():
                outcome = bring_up_to_date(step, self.store, color)
                assert outcome.problem is None and outcome.report is not None, outcome.problem
                assert all(verdict.passed for verdict in outcome.verdicts), (name, color, outcome.verdicts)
                reports[name, color] = outcome.report
        return reports

    def outputs(self) -> dict[tuple[str, str], dict[str, str]]:
        """{(asset, color): {key: output digest}}."""
        return {(name, color): dict(self.ledger(name, color)) for name in GRAPH.colored() for color in COLORS}

    def ledger(self, asset: str, color: str) -> list[tuple[str, str]]:
        rows = self.store.shard(asset, color).ledger(["key", "output", "reason"])
        assert rows is not None
        return [(row["key"], row["output"] or row["reason"]) for row in rows.to_dicts()]

    def files(self) -> dict[str, str]:
        """Digest of every live file."""
        found = {}
        for name in GRAPH.colored():
            for color in COLORS:
                shard = self.store.shard(name, color)
                index = shard.require_index()
                for file in ("shard.json", index.ledger, *(part.name for part in index.parts)):
                    found[f"{name}/{color}/{file}"] = hashlib.sha256(shard.files.read(file) or b"").hexdigest()
        return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("incremental")
    made = Built(root / "corpus", root / "data")
    write_demo(made.corpus, songs_per_color=1, seconds=8)
    for folder in sorted(made.corpus.iterdir()):
        if folder.is_dir() and folder.name not in ("02_01", SONG, "06_01"):
            shutil.rmtree(folder)
    for number in range(2, 6):
        copy = made.corpus / f"05_{number:02d}"
        shutil.copytree(made.corpus / SONG, copy)
        (copy / f"{SONG}.yml").rename(copy / f"{copy.name}.yml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_CORPUS", str(made.corpus))
        made.build()
    return made


@pytest.fixture
def built(template: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    mine = Built(tmp_path / "corpus", tmp_path / "data")
    shutil.copytree(template.corpus, mine.corpus)
    shutil.copytree(template.data, mine.data)
    monkeypatch.setenv("RAINBOW_CORPUS", str(mine.corpus))
    # The copies have other inodes: the digest cache is made anew, which is no change of the songs.
    assert not any(report.computed or report.removed for report in mine.build().values())
    return mine


def computed(reports: dict[tuple[str, str], Report]) -> dict[str, int]:
    """{asset: rows computed}, and nothing outside Green."""
    assert not [key for key, report in reports.items() if key[1] != "Green" and (report.computed or report.removed)]
    return {name: report.computed for (name, color), report in reports.items() if color == "Green"}


def moved(before: dict[tuple[str, str], dict[str, str]], after: dict[tuple[str, str], dict[str, str]]) -> dict[str, set[str]]:
    """{asset: keys whose output differs}, over all colors."""
    found: dict[str, set[str]] = {}
    for place in before:
        differing = {key for key in {*before[place], *after[place]} if before[place].get(key) != after[place].get(key)}
        if differing:
            found.setdefault(place[0], set()).update(differing)
    return found


def edit_yaml(path: Path, change: Callable[[dict], None]) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")


def lyrics(built: Built) -> Path:
    return next(path for path in built.song.glob("*.lrc"))


def edit_lyric(built: Built) -> str:
    """Change the words of the last lyric line; return the words that were there."""
    path = lyrics(built)
    lines = path.read_text("utf-8").splitlines()
    place = max(number for number, line in enumerate(lines) if line.strip() and not line.startswith("["))
    old, lines[place] = lines[place], lines[place] + " again"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return old


def test_one_lyric_line(built: Built):
    before, files = built.outputs(), built.files()
    words = edit_lyric(built)
    segments = built.store.shard("segments", "Green")
    rows = segments.table(GRAPH["segments"].schema, ["segment_id", "song_id", "lyric_text"]).to_pylist()
    sung = {row["segment_id"] for row in rows if row["song_id"] == SONG and row["lyric_text"] == words}
    assert sung
    planned = {entry.asset: entry for entry in plan(GRAPH.colored(), built.store, COLORS)
               if entry.state != FRESH and not entry.asks}
    assert all(entry.partition == "Green" for entry in planned.values())
    assert planned.keys().isdisjoint(MEDIA)
    assert any("lrc changed" in reason for reason in planned["base_manifest"].reasons)

    done = computed(built.build())
    assert all(done[name] == 0 for name in MEDIA), "no sound is cut or encoded again"
    changed = moved(before, built.outputs())
    assert changed["segments"] == sung, "exactly the rows that sing the line"
    assert changed["training_segments"] <= sung
    after = built.files()
    assert {name for name in files if name not in after or files[name] != after[name]} <= {
        name for name in files if "/Green/" in name}, "the other colors are byte-equal"
    kept = [name for name in files if name.startswith(("segments/Green/05_0", "segment_media/Green/05_0"))]
    assert len([name for name in kept if files[name] == after.get(name)]) >= len(kept) - 1, "one part of segments moved"
    assert done == {name: planned[name].compute if name in planned else 0 for name in done}, "the plan said so"


def test_one_stem(built: Built):
    before = built.outputs()
    stem = sorted(path for path in built.song.glob("*.wav") if "main" not in path.name)[0]
    samples, rate = soundfile.read(stem, dtype="int16")
    soundfile.write(stem, samples // 2, rate, subtype="PCM_16")
    done = computed(built.build())
    changed = moved(before, built.outputs())
    stems = {row["stem_id"] for row in built.store.shard("base_manifest", "Green").table(
        GRAPH["base_manifest"].schema, ["stem_id", "id", "audio_file"]).to_pylist()
        if row["id"] == SONG and row["audio_file"] == stem.name}
    assert len(stems) == 1
    for name in ("segments", "segment_media", "training_segments", "training_full"):
        assert changed[name] and {key.rpartition("_")[0] for key in changed[name]} == stems, name
    assert changed["base_manifest"] == stems
    assert done["segment_media"] == len(changed["segment_media"])
    assert done["song_splits"] == 0


def test_one_song_deleted_is_gone_everywhere(built: Built):
    files = built.files()
    shutil.rmtree(built.song)
    reports = built.build()
    for name in GRAPH.colored():
        assert not [key for key, _ in built.ledger(name, "Green") if key.startswith(SONG)], name
        assert not [part for part in built.store.shard(name, "Green").require_index().parts if part.group.startswith(SONG)]
    again = built.outputs()
    assert all(reports[name, "Green"].computed == 0 for name in MEDIA)
    after = built.files()
    assert all(files[name] == after[name] for name in files if "/Green/" not in name)
    assert again["segments", "Green"], "the other songs are there"


def test_a_concept_touches_no_sound(built: Built):
    before = built.outputs()
    edit_yaml(built.song / f"{SONG}.yml", lambda document: document.update(concept="Something else entirely."))
    done = computed(built.build())
    assert all(done[name] == 0 for name in ("segments", "segment_media", "training_segments", "song_splits"))
    assert set(moved(before, built.outputs())) <= {"base_manifest", "training_full", "preview", "preview_mix",
                                                   "concept_embeddings"}


def test_a_comment_in_a_manifest_moves_nothing(built: Built):
    before = built.outputs()
    manifest = built.song / f"{SONG}.yml"
    manifest.write_text(manifest.read_text("utf-8") + "\n# a remark\n", "utf-8")
    done = computed(built.build())
    assert moved(before, built.outputs()) == {}
    assert {name for name, rows in done.items() if rows} == {"base_manifest"}, "equal outputs stop the wave there"


def test_an_override_reaches_the_songs_that_it_names(built: Built):
    """The time code of one song is decided by hand: its rows follow, those of the other songs do not."""
    before = built.outputs()
    (built.corpus / "corpus.toml").write_text('music = "demo"\n[song."06_01"]\nunit = "ms"\n', "utf-8")
    planned = {entry.asset: entry for entry in plan(GRAPH.colored(), built.store, COLORS) if entry.state != FRESH}
    assert any("corpus.override" in reason for reason in planned["base_manifest"].reasons)
    built.build()
    changed = moved(before, built.outputs())
    assert changed["base_manifest"] and changed["segments"]
    assert all(key.startswith("06_01") for name in ("base_manifest", "segments", "segment_media") for key in changed[name])


def test_a_setting_moves_what_names_it(built: Built, monkeypatch: pytest.MonkeyPatch):
    rules = replace(settings.Rules(), preview=settings.PreviewRules(seed=7))
    planned = plan(GRAPH.colored(), built.store, COLORS, rules)
    stale = {entry.asset for entry in planned if entry.state != FRESH}
    assert stale == {"preview", "preview_mix"}
    assert any("preview.seed 42 -> 7" in reason for entry in planned for reason in entry.reasons)


def test_a_mode_of_the_taxonomy_moves_targets_and_no_media(built: Built, monkeypatch: pytest.MonkeyPatch):
    """The module's constant is part of the code version; the rows that carry modes change, sound does not."""
    before = built.outputs()
    green = by_name("Green")
    other = replace(green, temporal="Future" if green.temporal != "Future" else "Past")
    monkeypatch.setattr(manifest_rows, "by_name", lambda name: other if name == "Green" else by_name(name))
    real = Code.version

    def edited(code: Code, roots: Iterable[Root]) -> str:
        found = real(code, roots)
        uses = any(module == "rainbow_assets.taxonomy" for module, _ in code.closure(roots))
        return digest(found) if uses else found

    monkeypatch.setattr(Code, "version", edited)
    reports = built.build()
    changed = moved(before, built.outputs())
    assert not any(report.computed for (name, _), report in reports.items() if name in (*MEDIA, "segments"))
    assert {"base_manifest", "training_full"} <= set(changed)
    assert changed.keys().isdisjoint({*MEDIA, "segments", "training_segments"})


@pytest.mark.heavy
def test_two_clean_builds_and_an_incremental_one_are_byte_equal(built: Built, tmp_path: Path):
    edit_lyric(built)
    shutil.rmtree(built.corpus / "05_04")
    built.build()
    clean = Built(built.corpus, tmp_path / "clean")
    clean.build()
    assert clean.files() == built.files()


@pytest.mark.heavy
def test_bytes_that_move_under_equal_sounds_reach_what_copies_them(built: Built, monkeypatch: pytest.MonkeyPatch):
    """Another encoder writes the same sound otherwise: previews hold the new bytes, and no vector is made again."""
    encode = segment_media.encode_checked

    def longer(*words: Any) -> bytes:
        return encode(*words) + b"\0"  # decoders stop at the last frame

    monkeypatch.setattr(segment_media, "encode_checked", longer)
    other_media = replace(segment_media.SEGMENT_MEDIA, libraries=("soxr", "numpy"))
    graph = Graph(other_media if asset.name == "segment_media" else asset for asset in ASSETS)
    done = built.build(graph)
    for color in COLORS:
        assert done["segment_media", color].computed and done["preview", color].computed
        assert not done["audio_embeddings", color].computed, "a vector is of the sound, not of its bytes"
        for _, rows in built.store.shard("preview", color).tables(["audio"]):
            assert all(row["audio"]["bytes"].endswith(b"\0") for row in rows.to_pylist())
    clean = Built(built.corpus, built.data.parent / "clean")
    clean.build(graph)
    copies = ("segment_media", "preview", "preview_mix")
    mine, other = ({name: value for name, value in made.files().items() if name.startswith(copies)
                    and name.endswith(".parquet")} for made in (built, clean))
    assert mine == other
