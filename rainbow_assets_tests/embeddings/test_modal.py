"""The very bodies that Modal runs, here: `.local()`, the wire, and what happens when the service is not there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from rainbow_assets.embeddings import modal_app, modal_facts, wire
from rainbow_assets.embeddings.batches import plan_batches
from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.embeddings.engine import OOM, POISON, EngineFailed, Fault, Unit
from rainbow_assets.embeddings.local import LocalEngine
from rainbow_assets.embeddings.modal_engine import ModalEngine, deployed
from rainbow_assets.embeddings.runner import Runner
from rainbow_assets.embeddings.specs import CLAP_MUSIC, DEBERTA_TEXT, MINILM_TEXT
from rainbow_assets.errors import UsageError
from rainbow_assets.settings import EmbeddingRules
from rainbow_assets.storage.files import Files
from rainbow_assets_tests.embeddings.sounds import flac

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parents[2]
TEXTS = [Unit(f"t{n}", len(text), text.encode) for n, text in enumerate(["glass", "a copper river", "winter " * 20])]
SOUNDS = [Unit(f"s{n}", 1, lambda n=n: flac(2 + 5 * n, n)) for n in range(3)]


def through_local_bodies(spec, messages):
    """The transport with Modal's own objects: `.local()` runs `@modal.enter` and the method in this process."""
    worker = modal_app.Embedder(spec=spec.name)
    for message in messages:
        yield worker.embed.local(message)


@pytest.mark.parametrize(("spec", "units"), [(DEBERTA_TEXT, TEXTS), (CLAP_MUSIC, SOUNDS), (MINILM_TEXT, TEXTS)],
                         ids=["deberta", "clap", "minilm"])
def test_local_and_modal_bodies_give_equal_vectors(offline_models, spec, units):
    batches = plan_batches(spec, units)
    here = dict(LocalEngine("cpu").run(batches))
    there = dict(ModalEngine(through_local_bodies).run(batches))
    assert here.keys() == there.keys() == {unit.key for unit in units}
    for key, value in here.items():
        a, b = np.frombuffer(value, "<f4"), np.frombuffer(there[key], "<f4")
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > spec.precision
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_poisoned_input_comes_back_as_its_own_fault(offline_models):
    bad = Unit("bad", 1, lambda: b"fLaC nothing")
    found = dict(ModalEngine(through_local_bodies).run(plan_batches(CLAP_MUSIC, [*SOUNDS, bad])))
    assert isinstance(found["bad"], Fault) and found["bad"].kind == POISON
    assert all(isinstance(found[unit.key], bytes) for unit in SOUNDS)


def test_exceptions_of_the_service_become_faults_and_the_run_goes_on(tmp_path):
    calls = []

    def flaky(spec, messages):
        for number, message in enumerate(messages):
            calls.append(number)
            if len(calls) == 1:
                yield RuntimeError("container lost")
            elif len(calls) == 2:
                yield MemoryError("CUDA out of memory")
            else:
                yield from through_local_bodies(spec, [message])

    runner = Runner(ModalEngine(flaky), VectorCache(Files(str(tmp_path)), MINILM_TEXT), EmbeddingRules(),
                    wait=lambda seconds: None)
    units = [Unit(f"u{n}", 3000, lambda n=n: f"text {n}".encode()) for n in range(6)]
    assert runner.run(units) == {}
    assert runner.cache.keys() == {unit.key for unit in units}
    assert runner.report.retries == 1 and runner.report.splits == 1
    assert runner.report.usd > 0


def test_an_app_of_other_code_is_refused(offline_models):
    message = wire.pack_batch(MINILM_TEXT.name, "0" * 32, [("k", b"text")])
    with pytest.raises(EngineFailed, match="run: modal deploy"):
        list(through_local_bodies(MINILM_TEXT, [message]))


def test_without_a_token_the_sentence_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("MODAL_TOKEN_ID", raising=False)
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(tmp_path / "none.toml"))
    import modal.config

    monkeypatch.setattr(modal.config, "_user_config", {})
    with pytest.raises(UsageError, match=r"no Modal token .* modal token new"):
        list(ModalEngine().run(plan_batches(MINILM_TEXT, TEXTS)))


def test_a_broken_connection_leaves_the_rest_unanswered():
    def breaks(spec, messages):
        yield from through_local_bodies(spec, [next(iter(messages))])
        raise ConnectionError("gone")

    units = [Unit(f"u{n}", 4000, lambda n=n: f"text {n}".encode()) for n in range(4)]
    assert len(list(ModalEngine(breaks).run(plan_batches(MINILM_TEXT, units)))) == 1


def test_the_wire_keeps_every_byte_and_notices_a_cut():
    items = [("a", b""), ("b", bytes(range(256))), ("ü", b"x" * 1000)]
    message = wire.pack_batch("n", "d", items)
    assert wire.unpack_batch(message) == ("n", "d", items)
    answers = [("a", b"\1\2\3\4"), ("b", Fault(OOM, "no room")), ("c", b"")]
    assert wire.unpack_answers(wire.pack_answers(answers)) == answers
    for cut in (2, 40, len(message) - 1):
        with pytest.raises(EngineFailed, match="cut in transit|not a batch"):
            wire.unpack_batch(message[:cut])
    assert b"pickle" not in message and not message.startswith(b"\x80")


def test_the_app_is_pinned_to_what_this_project_is_tested_with():
    pins = {line.replace("-", "_") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert {pin.replace("-", "_").lower() for pin in modal_app.PINS} <= pins
    assert modal_app.app.name == modal_facts.APP
    assert list(modal_app.app.registered_classes) == [modal_facts.CLASS]
    assert modal_facts.GPU in modal_facts.USD_PER_SECOND


def test_the_price_is_seconds_times_the_gpus_rate():
    batches = plan_batches(CLAP_MUSIC, [Unit(str(n), 16, bytes) for n in range(100)])
    estimate = ModalEngine().estimate(batches)
    work = 1600 / modal_facts.SIZE_PER_SECOND["clap"]
    assert estimate.inputs == 100
    assert estimate.seconds == pytest.approx(work + modal_facts.START_S * modal_facts.CONTAINERS)
    assert estimate.usd == pytest.approx(estimate.seconds * modal_facts.USD_PER_SECOND[modal_facts.GPU])
    assert ModalEngine().estimate([]).usd == 0


@pytest.mark.skipif(not re.fullmatch("ak-.+", os.environ.get("MODAL_TOKEN_ID", "")), reason="needs a Modal token")
def test_smoke_live():
    found = dict(ModalEngine(deployed).run(plan_batches(DEBERTA_TEXT, TEXTS)))
    assert all(isinstance(found[unit.key], bytes) and len(found[unit.key]) == 768 * 4 for unit in TEXTS)
