"""Settings of the fitness model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, Unit, doc

from rainbow_assets.rules import Seed


@dataclass(frozen=True)
class FitnessRules:
    """How the fusion model is trained. ``engine`` and ``device`` select the machine; all others affect the weights."""

    profile: Annotated[Literal["compact", "full"], doc(
        "compact: a strided stem and at most 0.1 M parameters, for CPUs. full: the original one (4.3 M).")] = "compact"
    folds: Annotated[int, Ge(3), Le(100), doc(
        "Folds of songs: one to test with, one to decide when to stop, and the rest to train on.")] = 5
    max_epochs: Annotated[int, Ge(1), Le(10_000), doc("Largest number of epochs.")] = 24
    patience: Annotated[int, Ge(1), Le(10_000), Unit("epochs"), doc(
        "Training stops after so many epochs without a lower validation loss.")] = 6
    batch: Annotated[int, Ge(1), Le(65_536), Unit("rows"), doc("Rows per training step.")] = 64
    learning_rate: Annotated[float, Gt(0), Lt(1), doc("Step size of the optimizer.")] = 2e-3
    modality_dropout: Annotated[float, Ge(0), Lt(1), doc(
        "Probability of hiding sound, MIDI and lyric, each, in training.")] = 0.3
    concept_dropout: Annotated[float, Ge(0), Lt(1), doc(
        "Probability of hiding the concept in training. It identifies the song, so the model would learn little else."
        )] = 0.7
    transpose: Annotated[int, Ge(0), Le(12), Unit("semitones"), doc(
        "Largest random transposition of MIDI in training, so that the model does not learn keys.")] = 5
    seed: Annotated[Seed, doc("Seed of folds, weights and batches.")] = 42
    engine: Annotated[Literal["local", "modal"], doc("local (this machine) or modal.")] = "local"
    device: Annotated[Literal["auto", "cpu", "cuda"], doc("Device of the local engine.")] = "auto"
