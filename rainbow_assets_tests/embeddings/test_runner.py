"""Everything that can go wrong above an engine: nothing is lost, nothing is computed twice, nothing costs too much."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.embeddings.batches import AUDIO_WINDOWS, TEXT_BYTES, TEXT_INPUTS, plan_batches
from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.embeddings.engine import EngineFailed, Unit
from rainbow_assets.embeddings.runner import POISONED, TOO_LARGE, OverBudget, Runner
from rainbow_assets.embeddings.specs import MINILM_TEXT, SIGNAL_AUDIO
from rainbow_assets.settings import EmbeddingRules
from rainbow_assets.storage.files import Files
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.embeddings.faulty import FaultyEngine, units, vector


def runner(tmp_path, engine, **rules) -> Runner:
    cache = VectorCache(Files(str(tmp_path)), MINILM_TEXT)
    return Runner(engine, cache, EmbeddingRules(**rules), wait=lambda seconds: None)


def holds(tmp_path, asked: list[Unit], without: frozenset[str] = frozenset()) -> None:
    """A fresh reader of the cache finds exactly the true vectors of ``asked``, except ``without``."""
    cache = VectorCache(Files(str(tmp_path)), MINILM_TEXT)
    assert cache.keys() == {unit.key for unit in asked} - without
    for unit in asked:
        if unit.key not in without:
            assert cache.require(unit.key).astype("<f4").tobytes() == vector(MINILM_TEXT, unit.key)


def test_a_thousand_batches_with_a_tenth_failing_end_complete(tmp_path):
    asked = units(8000, size=750)
    engine = FaultyEngine(seed=3, share=0.1)
    one = runner(tmp_path, engine, retries=8)
    assert len(plan_batches(MINILM_TEXT, asked)) >= 1000
    assert one.run(asked) == {}
    holds(tmp_path, asked)
    assert max(engine.received.values()) == 1, "a vector that was received is never computed again"
    assert one.report.forwards == len(asked)
    assert one.report.retries > 0 and one.report.splits > 0


def test_a_second_run_asks_the_engine_for_nothing(tmp_path):
    asked = units(100)
    runner(tmp_path, FaultyEngine()).run(asked)
    engine = FaultyEngine()
    again = runner(tmp_path, engine)
    assert again.run([*asked, *asked]) == {}
    assert engine.batches == 0
    assert (again.report.asked, again.report.cache_hits, again.report.forwards) == (100, 100, 0)


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    asked = units(1000)
    first = FaultyEngine(dies_after=3)
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, first).run(asked)
    landed = VectorCache(Files(str(tmp_path)), MINILM_TEXT).keys()
    assert landed == set(first.received), "what was received has landed"
    second = FaultyEngine()
    runner(tmp_path, second).run(asked)
    assert not set(second.received) & landed
    holds(tmp_path, asked)


def test_out_of_memory_is_split_until_it_fits(tmp_path):
    asked, engine = units(64), FaultyEngine(largest=3)
    one = runner(tmp_path, engine)
    assert one.run(asked) == {}
    holds(tmp_path, asked)
    assert one.report.splits >= 15


def test_one_input_that_never_fits_is_set_aside_with_its_reason(tmp_path):
    asked = units(3)
    assert runner(tmp_path, FaultyEngine(largest=0)).run(asked) == {unit.key: TOO_LARGE for unit in asked}


def test_poison_is_set_aside_and_the_others_are_embedded(tmp_path):
    asked, bad = units(64), frozenset({"input-00007", "input-00031"})
    for engine in (FaultyEngine(poison=bad), FaultyEngine(broken=bad)):
        folder = tmp_path / str(bool(engine.poison))
        one = runner(folder, engine, retries=1)
        assert one.run(asked) == dict.fromkeys(sorted(bad), POISONED)
        holds(folder, asked, bad)
        assert one.report.quarantined == 2


def test_an_engine_that_fails_for_everything_is_at_fault_not_the_inputs(tmp_path):
    asked = units(20)
    engine = FaultyEngine(poison=frozenset(unit.key for unit in asked))
    with pytest.raises(EngineFailed, match="failed for all 20 inputs, so the encoder is at fault"):
        runner(tmp_path, engine).run(asked)


def test_an_unreachable_engine_is_a_sentence_after_some_tries(tmp_path):
    waits: list[float] = []
    one = runner(tmp_path, FaultyEngine(unreachable=True), retries=4)
    one.wait = waits.append
    with pytest.raises(EngineFailed, match=r"unreachable 5 times .* run the same command again"):
        one.run(units(200))
    assert len(waits) == 4
    assert waits[3] > waits[0]


def test_a_run_over_the_budget_never_starts(tmp_path):
    engine = FaultyEngine(usd=9.0)
    with pytest.raises(OverBudget, match=r"estimated at 9\.00 USD .* over embeddings\.budget_usd = 5\.0"):
        runner(tmp_path, engine).run(units(10))
    assert engine.batches == 0


def test_a_run_that_gets_too_dear_stops_and_keeps_what_it_has(tmp_path):
    engine = FaultyEngine(usd_per_second=1e9)
    with pytest.raises(OverBudget, match="was stopped at"):
        runner(tmp_path, engine).run(units(500))
    assert VectorCache(Files(str(tmp_path)), MINILM_TEXT).keys() == set(engine.received)
    assert engine.received


def test_an_engine_that_answers_what_was_not_asked_is_refused(tmp_path):
    class Stranger(FaultyEngine):
        def run(self, batches):
            yield "who", b"\0" * 4

    with pytest.raises(EngineFailed, match="which it was not asked for"):
        runner(tmp_path, Stranger()).run(units(2))


def test_a_cut_cache_file_is_not_believed(tmp_path):
    asked = units(200)
    runner(tmp_path, FaultyEngine()).run(asked)
    files = sorted(tmp_path.rglob("*.parquet"))
    files[0].write_bytes(files[0].read_bytes()[:-40])
    engine = FaultyEngine()
    one = runner(tmp_path, engine)
    one.run(asked)
    assert one.report.damaged_cache_files == 1
    assert 0 < len(engine.received) < 200
    holds(tmp_path, asked)


def test_specs_never_share_vectors(tmp_path):
    runner(tmp_path, FaultyEngine()).run(units(5))
    assert VectorCache(Files(str(tmp_path)), SIGNAL_AUDIO).keys() == set()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9000)), max_size=150))
@settings(max_examples=examples(200), deadline=None)
def test_batches_hold_each_input_once_and_stay_within_their_size(drawn):
    asked = [Unit(f"k{key}", size, bytes) for key, size in drawn]
    for spec in (MINILM_TEXT, SIGNAL_AUDIO):
        batches = plan_batches(spec, asked)
        keys = [unit.key for batch in batches for unit in batch.units]
        assert sorted(keys) == sorted({unit.key for unit in asked})
        for batch in batches:
            if len(batch.units) > 1 and spec is MINILM_TEXT:
                assert len(batch.units) <= TEXT_INPUTS
                assert max(unit.size for unit in batch.units) * len(batch.units) <= TEXT_BYTES
            elif len(batch.units) > 1:
                assert batch.size <= AUDIO_WINDOWS


@given(st.integers(0, 2**32), st.floats(0, 0.6))
@settings(max_examples=examples(60), deadline=None)
def test_whatever_fails_nothing_is_lost_or_computed_twice(tmp_path_factory, seed, share):
    folder, asked = tmp_path_factory.mktemp("faults"), units(150)
    engine = FaultyEngine(seed=seed, share=share)
    failed = runner(folder, engine, retries=60).run(asked)
    assert failed == {}
    holds(folder, asked)
    assert max(engine.received.values()) == 1


