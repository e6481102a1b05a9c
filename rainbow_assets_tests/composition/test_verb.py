"""`rainbow compose` and `rainbow review` as a person meets them, through Dagster."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import dagster as dg
import pytest

from rainbow_assets import progress, settings
from rainbow_assets.composition import review, sound
from rainbow_assets.orchestration import jobs
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.composition.songs import MADE
from rainbow_assets_tests.threads import synth

FEW = "[composition]\ncandidates = 4\nkeep = 2\nbeam = 2\nfinals = 2\ngenerations = 1\nbars = 4\n"


@pytest.fixture
def place(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (project.parent / "rainbow.toml").write_text(FEW, "utf-8")
    monkeypatch.setenv("RAINBOW_THREADS", str(project.parent / "raw"))
    monkeypatch.setenv("RAINBOW_CHORDS", str(project.parent / "chords"))
    monkeypatch.setattr(sound, "renderer", lambda soundfont="": sound.Plain())
    settings.default_rules.cache_clear()
    yield project
    settings.default_rules.cache_clear()


@pytest.mark.heavy
def test_from_a_proposal_to_an_approved_piece(place: Path) -> None:
    early = rainbow("compose")
    assert early.exit_code == 2 and "no song has been ordered yet; run: rainbow compose PROPOSAL.yml" in early.output
    assert rainbow("review", "--no-browser").exit_code == 2
    (place.parent / "song.yml").write_text(rainbow("compose", "--example").output, "utf-8")
    done = rainbow("compose", "song.yml")
    assert done.exit_code == 0, done.output
    assert "A Field That Forgot Its Name: Green, A minor, 96 bpm, 7/8; there is no chromatic scorer" in done.output
    assert "final_1" in done.output and "melody: " in done.output and "2 finals, in " in done.output
    again = parsed(rainbow("compose", "song.yml", "--json"))
    assert len(again["finals"]) == 2 and again["rated"] >= 20
    with jobs.instance() as instance:
        shown = {name: instance.get_latest_materialization_event(dg.AssetKey(name)).asset_materialization.metadata
                 for name in MADE}
    assert all(shown[name]["rows_computed"].value == 0 for name in MADE), "the second time nothing was to do"
    assert "data:image/png" in shown["drum_candidates"]["evolution"].value
    assert "| final\\_1 |" in shown["final_candidates"]["finals"].value

    folder = place / "compositions/green-a-field-that-forgot-its-name"
    review.change(folder, review.read(folder)[0].midi_sha256, "status", "approved", "pending")
    review.change(folder, review.read(folder)[1].midi_sha256, "status", "rejected", "pending")
    taken = rainbow("review", "--ingest")
    assert taken.exit_code == 0 and "2 verdicts, 1 piece promoted" in taken.output and "| total |" in taken.output
    measured = parsed(rainbow("review", "--ingest", "--json"))
    assert measured["agreement"]["total"]["pairs"] == 1 and len(measured["promoted"]) == 1
    assert len(list((folder / "approved").glob("*.mid"))) == 1
    (folder / "review.yml").write_text((folder / "review.yml").read_text().replace("rejected", "verse"))
    slip = rainbow("review", "--ingest")
    assert slip.exit_code == 1 and "status is 'verse'; write approved, rejected or pending" in slip.output
    assert "Traceback" not in slip.output


def test_a_thread_is_composed_in_another_color(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_EVERY_S", 0.0)
    synth.write_thread(place.parent / "raw", 1, files=30)
    thread = next((place.parent / "raw").iterdir()).name
    other = ("--key", "F# minor", "--bpm", "140", "--time-signature", "6/8", "--title", "Six")
    done = rainbow("compose", thread[:8], "--color", "White", *other, "--json")
    assert done.exit_code == 0, done.output
    assert "drum_candidates" in done.stderr, "progress is shown, and not among the data"
    finals = parsed(done)["finals"]
    assert {(row["thread_id"], row["rainbow_color"], row["key"], row["time_signature"], row["scorer_status"])
            for row in finals} == {(thread, "White", "F# minor", "6/8", "no target")}
    lost = rainbow("compose", "no such thread")
    assert lost.exit_code == 2 and "matches none of 1 threads" in lost.output
    (place / "compositions/odd").mkdir()
    (place / "compositions/odd/proposal.yml").write_text("key: H\n")
    both = rainbow("compose")
    assert both.exit_code == 1 and "2 finals" in both.output and "1 ordered song not composed: odd/prop" in both.output


@pytest.mark.parametrize(("text", "options", "said"), [
    ("key: H\n", (), r"key is 'H', which is not a key"), ("{}", (), "key is missing"),
    ("", ("--color", "Pink"), "'Pink' is not a color of the Rainbow Table"), ("", ("--bpm", "1000"), "bpm is '1000.0'"),
    ("", ("--time-signature", "x"), "time_signature is 'x'"), ("[", (), "song.yml: line 2")])
def test_bad_input_is_a_sentence(place: Path, text: str, options: tuple[str, ...], said: str) -> None:
    (place.parent / "song.yml").write_text(text or rainbow("compose", "--example").output, "utf-8")
    done = rainbow("compose", "song.yml", *options)
    assert done.exit_code == 2 and said in done.output and "Traceback" not in done.output
    assert not (place / "compositions").exists(), "nothing was commissioned"


@pytest.mark.parametrize(("line", "said"), [
    ("stages = 'drums'", "composition.stages is 'drums'; write some of chords"), ("prune = 'none'", "composition.prune is"),
    ("candidates = 1", "composition.candidates is 1; write a whole number from 2 to 500"), ("mutation = 2.0", "write a number from 0 to 1"),
    ("soundfont = '/nowhere.sf2'", "composition.soundfont is /nowhere.sf2, which is not a file")])
def test_settings_that_cannot_be_are_sentences(place: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str) -> None:
    monkeypatch.undo()
    for name, value in (("RAINBOW_DATA", place), ("DAGSTER_HOME", place.parent / "home"),
                        ("RAINBOW_THREADS", place / "no"), ("RAINBOW_CHORDS", place / "no")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(place.parent)
    kept = "\n".join(row for row in FEW.splitlines() if row.split("=")[0] != line.split("=")[0])
    (place.parent / "rainbow.toml").write_text(f"{kept}\n{line}\n", "utf-8")
    settings.default_rules.cache_clear()
    (place.parent / "song.yml").write_text(rainbow("compose", "--example").output, "utf-8")
    done = rainbow("compose", "song.yml")
    assert done.exit_code in (1, 2) and said in done.output and "Traceback" not in done.output


def test_the_page_is_served_until_it_is_ended(place: Path) -> None:
    (place.parent / "song.yml").write_text(rainbow("compose", "--example").output, "utf-8")
    assert rainbow("compose", "song.yml").exit_code == 0
    server = subprocess.Popen([str(Path(sys.executable).parent / "rainbow"), "review", "--no-browser"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}, cwd=place.parent)
    try:
        link, port = re.search(r"(http://127\.0\.0\.1:(\d+)/open/\S+) \(the link works once", server.stdout.readline()).groups()
        with urllib.request.urlopen(link, timeout=60) as answer:
            assert b"A Field That Forgot Its Name" in answer.read()
        taken = rainbow("review", "--no-browser", "--port", port)
        assert taken.exit_code == 1 and f"port {port} cannot be used" in taken.output
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    assert server.stderr.read() == ""
