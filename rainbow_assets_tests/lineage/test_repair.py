"""Damage is found by digest, named, and made anew; what is sound stays. A source that vanished deletes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage import gates, repair
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import BLOCKED, plan
from rainbow_assets.storage.shard import INDEX, DamagedShard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import rainbow
from rainbow_assets_tests.lineage.toy import WORDS, World

GREEN = "Green"


@pytest.fixture
def world() -> World:
    rows = {f"{song}_{n}": (song, f"word{n}", "-") for song in ("s1", "s2", "s3", "s4", "s5") for n in range(4)}
    return World(rows)


@pytest.fixture
def store(tmp_path: Path) -> ShardStore:
    return ShardStore(str(tmp_path))


def build(world: World, store: ShardStore, **options: bool) -> list[str]:
    return [outcome.problem for step in world.graph().values()
            if (outcome := bring_up_to_date(step, store, GREEN, **options)).problem]


def live(store: ShardStore) -> dict[str, str]:
    found = {}
    for asset in ("toy_words", "toy_lengths"):
        shard = store.shard(asset, GREEN)
        index = shard.require_index()
        for name in (INDEX, index.ledger, *(part.name for part in index.parts)):
            found[f"{asset}/{name}"] = hashlib.sha256(shard.files.read(name) or b"").hexdigest()
    return found


def mend(world: World, store: ShardStore) -> list[repair.Damage]:
    return repair.repair(world.graph(), store, (GREEN,))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


DAMAGES = {"cut": cut, "flipped bit": flip, "gone": Path.unlink, "empty": lambda path: path.write_bytes(b"")}


# A shard.json that is gone is a shard that was never made; a missing verdict is asked for again; a changed verdict
# does not count, because verdicts are compared by version.
@pytest.mark.parametrize(("what", "how"), [
    *((what, how) for what in ("part", "ledger") for how in DAMAGES), *((INDEX, how) for how in DAMAGES if how != "gone"),
    ("verdicts.json", "cut"), ("verdicts.json", "empty")])
def test_damage_is_named_and_rebuilt(world: World, store: ShardStore, what: str, how: str):
    assert build(world, store) == []
    before = live(store)
    shard = store.shard("toy_words", GREEN)
    index = shard.require_index()
    name = {"part": index.parts[1].name, "ledger": index.ledger}.get(what, what)
    DAMAGES[how](Path(shard.files.path(name)))

    damages = mend(world, store)
    assert [damage.file for damage in damages] == [name]
    assert "toy_words/Green" in str(damages[0]) and "rebuild" not in str(damages[0])
    assert gates.blocked(store, world.words(), GREEN), "nobody builds on it before it was made anew"
    world.computed.clear()
    assert build(world, store) == []
    words = [key for key in world.computed if key.startswith("words")]
    assert len(words) == {"part": 4, "verdicts.json": 0}.get(what, 20), "only what was lost is computed"
    assert not [key for key in world.computed if key.startswith("lengths")], "equal outputs stop there"
    assert live(store) == before
    assert mend(world, store) == []


def test_an_index_that_does_not_say_what_the_ledger_holds_is_damage(world: World, store: ShardStore):
    build(world, store)
    shard = store.shard("toy_words", GREEN)
    right = shard.require_index()
    shard.replace_index(replace(right, data_version="another"))
    assert [damage.file for damage in mend(world, store)] == [INDEX]
    assert build(world, store) == []
    assert shard.require_index() == right


def test_rows_that_the_ledger_does_not_list_are_damage(world: World, store: ShardStore):
    build(world, store)
    shard = store.shard("toy_words", GREEN)
    index = shard.require_index()
    step = world.graph()["toy_words"]
    assert repair.examine(step, shard) == []
    swapped = shard.files.read(index.parts[0].name) or b""
    shard.files.write(index.parts[1].name, swapped)
    parts = (index.parts[0], replace(index.parts[1], sha256=index.parts[0].sha256), *index.parts[2:])
    shard.replace_index(replace(index, parts=parts))
    found = repair.examine(step, shard)
    assert [damage.file for damage in found] == [index.parts[1].name]
    assert "its ledger lists" in found[0].problem


def test_damage_is_never_trusted_without_repair(world: World, store: ShardStore):
    build(world, store)
    shard = store.shard("toy_words", GREEN)
    cut(Path(shard.files.path(shard.require_index().parts[0].name)))
    with pytest.raises(DamagedShard, match="rainbow build --repair"):
        list(shard.tables())
    world.rows["s1_0"] = ("s1", "another", "-")
    problems = build(world, store)
    assert problems and "toy_words/Green/s1-" in problems[0] and "rainbow build --repair" in problems[0]


def test_many_songs_gone_at_once_are_not_believed(world: World, store: ShardStore):
    build(world, store)
    before = live(store)
    world.rows = {key: row for key, row in world.rows.items() if row[0] in ("s1", "s2", "s3")}
    problems = build(world, store)
    assert len(problems) == 1
    assert "2 of 5 songs are gone at once (s4, s5), more than 20%; nothing was deleted" in problems[0]
    assert "rainbow build --allow-deletes" in problems[0]
    assert live(store) == before
    steps = world.graph()
    planned = plan(steps, store, [GREEN])
    assert planned[0].state == BLOCKED and "gone at once" in planned[0].reasons[0]
    assert plan(steps, store, [GREEN], allow_deletes=True)[0].remove == 8
    assert build(world, store, allow_deletes=True) == []
    assert store.shard("toy_lengths", GREEN).require_index().rows == 12
    assert build(world, store) == []


def test_one_of_five_is_believed_and_all_are_not(world: World, store: ShardStore):
    build(world, store)
    full = dict(world.rows)
    world.rows = {key: row for key, row in full.items() if row[0] != "s5"}
    assert build(world, store) == []
    assert store.shard("toy_words", GREEN).table(WORDS).num_rows == 16
    world.rows = {}
    assert "4 of 4 songs are gone at once" in build(world, store)[0]


def test_the_share_is_a_setting(world: World, store: ShardStore):
    build(world, store)
    world.rows = {key: row for key, row in world.rows.items() if row[0] in ("s1", "s2", "s3")}
    rules = settings.Rules(safety=settings.SafetyRules(max_vanished=0.5))
    assert bring_up_to_date(world.graph()["toy_words"], store, GREEN, rules).problem is None


def test_the_verbs(project: Path):
    """A damaged part and a vanished corpus on the real graph, from the command line."""
    green = ("build", "--color", "Green")
    assert rainbow(*green).exit_code == 0
    assert "nothing to do" in rainbow(*green).output
    store = ShardStore(str(project))
    media = store.shard("segment_media", "Green")
    part = Path(media.files.path(media.require_index().parts[0].name))
    whole = part.read_bytes()
    cut(part)
    assert "nothing to do" in rainbow(*green).output, "a build that has nothing to do reads no media"
    mended = rainbow(*green, "--repair")
    assert mended.exit_code == 0, mended.output
    assert f"damaged: segment_media/Green/{part.name} is not what shard.json lists (cut or changed)" in mended.output
    assert "1 file damaged" in mended.output
    assert part.read_bytes() == whole
    clean = rainbow(*green, "--repair")
    assert " 0 files damaged" in clean.output and "nothing to do" in clean.output

    corpus, elsewhere = project.parent / "corpus", project.parent / "elsewhere"
    corpus.rename(elsewhere)
    assert rainbow("plan", "--color", "Green").exit_code == 0, "a plan says what is wrong and is no failure itself"
    missing = rainbow(*green)
    assert missing.exit_code == 1 and "does not exist" in missing.output
    corpus.mkdir()
    refused = rainbow(*green)
    assert refused.exit_code == 1 and "1 of 1 songs are gone at once (05_01)" in refused.output
    assert store.shard("base_manifest", "Green").require_index().rows > 0
    assert "gone at once" in rainbow("plan", "--color", "Green").output
    assert rainbow(*green, "--allow-deletes").exit_code == 0
    for name in GRAPH.colored():
        assert store.shard(name, "Green").require_index().rows == 0, name
