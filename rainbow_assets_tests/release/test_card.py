"""The card, and the release loaded by the real `datasets` in a process that has no torch and no torchcodec."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rainbow_assets.markdown import code, escaped
from rainbow_assets.release.bundle import Bundle, PartFile, ReleaseTable, write_bundle
from rainbow_assets.release.card import CardFacts, NothingToRelease, config_facts, render_card, size_category
from rainbow_assets.release.manifest import files_below
from rainbow_assets.release.pages import size, span
from rainbow_assets.release.versions import Version
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.release import small

LOADER = """
import json, sys
from importlib.machinery import PathFinder

class WithoutTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ("torch", "torchcodec") else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTorch
from datasets import Audio, get_dataset_config_names, load_dataset
"""


def outside(tmp_path: Path, body: str) -> dict[str, object]:
    """Run ``body`` in a fresh offline process; it leaves a JSON object in ``found``."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"),
        "HF_DATASETS_CACHE": str(tmp_path / "cache"), "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOADER + body + "\nprint('FOUND' + json.dumps(found))" + client.END],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rsplit("FOUND", 1)[1])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    tables = [small.vector_table(folder), small.preview_table(small.preview_parts(folder / "parts"))]
    small.stage(folder / "out", tables)
    return folder / "out"


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with a table in three splits; Red and Green lack one or two of them."""
    folder = tmp_path_factory.mktemp("split")
    shards = small.preview_parts(folder / "parts")
    small.stage(folder / "out", [small.preview_table(shards), small.split_table(shards)])
    return folder / "out"


def front(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_release_loads_without_torch_streaming_too(release: Path, tmp_path: Path) -> None:
    found = outside(tmp_path, f"""
path = {str(release)!r}
ds = load_dataset(path, "preview", split="train")
default = load_dataset(path, split="train")
stream = load_dataset(path, "preview", split="train", streaming=True)
vectors = load_dataset(path, "embeddings", split="train")
first = next(iter(stream))
import hashlib, importlib.util
found = dict(
    configs=get_dataset_config_names(path), rows=len(ds), default=len(default), columns=ds.column_names,
    rate=ds.features["audio"].sampling_rate, kind=type(ds.features["audio"]).__name__,
    streamed=type(stream.features["audio"]).__name__, first=first["audio"]["path"],
    emb=vectors.features["lyric_emb"].length, bpm=ds.features["bpm"].dtype,
    sounds={{row["segment_id"]: hashlib.sha256(row["audio"]["bytes"]).hexdigest()
            for row in ds.cast_column("audio", Audio(decode=False))}},
    colors=sorted(set(ds["rainbow_color"])), torch=importlib.util.find_spec("torch") is not None,
)""")
    assert found["configs"] == ["preview", "embeddings"] and found["rows"] == found["default"] == 15
    assert (found["kind"], found["rate"], found["streamed"]) == ("Audio", 44100, "Audio")
    assert found["columns"] == small.PREVIEW_SCHEMA.names and found["bpm"] == "float32"
    assert found["first"] == "05_01_t01_0000000.flac"
    assert found["emb"] == 4 and found["colors"] == ["Green", "Red", "Violet"] and found["torch"] is False
    rows = [small.preview_row(color, song, n + 1, n * 1000, 0) for color, songs in small.SONGS.items()
            for song in songs for n in range(3)]
    assert found["sounds"] == {row["segment_id"]: hashlib.sha256(row["audio"]["bytes"]).hexdigest() for row in rows}


def test_the_cards_cells_run_as_they_stand(release: Path, tmp_path: Path) -> None:
    card = (release / "README.md").read_text("utf-8")
    cells = re.findall(r"^```python\n(.*?)^```", card, re.M | re.S)
    assert len(cells) == 3 and "preview.filter(lambda x: x['rainbow_color'] == 'Green')[0]" in cells[0]
    runnable = "\n".join(cell for cell in cells if "IPython" not in cell)
    runnable = runnable.replace("earthlyframes/white-training-data", str(release))
    found = outside(tmp_path, runnable + """
found = dict(color=green_segment["rainbow_color"], rate=rate, frames=len(samples), peak=float(abs(samples).max()))
""")
    assert found["color"] == "Green" and found["rate"] == 44100 and found["frames"] == 22050
    assert 0.1 < float(str(found["peak"])) < 1


def test_the_cell_that_plays_makes_a_player(release: Path, tmp_path: Path) -> None:
    pytest.importorskip("IPython", reason="IPython is not installed, so its player cannot be tried")
    card = (release / "README.md").read_text("utf-8")
    cells = "\n".join(re.findall(r"^```python\n(.*?)^```", card, re.M | re.S))
    cells = cells.replace("earthlyframes/white-training-data", str(release))
    found = outside(tmp_path, cells + "\nfound = dict(html=Play(samples, rate=rate)._repr_html_()[:400])")
    assert "<audio" in str(found["html"])


def test_front_matter_follows_from_the_written_files(release: Path) -> None:
    matter = front((release / "README.md").read_text("utf-8"))
    assert [config["config_name"] for config in matter["configs"]] == ["preview", "embeddings"]  # type: ignore[union-attr]
    assert matter["configs"][0]["default"] is True and "default" not in matter["configs"][1]  # type: ignore[index]
    assert matter["license"] == "other" and str(matter["license_name"]).endswith("-v1.0")
    assert matter["size_categories"] == ["n<1K"] and "dataset_info" not in matter
    for config in matter["configs"]:  # type: ignore[union-attr]
        assert [file["split"] for file in config["data_files"]] == ["train"]
        assert list(release.glob(config["data_files"][0]["path"]))


def test_the_front_matter_lists_the_splits_that_have_files(split: Path) -> None:
    preview, audio = front((split / "README.md").read_text("utf-8"))["configs"]  # type: ignore[misc]
    assert [file["split"] for file in preview["data_files"]] == ["train"]
    assert {file["split"]: sorted(path.name for path in split.glob(file["path"])) for file in audio["data_files"]} == {
        "train": ["train-Green-00000.parquet", "train-Red-00000.parquet", "train-Violet-00000.parquet"],
        "validation": ["validation-Violet-00000.parquet"], "test": ["test-Green-00000.parquet"]}


def test_the_card_counts_rows_and_songs_by_split(split: Path) -> None:
    card = (split / "README.md").read_text("utf-8")
    head = "train | validation | test |\n|---|---:|---:|---:|\n"
    assert f"| config | {head}| `preview` | 15 | 0 | 0 |\n| `audio` | 9 | 3 | 3 |\n" in card
    assert f"| color | {head}| Red | 1 | 0 | 0 |\n| Green | 1 | 0 | 1 |\n| Violet | 1 | 1 | 0 |\n" in card
    assert "- No validation song of Red, Green (audio).\n- No test song of Red, Violet (audio).\n" in card


def test_a_split_has_its_own_songs_and_the_features_of_the_others(split: Path, tmp_path: Path) -> None:
    found = outside(tmp_path, f"""
path = {str(split)!r}
def songs(name):
    return sorted(set(load_dataset(path, "audio", split=name)["song_id"]))
every = load_dataset(path, "audio")
stream = load_dataset(path, "audio", split="test", streaming=True)
one = load_dataset(path, "preview")
try:
    load_dataset(path, "preview", split="test")
    missing = ""
except ValueError as error:
    missing = str(error)
found = dict(
    train=songs("train"), validation=songs("validation"), test=songs("test"), names=list(every),
    same=every["train"].features == every["validation"].features == every["test"].features == stream.features,
    kind=type(every["test"].features["audio"]).__name__, streamed=sorted({{row["song_id"] for row in stream}}),
    preview=list(one), missing=missing,
)""")
    assert {name: found[name] for name in ("train", "validation", "test")} == {
        name: [song for song, own in small.SPLITS.items() if own == name] for name in ("train", "validation", "test")}
    assert found["names"] == ["train", "validation", "test"] and found["same"] is True and found["kind"] == "Audio"
    assert found["streamed"] == ["05_01"] and found["preview"] == ["train"] and "test" in str(found["missing"])


def test_texts_from_outside_cannot_mark_up_the_card(release: Path) -> None:
    card = (release / "README.md").read_text("utf-8")
    assert "<script" not in card and "&lt;script&gt;" in card and r"\*stars\*" in card
    tables = [line for line in card.splitlines() if line.startswith("| `hour_offset`")]
    assert len(tables) == 1 and len(re.findall(r"(?<!\\)\|", tables[0])) == 6
    for line in card.splitlines():
        assert line == line.rstrip() or line.startswith("|"), line


def test_the_same_data_give_the_same_bytes(release: Path, tmp_path: Path) -> None:
    tables = [small.vector_table(tmp_path), small.preview_table(small.preview_parts(tmp_path / "parts"))]
    small.stage(tmp_path / "elsewhere", tables)
    names = files_below(release)
    assert names == files_below(tmp_path / "elsewhere") and "listen.html" in names
    for name in names:
        assert (release / name).read_bytes() == (tmp_path / "elsewhere" / name).read_bytes(), name
        assert str(tmp_path).encode() not in (release / name).read_bytes()


def test_a_card_without_sound_or_extras(tmp_path: Path) -> None:
    bundle = write_bundle([small.vector_table(tmp_path)], tmp_path / "out")
    facts = config_facts(bundle)
    assert facts[0].default
    card = render_card(CardFacts(Version(1, 0, 0), facts))
    assert 'load_dataset("earthlyframes/white-training-data", "embeddings", split="train",' in card and 'revision="v1.0.0")' in card
    assert "listen.html" not in card and "## Checks" not in card and "## Coverage" not in card


def test_the_example_asks_for_a_color_that_is_there(tmp_path: Path) -> None:
    shards: dict[str, list[PartFile]] = small.preview_parts(tmp_path / "parts", {"Violet": ("08_01",)}, 1)
    bundle = write_bundle([small.preview_table(shards)], tmp_path / "out")
    card = render_card(CardFacts(Version(1, 0, 0), config_facts(bundle)))
    assert "== 'Violet')[0]" in card and "No config has rows of Black, Red" in card


def test_nothing_at_all_is_a_sentence() -> None:
    with pytest.raises(NothingToRelease, match="rainbow build"):
        config_facts(Bundle((), {}))
    assert ReleaseTable("x", {}, small.TABLE).below is None


@pytest.mark.parametrize(("rows", "name"), [
    (0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (11_605, "10K<n<100K"), (5_000_000, "1M<n<10M"), (10**8, "n>10M")])
def test_size_categories(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_figures_for_people() -> None:
    assert [size(n) for n in (0, 999, 1000, 1_449_000, 99_960_000, 15_300_000_000)] == [
        "0 B", "999 B", "1.0 kB", "1.4 MB", "100 MB", "15.3 GB"]
    assert [span(s) for s in (12.5, 59.97, 245, 97380)] == ["12.5 s", "1 min 00 s", "4 min 05 s", "27 h 03 min"]
    assert escaped("a|b\n<c> $x$ `y`") == r"a\|b &lt;c&gt; \$x\$ \`y\`" and code("a`|b") == "`a'\\|b`"


def test_music_that_no_artist_made_is_named_in_title_license_and_citation(tmp_path: Path) -> None:
    bundle = write_bundle([small.vector_table(tmp_path)], tmp_path / "out")

    def card(**songs: list[str]) -> tuple[str, dict[str, object]]:
        text = render_card(CardFacts(Version(1, 0, 0), config_facts(bundle), songs={
            name.replace("_", "-"): ids for name, ids in songs.items()}))
        return text, yaml.safe_load(text.split("---\n")[1])

    text, front = card(demo=["05_01", "05_02"])
    assert front["license"] == "apache-2.0" and "license_name" not in front
    assert "# A demo of the Rainbow Table: songs that a program wrote\n" in text
    assert "**A program wrote the music of 2 of 2 songs, with their texts.**" in text
    assert "author = {rainbow\\_assets (a program)}" in text or "author = {rainbow_assets (a program)}" in text
    assert "Earthly Frames" not in text.replace("earthlyframes", "")
    text, front = card(stand_in=["05_01"])
    assert "stand-in sounds" in str(front["pretty_name"]) and front["license"] == "other"
    assert "The Earthly Frames (texts)" in text
    text, front = card(artist=["01_01"], demo=["05_01"])
    assert front["pretty_name"] == "The Rainbow Table: songs, stems and segments of The Earthly Frames"
    assert "**A program wrote the music of 1 of 2 songs, with their texts: 05\\_01.**" in text
    text, front = card(artist=["01_01"])
    assert "program wrote" not in text and front["task_categories"]
