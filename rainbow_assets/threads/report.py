"""What a run of packing did, thread by thread, and in sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rainbow_assets.threads.model import QuarantinedThread, Removed
from rainbow_assets.threads.rules import freed_by_rule

Status = Literal["packed", "repacked", "unchanged"]


@dataclass(frozen=True, slots=True)
class PackedThread:
    """What became of one thread. ``bytes`` are those of the kept files' copies."""

    thread_id: str
    directory: str
    status: Status
    files: int
    bytes: int
    dropped: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class ShrinkwrapReport:
    """What a run did (or would do, ``dry_run``). ``orphans`` are packed threads whose source is gone; they stay."""

    threads: tuple[PackedThread, ...]
    quarantined: tuple[QuarantinedThread, ...]
    orphans: tuple[str, ...]
    stray: tuple[str, ...]
    dry_run: bool
    recovered: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Whether any packed folder is not what it was."""
        return any(thread.status != "unchanged" for thread in self.threads)

    @property
    def dropped(self) -> tuple[Removed, ...]:
        """Every file that packing leaves out, of all threads."""
        return tuple(item for thread in self.threads for item in thread.dropped)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``: threads, files kept and dropped by rule, bytes."""
        states = [thread.status for thread in self.threads]
        return {
            "dry_run": self.dry_run,
            "threads": len(self.threads),
            **{state: states.count(state) for state in ("packed", "repacked", "unchanged")},
            "quarantined": [{"folder": item.folder, "reason": item.reason, "message": item.message}
                            for item in self.quarantined],
            "orphans": list(self.orphans),
            "stray_files": list(self.stray),
            "recovered": list(self.recovered),
            "files_kept": sum(thread.files for thread in self.threads),
            "bytes_kept": sum(thread.bytes for thread in self.threads),
            "files_dropped": len(self.dropped),
            "bytes_freed": sum(item.size for item in self.dropped),
            "dropped_by_rule": freed_by_rule(self.dropped),
            "directories": {thread.thread_id: thread.directory for thread in self.threads},
        }
