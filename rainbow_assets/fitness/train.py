"""Train a model in one loop of plain torch, seeded by epoch: a resumed run gets the weights of an uninterrupted one.

There is no trainer library, because the loop is short, and masks, hidden modalities, rolls drawn and transposed on the
fly, and checkpoints without pickle would all be callbacks of our own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch.nn import functional

from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness import metrics, roll, targets
from rainbow_assets.fitness.data import MODALITIES, TrainingData
from rainbow_assets.fitness.model import FusionModel, ModelSpec
from rainbow_assets.fitness.settings import FitnessRules

CLIP, DECAY, CONFIDENCE_WEIGHT = 1.0, 1e-3, 0.25
SHARPNESS = (0.25, 4.0)
"""Bounds of the factor by which calibration multiplies the logits."""
EVALUATED = 128
"""Rows per batch in evaluation."""


class TrainingError(RainbowError):
    """A model cannot be trained, or a checkpoint cannot be used."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of a learning curve; losses are means per row."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    learning_rate: float


@dataclass
class Fitted:
    """A trained model: its weights as a safetensors file, and its learning curve."""

    weights: bytes
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0


Checkpoint = Callable[[bytes], None]
Tick = Callable[[int, int], None]


def device_of(rules: FitnessRules) -> torch.device:
    """Return the device to train on; raise ``TrainingError`` if the requested one is missing."""
    if rules.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError('fitness.device is "cuda", but torch finds no GPU; write "auto" or "cpu"')
    return torch.device("cuda" if rules.device != "cpu" and torch.cuda.is_available() else "cpu")


def fit(
    train: TrainingData, validation: TrainingData, rules: FitnessRules, seed: int, resume: bytes | None = None,
    checkpoint: Checkpoint | None = None, tick: Tick | None = None,
) -> Fitted:
    """Train on ``train`` and keep the weights of the epoch with the lowest loss on ``validation`` (empty: the last).

    ``checkpoint`` receives the whole state after each epoch (safetensors), and ``resume`` is such a state. A state of
    other data, rules or seed raises ``TrainingError``.
    """
    if not len(train) or not train.mask.any():
        raise TrainingError("there is nothing to learn from: no row has a target")
    device = device_of(rules)
    run = _TrainingRun(train, validation, rules, seed, device)
    start = run.restore(resume) if resume else 0
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for epoch in range(start, rules.max_epochs):
            if run.stale(epoch):
                break
            run.epoch(epoch)
            if checkpoint:
                checkpoint(run.state())
            if tick:
                tick(epoch + 1, rules.max_epochs)
    return Fitted(save_tensors(run.calibrated()), run.history, run.best_epoch)


class _TrainingRun:
    """The state of one training run."""

    def __init__(
        self, train: TrainingData, validation: TrainingData, rules: FitnessRules, seed: int, device: torch.device
    ) -> None:
        self.train, self.validation, self.rules, self.seed, self.device = train, validation, rules, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = FusionModel(ModelSpec(rules.profile, **train.dims)).to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=rules.learning_rate, weight_decay=DECAY)
        self.weights = _balance(train)
        self.history: list[Epoch] = []
        self.best: dict[str, torch.Tensor] = _copy(self.model)
        self.best_epoch = 0

    def stale(self, epoch: int) -> bool:
        """Return True if the validation loss has not fallen for ``patience`` epochs."""
        return bool(len(self.validation)) and epoch - self.best_epoch >= self.rules.patience and epoch > 0

    def epoch(self, number: int) -> None:
        """Train on all rows once, then validate, and keep the weights if they are the best so far."""
        rate = self.rules.learning_rate * 0.5 * (1 + math.cos(math.pi * number / self.rules.max_epochs))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # All draws of an epoch are seeded by its number, so a checkpoint needs no state of a generator.
        torch.manual_seed(self.seed * 1009 + number)
        rng = np.random.Generator(np.random.PCG64([self.seed, number]))
        self.model.train()
        total = 0.0
        order = rng.permutation(len(self.train))
        for begin in range(0, len(order), self.rules.batch):
            total += self._step(self.train.take(order[begin:begin + self.rules.batch]),
                                self.weights[order[begin:begin + self.rules.batch]], rng)
        loss = self._validate()
        self.history.append(Epoch(number + 1, total / len(order), loss, rate))
        known = [item.validation_loss for item in self.history if item.validation_loss is not None]
        if loss is None or loss <= min(known):
            self.best, self.best_epoch = _copy(self.model), number + 1

    def _step(self, rows: TrainingData, weights: np.ndarray[Any, Any], rng: np.random.Generator) -> float:
        heard = [None if notes is None else roll.random_excerpt(notes, rng) for notes in rows.notes]
        played = replace(rows, notes=heard)
        inputs = batch(_hidden(played, self.rules, rng), self.device,
                       rng.integers(-self.rules.transpose, self.rules.transpose + 1, len(rows)))
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits, confidence = self.model(*inputs)
        found = _loss(logits.float(), confidence.float(), rows, self.device)
        loss = (found * torch.from_numpy(weights).to(self.device)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        return float(loss.detach()) * len(rows)

    def _validate(self) -> float | None:
        """Return the mean loss with all inputs and with music alone, because the scorer is used both ways."""
        if not len(self.validation):
            return None
        return float(torch.cat([_loss(logits, confidence, part, self.device)
                                for part, logits, confidence in self._judged()]).mean())

    def _judged(self) -> Iterator[tuple[TrainingData, torch.Tensor, torch.Tensor]]:
        """Yield the validation rows, with all inputs and with music alone, and the model's outputs for them."""
        self.model.eval()
        for rows in (self.validation, self.validation.take(np.flatnonzero(self.validation.has["midi"])).only("midi")):
            for part in _parts(rows):
                with torch.inference_mode():
                    yield part, *self.model(*batch(part, self.device))

    def calibrated(self) -> dict[str, torch.Tensor]:
        """Return the best weights, with the probabilities of the heads calibrated on the validation songs.

        Calibration is one temperature for all modes (Guo et al. 2017), found by bisection on the slope of the log
        likelihood. It is needed because soft targets make the model less confident than its accuracy justifies.
        """
        self.model.load_state_dict(self.best)
        logits, wanted = [], []
        for part, predicted, _ in self._judged() if len(self.validation) else ():
            single = [metrics.single_mode(part.colors, kind) for kind in range(len(targets.KINDS))]
            labels = torch.from_numpy(np.stack(single, axis=1))
            kept = labels >= 0
            logits.append(predicted.float().cpu()[kept])
            wanted.append(labels[kept])
        if not wanted or not len(torch.cat(wanted)):
            return self.best
        found, truth = torch.cat(logits).double(), torch.cat(wanted)
        own = found[torch.arange(len(truth)), truth]
        low, high = SHARPNESS
        for _ in range(40):
            middle = (low + high) / 2
            slope = float((own - (found * (found * middle).softmax(dim=1)).sum(dim=1)).mean())
            low, high = (middle, high) if slope > 0 else (low, middle)
        return {name: item * low if name.startswith("heads.") else item for name, item in self.best.items()}

    def state(self) -> bytes:
        """Return all that a resumed run needs, as a safetensors file."""
        tensors = {f"model.{name}": item for name, item in _copy(self.model).items()}
        tensors |= {f"best.{name}": item for name, item in self.best.items()}
        for number, item in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value).cpu().clone()
                        for name, value in item.items()}
        kept = {"fingerprint": self._fingerprint(), "best_epoch": self.best_epoch,
                "history": [asdict(item) for item in self.history]}
        return save_tensors(tensors, metadata={"run": json.dumps(kept)})

    def restore(self, data: bytes) -> int:
        """Load a state and return its number of epochs; raise ``TrainingError`` if it does not fit this run."""
        try:
            kept, tensors = json.loads(_header(data)["run"]), load_tensors(data)
        except (SafetensorError, KeyError, ValueError) as error:
            raise TrainingError(f"the checkpoint cannot be read ({error}); delete it to start again") from error
        if kept["fingerprint"] != self._fingerprint():
            raise TrainingError("the checkpoint belongs to other data or settings; delete it to start again")
        self.model.load_state_dict(_below(tensors, "model."))
        self.best = _below(tensors, "best.")
        state = self.optimizer.state_dict()
        for name, value in _below(tensors, "optimizer.").items():
            number, _, leaf = name.partition(".")
            state["state"].setdefault(int(number), {})[leaf] = value
        self.optimizer.load_state_dict(state)
        self.history = [Epoch(**item) for item in kept["history"]]
        self.best_epoch = kept["best_epoch"]
        return len(self.history)

    def _fingerprint(self) -> str:
        shapes = {name: value for name, value in asdict(self.rules).items() if name not in ("engine", "device")}
        return json.dumps([shapes, self.seed, self.model.spec.as_dict(), len(self.train), self.train.keys[:1],
                           self.train.keys[-1:], len(self.validation)], sort_keys=True)


def batch(
    rows: TrainingData, device: torch.device, transpose: np.ndarray[Any, Any] | None = None
) -> tuple[torch.Tensor, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the arguments of the model: rolls of the rows whose MIDI is shown, vectors, and presence flags."""
    shifts = np.zeros(len(rows), int) if transpose is None else transpose
    shown = [roll.cells(roll.filled(notes), int(shifts[n])) for n, notes in enumerate(rows.notes)
             if notes is not None and rows.has["midi"][n]]
    return (torch.from_numpy(roll.stack(shown)).to(device),
            {name: torch.from_numpy(matrix).to(device) for name, matrix in rows.vectors.items()},
            {name: torch.from_numpy(flags).to(device) for name, flags in rows.has.items()})


def predict(weights: bytes, spec: ModelSpec, rows: TrainingData, device: torch.device | None = None
            ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return (probabilities [n, 3, 3], confidence [n]) of a trained model."""
    where = device or torch.device("cpu")
    model = load_model(weights, spec).to(where)
    found: list[np.ndarray[Any, Any]] = [np.zeros((0, 3, 3))]
    sure: list[np.ndarray[Any, Any]] = [np.zeros(0)]
    for part in _parts(rows):
        with torch.inference_mode():
            logits, confidence = model(*batch(part, where))
        found.append(logits.double().softmax(dim=2).cpu().numpy())
        sure.append(confidence.double().sigmoid().cpu().numpy())
    return np.concatenate(found), np.concatenate(sure)


def load_model(weights: bytes, spec: ModelSpec) -> FusionModel:
    """Return the model of ``spec`` with ``weights`` (safetensors), ready to predict; raise ``TrainingError``."""
    model = FusionModel(spec)
    try:
        model.load_state_dict(load_tensors(weights))
    except (SafetensorError, RuntimeError) as error:
        raise TrainingError(f"the weights do not belong to a {spec.profile} model of these inputs ({error})") from error
    return model.eval()


def _parts(rows: TrainingData) -> list[TrainingData]:
    return [rows.take(np.arange(begin, min(begin + EVALUATED, len(rows)))) for begin in range(0, len(rows), EVALUATED)]


def _balance(rows: TrainingData) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return weights of the rows that sum to the same for every color."""
    names, place, counts = np.unique(np.array(rows.colors), return_inverse=True, return_counts=True)
    return (len(rows) / (len(names) * counts))[place].astype(np.float32)


def _hidden(rows: TrainingData, rules: FitnessRules, rng: np.random.Generator) -> TrainingData:
    """Return the rows with modalities hidden at random; a row that would have no input left keeps all of them."""
    rate = {name: rules.concept_dropout if name == "concept" else rules.modality_dropout for name in MODALITIES}
    has = {name: rows.has[name] & (rng.random(len(rows)) >= rate[name]) for name in MODALITIES}
    nothing = ~np.any([has[name] for name in MODALITIES], axis=0)
    return replace(rows, has={name: has[name] | (nothing & rows.has[name]) for name in MODALITIES})


def _loss(logits: torch.Tensor, confidence: torch.Tensor, rows: TrainingData, device: torch.device) -> torch.Tensor:
    """Return the loss per row: the divergence from its target, over the kinds that its color has, and confidence."""
    target, mask = torch.from_numpy(rows.target).to(device), torch.from_numpy(rows.mask).to(device)
    divergence = functional.kl_div(logits.log_softmax(dim=2), target, reduction="none").sum(dim=2)
    kinds = mask.sum(dim=1).clamp(min=1)
    wanted = mask.any(dim=1).to(confidence.dtype)
    sure = functional.binary_cross_entropy_with_logits(confidence, wanted, reduction="none")
    return (divergence * mask).sum(dim=1) / kinds + CONFIDENCE_WEIGHT * sure


def _header(data: bytes) -> dict[str, str]:
    """Return the metadata of a safetensors file, whose header is JSON after a length of 8 bytes."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + length])["__metadata__"]


def _copy(model: FusionModel) -> dict[str, torch.Tensor]:
    return {name: item.detach().cpu().clone().contiguous() for name, item in model.state_dict().items()}


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): item for name, item in tensors.items() if name.startswith(prefix)}
