"""`rainbow chords` as a person meets it: table, JSON, MIDI and sound, and sentences for wrong use."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import soundfile

from rainbow_assets.assets import GRAPH
from rainbow_assets.cli import chords as verb
from rainbow_assets.harmony.midi_read import read_midi
from rainbow_assets.harmony.search import STRATEGIES
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.harmony.packs import free_layout, tar_of

chords = partial(rainbow, "chords")


def test_a_table_for_a_person():
    found = chords("A minor", "--top", "3")
    assert found.exit_code == 0
    lines = found.output.splitlines()
    assert len(lines) == 5 and "voice_leading" in lines[0]
    assert lines[-1] == "A minor, 4 chords, best: exact: no other progression scores higher"


def test_json_midi_and_sound_say_the_same(tmp_path: Path):
    out = tmp_path / "out"
    words = ["Bb major", "--length", "5", "--top", "4", "--json", "--midi", str(out), "--rhythm", "1,1,2", "--bpm", "200",
             "--strum", "10"]
    found = chords(*words, "--audio")
    assert found.exit_code == 0, found.output
    answer = parsed(found)
    assert answer["key"] == "Bb major" and answer["exact"] and answer["gap"] == 0 and len(answer["progressions"]) == 4
    for entry in answer["progressions"]:
        read, _ = read_midi([("x", (out / entry["midi"]).read_bytes())])
        assert read[0] is not None
        assert [list(hit.pitches) for hit in read[0].hits] == [chord["voicing"] for chord in entry["chords"]]
        sound, rate = soundfile.read(out / entry["audio"])
        assert len(sound) / rate == pytest.approx((1 + 1 + 2 + 1 + 1) * 60 / 200, abs=0.01)
        assert abs(sound).max() == pytest.approx(0.9, abs=0.01)
        assert entry["score"] == pytest.approx(sum(
            answer["weights"][name] * part for name, part in entry["breakdown"].items()))
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    chords(*words, "--audio")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_every_option_reaches_the_search():
    found = chords("C major", "--length", "4", "--strategy", "graph", "--candidates", "300", "--seed", "4", "--kind",
                    "triad", "--kind", "seventh", "--start", "I", "--end", "V7", "--pin", "2=IV", "--no-repeats",
                    "--low", "30", "--high", "80", "--max-leap", "9", "--weights", "melody=1,no_parallel_fifths=1",
                    "--json")
    assert found.exit_code == 0, found.output
    answer = parsed(found)
    assert set(answer["progressions"][0]["breakdown"]) == {"melody", "no_parallel_fifths"}
    for entry in answer["progressions"]:
        romans = [chord["roman"] for chord in entry["chords"]]
        assert entry["chords"][0]["function"] == "I" and entry["chords"][1]["function"] == "IV" and romans[-1] == "V7"


def test_a_pack_from_a_file_and_the_built_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pack = tmp_path / "mine.tar.gz"
    pack.write_bytes(tar_of(free_layout()))
    found = chords("D major", "--pack", str(pack), "--json", "--length", "2", "--top", "3")
    answer = parsed(found)
    assert answer["pack"] == "mine" and {chord["name"] for entry in answer["progressions"]
                                         for chord in entry["chords"]} <= {"D", "G"}, "C major, transposed"
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path / "data"))
    missing = chords("A minor", "--pack", "library")
    assert missing.exit_code == 1 and "chord_library" in missing.output
    for name in ("chord_library", "progression_library", "function_graph", "chord_graph"):
        assert bring_up_to_date(GRAPH[name], ShardStore(str(tmp_path / "data"))).problem is None
    built, plain = chords("A minor", "--pack", "library", "--json"), chords("A minor", "--json")
    assert parsed(built)["progressions"] == parsed(plain)["progressions"]


@pytest.mark.parametrize(("words", "code", "said"), [
    (["H minor"], 2, "is not a key"), (["A minor", "--weights", "melody"], 2, "is not <scorer>=<number>"),
    (["A minor", "--weights", "luck=1"], 2, "no scorer is called 'luck'"),
    (["A minor", "--weights", "chromatic_fitness=1"], 2, "no other scorer has a weight"),
    (["A minor", "--color", "Mauve"], 2, "Mauve"),
    (["A minor", "--pin", "V7"], 2, "is not <place>=<chord>"), (["A minor", "--length", "1"], 2, "length 1"),
    (["A minor", "--pin", "1=i", "--pin", "1=V"], 2, "two chords"), (["A minor", "--audio"], 2, "--audio needs a folder"),
    (["A minor", "--midi", "out", "--rhythm", "x"], 2, "beats per chord"), (["A minor", "--bpm", "0"], 2, "tempo"),
    (["A minor", "--pack", "no/such/pack"], 1, "there is no chord pack"), (["A minor", "--kind", "polka"], 1, "'polka'"),
    (["A minor", "--low", "60", "--high", "61"], 1, "widen the range"), (["A minor", "--strategy", "luck"], 2, "luck"),
])
def test_wrong_use_gets_a_sentence_and_no_traceback(words, code, said):
    found = chords(*words)
    assert found.exit_code == code, found.output
    assert said in found.output and "Traceback" not in found.output


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    found = chords("A minor", "--midi", str(tmp_path / "file" / "out"))
    assert found.exit_code == 1 and "cannot be written" in found.output


def test_the_verb_knows_every_strategy():
    assert set(verb.STRATEGIES) == set(STRATEGIES)


def test_a_color_without_a_scorer_says_what_it_used_instead(tmp_path, monkeypatch):
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path))
    done = chords("C major", "--color", "Green")
    assert done.exit_code == 0 and "note: chromatic_fitness is not scored: there is no chromatic scorer yet" in done.output
    answer = parsed(chords("C major", "--color", "G", "--json"))
    assert answer["color"] == "Green" and answer["exact"] and answer["weights"]["chromatic_fitness"] == 0.3
    assert sum(answer["weights_used"].values()) == pytest.approx(1) and "chromatic_fitness" not in answer["weights_used"]
