"""Facts that are said twice: who is believed, who is named, and what stops a song."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile as sf

from rainbow_assets.corpus.lint import LintReport, lint_report
from rainbow_assets.corpus.media import MediaFacts, MidiFacts, Unreadable, read_facts
from rainbow_assets.corpus.source import judged, load_source, manifest_rows
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.music.keys import accidentals
from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus.songs import LRC, manifest, write
from rainbow_assets_tests.segments.midi_files import END, chunk, header, midi, off, on, tempo

MIX, PAD, KICK, NOTES, DRUMS = "05_01_main.wav", "05_01_02.wav", "05_01_03.wav", "05_01_02.mid", "05_01_drums.mid"
TEXT_S = 60.731


def sound(seconds: float, rate: int = 8000, start: float | None = None, xml: bool = False) -> bytes:
    """Return a WAV; ``start``: its place in seconds on its program's time line, in ``bext`` or in iXML."""
    out = io.BytesIO()
    sf.write(out, np.full(round(seconds * rate), 0.1), rate, format="WAV", subtype="PCM_16")
    data = out.getvalue()
    if start is None:
        return data
    samples = round(start * rate)
    halves = f"<SPEED><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>{samples >> 32}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>" \
             f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{samples & 0xFFFFFFFF}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></SPEED>"
    body = halves.encode() + b" " * (len(halves) % 2) if xml else bytes(338) + struct.pack("<Q", samples) + bytes(256)
    chunk = (b"iXML" if xml else b"bext") + struct.pack("<I", len(body)) + body
    whole = b"WAVE" + chunk + data[12:]
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def notes(seconds: float, bpm: float | None = 120, key: str | None = None) -> bytes:
    """Return a MIDI file whose last note ends after ``seconds`` at 120 BPM; ``bpm`` None: without a tempo event."""
    end = round(seconds * 960)
    head = [*([] if bpm is None else [(0, tempo(bpm))]),
            *([] if key is None else [(0, mido.MetaMessage("key_signature", key=key))])]
    return midi([*head, (0, on(60)), (end, off(60))])


def song(root: Path, lrc: str | None = LRC, override: str = "", spoil: Any = None, **files: bytes) -> LintReport:
    """Write the good song with media that agree, some of them changed (``MIX=...``), and return what lint says."""
    media = {MIX: sound(TEXT_S), PAD: sound(TEXT_S), KICK: sound(TEXT_S), NOTES: notes(30), DRUMS: notes(30)}
    folder = write(root, manifest(spoil), lrc)
    for name, data in {**media, **{globals()[key]: data for key, data in files.items()}}.items():
        (folder / name).write_bytes(data)
    if override:
        (root / "corpus.toml").write_text(override, "utf-8")
    return lint_report(root)


def told(report: LintReport) -> dict[str, str]:
    """Return {kind: "file: message"}."""
    return {entry.kind: f"{entry.file.partition('/')[2]}: {entry.message}" for entry in report.anomalies}


def row(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any] | None, str]:
    """Return the song's first row as a build makes it, None if the song must wait, and who gives its end."""
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))
    source = load_source(ShardStore(str(root.parent / "data")).shard("base_manifest", "Green"))
    _, evidence = judged(source, root / "05_01")
    assert evidence is not None
    return next(iter(manifest_rows(source, root / "05_01")), None), evidence.end.evidence


def test_a_song_whose_facts_agree_is_silent(tmp_path: Path) -> None:
    assert song(tmp_path / "corpus").anomalies == ()


def no_text(document: dict[str, Any]) -> None:
    document.update(structure=[], lyrics=False)
    del document["TRT"], document["lrc_file"]


def shorter_text(document: dict[str, Any]) -> None:
    document.update(TRT="[00:20.000]", lyrics=False, structure=document["structure"][:1])
    document["structure"][0]["end_time"] = "[00:20.000]"
    del document["lrc_file"]


@pytest.mark.parametrize(("files", "spoil", "end", "who", "kinds"), [
    ({"MIX": sound(20)}, None, TEXT_S, "longest stem", {"length_disagrees"}),
    ({"MIX": sound(20)}, no_text, TEXT_S, "longest stem", {"length_disagrees"}),
    ({"MIX": sound(20)}, shorter_text, 20, "mix 05_01_main.wav", {"length_disagrees"}),
    ({"MIX": sound(TEXT_S + 30)}, None, TEXT_S + 30, "mix 05_01_main.wav", {"length_disagrees"}),
    ({"MIX": sound(TEXT_S * 3)}, None, TEXT_S * 3, "mix 05_01_main.wav", {"contradiction"}),
    ({"MIX": b"no sound", "PAD": sound(58)}, None, TEXT_S, "longest stem", {"unreadable_audio", "short_stem"}),
    ({"MIX": b"no sound", "PAD": b"none", "KICK": b""}, None, TEXT_S, "text", {"unreadable_audio"}),
    ({"MIX": b"no sound", "PAD": b"none", "KICK": b""}, no_text, 30, "longest MIDI file", {"unreadable_audio"}),
    ({"PAD": sound(TEXT_S + 5)}, None, TEXT_S, "mix 05_01_main.wav", {"length_disagrees"}),
    ({"PAD": sound(40)}, None, TEXT_S, "mix 05_01_main.wav", {"short_stem"}),
])
def test_the_end_of_a_song_is_that_of_the_better_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], spoil: Any, end: float, who: str,
    kinds: set[str],
) -> None:
    lrc = None if spoil else LRC
    report = song(tmp_path / "corpus", lrc, '[song."05_01"]\ntrusted = true\n' if kinds == {"contradiction"} else "",
                  spoil, **files)
    found, evidence = row(tmp_path / "corpus", monkeypatch)
    assert found is not None and abs(found["end_ms"] - end * 1000) < 2
    assert evidence.startswith(f"{who} {end:.3f} s"), evidence
    expected = {"length_disagrees"} if kinds == {"contradiction"} else kinds
    assert expected <= {entry.kind for entry in report.anomalies} and not report.quarantined


def test_sound_and_text_of_two_songs_stop_the_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = dict.fromkeys(("MIX", "PAD", "KICK"), sound(20))
    report = song(tmp_path / "corpus", **short, NOTES=notes(10), DRUMS=notes(10))
    (waiting,) = report.quarantined
    assert waiting.reason == "contradiction" and "60.731 s" in waiting.message and "20.000 s" in waiting.message
    action = next(entry.action for entry in report.anomalies if entry.kind == "contradiction")
    assert 'trusted = true below [song."05_01"] in corpus.toml' in action
    assert row(tmp_path / "corpus", monkeypatch)[0] is None
    (tmp_path / "corpus/corpus.toml").write_text('[song."05_01"]\ntrusted = true\n', "utf-8")
    assert not lint_report(tmp_path / "corpus").quarantined and row(tmp_path / "corpus", monkeypatch)[0]


@pytest.mark.parametrize(("files", "bpm", "kind", "words"), [
    ({"NOTES": notes(30, None)}, 90, "midi_without_tempo", "sets no tempo"),
    ({"NOTES": notes(30, 120)}, 90, "midi_default_tempo", "its only tempo is 120 BPM"),
    ({"NOTES": notes(30, 110)}, 90, "tempo_disagrees", "its tempo is 110 BPM, and the manifest's bpm is 90"),
    ({"NOTES": notes(30, 250)}, 90, "contradiction", "its tempo is 250 BPM"),
    ({"NOTES": notes(99, 90)}, 90, "contradiction", "its last note ends at 132.000 s"),
    ({"NOTES": notes(47, 90)}, 90, "length_disagrees", "its last note ends at 62.667 s, and the song at 60.731 s"),
    ({"NOTES": notes(30, 90, "D")}, 90, "key_disagrees", "2 sharps, and the manifest's key Bb minor has 5 flats"),
    ({"PAD": sound(TEXT_S, start=3612.0), "MIX": sound(TEXT_S, start=3600.0), "KICK": sound(TEXT_S, start=3600.0)}, 90,
     "contradiction", "its time reference is 3612.000 s, and that of the other files 3600.000 s"),
    ({"PAD": sound(TEXT_S, start=12.0), "MIX": sound(TEXT_S, start=0), "KICK": sound(TEXT_S, start=0)}, 90,
     "contradiction", "its time reference is 12.000 s, and that of the other files 0.000 s"),
    ({"PAD": sound(TEXT_S, start=12.0)}, 90, "start_disagrees", "is 12.000 s, and the other files have none"),
    ({"PAD": sound(TEXT_S, start=0.1, xml=True)}, 90, "start_disagrees", "its time reference is 0.100 s"),
    ({"PAD": sound(TEXT_S, 16000)}, 90, "rates_differ", "8000 Hz in 05_01_03.wav, 05_01_main.wav, 16000 Hz"),
])
def test_the_two_numbers_are_told(
    tmp_path: Path, files: dict[str, bytes], bpm: float, kind: str, words: str
) -> None:
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=bpm, lyrics=False, lrc_file=""),
                  **{"DRUMS": notes(20, 90), "NOTES": notes(20, 90), **files})
    assert words in told(report)[kind] and len(report.anomalies) == 1
    assert bool(report.quarantined) == (kind == "contradiction")


@pytest.mark.parametrize("files", [
    {"NOTES": notes(20, 45), "DRUMS": notes(20, 180)},
    {"NOTES": notes(20, 90, "Db"), "DRUMS": notes(20, 90, "Bbm")},
    {"NOTES": notes(20, 90, "C")},
    {name: sound(TEXT_S, start=3600.0, xml=name == "PAD") for name in ("MIX", "PAD", "KICK")},
    {name: sound(TEXT_S, start=3590.0) for name in ("PAD", "KICK")},
    {"MIX": sound(TEXT_S, start=0), **{name: sound(TEXT_S, start=3590.0) for name in ("PAD", "KICK")}},
    {"MIX": sound(TEXT_S, start=3600.0)},
    {"MIX": sound(TEXT_S, start=3599.995), "PAD": sound(TEXT_S, start=3600.0)},
    {"MIX": sound(TEXT_S, start=3600.0), "PAD": sound(TEXT_S, start=0)},
    {"PAD": sound(TEXT_S + 1), "KICK": sound(TEXT_S - 1)},
])
def test_what_is_no_disagreement_is_silent(tmp_path: Path, files: dict[str, bytes]) -> None:
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=90, lyrics=False, lrc_file=""),
                  **{"DRUMS": notes(20, 90), "NOTES": notes(20, 90), **files})
    assert report.anomalies == ()


@pytest.mark.parametrize("bpm", [75, 90, 140])
def test_a_file_that_counts_frames_has_no_tempo_of_music(tmp_path: Path, bpm: float) -> None:
    frames = header(division=0xE728) + chunk(b"\x00\x90\x3c\x40\x87\x68\x80\x3c\x00" + END)  # a tick is a millisecond
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=bpm, lyrics=False, lrc_file=""),
                  NOTES=frames, DRUMS=notes(20, bpm))
    assert report.anomalies == ()


@pytest.mark.parametrize("bpm", [117.5, 117.6, 117.62, 117.65, 119, 121, 122.39, 122.4, 122.41, 122.5])
def test_lint_and_build_agree_on_what_is_the_standard_tempo(tmp_path: Path, bpm: float) -> None:
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=bpm, lyrics=False, lrc_file=""),
                  DRUMS=notes(20, bpm))
    replaced = MidiSong.load(notes(30, 120), bpm).assumed_bpm is not None
    assert ("midi_default_tempo" in told(report)) == replaced


@pytest.mark.parametrize("standard", [499_999, 500_001, 500_010])
def test_lint_and_build_agree_however_the_standard_tempo_was_rounded(tmp_path: Path, standard: int) -> None:
    written = midi([(0, mido.MetaMessage("set_tempo", tempo=standard)), (0, on(60)), (28_800, off(60))])
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=90, lyrics=False, lrc_file=""),
                  NOTES=written, DRUMS=notes(20, 90))
    assert set(told(report)) == {"midi_default_tempo"} and MidiSong.load(written, 90).assumed_bpm is not None


@pytest.mark.parametrize("left_down", [on(62), mido.Message("control_change", control=64, value=127)])
def test_a_key_or_pedal_that_stays_down_to_the_end_of_a_long_track_contradicts_nothing(
    tmp_path: Path, left_down: mido.Message
) -> None:
    written = midi([(0, tempo(90)), (0, on(60)), (14_400, left_down), (28_800, off(60)),
                    (480_000, mido.MetaMessage("end_of_track"))])
    report = song(tmp_path / "corpus", None, "", lambda document: document.update(bpm=90, lyrics=False, lrc_file=""),
                  NOTES=written, DRUMS=notes(20, 90))
    assert "stays down to the end of the track at 666.667 s" in told(report)["length_disagrees"]
    assert not report.quarantined


def test_a_file_that_the_song_does_not_name_is_no_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song(tmp_path / "corpus")
    (tmp_path / "corpus/05_01/other.wav").write_bytes(sound(200, 16000))
    monkeypatch.setenv("RAINBOW_CORPUS", str(tmp_path / "corpus"))
    source = load_source(ShardStore(str(tmp_path / "data")).shard("base_manifest", "Green"))
    assert judged(source, tmp_path / "corpus/05_01")[0].anomalies == ()


def test_a_copy_has_a_sentence_with_its_own_name(tmp_path: Path) -> None:
    facts = MediaFacts(None)
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"no sound")
        found = facts.of(tmp_path / name, "ab", lambda: True)
        assert isinstance(found, Unreadable) and found.sentence.startswith(name)


def test_more_words_than_anybody_sings_are_named(tmp_path: Path) -> None:
    once = LRC.replace("[00:20.977]\nSecond line", "[00:12.700]\nmany words that nobody sings\n[00:20.977]\nSecond line")
    report = song(tmp_path / "one", once.replace("First line", "far too many words"))
    assert told(report) == {"fast_lyrics": "05_01.lrc: 4 words have 0.087 s, 46 words per second, and no one sings more "
                                           "than 8"}
    lines = "".join(f"[00:{10 + n / 10:06.3f}]\nfive words in a tenth\n" for n in range(9))
    report = song(tmp_path / "all", lines)
    assert "contradiction" in told(report) and report.quarantined


def test_a_translation_just_after_its_line_makes_no_one_sing_too_fast(tmp_path: Path) -> None:
    lines = "".join(f"[00:{n}.{613 + n}]five words in a line\n[00:{n}.{623 + n}]cinq mots dans une ligne\n"
                    for n in range(11, 55, 4))
    assert not {"fast_lyrics", "contradiction"} & told(song(tmp_path / "corpus", lines)).keys()


@pytest.mark.parametrize(("key", "sharps"), [("C major", 0), ("A minor", 0), ("F# minor", 3), ("Gb major", -6),
                                             ("Bb minor", -5), ("B major", 5), ("F major", -1)])
def test_accidentals_of_keys(key: str, sharps: int) -> None:
    tonic, mode = key.split()
    assert accidentals(tonic, mode) == sharps


def test_notes_before_the_first_tempo_have_the_manifests(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(midi([(0, on(60)), (960, tempo(60)), (1920, off(60))]))
    found = read_facts(path)
    assert isinstance(found, MidiFacts) and (found.length_ms(120), found.length_ms(30)) == (3_000, 6_000)


def test_the_cache_holds_what_was_read_and_survives_damage(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.wav", tmp_path / "media_facts.json"
    path.write_bytes(sound(2))
    first = MediaFacts(cache)
    found = first.of(path, "ab", lambda: True)
    first.save()
    path.unlink()
    assert found is not None and MediaFacts(cache).of(path, "ab", lambda: True) == found
    for damage in (b"", b"[]", b'{"code": 1}', cache.read_bytes().replace(b'"facts": {', b'"facts": 7, "x": {'),
                   cache.read_bytes().replace(b"{\"ms\"", b"{\"mess\"")):
        path.write_bytes(sound(2))
        cache.write_bytes(damage)
        assert MediaFacts(cache).of(path, "ab", lambda: True) == found


def test_a_file_that_changes_while_it_is_read_gives_no_facts(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(sound(2))
    with pytest.raises(SourceMoved):
        MediaFacts(None).of(path, "ab", lambda: False)
