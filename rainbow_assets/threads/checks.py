"""Checks on the packed threads: all folders, ids, copies, keys, colors, and no path of the machine that wrote them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainbow_assets import taxonomy
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import read_plain
from rainbow_assets.lineage.verdicts import Finding
from rainbow_assets.text import some
from rainbow_assets.threads.artifacts import TEXT_SUFFIXES
from rainbow_assets.threads.manifest import MANIFEST, RESERVED
from rainbow_assets.threads.names import UUID
from rainbow_assets.threads.rewrite import has_absolute
from rainbow_assets.threads.source import thread_folders

_SHOWN = 3


@dataclass(frozen=True)
class Packing:
    """The packed threads in ``out`` and the source that they were made from.

    ``packed`` are (folder, manifest) as plain values, ``quarantined`` is {folder of the source: reason}, ``damaged``
    are sentences about manifests that cannot be read.
    """

    source: Path
    out: Path
    packed: tuple[tuple[str, dict[str, Any]], ...]
    quarantined: Mapping[str, str]
    damaged: tuple[str, ...]

    @property
    def manifests(self) -> dict[str, dict[str, Any]]:
        """{thread id: manifest}."""
        return {str(manifest["thread_id"]): manifest for _, manifest in self.packed}

    def files(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (folder, thread id, row) for each file that a manifest lists."""
        for folder, manifest in self.packed:
            for row in manifest["files"]:
                yield folder, str(manifest["thread_id"]), row

    def proposals(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (thread id, values) for each final proposal and each iteration."""
        for thread_id, manifest in self.manifests.items():
            for row in [manifest, *manifest.get("iterations", [])]:
                yield thread_id, row


def load_packing(source: Path, out: Path, quarantined: Mapping[str, str]) -> Packing:
    """Read every manifest in ``out``; one that cannot be read is named in ``damaged``."""
    packed: list[tuple[str, dict[str, Any]]] = []
    damaged: list[str] = []
    for path in sorted(out.glob(f"[!.]*/{MANIFEST}")):
        try:
            value = read_plain(path).value
            packed.append((path.parent.name, {**value, "thread_id": value["thread_id"], "files": list(value["files"])}))
        except (UnreadableYaml, OSError, KeyError, TypeError) as error:
            damaged.append(f"{path.parent.name}: {error}")
    return Packing(source, out, tuple(packed), quarantined, tuple(damaged))


def _finding(problems: Sequence[str], good: str, numbers: dict[str, Any]) -> Finding:
    if not problems:
        return Finding(True, good, numbers)
    return Finding(False, some(problems, _SHOWN, "; "), numbers)


def every_folder_accounted_for(packing: Packing) -> Finding:
    """Every folder of the source is packed, or quarantined with a reason."""
    folders, manifests = [folder.name for folder in thread_folders(packing.source)], packing.manifests
    lost = [f"{name} is neither packed nor quarantined; pack again" for name in folders
            if name not in manifests and name not in packing.quarantined]
    numbers = {"folders": len(folders), "packed": sum(name in manifests for name in folders),
               "quarantined": len(packing.quarantined),
               "reasons": dict(sorted(Counter(packing.quarantined.values()).items()))}
    return _finding([*lost, *packing.damaged], "every folder is packed or quarantined", numbers)


def ids_are_unique(packing: Packing) -> Finding:
    """No two packed folders are of one thread, and each manifest has a thread id and the name of its folder."""
    folders: dict[str, list[str]] = {}
    wrong = []
    for folder, manifest in packing.packed:
        folders.setdefault(str(manifest["thread_id"]), []).append(folder)
        if UUID.fullmatch(str(manifest["thread_id"])) is None:
            wrong.append(f"{folder}: its manifest has {manifest['thread_id']!r} as thread id; delete it and pack again")
        if manifest.get("directory") != folder:
            wrong.append(f"{folder}: its manifest is that of the folder {manifest.get('directory')}; pack again")
    twice = [f"the folders {' and '.join(names)} are of one thread; delete one" for names in folders.values()
             if len(names) > 1]
    return _finding([*wrong, *twice], "thread ids are unique", {"threads": len(packing.packed)})


def copies_are_true(packing: Packing) -> Finding:
    """Every packed file has its recorded digest; one without changes has that of its source."""
    wrong: list[str] = []
    files = changed = compared = 0
    for folder, thread_id, row in packing.files():
        files += 1
        changed += "changes" in row
        packed, origin = packing.out / folder / row["file"], packing.source / thread_id / row["file"]
        if not packed.is_file() or file_sha256(packed) != row.get("packed_sha256", row["sha256"]):
            wrong.append(f"{folder}/{row['file']} is not what was packed; run: rainbow threads shrinkwrap --verify")
        # A thread that can no longer be read keeps its last good copy: its source has moved on.
        if origin.is_file() and thread_id not in packing.quarantined:
            compared += 1
            if file_sha256(origin) != row["sha256"]:
                wrong.append(f"{thread_id}/{row['file']} has changed since it was packed; pack again")
    numbers = {"files": files, "changed_on_purpose": changed, "compared_with_source": compared, "wrong": len(wrong)}
    return _finding(wrong, "all copies are true to their source", numbers)


def keys_are_read_or_flagged(packing: Packing) -> Finding:
    """Every key is a tonic and a mode, or flagged as prose or missing."""
    states: Counter[str] = Counter()
    wrong: list[str] = []
    for thread_id, row in packing.proposals():
        whole = bool(row.get("key_tonic") and row.get("key_mode"))
        state = "read" if whole else "flagged" if row.get("key") is None else "wrong"
        states[state] += 1
        if state == "wrong":
            wrong.append(f"{thread_id}: the key {row.get('key')!r} has no tonic and mode")
    return _finding(wrong, "every key is read or flagged", dict(sorted(states.items())))


def colors_match_taxonomy(packing: Packing) -> Finding:
    """After correction every color is one of the Rainbow Table with its own letter, or flagged as not read."""
    wrong: list[str] = []
    read = flagged = corrected = 0
    for thread_id, row in packing.proposals():
        name, letter = row.get("rainbow_color"), row.get("mnemonic")
        corrected += len(row.get("rainbow_color_corrections") or ())
        if name is None:
            flagged += 1
            continue
        read += 1
        if name not in taxonomy.COLOR_NAMES or taxonomy.by_name(name).mnemonic != letter:
            wrong.append(f"{thread_id}: {name!r} with the letter {letter!r} is not in the Rainbow Table")
    return _finding(wrong, "every color is the Rainbow Table's", {"read": read, "flagged": flagged,
                                                                   "corrected_values": corrected})


def nothing_listed_is_pruned(packing: Packing) -> Finding:
    """Every file that a manifest lists is still in the source, unless the whole thread was taken away."""
    listed = [(thread_id, row["file"]) for _, thread_id, row in packing.files()
              if (packing.source / thread_id).is_dir()]
    gone = [f"{thread_id}/{file} is listed by its manifest and gone from the source; put it back "
            "(rainbow threads shrinkwrap --undo), or pack again"
            for thread_id, file in listed if not (packing.source / thread_id / file).exists()]
    return _finding(gone, "nothing that a manifest lists is gone", {"listed": len(listed), "gone": len(gone)})


def no_absolute_paths(packing: Packing) -> Finding:
    """No packed text, manifest included, has a path of the machine that wrote it."""
    texts = [packing.out / folder / name for folder, manifest in packing.packed
             for name in [*RESERVED, *(row["file"] for row in manifest["files"])]
             if str(name).lower().endswith(TEXT_SUFFIXES) and (packing.out / folder / name).is_file()]
    found = [f"{path.relative_to(packing.out).as_posix()} holds an absolute path" for path in texts
             if has_absolute(path.read_text("utf-8", "surrogateescape"))]
    return _finding(found, "no packed text holds an absolute path", {"texts": len(texts), "found": len(found)})


CHECKS: tuple[Callable[[Packing], Finding], ...] = (
    every_folder_accounted_for, ids_are_unique, copies_are_true, keys_are_read_or_flagged, colors_match_taxonomy,
    nothing_listed_is_pruned, no_absolute_paths)
"""All of them block."""


def rows_without_paths(rows: Sequence[dict[str, Any]]) -> Finding:
    """No row that is about to be released holds a machine path."""
    found = [f"the row of {row.get('thread_id')} holds an absolute path" for row in rows
             if has_absolute(json.dumps(row, ensure_ascii=False, default=str))]
    return _finding(found, "no row holds an absolute path", {"rows": len(rows), "found": len(found)})
