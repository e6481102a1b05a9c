"""The fusion model: a piano-roll CNN and a multilayer perceptron over sound, music, concept and lyric. Needs torch.

``full`` is the original model (three 3 x 3 convolutions to 512 numbers, 2560 -> 1024 -> 512 -> heads). ``compact`` has
a strided stem that spans an octave and a second of music, and at most 0.1 M parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from rainbow_assets.fitness import roll
from rainbow_assets.fitness.data import MODALITIES

COMPACT, FULL = "compact", "full"
NULL_STD = 0.02
"""Standard deviation of the null embeddings before training."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Shape of a model: its profile and the lengths of its input vectors."""

    profile: str
    audio: int
    concept: int
    lyric: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for files and digests."""
        return asdict(self)


class PianoRollEncoder(nn.Module):
    """Encodes rolls [b, 3, 128, 256] as vectors [b, ``dims``]."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self.dims = 512 if profile == FULL else 64
        channels = len(roll.CHANNELS)
        if profile == FULL:
            layers: list[nn.Module] = [
                *_block(channels, 32, 3, 1, 1), nn.MaxPool2d(2), *_block(32, 64, 3, 1, 1), nn.MaxPool2d(2),
                *_block(64, 128, 3, 1, 1), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(2048, 512), nn.ReLU()]
        else:
            layers = [
                *_block(channels, 12, (13, 9), (2, 4), (6, 4)), *_block(12, 24, 3, 2, 1), *_block(24, 32, 3, 2, 1),
                nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 64), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, rolls: torch.Tensor) -> torch.Tensor:
        """Return the vectors of rolls with velocities in 0..1."""
        return self.layers(rolls)


def _block(before: int, after: int, kernel: Any, stride: Any, padding: Any) -> list[nn.Module]:
    return [nn.Conv2d(before, after, kernel, stride, padding, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


class FusionModel(nn.Module):
    """Predicts mode probabilities and a confidence from all inputs that exist for a piece of music.

    Outputs: logits [b, 3, 3] (temporal, spatial, ontological; classes as in the taxonomy) and a confidence logit [b]
    for having a color with any mode. A missing input is replaced by a learned vector, and a flag marks it as missing.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = PianoRollEncoder(spec.profile)
        lengths = {"audio": spec.audio, "midi": self.encoder.dims, "concept": spec.concept, "lyric": spec.lyric}
        self.nulls = nn.ParameterDict({name: nn.Parameter(torch.randn(lengths[name]) * NULL_STD)
                                       for name in MODALITIES})
        if spec.profile == FULL:
            self.inward: nn.ModuleDict = nn.ModuleDict({name: nn.Identity() for name in MODALITIES})
            width, hidden = sum(lengths.values()) + len(MODALITIES), (1024, 512)
        else:
            self.inward = nn.ModuleDict({name: nn.Identity() if name == "midi" else nn.Linear(lengths[name], 16)
                                         for name in MODALITIES})
            width, hidden = lengths["midi"] + 3 * 16 + len(MODALITIES), (64,)
        body: list[nn.Module] = []
        for size, dropped in zip(hidden, (0.3, 0.2), strict=False):
            body += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(dropped)]
            width = size
        self.body = nn.Sequential(*body)
        self.heads = nn.Linear(width, 9)
        self.confidence = nn.Linear(width, 1)

    def fuse(
        self, vectors: Mapping[str, torch.Tensor], has: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (logits [b, 3, 3], confidence logits [b]) of encoded inputs and their presence flags (bool[b])."""
        shown = [self.inward[name](torch.where(has[name][:, None], vectors[name], self.nulls[name]))
                 for name in MODALITIES]
        flags = torch.stack([has[name] for name in MODALITIES], dim=1).to(shown[0].dtype)
        found = self.body(torch.cat([*shown, flags], dim=1))
        return self.heads(found).reshape(-1, 3, 3), self.confidence(found).squeeze(1)

    def forward(self, rolls: torch.Tensor, vectors: Mapping[str, torch.Tensor], has: Mapping[str, torch.Tensor]
                ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same as :meth:`fuse`; ``rolls`` [m, 3, 128, 256] are those of the m rows with ``has["midi"]``."""
        midi = torch.zeros(len(has["midi"]), self.encoder.dims, dtype=rolls.dtype, device=rolls.device)
        if len(rolls):
            midi = midi.index_copy(0, has["midi"].nonzero().squeeze(1), self.encoder(rolls).to(rolls.dtype))
        return self.fuse({**vectors, "midi": midi}, has)


class Exported(nn.Module):
    """The model as it is exported to ONNX: plain tensors in, probabilities out."""

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, piano_roll: torch.Tensor, audio: torch.Tensor, concept: torch.Tensor, lyric: torch.Tensor,
        has_audio: torch.Tensor, has_midi: torch.Tensor, has_concept: torch.Tensor, has_lyric: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (probabilities [b, 3, 3], confidence [b])."""
        vectors = {"audio": audio, "midi": self.model.encoder(piano_roll), "concept": concept, "lyric": lyric}
        has = {"audio": has_audio, "midi": has_midi, "concept": has_concept, "lyric": has_lyric}
        logits, confidence = self.model.fuse(vectors, has)
        return logits.softmax(dim=2), confidence.sigmoid()


def parameters(model: nn.Module) -> int:
    """Return the number of learned parameters."""
    return sum(item.numel() for item in model.parameters())
