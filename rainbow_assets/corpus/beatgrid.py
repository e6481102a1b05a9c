"""Evidence from the beat: when the fractions of stamps are read correctly, section borders fall on half beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SLOWEST, FASTEST = 40.0, 300.0
"""Tempos outside this range are taken for typing errors and give no evidence."""
SHARES = (0.0, 0.5, 0.9)
"""Shares of stamps that may be on the grid (0: the stamps follow a voice); all are equally likely beforehand."""
SLACK_MS = 2.0
"""Tolerance on both sides of the grid, in addition to the step of the written time."""


def believable(bpm: float | None) -> bool:
    """Return True if a tempo can be used as evidence."""
    return bpm is not None and SLOWEST <= bpm <= FASTEST


def log_evidence(times_ms: Sequence[int], step_ms: float, bpm: float) -> float:
    """Return the log likelihood ratio of ``times_ms`` being on the half beats of ``bpm`` against being anywhere.

    A tempo that was typed as a whole number may have been rounded. Then every tempo within half a beat per minute is
    tried, together as likely as the written one; the mean over all of them keeps one lucky tempo from deciding.
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
    """Return how many times are on half beats, and the tempo: the written one, or a near one that fits better."""
    times = np.asarray(times_ms, dtype=np.float64)
    written = int(_hits(times, step_ms, np.asarray([bpm]))[0])
    if bpm != int(bpm) or 2 * written >= len(times):
        return written, bpm
    tempos = _near(bpm)
    hits = _hits(times, step_ms, tempos)
    # One of 401 tempos fits some stamps by chance: require half of them, and five more than the written tempo has.
    if 2 * hits.max() < len(times) or hits.max() < written + 5:
        return written, bpm
    return int(hits.max()), round(float(np.median(tempos[hits == hits.max()])), 2)


def _near(bpm: float) -> npt.NDArray[np.float64]:
    return np.linspace(bpm - 0.5, bpm + 0.5, 401)


def _hits(times: npt.NDArray[np.float64], step_ms: float, bpms: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return for each tempo how many times are those of a half beat, truncated to ``step_ms``."""
    grids = 30000.0 / bpms
    late = (times[:, None] / grids + 0.5) % 1.0 * grids - 0.5 * grids
    return ((late >= -step_ms - SLACK_MS) & (late <= SLACK_MS)).sum(axis=0)


def _mean_over(times: npt.NDArray[np.float64], step_ms: float, bpms: npt.NDArray[np.float64]) -> float:
    hits, gains = _hits(times, step_ms, bpms), 30000.0 / bpms / (step_ms + 2 * SLACK_MS)
    table = np.stack([hits * np.log(share * gains + 1.0 - share) + (len(times) - hits) * np.log(1.0 - share)
                      for share in SHARES])
    peak = table.max()
    return float(peak + np.log(np.exp(table - peak).mean()))
