"""Loading the encoder of a spec; torch is imported only for an encoder that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rainbow_assets import settings
from rainbow_assets.embeddings.specs import CLAP, DEBERTA, DESCRIPTOR, MINILM, EncoderSpec
from rainbow_assets.errors import UsageError
from rainbow_assets.sound.channels import kept_channel
from rainbow_assets.sound.flac import encode_checked
from rainbow_assets.sound.stems import probe, read_stem

RATE = 44100
"""Of the corpus, in Hz: what the encoders of sound read."""


class Encoder(Protocol):
    """``prepare`` turns one payload into model input, in any thread; ``forward`` returns vectors [n, dims], float32."""

    def prepare(self, payload: bytes) -> Any:
        """Decode one input; an exception means that this input cannot be embedded."""
        ...

    def forward(self, prepared: list[Any]) -> npt.NDArray[np.float32]:
        """Embed inputs together; padding and the other inputs may change the last bits, but no more."""
        ...


def load_encoder(spec: EncoderSpec, device: str = "auto") -> Encoder:
    """Return the encoder of ``spec``; raise ``UsageError`` if a package or the weights are missing."""
    if spec.family == MINILM:
        from rainbow_assets.embeddings.minilm import MiniLM

        return MiniLM(spec.max_tokens, spec.weights_sha256)
    if spec.family == DESCRIPTOR:
        from rainbow_assets.embeddings.descriptor import SignalDescriptor

        return SignalDescriptor(spec.sample_rate, spec.window_ms)
    try:
        from rainbow_assets.embeddings import production
    except ModuleNotFoundError as error:
        raise UsageError(f"the encoder {spec.name} needs the package {error.name}; run: pip install "
                         "'rainbow-assets[torch]', or set embeddings.profile = \"embedded\"") from error
    place, revision = where(spec)
    if spec.family == DEBERTA:
        return production.Deberta(place, revision, spec.max_tokens, device)
    assert spec.family == CLAP
    return production.Clap(place, revision, spec.sample_rate, spec.window_ms, device)


def where(spec: EncoderSpec) -> tuple[str, str | None]:
    """Return what to load: (folder, None) if ``RAINBOW_MODELS`` has the revision, else (repository, revision)."""
    folder = settings.models_folder()
    local = model_folder(folder, spec) if folder else None
    return (str(local), None) if local and local.is_dir() else (spec.checkpoint, spec.revision)


def model_folder(root: Path, spec: EncoderSpec) -> Path:
    """Return the folder of the weights of ``spec`` below ``root``; a new revision has a new folder."""
    return root / spec.checkpoint / spec.revision


def as_flac(path: Path) -> bytes:
    """Return the WAV or FLAC file at ``path`` as mono FLAC, which the encoders read; raise ``UnreadableAudio``.

    Opposed channels have no mean, so one of them is read, as in segments.
    """
    info = probe(path)
    stem = read_stem(path, RATE, windows_ms=[(0, -(-1000 * info.frames // info.sample_rate))])
    channel = kept_channel(stem.levels[0], settings.default_rules().audio.silence_db)
    if channel is not None:
        stem = read_stem(path, RATE, channel=channel)
    return encode_checked(stem.samples, stem.bits, stem.sample_rate)
