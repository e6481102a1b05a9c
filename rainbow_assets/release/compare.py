"""Comparing two versions: files, columns, and rows added, changed and removed by config and color."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rainbow_assets.layout import Lines, layout
from rainbow_assets.release.features import audio_columns
from rainbow_assets.release.manifest import DamagedRelease, FileEntry, Manifest, key_of
from rainbow_assets.release.versions import NextVersion, propose
from rainbow_assets.storage.parquet import open_parquet, read_batches
from rainbow_assets.taxonomy import COLOR_NAMES

Read = Callable[[FileEntry], bytes]
"""Reads the bytes of a data file of one version."""


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Numbers of added, changed and removed rows of one config and color."""

    config: str
    color: str
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes from one version to another: ``files`` and ``bytes`` to send, ``gone`` files to remove, rows."""

    files: tuple[str, ...]
    bytes: int
    gone: tuple[str, ...]
    rows: tuple[RowChanges, ...]
    proposal: NextVersion

    def document(self) -> dict[str, Any]:
        """Return the changes as plain values."""
        return {
            "files": list(self.files), "bytes": self.bytes, "gone": list(self.gone),
            "rows": [{"config": row.config, "color": row.color, "added": row.added, "changed": row.changed,
                      "removed": row.removed} for row in self.rows],
            "next_version": str(self.proposal.version), "level": self.proposal.level,
            "reasons": list(self.proposal.reasons),
        }

    def text(self) -> Lines:
        """Return the changes as lines for a terminal."""
        lines = [f"{len(self.files)} files to send, {self.bytes / 1e6:.1f} MB; {len(self.gone)} files gone"]
        lines += [f"  {row.config} {row.color}: {row.added:,} rows added, {row.changed:,} changed, "
                  f"{row.removed:,} removed" for row in self.rows]
        lines += [f"by the rules this is a {self.proposal.level} step: v{self.proposal.version}"]
        return layout([*lines, *(f"  {reason}" for reason in self.proposal.reasons)])


def compare(before: Manifest, after: Manifest, read_before: Read, read_after: Read) -> Difference:
    """Return the changes from ``before`` to ``after``. Only files that differ are read; equal files cost nothing."""
    old = {entry.path: entry for entry in before.files}
    new = {entry.path: entry for entry in after.files}
    sent = [entry for path, entry in sorted(new.items()) if path not in old or old[path].sha256 != entry.sha256]
    gone = sorted(set(old) - set(new))
    touched = {(entry.config, entry.color) for entry in [*sent, *(old[path] for path in gone)] if entry.config}
    order = {color: place for place, color in enumerate(COLOR_NAMES)}
    rows = [_rows(str(config), str(color), old, new, read_before, read_after)
            for config, color in sorted(touched, key=lambda pair: (str(pair[0]), order[str(pair[1])]))]
    return Difference(tuple(entry.path for entry in sent), sum(entry.bytes for entry in sent), tuple(gone), tuple(rows),
                      propose(before.version, before.shapes(), after.shapes()))


def _rows(
    config: str, color: str, old: Mapping[str, FileEntry], new: Mapping[str, FileEntry], read_old: Read, read_new: Read
) -> RowChanges:
    was = _digests(old.values(), config, color, read_old)
    now = _digests(new.values(), config, color, read_new)
    changed = sum(was[key] != now[key] for key in set(was) & set(now))
    return RowChanges(config, color, len(set(now) - set(was)), changed, len(set(was) - set(now)))


def _digests(files: Iterable[FileEntry], config: str, color: str, read: Read) -> dict[str, str]:
    """Return {key: digest} of every row. Columns are sorted by name, so that their order does not matter."""
    found: dict[str, str] = {}
    for entry in files:
        if entry.config != config or entry.color != color:
            continue
        with open_parquet(read(entry)) as file:
            names = sorted(file.schema_arrow.names)
            key = key_of(config)
            sounds = set(audio_columns(file.schema_arrow))
            for batch in read_batches(file, 64 if sounds else 4096):
                for row in batch.to_pylist():
                    own = _digest({name: row[name] for name in names})
                    # A table without a known key is compared by whole rows: a change is one row removed and one added.
                    name = str(row[key]) if key in row else own
                    if key in row and name in found:
                        raise DamagedRelease(f"{entry.path}: two rows of {config} have the {key} {name}; "
                                             "check each version: rainbow verify VERSION")
                    found[name] = own
    return found


def _digest(row: dict[str, Any]) -> str:
    text = json.dumps(row, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> str:
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else str(value)
