"""Same bytes in, same vector out: whatever stands beside an input, however it is padded, on any number of threads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rainbow_assets.embeddings import specs
from rainbow_assets.embeddings.encoders import load_encoder
from rainbow_assets.embeddings.specs import CLAP_MUSIC, DEBERTA_TEXT, MINILM_TEXT, SIGNAL_AUDIO
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.codeversion import Used
from rainbow_assets.sound import waveform
from rainbow_assets.sound.flac import FlacMismatch
from rainbow_assets_tests.embeddings.sounds import flac

TEXTS = ["glass river", "the forgotten people of the copper orchard and the winter signal " * 5, "static",
         "a lantern, a mirror, an engine: time and space", "Ünïcödé ☂ naïve café"]
SOUNDS = [flac(3, 1), flac(12.5, 2), flac(25, 3), flac(0.4, 4), flac(10, 5)]


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def embed(encoder, payloads: list[bytes]) -> np.ndarray:
    return encoder.forward([encoder.prepare(payload) for payload in payloads])


@pytest.mark.parametrize(("spec", "payloads"), [
    (MINILM_TEXT, [text.encode() for text in TEXTS]), (DEBERTA_TEXT, [text.encode() for text in TEXTS]),
    (SIGNAL_AUDIO, SOUNDS), (CLAP_MUSIC, SOUNDS),
], ids=lambda value: getattr(value, "name", ""))
def test_company_and_padding_change_the_last_bits_at_most(offline_models, spec, payloads):
    encoder = load_encoder(spec, "cpu")
    together = embed(encoder, payloads)
    assert together.shape == (len(payloads), spec.dims)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    if spec.unit_norm:
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embed(encoder, [payload]) for payload in payloads])
    turned = embed(encoder, payloads[::-1])[::-1]
    again = embed(load_encoder(spec, "cpu"), payloads)
    for other in (alone, turned, again):
        assert cosines(together, other).min() > 0.99999
    np.testing.assert_array_equal(again, together)
    assert len(np.unique(np.round(together, 4), axis=0)) == len(payloads)


@pytest.mark.parametrize("name", ["deberta", "clap"])
def test_thread_count_changes_the_last_bits_at_most(offline_models, name):
    import torch

    spec, payloads = {"deberta": (DEBERTA_TEXT, [t.encode() for t in TEXTS]), "clap": (CLAP_MUSIC, SOUNDS[:2])}[name]
    encoder = load_encoder(spec, "cpu")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = embed(encoder, payloads)
        torch.set_num_threads(4)
        four = embed(encoder, payloads)
    finally:
        torch.set_num_threads(threads)
    assert cosines(one, four).min() > 0.99999


def test_the_extractor_crops_at_random_and_we_do_not(offline_models):
    """The trap itself: 25 s through the extractor differ from call to call; our windows do not."""
    encoder = load_encoder(CLAP_MUSIC, "cpu")
    sound = waveform.decode(SOUNDS[2], 48000)
    made = [encoder.features(sound, sampling_rate=48000, return_tensors="np")["input_features"] for _ in range(4)]
    assert not all(np.array_equal(made[0], other) for other in made[1:])
    ours = [encoder.prepare(SOUNDS[2])[0] for _ in range(3)]
    assert all(np.array_equal(ours[0], other) for other in ours[1:])
    assert ours[0].shape[0] == 3


def test_windows_are_fixed_and_weigh_what_they_last():
    samples = np.arange(25_000, dtype=np.float32)
    cut, weights = waveform.weighted_windows(samples, 1000, 10000)
    assert [len(window) for window in cut] == [10000, 10000, 5000]
    np.testing.assert_allclose(weights, [0.4, 0.4, 0.2])
    np.testing.assert_array_equal(np.concatenate(cut), samples)
    assert waveform.window_count(441_000, 44100, 10000) == 1
    assert waveform.window_count(441_001, 44100, 10000) == 2
    raw = np.array([[3.0, 0.0], [0.0, 4.0]], np.float32)
    np.testing.assert_allclose(waveform.pooled(raw, np.array([0.5, 0.5], np.float32)), [0.6, 0.8], atol=1e-6)


def test_sound_is_resampled_by_soxr():
    tone = np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100) * 0.5
    from rainbow_assets.sound.flac import encode_flac

    found = waveform.decode(encode_flac((tone * 32767).astype(np.int32), 16, 44100), 48000)
    assert len(found) == 48000
    wanted = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000) * 0.5
    np.testing.assert_allclose(found[500:-500], wanted[500:-500], atol=1e-3)


def test_text_has_meaning_in_the_embedded_profile():
    encoder = load_encoder(MINILM_TEXT)
    texts = ["a sad song about losing a friend", "grief after someone you love has gone", "how to repair a diesel pump"]
    found = embed(encoder, [text.encode() for text in texts])
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2


def test_long_text_is_cut_at_the_specs_tokens(offline_models):
    assert len(load_encoder(MINILM_TEXT).prepare(b"river " * 2000)) == 256
    assert len(load_encoder(DEBERTA_TEXT, "cpu").prepare(b"river " * 2000)) == 512


def test_broken_sound_is_an_error_not_zeros():
    with pytest.raises(FlacMismatch):
        load_encoder(SIGNAL_AUDIO).prepare(SOUNDS[0][:100])


PINNED = {
    "minilm-int8": ("minilm", "MiniLM", "8ac844cd551b7b66"),
    "signal-descriptor": ("descriptor", "SignalDescriptor", "ebe77a2a33bfeda2"),
    "deberta-v3-base": ("production", "Deberta", "d33afcea8149c07f"),
    "clap-music": ("production", "Clap", "e584a02cf9bfd66e"),
    "clap-htsat-unfused": ("production", "Clap", "e584a02cf9bfd66e"),
}


@pytest.mark.parametrize("name", sorted(specs.SPECS))
def test_the_code_of_an_encoder_is_what_its_spec_was_declared_for(name):
    """If this fails, the code that makes vectors was edited. Do the vectors stay the same? Then put the new digest here.

    Else change ``version`` of the spec as well: all of its vectors are made anew.
    """
    module, root, digest = PINNED[name]
    assert Used(((f"rainbow_assets.embeddings.{module}", root),)).version == digest


def test_a_changed_revision_window_or_version_is_another_digest():
    import dataclasses

    digests = {spec.digest for spec in specs.SPECS.values()}
    assert len(digests) == len(specs.SPECS)
    for name, value in (("revision", "0" * 40), ("window_ms", 5000), ("pooling", "mean"), ("dtype", "float16")):
        assert dataclasses.replace(CLAP_MUSIC, **{name: value}).digest not in digests
    assert dataclasses.replace(CLAP_MUSIC, version="2").digest not in digests
    assert dataclasses.replace(CLAP_MUSIC, mean_cosine=0.5).digest == CLAP_MUSIC.digest, "a bound shapes no vector"
    for spec in specs.SPECS.values():
        if spec.profile == "production":
            assert len(spec.revision) == 40 and int(spec.revision, 16)


def test_weights_that_were_swapped_are_refused():
    from rainbow_assets.embeddings.minilm import MiniLM

    with pytest.raises(RainbowError, match="is not the one of version"):
        MiniLM(256, "0" * 64)


def test_the_embedded_profile_needs_no_torch():
    code = ("import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
            "from rainbow_assets.definitions import defs\n"
            "from rainbow_assets.embeddings.encoders import load_encoder\n"
            "from rainbow_assets.embeddings import specs\n"
            "e = load_encoder(specs.MINILM_TEXT); print(e.forward([e.prepare(b'hi')]).shape)\n"
            "load_encoder(specs.DEBERTA_TEXT)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "(1, 384)" in done.stdout
    assert "UsageError: the encoder deberta-v3-base needs the package torch; run: pip install" in done.stderr


