"""Gates of a scorer: four measurements. If one is too low, the scorer is "not discriminative" and ranks nothing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rainbow_assets.fitness import metrics, targets
from rainbow_assets.fitness.contract import DISCRIMINATIVE, NOT_DISCRIMINATIVE
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.harmony.limits import SearchLimits, limits
from rainbow_assets.harmony.pool import Progressions, make_pool
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.harmony.walks import walks
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.keys import all_keys
from rainbow_assets.music.midi_write import Performance, midi_bytes

LEAST_IQR, LEAST_SHIFT, LEAST_DIFFERENCE, MOST_P = 0.05, 0.05, 0.01, 0.01
PROGRESSIONS = 200
RHYTHMS = ((4.0,), (2.0,), (1.0,), (2.0, 2.0, 4.0), (3.0, 1.0), (1.5, 0.5))


@dataclass(frozen=True, slots=True)
class Judgment:
    """The results of the gates, with all measured numbers, and the reasons if some failed."""

    numbers: dict[str, float | None]
    reasons: tuple[str, ...]

    @property
    def status(self) -> str:
        """``discriminative`` if no gate failed."""
        return NOT_DISCRIMINATIVE if self.reasons else DISCRIMINATIVE


@lru_cache(maxsize=2)
def random_progressions(count: int = PROGRESSIONS, seed: int = 11) -> tuple[bytes, ...]:
    """Return ``count`` random chord progressions as MIDI files: 24 keys, 4 to 8 chords, any tempo and rhythm."""
    chords, found = theory_pack().chords, []
    draws = SeededDraws.from_seed(seed)
    for number, key in zip(range(count), itertools.cycle(all_keys())):
        pool = make_pool(chords, key)
        draw = draws.take(4)
        length = 4 + int(draw[0] * 5)
        even = np.ones((len(pool), len(pool)))
        rows = walks(pool, limits(pool, length, SearchLimits()), 1, seed + number, np.ones(len(pool)), even)
        voicings = [chord.voicing for chord in Progressions(pool, rows).chords(0)]
        how = Performance(bpm=60 + round(draw[1] * 100), beats=RHYTHMS[int(draw[2] * len(RHYTHMS))],
                          velocity=60 + int(draw[3] * 50))
        found.append(midi_bytes(voicings, how))
    return tuple(found)


def judge(scorer: ChromaticScorer, evaluation: Mapping[str, Mapping[str, Any]]) -> Judgment:
    """Apply the gates to ``scorer``; ``evaluation`` has the rows of `fusion_evaluation` by variant."""
    fits = {color: np.array([score.fitness for score in scorer.score_batch(random_progressions(), color=color)])
            for color in targets.targeted()}
    spread = {color: float(np.subtract(*np.quantile(found, [0.75, 0.25]))) for color, found in fits.items()}
    pairs = [float(np.median(np.abs(one - other))) for one, other in itertools.combinations(fits.values(), 2)]
    numbers: dict[str, float | None] = {
        "iqr": float(np.median(list(spread.values()))), "color_difference": float(np.median(pairs)),
        "midi_shift": _shift(evaluation), **_known(evaluation, "all"), **_known(evaluation, "cropped"),
        **{f"iqr_{color}": value for color, value in spread.items()},
    }
    return Judgment(numbers, tuple(_reasons(numbers)))


def _shift(evaluation: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return how far the median fitness of test music falls when it is replaced by another color's."""
    own, other = (evaluation.get(name, {}).get("fitness_median") for name in ("composer", "other_midi"))
    return None if own is None or other is None else float(own) - float(other)


def _known(evaluation: Mapping[str, Mapping[str, Any]], variant: str) -> dict[str, float | None]:
    found = next((item for item in evaluation.get(variant, {}).get("measures", ())
                  if item["measure"] == metrics.MODES), None)
    return {f"{variant}_{name}": None if found is None else float(found[key])
            for name, key in (("balanced_accuracy", "value"), ("chance", "chance"), ("p_value", "p_value"))}


def _reasons(numbers: Mapping[str, float | None]) -> list[str]:
    reasons = []
    if (numbers["iqr"] or 0) < LEAST_IQR:
        reasons.append(f"fitness hardly moves over {PROGRESSIONS} random progressions: interquartile range "
                       f"{numbers['iqr']:.4f}, at least {LEAST_IQR} is wanted")
    shift = numbers["midi_shift"]
    if shift is None or shift < LEAST_SHIFT:
        effect = "was not measured" if shift is None else f"lowers the median by {shift:.4f}"
        reasons.append(f"music of another color {effect}, at least {LEAST_SHIFT} is wanted")
    if (numbers["color_difference"] or 0) < LEAST_DIFFERENCE:
        reasons.append(f"two colors score alike: they differ by {numbers['color_difference']:.4f}, at least "
                       f"{LEAST_DIFFERENCE} is wanted")
    for variant, what in (("all", "everything"), ("cropped", "a stretch of the music alone")):
        p, value = numbers[f"{variant}_p_value"], numbers[f"{variant}_balanced_accuracy"]
        if p is None or value is None:
            reasons.append(f"held-out songs were not measured with {what}; see fusion_evaluation")
        elif p >= MOST_P:
            reasons.append(f"on held-out songs {what} gives a balanced accuracy of {value:.3f} (chance "
                           f"{numbers[f'{variant}_chance']:.3f}), p = {p:.4f}; below {MOST_P} is wanted")
    return reasons
