"""What one version has that another has not, and whether a version is still what was published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rainbow_assets.assets import GRAPH
from rainbow_assets.release import manifest
from rainbow_assets.release.audit import verify
from rainbow_assets.release.compare import Difference, RowChanges, compare
from rainbow_assets.release.directory_hub import DirectoryHub
from rainbow_assets.release.manifest import Manifest, read_manifest, write_manifest
from rainbow_assets.release.versions import Version, propose
from rainbow_assets_tests.release import small


def difference(before: Path, after: Path) -> Difference:
    return compare(read_manifest(before, "before"), read_manifest(after, "after"),
                   lambda entry: (before / entry.path).read_bytes(), lambda entry: (after / entry.path).read_bytes())


def test_rows_are_counted_by_config_and_color(tmp_path: Path) -> None:
    shards = small.preview_parts(tmp_path / "parts", per_song=2)
    small.stage(tmp_path / "3", [small.preview_table(shards)], "0.3.0")
    rows = [small.preview_row("Red", "02_01", n, (n - 1) * 1000, n - 1) for n in (2, 3, 4)]
    rows[0]["title"] = "Another title"
    red = small.part(tmp_path / "red.parquet", "02_01", rows, small.RANKED, ("audio",))
    after = {"Green": shards["Green"], "Red": [red]}
    small.stage(tmp_path / "4", [small.preview_table(after), small.vector_table(tmp_path)], "0.4.0")
    found = difference(tmp_path / "3", tmp_path / "4")
    assert found.rows == (
        RowChanges("embeddings", "Green", 10, 0, 0), RowChanges("preview", "Red", 2, 1, 1),
        RowChanges("preview", "Violet", 0, 0, 4),
    )
    assert "preview/train-Green-00000.parquet" not in found.files and "manifest.json" not in found.gone
    assert {path for path in found.gone if not path.startswith("clips/")} == {"preview/train-Violet-00000.parquet"}
    assert found.bytes == sum(entry.bytes for entry in read_manifest(tmp_path / "4", "x").files
                              if entry.path in found.files)
    assert (found.proposal.level, str(found.proposal.version)) == ("major", "1.0.0")
    assert found.proposal.reasons == (
        "preview has no rows of Violet any more", "the config embeddings is new", "preview has 3 fewer rows",
        "songs that are gone: 08_01, 08_02 (preview)", "songs with new keys: 02_01 (preview)")
    assert "preview Red: 2 rows added, 1 changed, 1 removed" in found.text()
    back = difference(tmp_path / "4", tmp_path / "3")
    assert back.proposal.level == "major" and back.document()["reasons"][0] == "the config embeddings was removed"


def test_a_song_that_changed_its_split_is_stated_and_no_row_changed(tmp_path: Path) -> None:
    shards = small.preview_parts(tmp_path / "parts", per_song=1)
    small.stage(tmp_path / "3", [small.split_table(shards)], "0.3.0")
    small.stage(tmp_path / "4", [small.split_table(shards, {**small.SPLITS, "05_02": "test", "05_01": "train"})], "1.0.0")
    found = difference(tmp_path / "3", tmp_path / "4")
    assert found.rows == (RowChanges("audio", "Green", 0, 0, 0),) and found.gone == ()
    assert (found.proposal.level, found.proposal.reasons) == ("major", (
        "songs that were in test and are now in train: 05_01 (audio)",
        "songs that were in train and are now in test: 05_02 (audio)"))
    assert "songs that were in train and are now in test: 05_02 (audio)" in found.text()


def test_a_manifest_of_before_the_splits_keeps_its_bytes(tmp_path: Path) -> None:
    """Its digest is compared with the file on the Hub."""
    _, made = small.stage(tmp_path / "3", [small.split_table(small.preview_parts(tmp_path / "parts", per_song=1))])
    assert Manifest.from_json(made.to_json()) == made
    older = replace(made, files=tuple(replace(file, split=None, songs={}) for file in made.files),
                    configs={name: replace(entry, splits={}) for name, entry in made.configs.items()})
    assert b"split" not in older.to_json() and b"songs" not in older.to_json()
    assert Manifest.from_json(older.to_json()) == older
    assert propose(made.version, older.shapes(), made.shapes()).reasons == (
        "audio has the split test, validation for the first time",)


def test_a_version_beside_itself_has_no_difference(tmp_path: Path) -> None:
    small.stage(tmp_path / "3", [small.vector_table(tmp_path)], "0.3.0")
    found = difference(tmp_path / "3", tmp_path / "3")
    assert (found.files, found.bytes, found.gone, found.rows) == ((), 0, (), ())


def test_damage_and_moved_ledgers_are_told_apart(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path / "hub")
    with hub.staging() as folder:
        _, made = small.stage(folder, [small.vector_table(tmp_path)], "0.3.0")
        manifest = replace(made, provenance={"shards": {"preview": {"Green": "abc", "Red": "def"}}})
        write_manifest(folder, manifest)
        hub.publish(folder, manifest)
    version = Version(0, 3, 0)
    moved = {"shards": {"preview": {"Green": "abc", "Red": "other"}}}
    assert verify(hub, version, dict(manifest.provenance))["differs"] == []
    assert verify(hub, version, moved)["differs"] == ["preview: the local rows of Red have changed since"]
    untraced = "the version has no readable base_manifest, so no row can be traced to its raw files"
    assert verify(hub, version, None)["problems"] == [untraced]
    path = Path(hub.path_of(version)) / "embeddings/train-Green-00000.parquet"
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"x")
    assert verify(hub, version, moved)["problems"] == [
        "embeddings/train-Green-00000.parquet does not have the sha256 that the manifest lists", untraced]
    path.write_bytes(data[:-1])
    assert "bytes, not" in verify(hub, version, None)["problems"][0]


def test_another_encoder_of_any_kind_is_a_major_step(tmp_path: Path) -> None:
    """Concepts, lyrics and sounds have their encoders under the same name of a setting."""
    _, made = small.stage(tmp_path / "3", [small.vector_table(tmp_path)], "0.3.0")
    for asset in ("concept_embeddings", "lyric_embeddings", "audio_embeddings"):
        names = ("concept_embeddings", "lyric_embeddings", "audio_embeddings")
        before = {name: {"settings": {"embeddings.encoder": "A"}} for name in names}
        after = {**before, asset: {"settings": {"embeddings.encoder": "B"}}}
        proposal = propose(made.version, replace(made, provenance={"made_with": before}).shapes(),
                           replace(made, provenance={"made_with": after}).shapes())
        assert proposal.level == "major"
        assert proposal.reasons == (f"rows of embeddings have another meaning: embeddings.encoder of {asset} was A and is now B",)


def test_the_keys_of_tables_are_those_of_their_assets() -> None:
    """Keys are declared, never guessed from the columns that a table happens to have."""
    tables = GRAPH
    for config in (*manifest.SEGMENTS, *manifest.KEYS):
        asset = manifest.SOURCES.get(config, (config,))[0]
        assert manifest.key_of(config) == tables[asset].key, config
    assert manifest.key_of("another") is None
