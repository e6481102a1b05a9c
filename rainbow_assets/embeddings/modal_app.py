"""The Modal app: `modal deploy -m rainbow_assets.embeddings.modal_app`. Defining it needs no token and no network.

A container loads one encoder from a volume with weights by revision, once, and then embeds messages. It runs
``embed_message``, and so do the local tests, through ``.local()``.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import modal

from rainbow_assets.embeddings import body, modal_facts, wire
from rainbow_assets.embeddings.encoders import Encoder, load_encoder, model_folder
from rainbow_assets.embeddings.engine import EngineFailed
from rainbow_assets.embeddings.specs import CLAP, DEBERTA, EncoderSpec, by_name

WEIGHTS = "/weights"
PINS = (
    "torch==2.13.0", "transformers==5.23.0", "sentencepiece==0.2.1", "protobuf==6.33.6", "tokenizers==0.23.3",
    "huggingface_hub==2.4.0", "safetensors==0.8.0", "numpy==2.4.6", "scipy==1.17.1", "soundfile==0.14.0",
    "soxr==1.1.0", "polars==2.1.0", "pyarrow==26.0.1", "fsspec==2026.9.0", "PyYAML==6.0.3",
    "rich==15.0.0", "modal==1.6.4",
)
image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("libsndfile1")
    .pip_install(*PINS)
    .env({"RAINBOW_MODELS": WEIGHTS, "HF_HUB_DISABLE_TELEMETRY": "1"})
    .add_local_python_source("rainbow_assets")
)
weights = modal.Volume.from_name("rainbow-weights", create_if_missing=True)
app = modal.App(modal_facts.APP, image=image)


@app.cls(gpu=modal_facts.GPU, timeout=600, retries=modal.Retries(max_retries=2, initial_delay=2.0),
         volumes={WEIGHTS: weights}, max_containers=modal_facts.CONTAINERS, scaledown_window=60)
class Embedder:
    """One encoder in one container; ``spec`` is its name."""

    spec: str = modal.parameter()

    @modal.enter()
    def load(self) -> None:
        """Download the pinned revision into the volume if it is missing, and load the encoder."""
        self.chosen = by_name(self.spec)
        if self.chosen.family in (DEBERTA, CLAP):
            self._fetch()
        self.encoder = load_encoder(self.chosen)

    def _fetch(self) -> None:
        from pathlib import Path

        root = Path(os.environ.get("RAINBOW_MODELS", WEIGHTS))
        folder = model_folder(root, self.chosen)
        if folder.is_dir():
            return
        from huggingface_hub import snapshot_download

        # Another name until the download is complete: a container that is stopped midway leaves no partial model.
        partial = folder.with_name(f".{folder.name}.part")
        snapshot_download(self.chosen.checkpoint, revision=self.chosen.revision, local_dir=partial)
        partial.replace(folder)
        weights.commit()

    @modal.method()
    def embed(self, message: bytes) -> bytes:
        """Embed one packed batch of inputs; the answer contains the faults of single inputs."""
        return embed_message(self.encoder, self.chosen, message)


def embed_message(encoder: Encoder, spec: EncoderSpec, message: bytes) -> bytes:
    """Embed one packed batch; raise ``EngineFailed`` if it was made for another spec than the worker's."""
    name, digest, items = wire.unpack_batch(message)
    if digest != spec.digest:
        raise EngineFailed(f"the deployed app embeds with other code or another revision of {name}; run: modal deploy "
                           "-m rainbow_assets.embeddings.modal_app")
    with ThreadPoolExecutor() as pool:
        prepared = list(pool.map(lambda item: body.prepare(encoder, *item), items))
    return wire.pack_answers(body.forward(encoder, spec, prepared))
