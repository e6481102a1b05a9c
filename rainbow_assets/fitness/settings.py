"""Settings of the fitness model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, Unit, doc

from rainbow_assets.rules import Seed


@dataclass(frozen=True)
class FitnessRules:
    """How the fusion model is trained. ``engine`` and ``device`` say where, all others shape the weights."""

    profile: Annotated[Literal["compact", "full"], doc(
        "compact: a strided stem and at most 0.1 M parameters, for CPUs. full: the diary's model (4.3 M).")] = "compact"
    folds: Annotated[int, Ge(3), Le(100), doc(
        "Folds of songs: one to test with, one to stop by, and the rest to learn from.")] = 5
    max_epochs: Annotated[int, Ge(1), Le(10_000), doc("Epochs at most.")] = 24
    patience: Annotated[int, Ge(1), Le(10_000), Unit("epochs"), doc(
        "Training stops after so many epochs without a lower validation loss.")] = 6
    batch: Annotated[int, Ge(1), Le(65_536), Unit("rows"), doc("Rows of a step.")] = 64
    learning_rate: Annotated[float, Gt(0), Lt(1), doc("Step size of the optimizer.")] = 2e-3
    modality_dropout: Annotated[float, Ge(0), Lt(1), doc(
        "How often sound, MIDI and lyric are each hidden in training.")] = 0.3
    concept_dropout: Annotated[float, Ge(0), Lt(1), doc(
        "How often the concept is hidden: it names the song, and would otherwise be all that is learned.")] = 0.7
    transpose: Annotated[int, Ge(0), Le(12), Unit("semitones"), doc(
        "MIDI is moved by up to so much in training: a color is not a key.")] = 5
    seed: Annotated[Seed, doc("Seed of folds, weights and batches.")] = 42
    engine: Annotated[Literal["local", "modal"], doc("local (this machine) or modal.")] = "local"
    device: Annotated[Literal["auto", "cpu", "cuda"], doc("Device of the local engine.")] = "auto"
