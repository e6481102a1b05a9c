"""History of the diversity figures: one line per set of threads, in the order in which the sets were measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rainbow_assets import figures, settings
from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.errors import UsageError
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.feedback import Feedback

HISTORY, CHART = "history.jsonl", "history.png"


def snapshot(feedback: Feedback) -> dict[str, Any]:
    """Return the line of one measurement; ``threads_digest`` identifies the set, ``newest`` dates them."""
    final = feedback.final
    line: dict[str, Any] = {"threads": feedback.n, "threads_digest": feedback.threads_digest,
                            "newest": feedback.newest}
    for name, series in (("original", final.original), ("normalized", final.normalized)):
        line[f"{name}_key_entropy_bits"] = round(series.entropy.value, 4) if series.entropy else None
        line[f"{name}_key_entropy_interval"] = (
            [round(series.entropy.low, 4), round(series.entropy.high, 4)] if series.entropy else None)
        line[f"{name}_top_key"] = series.labels[0].name if series.labels else None
        line[f"{name}_top_key_share"] = round(series.labels[0].share.value, 4) if series.labels else None
    line |= {f"bpm_{name}": round(final.bpm[name], 4) if final.bpm else None for name in ("mean", "std")}
    line["bpm_std_interval"] = ([round(final.bpm_std.low, 4), round(final.bpm_std.high, 4)] if final.bpm_std else None)
    return line


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read the history; empty if there is none. Raises ``UsageError``."""
    try:
        lines = [json.loads(line) for line in read_file(path).decode("utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except RefusedFile as error:
        raise UsageError(f"{path.name}: {error}") from None
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name} cannot be read ({error}); delete the line that is broken") from error
    if not all(isinstance(line, dict) and isinstance(line.get("threads"), int) for line in lines):
        raise UsageError(f"{path.name} holds a line without a number of threads; delete it")
    return lines


def note(folder: Path, line: dict[str, Any]) -> None:
    """Add the measurement ``line`` to the history in ``folder``, and draw its chart; nothing if both are there.

    A line of the same set of threads as the last one takes its place.
    """
    files, lines = Files(str(folder)), read_history(folder / HISTORY)
    if lines and lines[-1].get("threads_digest") == line["threads_digest"]:
        lines.pop()
    lines.append(line)
    data = "".join(json.dumps(item, sort_keys=True) + "\n" for item in lines).encode()
    if files.read(HISTORY) != data or not (folder / CHART).exists():
        # The chart first: after a kill in between, the history is still the old one, and both are written again.
        files.write(CHART, chart(lines))
        files.write(HISTORY, data)


def chart(lines: list[dict[str, Any]]) -> bytes:
    """Return a PNG of key entropy (both series) and BPM spread, with intervals, over the snapshots.

    Equal lines give equal bytes.
    """
    figure = figures.new_figure(8, 6, dpi=100)
    top, bottom = figure.subplots(2, 1, sharex=True)
    places = list(range(len(lines)))
    for name, color in (("original", "#AE1E36"), ("normalized", "#042A7B")):
        _series(top, places, lines, f"{name}_key_entropy_bits", f"{name}_key_entropy_interval", name, color)
    top.axhline(settings.default_rules().feedback.warn_entropy_bits, color="0.5", linestyle=":", label="warning below")
    top.set_ylabel("key entropy (bits)")
    _series(bottom, places, lines, "bpm_std", "bpm_std_interval", "population", "#ABD96D")
    bottom.axhline(settings.default_rules().feedback.warn_bpm_std, color="0.5", linestyle=":", label="warning below")
    bottom.set_ylabel("BPM standard deviation")
    bottom.set_xticks(places, [f"n={line['threads']}\n{str(line.get('newest') or '')[:10]}" for line in lines])
    bottom.set_xlabel("snapshot (threads, newest artifact)")
    for axis in (top, bottom):
        axis.set_ylim(bottom=0)
        if lines:
            axis.legend(loc="best", fontsize="small")
    return figures.png(figure)


def _series(
    axis: Any, places: list[int], lines: list[dict[str, Any]], value: str, interval: str, label: str, color: str
) -> None:
    known = [(place, line[value], line.get(interval)) for place, line in zip(places, lines, strict=True)
             if line.get(value) is not None]
    axis.plot([item[0] for item in known], [item[1] for item in known], marker="o", color=color, label=label)
    bounds = [(place, low_high) for place, _, low_high in known if low_high]
    axis.vlines([place for place, _ in bounds], [low for _, (low, _) in bounds], [high for _, (_, high) in bounds],
                color=color, alpha=0.4)
