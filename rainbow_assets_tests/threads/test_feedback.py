"""Feedback, constraints and their enforcement."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest
import yaml

from rainbow_assets.errors import UsageError
from rainbow_assets.threads import commands, enforce, history, metrics, wording
from rainbow_assets.threads.constraints import ConstraintOverride, derive, load, load_overrides, prompt_block
from rainbow_assets.threads.feedback import FeedbackRules, measure
from rainbow_assets.threads.measured import MeasuredThread, UnusableManifest, proposal, read_folder
from rainbow_assets_tests.threads.places import SHARED, needs_shared


def made(number: int, **fields: object) -> MeasuredThread:
    """Return a thread as its manifest would tell it."""
    name = f"{number:08d}-0000-4000-8000-000000000000"
    row: dict[str, object] = {"title": f"Title {number}", "bpm": 60 + number * 7, "key": "C major", "concept": "a b",
                              "mood": ["calm"], "genres": [], "tempo": {"numerator": 4, "denominator": 4},
                              "rainbow_color": "White"}
    return MeasuredThread(name, name, proposal(name, row | fields), (), 1, (), f"2026-01-{number + 1:02d}", "manifest")


def test_prose_is_apart_enharmonics_are_one_and_few_threads_have_no_severity() -> None:
    keys = ["A# major", "Bb major", "B ♭ major", "A ll Keys", "C hromatic Complete", "C major"]
    feedback = measure([made(n, key=key) for n, key in enumerate(keys)])
    labels = {item.name: item.count for item in feedback.final.normalized.labels}
    assert labels == {"Bb major": 3, "(prose)": 2, "C major": 1}
    assert {item.name for item in feedback.final.original.labels} == {
        "A# major", "Bb major", "B ♭ major", "A major", "C major"}
    assert not feedback.enough and {item.kind for item in derive(feedback).constraints} == {"title"}
    enough = derive(measure([made(n, key=keys[n % 6]) for n in range(12)])).constraints
    assert [(item.value, item.severity) for item in enough if item.kind == "key"] == [("Bb major", "exclude")]


def test_measuring_is_repeatable_and_blind_to_order() -> None:
    threads = [made(n, key=["C major", "D minor"][n % 2]) for n in range(12)]
    shuffled = threads[:]
    random.Random(1).shuffle(shuffled)
    assert measure(threads).as_dict() == measure(shuffled).as_dict()
    json.dumps(measure(threads).as_dict())


def test_intervals_hold_the_value_and_shrink_with_n() -> None:
    small = metrics.entropy_interval([["a"], ["b"]] * 10, 1)
    large = metrics.entropy_interval([["a"], ["b"]] * 200, 1)
    assert small and large and small.value == large.value == 1.0
    assert small.high - small.low > large.high - large.low
    std = metrics.std_interval([[1], [2], [3]] * 5, 1)
    assert std and std.low <= std.value <= std.high
    assert metrics.entropy_interval([], 1) is None and metrics.std_interval([], 1) is None and metrics.spread([]) == {}


def test_whole_texts_are_searched() -> None:
    text = "INFORMATION → TIME → SPACE " + "filler " * 60 + "transmigration"
    feedback = measure([made(n, concept=text) for n in range(3)])
    assert feedback.excerpt_hides["transmigration"] == {"full": 3, "excerpt": 0}
    assert feedback.excerpt_hides["information time space"] == {"full": 3, "excerpt": 3}
    assert wording.common_phrases(["the red river runs deep", "the red river runs dry"], 0.9) == ["red river runs"]
    assert wording.opener("look it slaps") == "look" and wording.opener("the accessibility was always") == "the accessibility"


def test_clusters_count_no_thread_twice() -> None:
    clusters = metrics.bpm_clusters([88, 88, 91, 92, 94, 96, 120], 5, 0.3)
    assert sum(item.count for item in clusters) <= 7 and clusters[0].center == 91
    assert metrics.bpm_clusters([60, 90, 120, 150], 5, 0.3) == []


def broken(item: MeasuredThread, rules: object) -> set[str]:
    return {f"{found.severity} {found.kind}" for found in enforce.check_proposal(item.final, rules).violations}  # type: ignore[arg-type]


def test_constraints_are_enforced() -> None:
    threads = [made(n, bpm=90 + n % 3, concept="All transmigration, all the time") for n in range(12)]
    rules = derive(measure(threads))
    assert broken(threads[0], rules) == {"exclude key", "exclude title", "avoid bpm", "avoid phrase",
                                         "avoid title_word", "avoid time_signature", "avoid mood"}
    clean = made(50, key="F# minor", bpm=140, title="Harbor", concept="x", tempo="7/8", mood=["wild"])
    report = enforce.check_proposal(clean.final, rules)
    assert not report.excluded and not report.violations and report.checked == len(rules.constraints)
    assert enforce.check_proposal(made(51, key="prose here", bpm=None).final, rules).unread == ("key", "bpm")
    renamed = dataclasses.replace(clean.final, title="title, 3!")
    assert enforce.check_proposal(renamed, rules).excluded
    assert "Do not use these keys: C major." in prompt_block(rules)


def test_overrides_survive_and_win(tmp_path: Path) -> None:
    source, out = tmp_path / "manifests", tmp_path / "feedback"
    source.mkdir()
    for n in range(12):
        row = {"thread_id": f"{n:08d}-0000-4000-8000-000000000000", "title": f"Song {n}", "bpm": 90, "key": "C major",
               "tempo": {"numerator": 4, "denominator": 4}, "concept": "x", "mood": [], "genres": []}
        (source / f"{n}.yml").write_text(yaml.dump(row), "utf-8")
    commands.feedback_command(source, out)
    path = out / "negative_constraints.yml"
    text = path.read_text("utf-8").replace("manual_overrides: []", (
        "manual_overrides:\n- {kind: key, value: c MAJOR, severity: allow, reason: we like it}\n"
        "- {kind: mood, value: gloomy, severity: exclude, reason: no more}\n"))
    path.write_text(text, "utf-8")
    for _ in range(2):
        answer = commands.feedback_command(source, out)
        kinds = {(item["kind"], item["value"], item["severity"]) for item in answer.values["constraints"]}
        assert ("mood", "gloomy", "exclude") in kinds and not any(kind == "key" for kind, _, _ in kinds)
        assert load_overrides(path)[0] == ConstraintOverride("key", "C major", "allow", "we like it")
    first = path.read_bytes(), (out / "history.png").read_bytes(), (out / "history.jsonl").read_bytes()
    commands.feedback_command(source, out)
    assert (path.read_bytes(), (out / "history.png").read_bytes(), (out / "history.jsonl").read_bytes()) == first
    assert len(history.read_history(out / "history.jsonl")) == 1
    song = tmp_path / "song.yml"
    song.write_text("title: New\nkey: C major\nbpm: 150\nmood: [Gloomy]\n", "utf-8")
    answer = commands.check_command(song, path)
    assert answer.exit_code == 1 and [item["kind"] for item in answer.values["violations"]] == ["mood"]
    song.write_text("title: New\nkey: C major\nbpm: 150\n", "utf-8")
    assert commands.check_command(song, path).exit_code == 0


@pytest.mark.parametrize(("line", "said"), [
    ("{kind: nope, value: x, severity: avoid}", "field kind"), ("{kind: key, value: x, severity: avoid}", "is no key"),
    ("{kind: bpm, value: fast, severity: avoid}", "is no range"), ("{kind: mood, value: x, severity: never}", "severity"),
    ("{kind: mood, severity: avoid}", "field value"), ("just text", "write a mapping"),
])
def test_a_bad_override_is_a_sentence(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "c.yml"
    path.write_text(f"constraints: []\nmanual_overrides:\n- {line}\n", "utf-8")
    with pytest.raises(UsageError, match=said):
        load(path)


def test_later_threads_are_measured_against_earlier_constraints() -> None:
    threads = [made(n) for n in range(12)]
    rules = derive(measure(threads))
    later = [made(20), made(21, key="D minor", bpm=200, tempo="7/8", mood=[])]
    effect = {(item.kind, item.value): item for item in enforce.measured_effect(rules, [*threads, *later])}
    key = effect[("key", "C major")]
    assert (key.later, key.broken, key.threads) == (2, 1, (later[0].thread_id,))
    rows = enforce.walk_forward([*threads, *later])
    assert [row["before"] for row in rows] == [10, 11, 12, 13] and rows[2]["excluded"] and not rows[3]["excluded"]


def test_unusable_manifests_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_folder(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no manifest"):
        read_folder(tmp_path)
    (tmp_path / "a.yml").write_text("title: [", "utf-8")
    with pytest.raises(UnusableManifest, match=r"a\.yml, line"):
        read_folder(tmp_path)
    (tmp_path / "a.yml").write_text("title: x", "utf-8")
    with pytest.raises(UnusableManifest, match="field thread_id"):
        read_folder(tmp_path)


@needs_shared
def test_real_manifests_exclude_c_major() -> None:
    rules = derive(measure(read_folder(SHARED / "threads" / "manifests_20"), FeedbackRules()))
    assert [(item.value, item.severity, item.share) for item in rules.constraints if item.kind == "key"] == [
        ("C major", "exclude", 0.55)]
