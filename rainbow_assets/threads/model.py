"""The vocabulary of threads: artifacts, proposal iterations, removed files, references, anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rainbow_assets.ingest.anomalies import Anomaly, Kinds
from rainbow_assets.threads.colors import Correction
from rainbow_assets.threads.keys import KeyReading, MeterReading

KINDS: Kinds = {
    "unreadable_yaml": ("error", "a YAML file that is broken, or not safe to read; copied as it is"),
    "python_tags": ("info", "a YAML file with Python tags; the copy has the plain values"),
    "odd_yaml": ("info", "a repeated key, an unknown tag or a number that is none"),
    "machine_path": ("info", "absolute paths of the machine that wrote the file; relative in the copy"),
    "outside_path": ("warning", "a path to something outside the threads; only its name's tail is kept"),
    "removed_reference": ("warning", "a file names another one that packing leaves out"),
    "missing_reference": ("warning", "a file names another one that is not in the thread"),
    "no_text": ("warning", "a text file that is not UTF-8; copied as it is, paths replaced byte for byte"),
    "too_big_to_rewrite": ("warning", "a text file too big to be searched for paths; copied as it is"),
    "link": ("error", "a link, pipe or device; not followed, not copied"),
    "odd_proposal": ("error", "an entry of the proposals that is no mapping; left out of the table"),
    "missing_field": ("warning", "a proposal lacks a field, or it has another type"),
    "key_corrected": ("info", "a key that was written in an unusual way"),
    "key_not_read": ("warning", "a key that is prose; tonic and mode stay empty"),
    "meter_not_read": ("warning", "free text where the time signature should be"),
    "color_corrected": ("info", "values of a color that disagree with the Rainbow Table"),
    "color_not_read": ("warning", "a color that the Rainbow Table does not hold"),
    "concept_cut": ("warning", "a concept that the writer cut at 2,000 characters; no longer text is in the thread"),
    "overwritten_proposal": ("warning", "two iterations share color and id, so both have one file"),
    "final_not_white": ("warning", "the last proposal is not White"),
    "several_proposal_files": ("warning", "more than one all_song_proposals file; the thread's own is used"),
    "thread_id_disagrees": ("warning", "a file says that it belongs to another thread"),
    "unknown_artifact_name": ("info", "a file that its writer had no name for"),
    "odd_timestamp": ("info", "a time that cannot be the time of writing"),
}

QUARANTINE: dict[str, str] = {
    "not_a_thread": "the folder's name is no thread id (a UUID)",
    "no_proposals": "there is no all_song_proposals file",
    "unreadable_proposals": "the all_song_proposals file cannot be read",
    "no_iterations": "the all_song_proposals file holds no proposal",
    "unusable_final": "the final proposal has no title or no whole number of beats per minute",
    "reserved_name": "a file at the top of the thread has a name that the packed folder needs for itself",
    "unreadable_folder": "a file or folder of the thread cannot be read",
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file that packing keeps.

    ``file`` is relative to the thread's folder; ``size`` (bytes) and ``sha256`` are the source's; ``packed_size`` and
    ``packed_sha256`` the copy's, equal to them unless ``changes`` gives a reason. ``iteration`` is the 0-based index of
    the proposal that it belongs to and ``basis`` how that is known (``id``: from the file's name; ``color``: the
    last proposal of the artifact's color).
    """

    file: str
    type: str
    color: str | None
    size: int
    sha256: str
    packed_size: int
    packed_sha256: str
    changes: tuple[str, ...] = ()
    iteration: int | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """One file that packing leaves out, the rule that leaves it out, and its bytes."""

    file: str
    rule: str
    reason: str
    size: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A path inside a file, relative to the thread's folder. ``status``: kept, removed, missing or outside."""

    file: str
    where: str
    target: str
    status: Literal["kept", "removed", "missing", "outside"]


@dataclass(frozen=True, slots=True)
class Iteration:
    """One song proposal. ``timestamp`` is in seconds since 1970 as its writer noted it; ``raw_color`` the raw text."""

    index: int
    iteration_id: str
    iteration_number: int | None
    title: str
    bpm: int | None
    key: KeyReading
    meter: MeterReading
    color: str | None
    mnemonic: str | None
    raw_color: str
    corrections: tuple[Correction, ...]
    mood: tuple[str, ...]
    genres: tuple[str, ...]
    concept: str
    agent_name: str | None
    timestamp: float | None
    is_final: bool
    concept_cut: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread folder, read. ``final`` is the proposal that the others led to.

    ``inputs`` is a digest of every file's path and content and of the rules: equal inputs give an equal copy.
    ``newest_ms`` is the newest time that an artifact has in it, in milliseconds since 1970.
    """

    thread_id: str
    folder: Path
    inputs: str
    iterations: tuple[Iteration, ...]
    artifacts: tuple[Artifact, ...]
    removed: tuple[Removed, ...]
    references: tuple[Reference, ...]
    anomalies: tuple[Anomaly, ...]
    dialogue: tuple[str, ...]
    """Opening words of the interviewee's answers, lower case."""
    newest_ms: int | None
    copies: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Content of the packed files, by file; one that is missing here is big and copied from the source."""

    @property
    def final(self) -> Iteration:
        """The final proposal."""
        return next(item for item in self.iterations if item.is_final)


@dataclass(frozen=True, slots=True)
class QuarantinedThread:
    """A folder that cannot be packed, with the reason (a key of ``QUARANTINE``) and a sentence."""

    folder: str
    reason: str
    message: str
