"""Embedding one message in a remote worker. Modal runs this, and the tests run it on the same bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from rainbow_assets.embeddings import body, wire
from rainbow_assets.embeddings.encoders import Encoder
from rainbow_assets.embeddings.engine import EngineFailed
from rainbow_assets.embeddings.specs import EncoderSpec


def embed_message(encoder: Encoder, spec: EncoderSpec, message: bytes) -> bytes:
    """Embed one packed batch; raise ``EngineFailed`` if it was made for another spec than the worker's."""
    name, digest, items = wire.unpack_batch(message)
    if digest != spec.digest:
        raise EngineFailed(f"the deployed app embeds with other code or another revision of {name}; run: modal deploy "
                           "-m rainbow_assets.embeddings.modal_app")
    with ThreadPoolExecutor() as pool:
        prepared = list(pool.map(lambda item: body.prepare(encoder, *item), items))
    return wire.pack_answers(body.forward(encoder, spec, prepared))
