"""What must hold of packed threads before anything is made of them. Each answer comes with its numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainbow_assets import taxonomy
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import read_plain
from rainbow_assets.lineage.verdicts import Finding
from rainbow_assets.text import some
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.artifacts import TEXT_SUFFIXES
from rainbow_assets.threads.paths import has_absolute
from rainbow_assets.threads.reader import RESERVED, thread_folders
from rainbow_assets.threads.register import Register

_SHOWN = 3


@dataclass(frozen=True)
class Packing:
    """The packed threads in ``out``, the source that they were made from, and their manifests as plain values."""

    source: Path
    out: Path
    register: Register
    manifests: dict[str, dict[str, Any]]
    damaged: tuple[str, ...]


def load_packing(source: Path, out: Path) -> Packing:
    """Read the register and every manifest in ``out``; a manifest that cannot be read is named in ``damaged``."""
    register = registers.load(out)
    manifests: dict[str, dict[str, Any]] = {}
    damaged: list[str] = []
    for thread_id, entry in sorted(register.entries.items()):
        try:
            value = read_plain(out / entry.directory / "manifest.yml").value
            manifests[thread_id] = {**value, "files": list(value["files"])}
        except (UnreadableYaml, OSError, KeyError, TypeError) as error:
            damaged.append(f"{entry.directory}: {error}")
    return Packing(source, out, register, manifests, tuple(damaged))


def _outcome(problems: Sequence[str], held: str, numbers: dict[str, Any]) -> Finding:
    if not problems:
        return Finding(True, held, numbers)
    return Finding(False, some(problems, _SHOWN, "; "), numbers)


def every_folder_accounted_for(packing: Packing) -> Finding:
    """Every folder of the source is packed, or quarantined with a reason."""
    quarantined = {item.folder: item.reason for item in packing.register.quarantined}
    folders = [folder.name for folder in thread_folders(packing.source)]
    lost = [f"{name} is neither packed nor quarantined; pack again" for name in folders
            if name not in packing.manifests and name not in quarantined]
    numbers = {"folders": len(folders), "packed": sum(name in packing.manifests for name in folders),
               "quarantined": len(quarantined), "reasons": dict(sorted(Counter(quarantined.values()).items()))}
    return _outcome([*lost, *packing.damaged], "every folder is packed or quarantined", numbers)


def ids_are_unique(packing: Packing) -> Finding:
    """No two packed folders are of one thread, and each manifest has the id that it is registered under."""
    said = Counter(str(item.get("thread_id")) for item in packing.manifests.values())
    wrong = [f"{thread_id}: its manifest says {item.get('thread_id')}" for thread_id, item in packing.manifests.items()
             if item.get("thread_id") != thread_id]
    twice = [f"{name} stands in {count} manifests" for name, count in sorted(said.items()) if count > 1]
    folders = Counter(entry.directory for entry in packing.register.entries.values())
    shared = [f"the folder {name} holds {count} threads" for name, count in sorted(folders.items()) if count > 1]
    return _outcome([*wrong, *twice, *shared], "thread ids are unique", {"threads": len(packing.manifests)})


def copies_are_true(packing: Packing) -> Finding:
    """Every packed file has its recorded digest; one without changes has that of its source."""
    wrong: list[str] = []
    files = changed = compared = 0
    # A thread that can no longer be read keeps its last good copy, which its source has left behind.
    left_behind = {item.folder for item in packing.register.quarantined}
    for thread_id, manifest in packing.manifests.items():
        folder = packing.out / packing.register.entries[thread_id].directory
        for line in manifest["files"]:
            files += 1
            changed += "changes" in line
            wanted = line.get("packed_sha256", line["sha256"])
            found = file_sha256(folder / line["file"]) if (folder / line["file"]).is_file() else "no file"
            if found != wanted:
                wrong.append(f"{folder.name}/{line['file']} is not what was packed; pack again")
            origin = packing.source / thread_id / line["file"]
            if origin.is_file() and thread_id not in left_behind:
                compared += 1
                if file_sha256(origin) != line["sha256"]:
                    wrong.append(f"{thread_id}/{line['file']} has changed since it was packed; pack again")
    numbers = {"files": files, "changed_on_purpose": changed, "compared_with_source": compared, "wrong": len(wrong)}
    return _outcome(wrong, "all copies are true to their source", numbers)


def keys_are_read_or_flagged(packing: Packing) -> Finding:
    """Every key is a tonic and a mode, or says that it is prose or missing."""
    states: Counter[str] = Counter()
    wrong: list[str] = []
    for thread_id, manifest in packing.manifests.items():
        for row in [manifest, *manifest.get("iterations", [])]:
            whole = bool(row.get("key_tonic") and row.get("key_mode"))
            state = "read" if whole else "flagged" if row.get("key") is None else "wrong"
            states[state] += 1
            if state == "wrong":
                wrong.append(f"{thread_id}: the key {row.get('key')!r} has no tonic and mode")
    return _outcome(wrong, "every key is read or flagged", dict(sorted(states.items())))


def colors_match_taxonomy(packing: Packing) -> Finding:
    """After correction every color is one of the Rainbow Table with its own letter, or flagged as not read."""
    wrong: list[str] = []
    read = flagged = corrected = 0
    for thread_id, manifest in packing.manifests.items():
        for row in [manifest, *manifest.get("iterations", [])]:
            name, letter = row.get("rainbow_color"), row.get("mnemonic")
            corrected += len(row.get("rainbow_color_corrections") or ())
            if name is None:
                flagged += 1
                continue
            read += 1
            if name not in taxonomy.COLOR_NAMES or taxonomy.by_name(name).mnemonic != letter:
                wrong.append(f"{thread_id}: {name!r} with the letter {letter!r} is not in the Rainbow Table")
    return _outcome(wrong, "every color is the Rainbow Table's", {"read": read, "flagged": flagged,
                                                                   "corrected_values": corrected})


def nothing_listed_is_pruned(packing: Packing) -> Finding:
    """Every file that a manifest lists is still in the source, unless the whole thread was taken away."""
    gone: list[str] = []
    listed = 0
    for thread_id, manifest in packing.manifests.items():
        folder = packing.source / thread_id
        if not folder.is_dir():
            continue
        for line in manifest["files"]:
            listed += 1
            if not (folder / line["file"]).exists():
                gone.append(f"{thread_id}/{line['file']} is listed by its manifest and gone from the source; put it "
                            "back (rainbow threads shrinkwrap --undo), or pack again")
    return _outcome(gone, "nothing that a manifest lists is gone", {"listed": listed, "gone": len(gone)})


def no_absolute_paths(packing: Packing) -> Finding:
    """No packed text, manifest included, holds a path of the machine that wrote it."""
    found: list[str] = []
    texts = 0
    for thread_id, manifest in packing.manifests.items():
        folder = packing.out / packing.register.entries[thread_id].directory
        for name in [*RESERVED, *(line["file"] for line in manifest["files"])]:
            if not str(name).lower().endswith(TEXT_SUFFIXES) or not (folder / name).is_file():
                continue
            texts += 1
            if has_absolute((folder / name).read_text("utf-8", "surrogateescape")):
                found.append(f"{folder.name}/{name} holds an absolute path")
    return _outcome(found, "no packed text holds an absolute path", {"texts": texts, "found": len(found)})


CHECKS: dict[str, tuple[Callable[[Packing], Finding], str]] = {
    "every_folder_accounted_for": (
        every_folder_accounted_for,
        "Every folder of the source is packed, or quarantined with a reason."),
    "ids_are_unique": (
        ids_are_unique,
        "No two packed folders are of one thread, and each manifest has the id that it is registered under."),
    "copies_are_true": (
        copies_are_true,
        "Every packed file has its recorded digest; one without changes has that of its source."),
    "keys_are_read_or_flagged": (
        keys_are_read_or_flagged,
        "Every key is a tonic and a mode, or says that it is prose or missing."),
    "colors_match_taxonomy": (
        colors_match_taxonomy,
        "After correction every color is one of the Rainbow Table with its own letter, or flagged as not read."),
    "nothing_listed_is_pruned": (
        nothing_listed_is_pruned,
        "Every file that a manifest lists is still in the source, unless the whole thread was taken away."),
    "no_absolute_paths": (
        no_absolute_paths,
        "No packed text, manifest included, holds a path of the machine that wrote it."),
}
"""Name -> (check, what it says in the UI). All of them block."""


def run_checks(packing: Packing) -> dict[str, Finding]:
    """Return {check: outcome} for all checks."""
    return {name: check(packing) for name, (check, _) in CHECKS.items()}


def rows_without_paths(rows: Sequence[dict[str, Any]]) -> Finding:
    """No row that is about to be released holds a machine path."""
    found = [f"the row of {row.get('thread_id')} holds an absolute path" for row in rows
             if has_absolute(json.dumps(row, ensure_ascii=False, default=str))]
    return _outcome(found, "no row holds an absolute path", {"rows": len(rows), "found": len(found)})
