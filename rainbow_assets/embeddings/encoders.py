"""From a spec to the encoder that it describes; torch is imported only by those that need it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rainbow_assets import settings
from rainbow_assets.embeddings.specs import CLAP, DEBERTA, DESCRIPTOR, MINILM, EncoderSpec
from rainbow_assets.errors import UsageError


class Encoder(Protocol):
    """``prepare`` turns one payload into model input, in any thread; ``forward`` gives vectors [n, dims], float32."""

    def prepare(self, payload: bytes) -> Any:
        """Decode one input; an exception means that this input cannot be embedded."""
        ...

    def forward(self, prepared: list[Any]) -> npt.NDArray[np.float32]:
        """Embed inputs together; padding and company change the last bits at most."""
        ...


def load_encoder(spec: EncoderSpec, device: str = "auto") -> Encoder:
    """Load the encoder of ``spec``; raise ``UsageError`` where a package or the weights are not there."""
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
    """Return what to load: a folder of ``RAINBOW_MODELS`` where it has the revision, else (repository, revision)."""
    folder = settings.models_folder()
    local = model_folder(folder, spec) if folder else None
    return (str(local), None) if local and local.is_dir() else (spec.checkpoint, spec.revision)


def model_folder(root: Path, spec: EncoderSpec) -> Path:
    """Where a folder of models keeps the weights of ``spec``: one folder per revision, so that none goes stale."""
    return root / spec.checkpoint / spec.revision
