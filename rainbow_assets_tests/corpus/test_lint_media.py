"""Lint opens media files as a build does: what it says of them is what the build will say."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rainbow_assets.corpus.base_manifest import BASE_MANIFEST
from rainbow_assets.corpus.lint import lint
from rainbow_assets.corpus.source import _load, judged
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus.songs import manifest, write
from rainbow_assets_tests.segments.midi_files import END, NOTE, chunk, header, midi, off, on, tempo
from rainbow_assets_tests.sound.test_container import RATE, RAW, SOUND, flac, wav

SOUNDS = {f"05_01_{name}.wav": wav(data=np.roll(SOUND, number).tobytes())
          for number, name in enumerate(("main", "02", "03"), start=1)}
GOOD_MIDI = midi([(0, tempo(120)), (0, on(60)), (480, off(60))])


def three_seconds(document: dict[str, Any]) -> None:
    """Make the song as long as its sounds."""
    document.update(TRT="[00:03.000]", lyrics=False, lrc_file="", structure=document["structure"][:1])
    document["structure"][0]["end_time"] = "[00:03.000]"


def media(root: Path, **changed: bytes) -> dict[str, tuple[str, str]]:
    """Write the good song with good media, some of it changed; return {file: (kind, message)} of what lint says."""
    folder = write(root, manifest(three_seconds), None)
    files = {**SOUNDS, "05_01_02.mid": GOOD_MIDI, "05_01_drums.mid": GOOD_MIDI}
    for name, data in {**files, **{f"05_01_{key}": data for key, data in changed.items()}}.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    found, built = lint(root), judged(_load(root, "Green", None), folder)[0].anomalies
    # A build decodes sound later; all that it finds before, lint finds.
    assert not {*built} - {*found} and {entry.kind for entry in {*found} - {*built}} <= {"unreadable_audio"}
    return {entry.file.partition("/")[2]: (entry.kind, entry.message) for entry in found}


def test_good_media_are_silent(tmp_path: Path) -> None:
    assert media(tmp_path) == {}


@pytest.mark.parametrize(("file", "data", "kind", "words"), [
    ("02__wav", wav(2 * RATE), "wrong_audio_header", f"says that the sound has {2 * RATE} bytes"),
    ("main__wav", flac(0), "wrong_audio_header", f"all {len(SOUND)} are read"),
    ("02__wav", wav(len(SOUND) * 4), "unreadable_audio", "is cut"),
    ("02__wav", flac()[:-9], "unreadable_audio", "is cut"),
    ("02__wav", wav(data=b""), "unreadable_audio", "holds no samples"),
    ("02__mid", b"MThd no more", "unreadable_midi", "05_01_02.mid is not a MIDI file"),
    ("drums__mid", b"", "unreadable_midi", "05_01_drums.mid is not a MIDI file"),
    ("02__mid", midi([(0, on(60)), (480, off(60))]), "midi_without_tempo", "sets no tempo at its start"),
    ("02__mid", GOOD_MIDI[:-4], "repaired_midi", "track 0: its header has a size of"),
    ("drums__mid", header(division=0xE728) + chunk(b"\x00\xff\x59\x02\x80\x00" + NOTE + END), "repaired_midi", "128 flats"),
])
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, file: str, data: bytes, kind: str, words: str) -> None:
    found = media(tmp_path, **{file: data})
    ((name, (found_kind, message)),) = found.items()
    assert (name, found_kind) == (f"05_01_{file}".replace("__", "."), kind) and words in message


@pytest.mark.parametrize("as_written", [wav(), wav(after=b"LIST\4\0\0\0INFO"), flac()])
def test_two_files_with_one_sound_are_named_however_they_are_written(tmp_path: Path, as_written: bytes) -> None:
    found = media(tmp_path / "stems", **{"02__wav": wav(), "03__wav": as_written})
    assert found == {"05_01_03.wav": ("equal_sounds", "05_01_02.wav and 05_01_03.wav have the same sound")}
    found = media(tmp_path / "mix", main__wav=wav(), **{"02__wav": wav(), "03__wav": as_written})
    assert found["05_01_03.wav"][1] == "05_01_main.wav and 05_01_02.wav and 05_01_03.wav have the same sound"


def test_silent_files_are_no_copies_of_each_other(tmp_path: Path) -> None:
    assert media(tmp_path, **{f"{name}__wav": wav(data=bytes(len(RAW))) for name in ("02", "03")}) == {}


def test_samples_that_are_no_numbers_are_found_before_the_build(tmp_path: Path) -> None:
    form = struct.pack("<HHIIHH", 3, 1, RATE, 4 * RATE, 4, 32)
    data = np.array([0.1, np.nan, 0.2], "<f4").tobytes()
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    found = media(tmp_path, **{"03__wav": b"RIFF" + struct.pack("<I", len(body)) + body})
    assert found["05_01_03.wav"][0] == "unreadable_audio" and "NaN" in found["05_01_03.wav"][1]


def test_damage_in_the_middle_of_a_sound_does_not_change_who_is_believed(tmp_path: Path) -> None:
    whole = flac()
    damaged = whole[:len(whole) // 2] + bytes(200) + whole[len(whole) // 2 + 200:]
    found = media(tmp_path, main__wav=damaged, **{"02__wav": wav(data=RAW[:RATE]), "03__wav": wav(data=RAW[RATE:2 * RATE])})
    assert found["05_01_main.wav"][0] == "unreadable_audio" and found["05_01_02.wav"][0] == "short_stem"


def test_what_is_remarked_on_a_file_that_no_stem_uses_is_of_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, store = tmp_path / "corpus", ShardStore(str(tmp_path / "data"))
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))

    def both_files(document: dict[str, Any]) -> None:
        three_seconds(document)
        document["audio_tracks"][1]["midi_file"] = "05_01_02.mid"

    folder = write(root, manifest(both_files), None)
    for name, data in SOUNDS.items():
        (folder / name).write_bytes(data)
    (folder / "05_01_02.mid").write_bytes(GOOD_MIDI)
    for data, kinds in ((GOOD_MIDI, set()), (GOOD_MIDI[:-4], {"repaired_midi"})):
        (folder / "05_01_drums.mid").write_bytes(data)
        bring_up_to_date(BASE_MANIFEST, store, "Green")
        ((part,),) = [store.shard("base_manifest", "Green").require_index().parts]
        assert {entry["kind"] for entry in part.facts["anomalies"]} == kinds


def test_the_facts_of_a_song_that_contradicts_itself_are_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, store = tmp_path / "corpus", ShardStore(str(tmp_path / "data"))
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))
    folder = write(root, manifest(), None)  # the text lasts a minute longer than the sounds
    for name in ("main.wav", "02.wav", "03.wav"):
        (folder / f"05_01_{name}").write_bytes(wav())
    for data in (GOOD_MIDI, GOOD_MIDI[:-4]):
        (folder / "05_01_02.mid").write_bytes(data)
        outcome = bring_up_to_date(BASE_MANIFEST, store, "Green")
        assert outcome.report is not None and outcome.report.quarantined == {"contradiction": 1}
        (part,) = store.shard("base_manifest", "Green").require_index().parts
        assert part.facts["files"]["05_01_02.mid"] == hashlib.sha256(data).hexdigest()
    assert "repaired_midi" in {entry["kind"] for entry in part.facts["anomalies"]}
