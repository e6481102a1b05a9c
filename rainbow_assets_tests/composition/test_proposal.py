"""Proposals by hand and of threads: read, or refused in a sentence that names file and field."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.composition.errors import ProposalError
from rainbow_assets.composition.proposal import checked, read_proposal
from rainbow_assets.composition.songs import orders, place_order, thread_fields
from rainbow_assets.errors import UsageError
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.composition import songs

GOOD = """title: Rain Station
key: Bb major
bpm: 112
time_signature: {numerator: 5, denominator: 4}
color: V
mood: [tender]
concept: trains that only arrive in memory
"""


def test_a_proposal_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "song.yml"
    path.write_text(GOOD)
    found = read_proposal(path, {"bpm": 90.5, "key": None})
    assert (found.tonic, found.mode, found.bpm, found.numerator, found.color) == ("Bb", "major", 90.5, 5, "Violet")
    assert found.song_id == "violet-rain-station" and found.moods == ("tender",)
    assert found.digest != read_proposal(path).digest == read_proposal(path).digest
    path.write_text(GOOD.replace("title: Rain Station\n", ""))
    assert read_proposal(path).title == "song", "a file without a title is called like the file"


@pytest.mark.parametrize(("line", "instead", "said"), [
    ("key: Bb major", "key: H dur", r"song.yml: key is 'H dur', which is not a key"),
    ("key: Bb major", "", r"song.yml: key is missing; write a tonic"),
    ("bpm: 112", "bpm: 9000", r"song.yml: bpm is '9000'; write quarter notes per minute from 30 to 300"),
    ("bpm: 112", "bpm: fast", r"bpm is 'fast'"),
    ("bpm: 112", "bpm: .nan", r"bpm is"),
    ("color: V", "color: Pink", r"rainbow_color is 'Pink', which is not a color of the Rainbow Table; write one of Black"),
    ("color: V", "", r"rainbow_color is missing"),
    ("concept: trains that only arrive in memory", "concept: '  '", r"song.yml: concept is empty"),
    ("concept: trains that only arrive in memory", "concept: [a]", r"concept is not text"),
    ("time_signature: {numerator: 5, denominator: 4}", "time_signature: Moderato", r"time_signature is 'Moderato'; write it as"),
    ("time_signature: {numerator: 5, denominator: 4}", "time_signature: 32/1", r"time_signature 32/1 has bars of 128 quarter"),
    ("mood: [tender]", "mood: {a: b}", r"mood is .* write a list of words"),
    ("title: Rain Station", "title: ''", r"title is empty"),
    ("title: Rain Station", "title: [", r"song.yml: line \d"),
    ("title: Rain Station", "title: !!python/object:os.system x", r"song.yml: "),
])
def test_bad_input_names_file_and_field(tmp_path: Path, line: str, instead: str, said: str) -> None:
    path = tmp_path / "song.yml"
    path.write_text(GOOD.replace(line, instead))
    with pytest.raises(ProposalError, match=said):
        read_proposal(path)


@given(st.dictionaries(st.sampled_from(["title", "key", "bpm", "time_signature", "rainbow_color", "concept", "mood", "thread"]),
                       st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans(),
                                 st.lists(st.text(max_size=3), max_size=3), st.dictionaries(st.text(max_size=3), st.integers()))))
def test_anything_is_read_or_refused(values: dict) -> None:
    try:
        found = checked({**songs.FIELDS, **values}, "x")
    except ProposalError as error:
        assert str(error).startswith("x: ")
        return
    assert found.song("s", 8).ticks > 0 and found.song_id


def test_commissions_are_folders_and_broken_ones_are_not_lost(tmp_path: Path) -> None:
    store = ShardStore(str(tmp_path / "data"))
    assert orders(store) == []
    song = songs.commissioned(store, title="A/b: ../c")
    assert song == "green-a-b-c"
    broken = tmp_path / "data/compositions/odd/proposal.yml"
    broken.parent.mkdir()
    broken.write_text("key: [")
    (tmp_path / "data/compositions/Not A Song").mkdir()
    (tmp_path / "data/compositions/Not A Song/proposal.yml").write_text(GOOD)
    found = {item.song_id: item for item in orders(store)}
    assert set(found) == {"green-a-b-c", "odd"}
    assert found["odd"].proposal is None and found["odd"].problem.startswith(str(broken))
    with pytest.raises(UsageError, match="songs can be composed on a local disk only"):
        songs.commissioned(ShardStore("memory://bucket"))


def test_a_thread_is_commissioned_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.lineage.materialize import bring_up_to_date
    from rainbow_assets_tests.threads import synth

    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "raw"))
    for seed in range(2):
        synth.write_thread(tmp_path / "raw", seed, files=30)
    store = ShardStore(str(tmp_path / "data"))
    with pytest.raises(ProposalError, match="no threads have been read; run: rainbow build --asset thread_manifests"):
        thread_fields(store, "abcd", "x")
    assert bring_up_to_date(GRAPH["thread_manifests"], store).problem is None
    ids = sorted(path.name for path in (tmp_path / "raw").iterdir())
    with pytest.raises(ProposalError, match="which matches none of 2 threads"):
        thread_fields(store, "nothing", "x")
    fields = thread_fields(store, ids[0][:8], "x")
    assert fields["thread"] == ids[0]
    own = {"key": "C minor", "bpm": 100, "time_signature": "3/4", "rainbow_color": "Red"}
    proposal = checked({**fields, **own}, "x")
    song = place_order(store, proposal, own)
    text = (tmp_path / "data/compositions" / song / "proposal.yml").read_text()
    assert f"thread: {ids[0]}" in text and "concept" not in text, "what the thread says is read from the thread"
    found = {item.song_id: item for item in orders(store)}[song]
    assert found.proposal == proposal and found.proposal.thread == ids[0]


def test_two_titles_never_take_one_folder(tmp_path: Path) -> None:
    store, base = ShardStore(str(tmp_path / "data")), tmp_path / "data/compositions"
    own = {"key": "A minor", "bpm": 96, "rainbow_color": "Green", "concept": "rain"}
    titles = ["Rain, again", "Rain Again", "\u96e8", "\u3042\u3081", "\u041f\u043b\u0430\u043c\u044f", "!!!", "???", "Rain Again"]
    ids = [place_order(store, checked({**own, "title": title}, "x"), {}) for title in titles]
    assert len(set(ids)) == 7 and ids[1] == ids[-1]
    assert ids[0] == "green-rain-again" and ids[2:5] == ["green-yu", "green-ame", "green-plamya"]
    assert sorted(item.proposal.title for item in orders(store) if item.proposal) == sorted(set(titles))
    (base / ids[0] / "proposal.yml").write_text("title: [")
    again = place_order(store, checked({**own, "title": titles[0]}, "x"), {})
    assert again != ids[0] and (base / ids[0] / "proposal.yml").read_text() == "title: [", "what cannot be read is kept"
