"""Pruning: nothing that a manifest lists, undone until confirmed, and settled after a kill at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rainbow_assets.errors import UsageError
from rainbow_assets.threads import checks, commands, journal, prune
from rainbow_assets.threads.shrinkwrap import shrinkwrap
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.machine import ended
from rainbow_assets_tests.threads.synth import thread_id, write_thread
from rainbow_assets_tests.threads.test_shrinkwrap import tree


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    source, out = tmp_path / "raw", tmp_path / "packed"
    for seed in range(3):
        write_thread(source, seed)
    shrinkwrap(source, out)
    return source, out


def test_dry_run_prune_undo_prune_confirm(places: tuple[Path, Path]) -> None:
    source, out = places
    before, packed = tree(source), tree(out)
    planned = prune.prune(source, out, dry_run=True)
    assert tree(source) == before and planned.state == "planned" and planned.plan.lines
    moved = prune.prune(source, out)
    assert moved.plan == planned.plan
    live = {name for name in tree(source) if not name.startswith(".prune/")}
    assert live == set(before) - {line.file for line in planned.plan.lines}
    assert checks.nothing_listed_is_pruned(checks.load_packing(source, out, {})).passed
    with pytest.raises(UsageError, match="neither confirmed nor undone"):
        prune.prune(source, out)
    assert prune.undo(source, out).state == "undone"
    assert tree(source) == before and not (source / ".prune").exists()
    prune.prune(source, out)
    done = prune.confirm(source, out)
    assert done.state == "confirmed" and done.plan.bytes == planned.plan.bytes
    assert set(tree(source)) == live
    assert {item.status for item in shrinkwrap(source, out).threads} == {"unchanged"}
    assert tree(out) == packed
    assert prune.prune(source, out).state == "nothing" and prune.undo(source, out).state == "nothing"


def test_a_thread_that_moved_on_or_was_never_packed_is_left_alone(places: tuple[Path, Path]) -> None:
    source, out = places
    write_thread(source, 7)
    edited = next((source / thread_id(1) / "yml").glob("*_symbolic_object.yml"))
    edited.write_text(edited.read_text("utf-8") + "more: 1\n", "utf-8")
    directory = next(out.glob(f"*-{thread_id(2)[:8]}"))
    next((directory / "md").glob("*.md")).write_text("damaged", "utf-8")
    (source / thread_id(8)).symlink_to(write_thread(source.parent / "elsewhere", 8))
    plan = prune.plan_prune(source, out)
    assert {name for name, _ in plan.skipped} == {thread_id(1), thread_id(2), thread_id(7), thread_id(8)}
    assert dict(plan.skipped)[thread_id(8)].startswith("it is a link")
    assert {line.file.split("/")[0] for line in plan.lines} == {thread_id(0)}


def test_a_listed_file_stops_the_prune(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = places
    before = tree(source)
    real = prune.rule_for
    monkeypatch.setattr(prune, "rule_for", lambda file: real(file) or (real("debug/x") if file.endswith(".html") else None))
    with pytest.raises(prune.PruneRefused, match="must not be pruned"):
        prune.prune(source, out)
    assert tree(source) == before


def test_undo_never_overwrites_a_new_file(places: tuple[Path, Path]) -> None:
    source, out = places
    moved = prune.prune(source, out)
    taken = source / moved.plan.lines[0].file
    taken.parent.mkdir(parents=True, exist_ok=True)
    taken.write_text("new", "utf-8")
    report = prune.undo(source, out)
    assert report.stuck == (moved.plan.lines[0].file,) and taken.read_text("utf-8") == "new"
    taken.unlink()
    assert prune.undo(source, out).state == "undone" and taken.exists()


def test_pruning_needs_a_packing_and_one_verb(tmp_path: Path, places: tuple[Path, Path]) -> None:
    source, out = places
    with pytest.raises(UsageError, match="nothing is packed"):
        prune.prune(source, tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="exclude each other"):
        commands.shrinkwrap_command(source, out, do_prune=True, undo=True)
    answer = commands.shrinkwrap_command(source, tmp_path / "fresh", do_prune=True, dry_run=True)
    assert answer.values["prune"]["files"] == answer.values["files_dropped"] and not (tmp_path / "fresh").exists()


def test_a_broken_journal_is_a_sentence(places: tuple[Path, Path]) -> None:
    source, out = places
    (source / ".prune").mkdir()
    (source / ".prune/journal.json").write_text("{", "utf-8")
    with pytest.raises(journal.DamagedJournal, match="move them back by hand"):
        prune.prune(source, out)


def test_a_half_written_journal_is_cleared(places: tuple[Path, Path]) -> None:
    source, out = places
    before = tree(source)
    (source / ".prune").mkdir()
    (source / ".prune" / ended(".journal.json")).write_text("{", "utf-8")
    assert prune.undo(source, out).state == "nothing" and tree(source) == before


@pytest.mark.parametrize("state", ["moving", "undoing", "deleting"])
def test_every_interrupted_state_is_settled(places: tuple[Path, Path], state: journal.State) -> None:
    source, out = places
    before = tree(source)
    lines = prune.plan_prune(source, out).lines
    half = journal.Journal("moving", lines[: len(lines) // 2])
    journal.write(source, journal.Journal(state, lines if state != "deleting" else half.lines))
    journal.move_out(source, half)
    prune.recover(source)
    assert not (source / ".prune").exists()
    gone = {line.file for line in half.lines} if state == "deleting" else set()
    assert set(tree(source)) == set(before) - gone


WORK = """
import sys
from pathlib import Path
from rainbow_assets.threads import journal, prune
source, out = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while True:
    prune.prune(source, out)
    prune.undo(source, out)
"""


@pytest.mark.counted
def test_kill_9_during_prune_and_undo_loses_nothing(places: tuple[Path, Path]) -> None:
    source, out = places
    before, chance = tree(source), random.Random(1)
    states = set()
    for _ in range(count("kills") * 3):
        child = subprocess.Popen([sys.executable, "-c", WORK, str(source), str(out)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.12))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        left = journal.read(source)
        states.add(left.state if left else "none")
        waiting = {line.file for line in left.lines} if left else set()
        now = {name.removeprefix(".prune/files/"): value for name, value in tree(source).items()
               if not name.startswith(".prune/") or name.startswith(".prune/files/")}
        assert now == before
        assert waiting <= set(before)
        prune.undo(source, out)
        assert tree(source) == before
    assert states
