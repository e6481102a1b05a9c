"""The engine on Modal: sends batches as bytes to the deployed app, and yields answers as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from rainbow_assets.embeddings import modal_facts, wire
from rainbow_assets.embeddings.engine import OOM, TRANSIENT, EngineFailed, Estimate, Fault, UnitBatch
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.errors import UsageError

Send = Callable[[EncoderSpec, Iterable[bytes]], Iterator[Any]]
"""(spec, messages) -> one answer per message, in order: bytes, or the exception that its call ended with."""


class ModalEngine:
    """Sends batches to the app ``rainbow-embeddings``. ``send`` is the transport; by default, Modal's ``.map``."""

    def __init__(self, send: Send | None = None) -> None:
        self.send = send or deployed

    def estimate(self, batches: Sequence[UnitBatch]) -> Estimate:
        """Return the GPU seconds at the planned rate, starts of containers included, and their price."""
        rate = modal_facts.USD_PER_SECOND[modal_facts.GPU]
        if not batches:
            return Estimate(0, 0.0, 0.0, rate)
        work = sum(batch.size / modal_facts.SIZE_PER_SECOND[batch.spec.family] for batch in batches)
        seconds = work + modal_facts.START_S * min(modal_facts.CONTAINERS, len(batches))
        return Estimate(sum(len(batch.units) for batch in batches), seconds, seconds * rate, rate)

    def run(self, batches: Iterable[UnitBatch]) -> Iterator[tuple[str, bytes | Fault]]:
        """Embed; payloads are read while earlier batches are on their way."""
        for spec, group in groupby(batches, key=lambda batch: batch.spec):
            sent: list[UnitBatch] = []
            answers = self.send(spec, _messages(spec, group, sent))
            for number, answer in enumerate(_guarded(answers)):
                yield from _answers(sent[number], answer)


def _messages(spec: EncoderSpec, batches: Iterable[UnitBatch], sent: list[UnitBatch]) -> Iterator[bytes]:
    for batch in batches:
        sent.append(batch)
        yield wire.pack_batch(spec.name, spec.digest, [(unit.key, unit.load()) for unit in batch.units])


def _guarded(answers: Iterator[Any]) -> Iterator[Any]:
    """Yield ``answers``; stop if the connection breaks, so that the rest counts as unreachable and is tried again."""
    import modal.exception as errors

    try:
        yield from answers
    except errors.AuthError as error:
        raise UsageError("there is no Modal token on this machine; run: modal token new, or set embeddings.engine = "
                         '"local" in rainbow.toml') from error
    except errors.NotFoundError as error:
        raise UsageError("the app rainbow-embeddings is not deployed; run: modal deploy -m "
                         f"rainbow_assets.embeddings.modal_app ({error})") from error
    except (errors.ConnectionError, errors.TimeoutError, errors.InternalError, ConnectionError, TimeoutError):
        return


def _answers(batch: UnitBatch, answer: Any) -> Iterator[tuple[str, bytes | Fault]]:
    if isinstance(answer, bytes):
        yield from wire.unpack_answers(answer)
        return
    if isinstance(answer, EngineFailed | UsageError):
        raise answer
    text = f"{type(answer).__name__}: {answer}"[:300]
    kind = OOM if isinstance(answer, MemoryError) or "out of memory" in text.lower() else TRANSIENT
    for unit in batch.units:
        yield unit.key, Fault(kind, text)


def deployed(spec: EncoderSpec, messages: Iterable[bytes]) -> Iterator[Any]:
    """Send messages to the deployed app."""
    try:
        import modal
    except ModuleNotFoundError as error:
        raise UsageError("the engine modal needs the package modal; run: pip install 'rainbow-assets[modal]'"
                         ) from error
    worker = modal.Cls.from_name(modal_facts.APP, modal_facts.CLASS)(spec=spec.name)
    yield from worker.embed.map(messages, return_exceptions=True, wrap_returned_exceptions=False)
