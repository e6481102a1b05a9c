"""review.yml: the page and hands edit it side by side; nothing is lost and nothing is promoted by mistake."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.composition import review
from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.composition.human_evaluation import taken


def final(number: int, music: bytes | None = None) -> dict[str, Any]:
    data = music or b"MThd %d" % number
    return {"final_id": f"green-x.final_{number}", "candidate_id": f"green-x.c0{number}.d01.b01.m01", "midi": data,
            "midi_sha256": hashlib.sha256(data).hexdigest(), "flac": b"fLaC", "stems": [{"part": "bass", "flac": b"fLaC"}],
            "total": 0.71234, "theory": 0.9, "fitness": None, "relative": None, "scorer_status": "no scorer",
            "song_id": "green-x", "title": "X: <b>", "rainbow_color": "Green", "key": "A minor", "bpm": 97.0,
            "time_signature": "4/4", "thread_id": None}


def sha(number: int) -> str:
    return str(final(number)["midi_sha256"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    review.lay_out(tmp_path / "green-x", [final(1), final(2), final(3)])
    return tmp_path / "green-x"


def test_a_new_review_waits_for_a_person(folder: Path) -> None:
    found = review.read(folder)
    assert [item.status for item in found] == ["pending"] * 3 and all(item.current for item in found)
    assert found[0].scores["total"] == 0.7123
    names = sorted(path.name for path in (folder / "candidates").iterdir())
    assert names[:3] == [f"final_1-{sha(1)[:8]}.bass.flac", f"final_1-{sha(1)[:8]}.flac", f"final_1-{sha(1)[:8]}.mid"]
    before = (folder / "review.yml").read_bytes()
    review.lay_out(folder, [final(1), final(2), final(3)])
    assert (folder / "review.yml").read_bytes() == before


@pytest.mark.parametrize(("written", "meant"), [("Approved", "approved"), ("ACCEPTED", "approved"), ("accepted ", "approved"),
                                                ("Rejected", "rejected"), ("", "pending"), ("pending", "pending")])
def test_statuses_are_read_in_any_case(folder: Path, written: str, meant: str) -> None:
    path = folder / "review.yml"
    path.write_text(path.read_text().replace("status: pending", f"status: '{written}'", 1))
    assert review.read(folder)[0].status == meant


@pytest.mark.parametrize(("old", "new", "reason", "said"), [
    ("status: pending", "status: the good one", "unknown_status",
     r"green-x/review.yml: candidates 1 \(green-x.c01.d01.b01.m01\): status is 'the good one'; write approved, rejected"),
    ("label:\n", "label: ../../etc/passwd\n", "bad_label", "cannot be a file name"),
    ("midi_file: candidates/", "midi_file: ../../", "damaged_entry", "outside the song's folder"),
    ("    midi_sha256", "    sha", "damaged_entry", "midi_sha256 is missing"),
    ("candidates:", "candidates: [", "unreadable_review", r"green-x/review.yml, line \d+"),
    ("candidates:", "candidates: 5\nothers:", "unreadable_review", "candidates is not a list of pieces"),
])
def test_slips_of_the_hand_are_named_and_nothing_is_promoted(folder: Path, old, new, reason, said) -> None:
    path = folder / "review.yml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ReviewError, match=said) as raised:
        review.read(folder)
    assert raised.value.reason == reason
    before = path.read_bytes()
    with pytest.raises(ReviewError):
        review.change(folder, sha(1), "status", "the good one" if reason == "unknown_status" else "x" * 3, "pending")
    assert path.read_bytes() == before and not (folder / "approved").exists()


def test_one_approval_per_label(folder: Path) -> None:
    for number in (1, 2):
        review.change(folder, sha(number), "label", "verse", "")
    review.change(folder, sha(1), "status", "approved", "pending")
    with pytest.raises(ReviewError, match=r"green-x.c01.d01.b01.m01 is already approved as 'verse'"):
        review.change(folder, sha(2), "status", "approved", "pending")
    path = folder / "review.yml"
    path.write_text(path.read_text().replace("status: pending", "status: Approved"))
    with pytest.raises(ReviewError, match="two pieces are approved under the label 'verse'") as raised:
        review.read(folder)
    assert raised.value.reason == "two_approvals"


def test_comments_and_order_of_hands_are_kept(folder: Path) -> None:
    path = folder / "review.yml"
    text = path.read_text().replace("title:", "# my favorite song\nmine: {a: 1}   # keep\ntitle:")
    path.write_text(text)
    review.change(folder, sha(2), "notes", "the bridge ✓", "")
    after = path.read_text()
    assert "# my favorite song\nmine: {a: 1}   # keep\ntitle:" in after and "the bridge ✓" in after
    assert [line for line in after.splitlines() if "notes" not in line] == [
        line for line in text.splitlines() if "notes" not in line]


def test_notes_of_two_people_are_both_kept(folder: Path) -> None:
    review.change(folder, sha(1), "notes", "mine", "")
    assert review.change(folder, sha(1), "notes", "yours", "")["notes"] == "mine\nyours"
    review.change(folder, sha(1), "status", "rejected", "pending")
    with pytest.raises(ReviewError, match="somebody changed status to 'rejected' meanwhile") as raised:
        review.change(folder, sha(1), "status", "approved", "pending")
    assert raised.value.reason == "changed_meanwhile"


def test_edits_at_the_same_time_all_arrive(folder: Path) -> None:
    def edit(number: int, word: str) -> None:
        review.change(folder, sha(number), "notes", word, "")

    words = [f"word{n}" for n in range(12)]
    threads = [threading.Thread(target=edit, args=(1 + n % 3, word)) for n, word in enumerate(words)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    notes = " ".join(item.notes for item in review.read(folder))
    assert all(word in notes.split() for word in words)


def test_a_note_that_is_part_of_another_one_arrives(folder: Path) -> None:
    review.change(folder, sha(1), "notes", "word10", "")
    review.change(folder, sha(1), "notes", "word1", "")
    review.change(folder, sha(1), "notes", "word10\nmine", "")
    assert review.read(folder)[0].notes.splitlines() == ["word10", "word1", "mine"]


def test_a_song_composed_anew_keeps_what_was_said(folder: Path) -> None:
    review.change(folder, sha(1), "status", "approved", "pending")
    review.change(folder, sha(1), "label", "first try", "")
    review.change(folder, sha(2), "notes", "too busy", "")
    review.lay_out(folder, [final(3), final(4), final(5)])
    found = {item.midi_sha256: item for item in review.read(folder)}
    assert set(found) == {sha(1), sha(2), sha(3), sha(4), sha(5)}
    assert not found[sha(1)].current and found[sha(1)].label == "first try" and found[sha(2)].notes == "too busy"
    assert (folder / found[sha(1)].midi_file).exists(), "the music of a verdict stays"
    assert review.promote(folder, list(found.values())) == ["first try"]
    review.lay_out(folder, [final(1), final(4)])
    again = {item.midi_sha256: item for item in review.read(folder)}
    assert again[sha(1)].current and again[sha(1)].status == "approved" and sha(3) not in again


def test_promotion_copies_what_was_judged_and_only_that(folder: Path) -> None:
    review.change(folder, sha(1), "status", "approved", "pending")
    review.change(folder, sha(2), "status", "approved", "pending")
    review.change(folder, sha(2), "label", "chorus", "")
    assert review.promote(folder, review.read(folder)) == ["chorus", "green-x_c01_d01_b01_m01"]
    assert (folder / "approved/chorus.mid").read_bytes() == final(2)["midi"]
    review.change(folder, sha(2), "status", "rejected", "approved")
    assert review.promote(folder, review.read(folder)) == ["green-x_c01_d01_b01_m01"]
    assert sorted(path.name for path in (folder / "approved").iterdir()) == ["green-x_c01_d01_b01_m01.mid"]
    (folder / review.read(folder)[0].midi_file).write_bytes(b"something else")
    with pytest.raises(ReviewError, match="is not the file that was judged"):
        review.promote(folder, review.read(folder))
    (folder / review.read(folder)[0].midi_file).unlink()
    with pytest.raises(ReviewError, match="is missing"):
        review.promote(folder, review.read(folder))


@pytest.mark.parametrize("words", ["a\x85b", "\x85", "a\u2028b\u2029", "\x00\x1f\t", "a\r\nb\r", "  lead and trail  ", "\ufeffmark",
                                   "- no: [list", "long " * 60, "ends in a line\n\n", "#", "'\"", "\U0001f3b5"])
def test_notes_come_back_as_they_were_written(folder: Path, words: str) -> None:
    said = review.change(folder, sha(1), "notes", words, "")
    assert said["notes"] == words and review.read(folder)[0].notes == words
    review.lay_out(folder, [final(1), final(2), final(3)])
    assert review.read(folder)[0].notes == words


def test_half_a_character_is_refused_with_a_sentence(folder: Path) -> None:
    before = (folder / review.FILE).read_bytes()
    with pytest.raises(ReviewError, match=r"half a character \(U\+D800\) at position 2"):
        review.change(folder, sha(1), "notes", "a\ud800b", "")
    assert (folder / review.FILE).read_bytes() == before


@given(st.text(st.characters(), max_size=40))
@hypothesis_settings(max_examples=40)
def test_any_words_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    folder = tmp_path_factory.mktemp("words") / "green-x"
    review.lay_out(folder, [final(1)])
    try:
        said = review.change(folder, sha(1), "notes", words, "")
    except ReviewError:
        return
    assert said["notes"] == words and review.read(folder)[0].notes == words


@pytest.mark.parametrize("text", [
    "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
    "a: !!bool maybe", "a: !!int \"\"", "a: " + "[" * 500 + "]" * 500, "a: \"\\ud800\"", "a: &a [*a]", "- 1", "a: 1\na: 2", "\0",
])
def test_no_review_stops_the_others(folder: Path, text: str) -> None:
    (folder / "review.yml").write_text(text)
    with pytest.raises(ReviewError, match="green-x/review.yml") as caught:
        review.read(folder)
    assert caught.value.reason == "unreadable_review"
    found, wrong = taken(folder)
    assert not found and wrong is not None


@pytest.mark.parametrize("target", ["/etc/hostname", "/dev/zero", None])
def test_nothing_from_outside_becomes_a_piece(folder: Path, target: str | None) -> None:
    for name in ("review.yml", next((folder / "candidates").glob("*.mid")).relative_to(folder).as_posix()):
        before = review.read(folder)
        path = folder / name
        path.rename(folder / "kept")
        path.symlink_to(target) if target else os.mkfifo(path)
        if name == "review.yml":
            with pytest.raises(ReviewError, match=r"review.yml: it is a"):
                review.read(folder)
            assert b"it is a" in review.state(folder)
        else:
            assert [review.midi_of(folder, item) for item in before if item.midi_file == name] == [None]
        path.unlink()
        (folder / "kept").rename(path)
