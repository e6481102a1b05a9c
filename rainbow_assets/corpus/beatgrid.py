"""The beat as a witness: under the right reading of their fractions, section borders fall on half beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SLOWEST, FASTEST = 40.0, 300.0
"""Tempos outside are not believed, and say nothing."""
SHARES = (0.0, 0.5, 0.9)
"""Shares of stamps that may lie on the grid (none: the stamps follow a voice); each is as likely as the others."""
SLACK_MS = 2.0


def believable(bpm: float | None) -> bool:
    """Tell whether a tempo can speak for anything."""
    return bpm is not None and SLOWEST <= bpm <= FASTEST


def log_evidence(times_ms: Sequence[int], step_ms: float, bpm: float) -> float:
    """Return the log likelihood ratio of ``times_ms`` lying on the half beats of ``bpm`` against lying anywhere.

    A tempo that was typed as a whole number may have been rounded: then, as likely as the exact one, every tempo
    within half a beat per minute is tried, and the mean over all of them keeps a lucky one from deciding.
    """
    times = np.asarray([time for time in times_ms if time > 0], dtype=np.float64)
    if not len(times):
        return 0.0
    exact = _mean_over(times, step_ms, np.asarray([bpm]))
    if bpm != int(bpm) or exact > len(times):
        return exact
    near = _mean_over(times, step_ms, _near(bpm))
    return float(np.logaddexp(exact, near) - np.log(2.0))


def best(times_ms: Sequence[int], step_ms: float, bpm: float) -> tuple[int, float]:
    """Return how many times lie on half beats, and of which tempo: the written one, or one near it that does better."""
    times = np.asarray(times_ms, dtype=np.float64)
    written = int(_hits(times, step_ms, np.asarray([bpm]))[0])
    if bpm != int(bpm) or 2 * written >= len(times):
        return written, bpm
    tempos = _near(bpm)
    hits = _hits(times, step_ms, tempos)
    # Half of the stamps and five more than the written tempo: not what chance finds among 401 tempos.
    if 2 * hits.max() < len(times) or hits.max() < written + 5:
        return written, bpm
    return int(hits.max()), round(float(np.median(tempos[hits == hits.max()])), 2)


def _near(bpm: float) -> npt.NDArray[np.float64]:
    return np.linspace(bpm - 0.5, bpm + 0.5, 401)


def _hits(times: npt.NDArray[np.float64], step_ms: float, bpms: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Count, for each tempo, the times that are those of a half beat, cut off to ``step_ms``."""
    grids = 30000.0 / bpms
    late = (times[:, None] / grids + 0.5) % 1.0 * grids - 0.5 * grids
    return ((late >= -step_ms - SLACK_MS) & (late <= SLACK_MS)).sum(axis=0)


def _mean_over(times: npt.NDArray[np.float64], step_ms: float, bpms: npt.NDArray[np.float64]) -> float:
    hits, gains = _hits(times, step_ms, bpms), 30000.0 / bpms / (step_ms + 2 * SLACK_MS)
    table = np.stack([hits * np.log(share * gains + 1.0 - share) + (len(times) - hits) * np.log(1.0 - share)
                      for share in SHARES])
    peak = table.max()
    return float(peak + np.log(np.exp(table - peak).mean()))
