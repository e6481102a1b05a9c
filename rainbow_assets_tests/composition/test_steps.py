"""The composer's assets in the ledger: what a change computes again, what it leaves, and what is set aside and said."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rainbow_assets.assets import GRAPH
from rainbow_assets.composition import review, scoring, sound, stage_rows
from rainbow_assets.composition import songs as orders
from rainbow_assets.composition.evolve import Population
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.fitness.contract import DISCRIMINATIVE, NOT_DISCRIMINATIVE
from rainbow_assets.fitness.targets import targeted
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.orchestration.checks import _bugs
from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.human_table import human_table
from rainbow_assets.settings import Rules
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.composition import songs
from rainbow_assets_tests.composition.songs import MADE, SMALL, STAGES, build, computed, failed, files, rows


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One song, composed once with the plain synthesizer."""
    root = tmp_path_factory.mktemp("composed") / "data"
    with pytest.MonkeyPatch.context() as patch:
        outside(patch, root.parent)
        store = ShardStore(str(root))
        songs.commissioned(store)
        made = build(store)
        assert computed(made)["final_candidates"] == 2
        assert not any(failed(outcome) for outcome in made.values())
    return root


def outside(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("RAINBOW_CHORDS", str(folder / "no-chords"))
    patch.setenv("RAINBOW_THREADS", str(folder / "no-threads"))
    patch.setattr(sound, "renderer", lambda soundfont="": sound.Plain())


@pytest.fixture
def store(composed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShardStore:
    outside(monkeypatch, tmp_path)
    shutil.copytree(composed, tmp_path / "data")
    return ShardStore(str(tmp_path / "data"))


def states(store: ShardStore) -> dict[str, str]:
    steps = {name: GRAPH[name] for name in (*songs.LIBRARY, *MADE)}
    return {entry.asset: entry.state for entry in plan(steps, store, COLOR_NAMES, Rules(composition=SMALL))
            if entry.asset in MADE}


def test_every_candidate_is_a_file_with_a_score_and_an_ancestry(store: ShardStore) -> None:
    counts = {name: len(rows(store, name)) for name in STAGES}
    assert counts == {"chord_candidates": 4, "drum_candidates": 8, "bass_candidates": 8, "melody_candidates": 8}
    for name, before in zip(STAGES, (None, *STAGES), strict=False):
        kept = {row["candidate_id"]: row for row in rows(store, before)} if before else {}
        for row in rows(store, name):
            assert sha256_bytes(row["midi"]) == row["midi_sha256"] and 0 <= row["score"] <= 1
            assert row["scorer_status"] == scoring.NONE_MADE and row["fitness"] is None
            if before:
                parent = kept[row["parent_id"]]
                assert parent["kept"] and row["candidate_id"].startswith(f"{row['parent_id']}.")
                assert row["lineage"][:-1] == parent["lineage"]
                mine, theirs = from_midi(row["midi"]), from_midi(parent["midi"])
                assert {part: mine[part] for part in theirs} == theirs, "what the parent played is played"
        assert sum(row["kept"] for row in rows(store, name)) == 2
    for row in rows(store, "final_candidates"):
        assert [entry["stage"] for entry in row["lineage"]] == ["chords", "drums", "bass", "melody"]
        assert {item["part"] for item in row["stems"]} == {"chords", "drums", "bass", "melody"}
        mix, _ = soundfile.read(io.BytesIO(row["flac"]))
        assert np.abs(mix).max() > 0.5 and row["rendered_by"] == "plain 1"
    facts = store.shard("drum_candidates").require_index().parts[0].facts
    assert facts["generations"][-1]["random_best"] is not None and 0 < facts["diversity"]["kept"] <= 1


def test_again_nothing_is_computed_and_two_builds_are_byte_equal(store: ShardStore, tmp_path: Path) -> None:
    before = files(store, *MADE)
    assert computed(build(store)) == {} and files(store, *MADE) == before
    other = ShardStore(str(tmp_path / "other"))
    songs.commissioned(other)
    build(other)
    assert files(other, *MADE) == before


def test_a_changed_concept_moves_every_stage_and_no_other_song(store: ShardStore) -> None:
    songs.commissioned(store, title="Another", rainbow_color="White", time_signature="7/8", key="C major")
    assert states(store)["chord_candidates"] == STALE
    assert computed(build(store)) == {"chord_candidates": 4, "drum_candidates": 8, "bass_candidates": 8,
                                      "melody_candidates": 8, "final_candidates": 2, "human_evaluation": 2}
    assert set(states(store).values()) == {FRESH}
    old = {row["candidate_id"]: row["midi_sha256"] for row in rows(store, "melody_candidates")}
    songs.commissioned(store, concept="A field that remembers.")
    assert computed(build(store))["chord_candidates"] == 4
    new = {row["candidate_id"]: row["midi_sha256"] for row in rows(store, "melody_candidates")}
    assert {key for key in old if key.startswith("white")} == {key for key in new if key.startswith("white")}
    assert all(new[key] == old[key] for key in old if key.startswith("white"))
    assert not any(old.get(key) == new[key] for key in new if key.startswith("green"))


def test_a_drum_template_moves_drums_and_what_follows(store: ShardStore) -> None:
    own = Path(store.files.root) / "compositions/templates/drums.toml"
    own.parent.mkdir()
    own.write_text('[[drums]]\nname = "mine"\nfamily = "x"\nenergy = "medium"\nmeter = "4/4"\nkick = "X... x... X... x..."\n')
    assert states(store)["chord_candidates"] == FRESH and states(store)["drum_candidates"] == STALE
    chords = files(store, "chord_candidates")
    done = computed(build(store))
    assert "chord_candidates" not in done and {"drum_candidates", "bass_candidates", "final_candidates"} <= set(done)
    assert files(store, "chord_candidates") == chords
    own.write_text("[[drums]]\nname = 1")
    problem = build(store, "drum_candidates")["drum_candidates"].problem
    assert problem is not None and "drums.toml: [[drums]] 1" in problem


def test_an_approval_computes_no_music(store: ShardStore) -> None:
    folder = Path(store.files.root) / "compositions/green-field-notes"
    first, second = (item.midi_sha256 for item in review.read(folder))
    review.change(folder, first, "label", "the one", "")
    review.change(folder, first, "status", "Approved", "pending")
    review.change(folder, second, "status", "rejected", "pending")
    before = files(store, *MADE[:-1])
    assert computed(build(store)) == {"human_evaluation": 2} and files(store, *MADE[:-1]) == before
    found = {row["midi_sha256"]: row for row in rows(store, "human_evaluation")}
    assert found[first]["promoted_to"] == "approved/the one.mid" and found[first]["status"] == "approved"
    assert (folder / "approved/the one.mid").read_bytes() == found[first]["midi"]
    assert found[first]["concept"] == songs.FIELDS["concept"] and found[second]["status"] == "rejected"
    bundle = write_bundle([human_table(GRAPH["human_evaluation"].schema, store)], folder / "release")
    assert bundle.configs[0].rows == 2 and (folder / "release/human_evaluation").is_dir()


def test_a_review_with_a_slip_is_set_aside_and_said(store: ShardStore) -> None:
    folder = Path(store.files.root) / "compositions/green-field-notes"
    path = folder / "review.yml"
    good = path.read_text()
    path.write_text(good.replace("status: pending", "status: chorus 1", 1))
    outcome = build(store)["human_evaluation"]
    assert outcome.report is not None and outcome.report.quarantined == {"unknown_status": 1}
    assert "green-field-notes/review.yml: candidates 1" in failed(outcome)["reviews_taken"]
    assert not (folder / "approved").exists() and path.read_text() != good, "the file is as the person left it"
    path.write_text(good)
    assert computed(build(store)) == {"human_evaluation": 2}


def test_files_of_finals_that_are_gone_come_back_and_nothing_is_computed(store: ShardStore) -> None:
    folder = Path(store.files.root) / "compositions/green-field-notes"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(folder / "candidates")
    (folder / "review.yml").unlink()
    assert computed(build(store)) == {}
    assert {path: path.read_bytes() for path in before} == before


def test_a_review_that_cannot_be_read_stops_no_other_song(store: ShardStore) -> None:
    place = Path(store.files.root) / "compositions"
    (place / "green-field-notes/review.yml").write_text("candidates: [")
    songs.commissioned(store, title="Other")
    (place / "green-field-notes/proposal.yml").write_text(
        (place / "green-field-notes/proposal.yml").read_text().replace("97", "98"))
    problem = build(store, *songs.LIBRARY, *MADE[:-1])["final_candidates"].problem
    assert problem is not None and "green-field-notes/review.yml, line 2" in problem
    assert len(review.read(place / "green-other")) == 2, "the other song can be judged"
    assert (place / "green-field-notes/review.yml").read_text() == "candidates: ["


def test_proposals_are_read_once_in_a_plan(store: ShardStore, monkeypatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(orders, "load_fields", lambda path, load=orders.load_fields: read.append(path) or load(path))
    assert set(states(store).values()) == {FRESH} and len(read) == 1


def test_a_proposal_that_cannot_be_read_stops_no_other(store: ShardStore) -> None:
    broken = Path(store.files.root) / "compositions/odd/proposal.yml"
    broken.parent.mkdir()
    broken.write_text("title: Odd\nkey: H\nbpm: 100\ncolor: Red\nconcept: x\n")
    songs.commissioned(store, title="Other")
    outcomes = build(store)
    report = outcomes["chord_candidates"].report
    assert report is not None and report.quarantined == {"unreadable_proposal": 1} and report.rows == 8
    (verdict,) = [item for item in outcomes["chord_candidates"].verdicts if item.check == "songs_composed"]
    assert verdict.passed and "odd/proposal.yml: key is 'H', which is not a key" in verdict.message
    assert {row["song_id"] for row in rows(store, "final_candidates")} == {"green-field-notes", "green-other"}


def test_a_bug_met_in_one_song_stops_no_other(store: ShardStore, monkeypatch: pytest.MonkeyPatch) -> None:
    songs.commissioned(store, title="Other")
    songs.commissioned(store, title="Third")
    real_checked, real_compose = orders.checked, stage_rows.compose

    def reads(values, where):
        if where.startswith("green-other"):
            raise ZeroDivisionError
        return real_checked(values, where)

    def composes(lines, ranks):
        if lines[0].context.song.song_id == "green-third":
            raise KeyError("no chord")
        return real_compose(lines, ranks)

    monkeypatch.setattr(orders, "checked", reads)
    monkeypatch.setattr(stage_rows, "compose", composes)
    report = build(store)["chord_candidates"].report
    assert report is not None and report.quarantined == {"bug": 5}
    assert _bugs(store.shard("chord_candidates"), "song").startswith("2 songs quarantined")
    assert {row["song_id"] for row in rows(store, "final_candidates")} == {"green-field-notes"}


def test_a_bug_met_in_a_review_is_told_as_one(store: ShardStore, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path(store.files.root) / "compositions/green-field-notes/review.yml"
    place.write_text(place.read_text() + "\n# looked at\n")
    monkeypatch.setattr(review, "approved_files", lambda *_: 1 / 0)
    outcome = build(store)["human_evaluation"]
    assert outcome.report is not None and outcome.report.quarantined == {"bug": 1}
    assert "ZeroDivisionError" in _bugs(store.shard("human_evaluation"), "song")


@pytest.mark.parametrize(("changes", "counts"), [
    ({"prune": "global"}, {"chord_candidates": (4, 2), "drum_candidates": (8, 2)}),
    ({"beam": 3}, {"chord_candidates": (4, 2), "drum_candidates": (8, 3), "bass_candidates": (12, 3)}),
    ({"stages": "chords,melody"}, {"drum_candidates": (2, 2), "bass_candidates": (2, 2), "melody_candidates": (8, 2)}),
    ({"generations": 0, "candidates": 6}, {"chord_candidates": (6, 2)}),
])
def test_settings_say_how_many_are_tried_and_kept(tmp_path: Path, monkeypatch, changes, counts) -> None:
    outside(monkeypatch, tmp_path)
    store = ShardStore(str(tmp_path / "data"))
    songs.commissioned(store, time_signature="3/4")
    made = build(store, rules=replace(SMALL, **changes))
    assert computed(made) and not any(failed(outcome) for outcome in made.values())
    for name, (all_of_them, kept) in counts.items():
        found = rows(store, name)
        assert (len(found), sum(row["kept"] for row in found)) == (all_of_them, kept), name
    if "stages" in changes:
        assert set(from_midi(rows(store, "final_candidates")[0]["midi"])) == {"chords", "melody"}
        assert {row["explanation"] for row in rows(store, "bass_candidates")} == {
            "no bass: composition.stages leaves it out"}


class Hears:
    """A scorer that hears how many notes there are."""

    status = DISCRIMINATIVE
    value = staticmethod(lambda midi: min(1.0, sum(map(len, from_midi(midi).values())) / 900))

    def embed(self, kind, text):
        return text

    def score(self, **given):
        return type("Said", (), {"fitness": 0.4})

    def score_batch(self, midis, **given):
        return [type("Said", (), {"fitness": self.value(midi)}) for midi in midis]


@pytest.mark.parametrize(("color", "status", "weight", "ranks"), [
    ("Green", DISCRIMINATIVE, 0.4, True), ("Green", NOT_DISCRIMINATIVE, 0.4, False), ("Green", DISCRIMINATIVE, 1.0, False),
    ("White", DISCRIMINATIVE, 0.4, False), ("Black", DISCRIMINATIVE, 0.4, False)])
def test_fitness_ranks_only_where_the_scorer_is_worth_it(
    tmp_path: Path, monkeypatch, color: str, status: str, weight: float, ranks: bool
) -> None:
    outside(monkeypatch, tmp_path)
    scorer = Hears()
    scorer.status = status
    monkeypatch.setattr(scoring, "scorer_of", lambda store, song, share: scoring.SongScorer(
        scoring.NO_TARGET) if song.color not in targeted() else scoring.SongScorer(
        scoring.BY_THEORY if share == 1 else scorer.status, scorer, song))
    store = ShardStore(str(tmp_path / "data"))
    songs.commissioned(store, rainbow_color=color)
    rules = replace(SMALL, theory_weight=weight, candidates=8)
    made = build(store, *songs.LIBRARY, *STAGES[:2], rules=rules)
    assert not any(failed(outcome) for outcome in made.values())
    found = rows(store, "drum_candidates")
    if color in ("White", "Black"):
        assert {row["fitness"] for row in found} == {None} and found[0]["scorer_status"] == "no target"
        return
    assert all(row["fitness"] == scorer.value(row["midi"]) for row in found), "the bytes that ship are scored"
    assert all(row["relative"] == pytest.approx(row["fitness"] - 0.4) for row in found)
    by_rank = sorted(found, key=lambda row: (row["parent_id"], row["rank"]))
    told = {(row["score"], row["theory"]) for row in by_rank}
    ordered = sorted(told) == sorted(told, key=lambda item: item[1])
    assert ordered is not ranks and found[0]["scorer_status"] == (scoring.BY_THEORY if weight == 1 else status)


def test_a_fitness_that_stands_still_stops_the_composer(tmp_path: Path, monkeypatch) -> None:
    outside(monkeypatch, tmp_path)
    scorer = Hears()
    monkeypatch.setattr(scorer, "value", lambda midi: 0.0, raising=False)
    monkeypatch.setattr(scoring, "scorer_of", lambda store, song, share: scoring.SongScorer(DISCRIMINATIVE, scorer, song))
    store = ShardStore(str(tmp_path / "data"))
    songs.commissioned(store)
    sentence = failed(build(store)["chord_candidates"])["songs_composed"]
    assert "green-field-notes: all 4 candidates of the stage chords have the same fitness (0.0000)" in sentence


def test_a_new_renderer_renders_the_finals_again_and_nothing_else(store: ShardStore, monkeypatch) -> None:
    class Another(sound.Plain):
        token = "another 2"

    monkeypatch.setattr(sound, "renderer", lambda soundfont="": Another())
    assert states(store)["final_candidates"] == STALE and states(store)["melody_candidates"] == FRESH
    assert set(computed(build(store))) == {"final_candidates", "human_evaluation"}
    assert {row["rendered_by"] for row in rows(store, "final_candidates")} == {"another 2"}


def test_draws_are_measured_beside_the_first_parent_only(store: ShardStore) -> None:
    context = songs.context("4/4", "drums")
    line = Population(songs.stage("drums", context), context, None, SMALL, songs.SeededDraws(1))
    line.begin()
    from rainbow_assets.composition.ranking import Scale

    line.evolve(Scale(0.5, 0.1), None, measured=False)
    assert all(entry.random_best is None for entry in line.history)
