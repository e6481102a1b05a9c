"""A known signal, without private data: is a chord progression major, minor or modal? The CNN against two baselines.

Run: ``python benchmarks/known_signal.py pack.tar.gz`` (a chord pack with Major, Minor and Modal folders; without one,
those in RAINBOW_CHORDS, or one that is written for the run). Five folds are grouped by progression, so that its twelve
keys and its other renderings stay together; every number is one per progression, with a 95 % interval over
progressions. It says who wins.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from _pack import written_pack
from _size import size
from scipy.optimize import minimize
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rainbow_assets import settings, stats
from rainbow_assets.fitness import roll
from rainbow_assets.fitness.model import PianoRollEncoder
from rainbow_assets.harmony.model import Progression
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.harmony.sources import pack_places
from rainbow_assets.music.midi_write import Performance, midi_bytes

LABELS, FOLDS, EPOCHS, SEED = ("major", "minor", "modal"), 5, size(6, 1), 42


def main(pack: Path | None) -> int:
    """Read the packs, make the rolls, and let three classifiers guess."""
    with tempfile.TemporaryDirectory() as folder:
        return guess_modes(pack, Path(folder))


def guess_modes(pack: Path | None, folder: Path) -> int:
    """Read ``pack``, those of RAINBOW_CHORDS, or one that is written into ``folder``."""
    places = [pack] if pack else list(pack_places(settings.roots().chords)[0].values())
    if not places:
        print("no pack is given: a written one of plain triads in one key, in which pitch classes decide everything")
        places = [written_pack(folder / "written.tar.gz", size(800, 60))]
    found = [item for place in places for item in read_pack(place, place.name.split(".")[0]).progressions
             if item.category in LABELS and item.style == "plain"]
    if not found:
        print("no pack with Major, Minor and Modal folders; give one: python benchmarks/known_signal.py pack.tar.gz")
        return 0
    groups = [f"{item.category}: {' '.join(item.declared)}" for item in found]
    names, group = np.unique(np.array(groups), return_inverse=True)
    label = np.array([LABELS.index(item.category) for item in found])
    of_group = np.array([label[group == n][0] for n in range(len(names))])
    counts = ", ".join(f"{LABELS[n]} {count}" for n, count in sorted(Counter(of_group.tolist()).items()))
    print(f"{len(names)} progressions ({counts}), {len(found)} rolls in {len({item.key.label for item in found})} keys")
    notes = [roll.read_notes(_midi(item)) for item in found]
    fold = _folds(of_group)[group]
    rows = {"majority": _majority(label, fold), "pitch classes + logistic regression": _logistic(
                np.stack([_classes(item) for item in found]), label, fold),
            "pitch classes over the first bass + logistic regression": _logistic(
                np.stack([np.roll(_classes(item), -item.steps[0].voicing[0]) for item in found]), label, fold)}
    started = time.monotonic()
    rows["piano-roll CNN (compact)"] = _cnn([roll.note_windows(item)[0] for item in notes], label, fold)
    print(f"the CNN took {time.monotonic() - started:.0f} s for {FOLDS} folds of {EPOCHS} epochs")
    best = {}
    for name, guess in rows.items():
        voted = np.stack([guess[group == n].mean(axis=0) for n in range(len(names))]).argmax(axis=1)
        low, high = stats.accuracy_interval([(of_group, voted)], np.random.Generator(np.random.PCG64(SEED)))
        best[name] = stats.balanced_accuracy(of_group, voted)
        print(f"  {name:<56} accuracy {float((voted == of_group).mean()):.3f}, balanced {best[name]:.3f} "
              f"({low:.3f} to {high:.3f})")
    winner = max(best, key=lambda name: best[name])
    print(f"winner: {winner}")
    moods = Counter(mood for item in {item.name: item for item in found}.values() for mood in item.moods)
    few = sum(count <= 36 for count in moods.values())
    print(f"mood tags: {len(moods)}, of which {few} belong to 3 progressions or fewer: nothing is claimed about them")
    return 0


def _midi(item: Progression) -> bytes:
    beats = tuple(min(64.0, max(0.25, round(step.duration_ms * item.bpm / 15000) / 4)) for step in item.steps)
    return midi_bytes([step.voicing for step in item.steps], Performance(bpm=item.bpm, beats=beats))


def _folds(labels: np.ndarray) -> np.ndarray:
    """Deal the progressions of each label out to the folds."""
    order = np.random.Generator(np.random.PCG64(SEED)).permutation(len(labels))
    fold = np.zeros(len(labels), int)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        fold[own] = np.arange(len(own)) % FOLDS
    return fold


def _classes(item: Progression) -> np.ndarray:
    """How long each pitch class sounds, as shares."""
    found = np.zeros(12)
    for step in item.steps:
        for pitch in step.voicing:
            found[pitch % 12] += step.duration_ms
    return found / found.sum()


def _majority(label: np.ndarray, fold: np.ndarray) -> np.ndarray:
    guess = np.zeros((len(label), len(LABELS)))
    for number in range(FOLDS):
        guess[fold == number] = np.eye(len(LABELS))[np.bincount(label[fold != number]).argmax()]
    return guess


def _logistic(features: np.ndarray, label: np.ndarray, fold: np.ndarray, strength: float = 1e-4) -> np.ndarray:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS; classes weigh alike."""
    guess = np.zeros((len(label), len(LABELS)))
    for number in range(FOLDS):
        learned = fold != number
        mean, std = features[learned].mean(axis=0), features[learned].std(axis=0) + 1e-9
        x = np.hstack([(features - mean) / std, np.ones((len(features), 1))])
        weight = (1 / np.bincount(label[learned]))[label[learned]]
        wanted = np.eye(len(LABELS))[label[learned]]

        def loss(flat: np.ndarray, x: np.ndarray = x[learned], weight: np.ndarray = weight,
                 wanted: np.ndarray = wanted) -> tuple[float, np.ndarray]:
            w = flat.reshape(x.shape[1], len(LABELS))
            p = _softmax(x @ w)
            value = -(weight[:, None] * wanted * np.log(p + 1e-12)).sum() + strength * (w ** 2).sum()
            return float(value), (x.T @ (weight[:, None] * (p - wanted)) + 2 * strength * w).ravel()

        w = minimize(loss, np.zeros(x.shape[1] * len(LABELS)), jac=True, method="L-BFGS-B").x
        guess[~learned] = _softmax(x[~learned] @ w.reshape(x.shape[1], len(LABELS)))
    return guess


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _cnn(notes: list[roll.Notes], label: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Train the scorer's own encoder with a linear head, again for each fold; music is transposed while it learns."""
    guess = np.zeros((len(label), len(LABELS)))
    for number in range(FOLDS):
        torch.manual_seed(SEED + number)
        rng = np.random.Generator(np.random.PCG64(SEED + number))
        encoder = PianoRollEncoder("compact")
        model = nn.Sequential(encoder, nn.Dropout(0.2), nn.Linear(encoder.dims, len(LABELS)))
        learned = np.flatnonzero(fold != number)
        weight = torch.tensor(1 / np.bincount(label[learned]) * len(learned) / len(LABELS), dtype=torch.float32)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
        for _ in range(EPOCHS):
            model.train()
            order = rng.permutation(learned)
            for begin in range(0, len(order), 64):
                part = order[begin:begin + 64]
                rolls = roll.stack([roll.cells(notes[n], int(rng.integers(-5, 6))) for n in part.tolist()])
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(torch.from_numpy(rolls)), torch.from_numpy(label[part]),
                                            weight=weight).backward()
                optimizer.step()
            schedule.step()
        model.eval()
        others = np.flatnonzero(fold == number)
        for begin in range(0, len(others), 128):
            part = others[begin:begin + 128]
            with torch.inference_mode():
                logits = model(torch.from_numpy(roll.stack([roll.cells(notes[n]) for n in part.tolist()])))
            guess[part] = logits.softmax(dim=1).numpy()
    return guess


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
