"""Files that nobody meant to write: each is accepted, refused with a sentence, or quarantined, and in time."""

from __future__ import annotations

import io
import os
import random
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from rainbow_assets import settings
from rainbow_assets.composition import review
from rainbow_assets.composition.proposal import read_proposal
from rainbow_assets.corpus import tables
from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.source import load_source, manifest_rows
from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness import roll
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.music.midi_window import midi_window
from rainbow_assets.sound.channels import kept_channel
from rainbow_assets.sound.stems import examine, probe, read_stem
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.threads.reader import read_thread
from rainbow_assets_tests import hostile
from rainbow_assets_tests.composition.test_review import final
from rainbow_assets_tests.corpus.songs import GOOD, manifest, write
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.harmony.packs import free_layout, original_layout
from rainbow_assets_tests.in_time import in_time

ACCEPTED, REFUSED, QUARANTINED = "accepted", "refused with a sentence", "quarantined"
SECONDS = 5
Take = Callable[[Path, random.Random], str]


def of_song(place: Path, name: str, data: bytes) -> str:
    """Read a song with one file, and a good one beside it, as lint and a build do."""
    root = place / "corpus"
    folder = write(root)
    (folder / name).write_bytes(data)
    write(root, manifest(lambda document: document.update(album_sequence=2, manifest_id="05_02")), song="05_02")
    report = lint_report(root)
    source = load_source(ShardStore(str(place / "data")).shard("base_manifest", "Green"))
    rows = [row for song in source.folders for row in manifest_rows(source, song)]
    pa.Table.from_pylist(rows, schema=tables.SCHEMA)
    assert sum(row["id"] == "05_02" for row in rows) == len(GOOD["audio_tracks"]), "the other song was lost"
    assert not any(entry.kind == "bug" for entry in report.anomalies)
    report.to_text().encode()
    report.to_json().encode()
    return QUARANTINED if report.quarantined else ACCEPTED


def sound(place: Path, rng: random.Random) -> str:
    path = place / "a.wav"
    path.write_bytes(hostile.sound(rng))
    info = probe(path)
    examine(path)
    stem = read_stem(path, windows_ms=[(0, 1000), (500, 99_000)])
    assert abs(len(stem.samples) - info.frames * 44100 / info.sample_rate) <= 2 and stem.samples.nbytes < 1 << 26
    assert all(kept_channel(levels, -40.0) in (None, *range(info.channels)) for levels in stem.levels)
    return of_song(place, "05_01_main.wav", path.read_bytes())


def notes(place: Path, rng: random.Random) -> str:
    data = hostile.notes(rng)
    song = MidiSong.load(data, 97.0)
    if cut := midi_window(song, 100, 2000, 50):
        MidiSong.load(cut)
    roll.read_notes(data, "a.mid")
    return of_song(place, "05_01_02.mid", data)


def proposal(place: Path, rng: random.Random) -> str:
    (place / "a.yml").write_bytes(hostile.proposal(rng))
    assert read_proposal(place / "a.yml").song_id
    return ACCEPTED


def rules(place: Path, rng: random.Random) -> str:
    (place / "rainbow.toml").write_bytes(hostile.settings(rng))
    settings.load_rules(place / "rainbow.toml")
    return ACCEPTED


def judged(place: Path, rng: random.Random) -> str:
    folder = place / "green-x"
    review.lay_out(folder, [final(1), final(2)])
    text = (folder / "review.yml").read_text("utf-8")
    (folder / "review.yml").write_bytes(hostile.respelled(text, rng))
    review.promote(folder, review.read(folder))
    yaml.safe_dump([str(item.notes) for item in review.read(folder)]).encode()
    return ACCEPTED


def thread(place: Path, rng: random.Random) -> str:
    name = "136919aa-0000-4000-8000-000000000000"
    folder = place / name / "yml"
    folder.mkdir(parents=True)
    text = yaml.safe_dump({"iterations": [{
        "iteration_id": "a", "bpm": 90, "tempo": {"numerator": 4, "denominator": 4}, "key": "C major", "title": "T",
        "rainbow_color": {"color_name": "Green"}, "concept": "c", "mood": ["a"], "genres": ["b"]}]}, sort_keys=False)
    (folder / f"all_song_proposals_{name}.yml").write_bytes(hostile.respelled(text, rng))
    (folder / "an_object.yml").write_bytes(hostile.respelled("artifact_name: a\ntext: /Users/x/chain_artifacts/y\n", rng))
    (folder / "b.json").write_bytes(hostile.mutated(b'{"a": "/home/x/chain_artifacts/y/z.wav", "b": [1, 2]}', rng))
    found = read_thread(place / name)
    if found.quarantined is not None:
        assert found.quarantined.reason != "bug"
    return QUARANTINED if found.quarantined else ACCEPTED


def pack(place: Path, rng: random.Random) -> str:
    files = dict(rng.choice([original_layout, free_layout])())
    for name in rng.sample(sorted(files), 3):
        files[name] = hostile.mutated(files[name], rng)
    if rng.random() < 0.5:
        read_pack(files, "mine")
        return ACCEPTED
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=rng.choice(["w", "w:gz"])) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(rng.choice([name, name, name, f"../{name}", f"/{name}"]))
            entry.size, entry.type = len(data), rng.choice([tarfile.REGTYPE] * 9 + [tarfile.SYMTYPE])
            archive.addfile(entry, io.BytesIO(data))
    (place / "mine.tar").write_bytes(hostile.mutated(file.getvalue(), rng) if rng.random() < 0.7 else file.getvalue())
    read_pack(place / "mine.tar")
    return ACCEPTED


TAKES: dict[str, Take] = {
    "manifest": lambda place, rng: of_song(place, "05_01.yml", hostile.song(rng)),
    "lyrics": lambda place, rng: of_song(place, "05_01.lrc", hostile.sung(rng)),
    "sound": sound, "MIDI": notes, "proposal": proposal, "settings": rules, "review": judged, "thread": thread, "pack": pack,
}


@pytest.mark.counted
@pytest.mark.heavy
@pytest.mark.parametrize("kind", TAKES)
def test_no_input_is_a_traceback_or_waits(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    first = os.environ["RAINBOW_TEST_SEED"]
    ends = Counter[str]()
    for number in range(count("hostile")):
        place = tmp_path / str(number)
        place.mkdir()
        monkeypatch.setenv("RAINBOW_CORPUS", str(place / "corpus"))
        try:
            with in_time(SECONDS, f"{kind}, RAINBOW_TEST_SEED={first}, number {number}"):
                end = TAKES[kind](place, random.Random(f"{first} {kind} {number}"))
        except RainbowError as error:
            assert str(error).strip()
            end = REFUSED
        except BaseException as error:
            error.add_note(f"{kind}, RAINBOW_TEST_SEED={first}, number {number}: {place}")
            raise
        ends[end] += 1
        shutil.rmtree(place)
    record_property(f"hostile {kind}", "run: " + ", ".join(f"{number} {end}" for end, number in sorted(ends.items())))
