"""Song proposals: the iterations of a thread as typed values, and which of them is final."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from rainbow_assets.threads.colors import read_color
from rainbow_assets.threads.keys import read_key, read_meter
from rainbow_assets.threads.model import Iteration

CUT_AT = 2000
_EPOCH_ID = re.compile(r"_(1[5-9]\d{11})$")
_FIRST_MS, _LAST_MS = 1_500_000_000_000, 4_102_444_800_000
_MAX_BPM = 400


def read_iteration(entry: dict[Any, Any], index: int) -> tuple[Iteration, list[tuple[str, str]]]:
    """Return one proposal as typed values, and (kind, sentence) for everything that was not as it should be."""
    remarks: list[tuple[str, str]] = []
    title = _text(entry, "title", remarks)
    key, meter = read_key(entry.get("key")), read_meter(entry.get("time_signature", entry.get("tempo")))
    color = read_color(entry.get("rainbow_color"))
    concept = _text(entry, "concept", remarks)
    _report(key.raw, key.status == "read", key.corrections, "key_corrected", "key_not_read", "key", remarks)
    if meter.label is None:
        remarks.append(("meter_not_read", f"tempo is {meter.text!r}, no time signature"))
    if color.color is None:
        remarks.append(("color_not_read", f"rainbow_color is {color.raw!r}, which the Rainbow Table does not hold"))
    elif color.corrections:
        changes = "; ".join(f"{item.field} {item.found} is {item.canonical}" for item in color.corrections)
        remarks.append(("color_corrected", f"{color.color.name}: {changes}"))
    cut = len(concept) >= CUT_AT - 3 and concept.endswith("...")
    number = entry.get("iteration_number")
    return Iteration(
        index=index, iteration_id=str(entry.get("iteration_id") or ""),
        iteration_number=number if isinstance(number, int) and not isinstance(number, bool) else None,
        title=title, bpm=_bpm(entry, remarks), key=key, meter=meter,
        color=color.color.name if color.color else None, mnemonic=color.color.mnemonic if color.color else None,
        raw_color=color.raw, corrections=color.corrections, mood=_texts(entry, "mood", remarks),
        genres=_texts(entry, "genres", remarks), concept=concept,
        agent_name=str(entry["agent_name"]) if entry.get("agent_name") is not None else None,
        timestamp=_seconds(entry, remarks), is_final=entry.get("is_final") is True, concept_cut=cut,
    ), remarks


def mark_final(iterations: list[Iteration]) -> list[Iteration]:
    """Return the proposals with exactly one marked final: the one that is marked, else the last."""
    marked = [item.index for item in iterations if item.is_final]
    final = marked[0] if len(marked) == 1 else iterations[-1].index
    return [replace(item, is_final=item.index == final) for item in iterations]


def own_ms(item: Iteration) -> int | None:
    """Return the time that a proposal has in it, in milliseconds since 1970, from its id or its timestamp."""
    times = [int(found[1]) for found in [_EPOCH_ID.search(item.iteration_id)] if found]
    if item.timestamp is not None:
        times.append(round(item.timestamp * 1000))
    believable = [ms for ms in times if _FIRST_MS <= ms < _LAST_MS]
    return max(believable) if believable else None


def _report(
    raw: str, read: bool, corrections: tuple[str, ...], corrected: str, unread: str, field: str,
    remarks: list[tuple[str, str]],
) -> None:
    if not read:
        remarks.append((unread, f"{field} is {raw[:80]!r}: {'; '.join(corrections) or 'nothing is written'}"))
    elif corrections:
        remarks.append((corrected, f"{field} {raw[:80]!r}: {'; '.join(corrections)}"))


def _text(entry: dict[Any, Any], field: str, remarks: list[tuple[str, str]]) -> str:
    value = entry.get(field)
    if not isinstance(value, str):
        remarks.append(("missing_field", f"{field} is {'missing' if value is None else 'no text'}"))
        return "" if value is None or isinstance(value, (dict, list)) else str(value)
    return value


def _texts(entry: dict[Any, Any], field: str, remarks: list[tuple[str, str]]) -> tuple[str, ...]:
    value = entry.get(field)
    if isinstance(value, str):
        remarks.append(("missing_field", f"{field} is one text, not a list"))
        return (value,)
    if not isinstance(value, list):
        remarks.append(("missing_field", f"{field} is {'missing' if value is None else 'no list'}"))
        return ()
    odd = [item for item in value if not isinstance(item, str)]
    if odd:
        remarks.append(
            ("missing_field", f"{field} holds {len(odd)} entries that are no text; they are written as text"))
    return tuple(str(item) for item in value)


def _bpm(entry: dict[Any, Any], remarks: list[tuple[str, str]]) -> int | None:
    value = entry.get("bpm")
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_BPM:
        shown = str(value)[:40]
        remarks.append(("missing_field", f"bpm is {shown}, no whole number from 1 to {_MAX_BPM}"))
        return None
    return value


def _seconds(entry: dict[Any, Any], remarks: list[tuple[str, str]]) -> float | None:
    value = entry.get("timestamp")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        remarks.append(("odd_timestamp", f"timestamp is {str(value)[:40]!r}, no number of seconds since 1970"))
        return None
    if not _FIRST_MS <= value * 1000 < _LAST_MS:
        remarks.append(("odd_timestamp", f"timestamp is {value}, outside the years 2017 to 2099"))
        return None
    return float(value)
