"""The published encoders on torch: DeBERTa for text, CLAP's audio tower for sound. Importing this needs torch.

Pitfalls of CLAP that this module avoids (all seen with transformers 5.23): its feature extractor crops longer input at
*random*, so windows are cut before it; ``fusion`` gives four channels, which an unfused model cannot read, so
truncation is always ``rand_trunc``, which does not change 10 s; it accepts only its own sample rate, so audio is
resampled first; and ``get_audio_features`` returns an object or an array, depending on the version.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from rainbow_assets.sound import waveform

HALF = ("cuda",)
"""Devices on which models run in half precision; vectors are float32 on all devices."""


def device_of(wanted: str) -> str:
    """Return ``wanted``; for ``auto`` the best device that is available."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _options(revision: str | None) -> dict[str, Any]:
    """Return the loading options: the commit of a repository, or for a local folder (None) no use of the network."""
    return {"revision": revision} if revision else {"local_files_only": True}


class Deberta:
    """Text encoder: the last layer's vector of [CLS], as in the original (whose documents wrongly name the mean)."""

    def __init__(self, place: str, revision: str | None, max_tokens: int, device: str = "auto") -> None:
        self.device, self.max_tokens = device_of(device), max_tokens
        # The threads that prepare inputs share one tokenizer, which must not start more threads.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(place, **_options(revision))
        kind = torch.float16 if self.device in HALF else torch.float32
        loaded: Any = transformers.AutoModel.from_pretrained(place, dtype=kind, **_options(revision))
        self.model: Any = loaded.to(self.device).eval()

    def prepare(self, payload: bytes) -> list[int]:
        """Return token ids of UTF-8 text, at most ``max_tokens``."""
        return list(self.tokenizer(payload.decode("utf-8"), truncation=True, max_length=self.max_tokens)["input_ids"])

    def forward(self, prepared: list[list[int]]) -> npt.NDArray[np.float32]:
        """Return vectors [n, hidden]; inputs are padded to the longest of the batch, not to ``max_tokens``."""
        width = max(len(ids) for ids in prepared)
        ids = torch.full((len(prepared), width), int(self.tokenizer.pad_token_id or 0), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(prepared):
            ids[row, :len(tokens)], mask[row, :len(tokens)] = torch.tensor(tokens), 1
        with torch.inference_mode():
            hidden = self.model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).last_hidden_state
        return hidden[:, 0].float().cpu().numpy()


class Clap:
    """Audio encoder: audio tower, projection, weighted mean over fixed windows, L2."""

    def __init__(
        self, place: str, revision: str | None, sample_rate: int, window_ms: int, device: str = "auto"
    ) -> None:
        self.device, self.rate, self.window_ms = device_of(device), sample_rate, window_ms
        self.features: Any = transformers.ClapFeatureExtractor.from_pretrained(place, **_options(revision))
        kind = torch.float16 if self.device in HALF else torch.float32
        loaded: Any = transformers.ClapModel.from_pretrained(place, dtype=kind, **_options(revision))
        self.model: Any = loaded.to(self.device).eval()
        self.kind = kind

    def prepare(self, payload: bytes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return (log mel [windows, 1, frames, mels], weights [windows]) of a FLAC file."""
        cut, weights = waveform.weighted_windows(waveform.decode(payload, self.rate), self.rate, self.window_ms)
        made = self.features([np.asarray(window) for window in cut], sampling_rate=self.rate, return_tensors="np",
                             truncation="rand_trunc", padding="repeatpad")
        return np.asarray(made["input_features"], np.float32), weights

    def forward(
        self, prepared: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
    ) -> npt.NDArray[np.float32]:
        """Return vectors [n, projection]; the windows of all inputs go through the model together."""
        mel = torch.from_numpy(np.concatenate([features for features, _ in prepared])).to(self.device, self.kind)
        with torch.inference_mode():
            found = self.model.get_audio_features(input_features=mel)
        raw = getattr(found, "pooler_output", found).float().cpu().numpy()
        ends = np.cumsum([len(weights) for _, weights in prepared])[:-1]
        return np.stack([waveform.pooled(vectors, weights) for vectors, (_, weights) in
                         zip(np.split(raw, ends), prepared, strict=True)])
