"""Train a model on this machine or on a GPU at Modal. Both run ``train.fit`` on the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rainbow_assets.errors import UsageError
from rainbow_assets.fitness import wire
from rainbow_assets.fitness.data import TrainingData
from rainbow_assets.fitness.settings import FitnessRules

APP, FUNCTION, GPU = "rainbow-fitness", "fit", "A10G"
Send = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Curve:
    """One epoch of a learning curve; losses are means per row."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, from this machine or Modal; it needs no torch, because its weights are bytes."""

    weights: bytes
    history: list[Curve]
    best_epoch: int
    parameters: int


def fit_somewhere(
    train: TrainingData, validation: TrainingData, rules: FitnessRules, seed: int, resume: bytes | None = None,
    checkpoint: Callable[[bytes], None] | None = None, tick: Callable[[int, int], None] | None = None,
    send: Send | None = None,
) -> Trained:
    """Return the model trained by the engine of ``rules``; see ``train.fit``. Modal writes no checkpoints.

    Raises ``UsageError`` if torch, the Modal token or the deployed app is missing.
    """
    if rules.engine == "modal":
        return _unpacked((send or deployed)(wire.pack(train, validation, rules, seed)))
    return _here(train, validation, rules, seed, resume, checkpoint, tick)


def _here(
    train: TrainingData, validation: TrainingData, rules: FitnessRules, seed: int, resume: bytes | None,
    checkpoint: Callable[[bytes], None] | None, tick: Callable[[int, int], None] | None,
) -> Trained:
    from rainbow_assets.fitness.model import ModelSpec, parameters
    from rainbow_assets.fitness.train import fit, load_model

    fitted = fit(train, validation, rules, seed, resume, checkpoint, tick)
    count = parameters(load_model(fitted.weights, ModelSpec(rules.profile, **train.dims)))
    return Trained(fitted.weights, [Curve(**asdict(item)) for item in fitted.history], fitted.best_epoch, count)


def fit_message(message: bytes) -> bytes:
    """Return the packed model trained on the data of ``message``. The Modal function runs this, and so do tests."""
    train, validation, rules, seed = wire.unpack(message)
    done = _here(train, validation, rules, seed, None, None, None)
    head = json.dumps({"history": [asdict(item) for item in done.history], "best_epoch": done.best_epoch,
                       "parameters": done.parameters}).encode()
    return len(head).to_bytes(8, "little") + head + done.weights


def _unpacked(answer: bytes) -> Trained:
    length = int.from_bytes(answer[:8], "little")
    head = json.loads(answer[8:8 + length])
    return Trained(answer[8 + length:], [Curve(**item) for item in head["history"]], head["best_epoch"],
                   head["parameters"])


def deployed(message: bytes) -> bytes:
    """Send a message to the deployed app and return its answer; raise ``UsageError`` if something is missing."""
    try:
        import modal
        import modal.exception as errors
    except ModuleNotFoundError as error:
        raise UsageError("fitness.engine = \"modal\" needs the package modal; run: pip install 'rainbow-assets[modal]'"
                         ) from error
    try:
        function: Any = modal.Function.from_name(APP, FUNCTION)
        return bytes(function.remote(message))
    except errors.AuthError as error:
        raise UsageError('there is no Modal token on this machine; run: modal token new, or set fitness.engine = '
                         '"local" in rainbow.toml') from error
    except errors.NotFoundError as error:
        raise UsageError(f"the app {APP} is not deployed; run: modal deploy -m rainbow_assets.fitness.modal_app "
                         f"({error})") from error
