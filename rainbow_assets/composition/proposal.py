"""Song proposals of people and threads: reading them into a :class:`Proposal`, or rejecting them with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainbow_assets import taxonomy
from rainbow_assets.composition.errors import ProposalError
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.model import SongBrief
from rainbow_assets.digests import digest
from rainbow_assets.door import TEXT_BYTES, RefusedFile, read_file
from rainbow_assets.ingest import yaml_strict
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.music.keys import Key
from rainbow_assets.threads.colors import read_color
from rainbow_assets.threads.keys import read_key, read_meter
from rainbow_assets.threads.names import slug

SLOWEST, FASTEST = 30.0, 300.0
MOST_CONCEPT = 100_000
FIELDS = ("thread", "title", "key", "bpm", "time_signature", "rainbow_color", "concept", "mood")
_OTHER_NAMES = {"color": "rainbow_color", "colour": "rainbow_color", "tempo": "time_signature", "moods": "mood",
                "meter": "time_signature", "name": "title"}
_MINOR = ("minor", "dorian", "phrygian", "locrian")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal that can be composed. ``bpm`` is in quarter notes per minute, ``mode`` is major or minor."""

    title: str
    tonic: str
    mode: str
    bpm: float
    numerator: int
    denominator: int
    color: str
    concept: str
    moods: tuple[str, ...] = ()
    thread: str = ""

    @property
    def digest(self) -> str:
        """Digest of everything that shapes the music; if it changes, the song is composed again."""
        return digest(asdict(self))

    @property
    def song_id(self) -> str:
        """Folder and key of the song: color and title."""
        return f"{slug(self.color)}-{slug(self.title) or 'untitled'}"[:72].rstrip("-")

    def song(self, song_id: str, bars: int) -> SongBrief:
        """Return the song to compose, ``bars`` long."""
        return SongBrief(song_id, self.title, Key(self.tonic, self.mode), self.bpm,
                         Meter(self.numerator, self.denominator), self.color, self.concept, self.moods, bars)

    def document(self) -> dict[str, Any]:
        """Return the proposal as it is written to a file."""
        found: dict[str, Any] = {"thread": self.thread} if self.thread else {}
        return {**found, "title": self.title, "key": f"{self.tonic} {self.mode}",
                "bpm": int(self.bpm) if self.bpm == int(self.bpm) else self.bpm,
                "time_signature": f"{self.numerator}/{self.denominator}", "rainbow_color": self.color,
                "mood": list(self.moods), "concept": self.concept}


def read_proposal(path: Path, changes: Mapping[str, Any] | None = None) -> Proposal:
    """Read the proposal in a YAML file, with ``changes`` in place of its fields; raise ``ProposalError``."""
    values = {**load_fields(path), **{name: value for name, value in (changes or {}).items() if value is not None}}
    values.setdefault("title", path.stem.replace("_", " "))
    return checked(values, str(path))


def load_fields(path: Path) -> dict[str, Any]:
    """Return the fields of a proposal's file, with other names (such as color) replaced; raise ``ProposalError``."""
    try:
        document = yaml_strict.load(read_file(path, TEXT_BYTES))
    except FileNotFoundError:
        raise ProposalError(f"{path} does not exist; write the name of a file") from None
    except RefusedFile as error:
        raise ProposalError(f"{path}: {error}") from None
    except UnreadableYaml as error:
        raise ProposalError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ProposalError(f"{path} has no fields; write title, key, bpm, time_signature, rainbow_color and concept")
    return {_OTHER_NAMES.get(str(name), str(name)): value for name, value in document.items()}


def checked(values: Mapping[str, Any], where: str) -> Proposal:
    """Return the proposal in ``values``; raise ``ProposalError`` with ``where`` and the field."""
    tonic, mode = _key(values.get("key"), where)
    meter = _meter(values.get("time_signature"), where)
    concept = _text(values, "concept", where)
    if not concept:
        raise ProposalError(f"{where}: concept is empty; write what the song is about (candidates are scored with it)")
    if len(concept) > MOST_CONCEPT:
        raise ProposalError(f"{where}: concept has {len(concept):,} characters; shorten it to {MOST_CONCEPT:,}")
    title = _text(values, "title", where)
    if not title:
        raise ProposalError(f"{where}: title is empty; write a name for the song")
    return Proposal(title, tonic, mode, _bpm(values.get("bpm"), where), meter.numerator, meter.denominator,
                    _color(values.get("rainbow_color"), where), concept, _moods(values.get("mood"), where),
                    str(values.get("thread") or ""))


def _key(value: Any, where: str) -> tuple[str, str]:
    found = read_key(value)
    if found.tonic is None or found.mode is None:
        problem = "is missing" if found.status == "missing" else f"is {found.raw[:60]!r}, which is not a key"
        raise ProposalError(f"{where}: key {problem}; write a tonic and a mode, for example 'A minor' or 'Bb major'")
    return found.tonic, "minor" if found.mode in _MINOR else "major"


def _meter(value: Any, where: str) -> Meter:
    found = read_meter("4/4" if value is None else value)
    if found.numerator is None or found.denominator is None:
        raise ProposalError(f"{where}: time_signature is {str(value)[:60]!r}; write it as 4/4 or 7/8")
    try:
        return Meter(found.numerator, found.denominator)
    except ProposalError as error:
        raise ProposalError(f"{where}: {error}") from None


def _bpm(value: Any, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not SLOWEST <= value <= FASTEST:
        problem = "is missing" if value is None else f"is {str(value)[:40]!r}"
        raise ProposalError(f"{where}: bpm {problem}; write quarter notes per minute from {SLOWEST:g} to {FASTEST:g}")
    return float(value)


def _color(value: Any, where: str) -> str:
    found = read_color(value)
    if found.color is None:
        problem = "is missing" if value in (None, "") else (
            f"is {str(value)[:40]!r}, which is not a color of the Rainbow Table")
        raise ProposalError(f"{where}: rainbow_color {problem}; write one of {', '.join(taxonomy.COLOR_NAMES)}")
    return found.color.name


def _moods(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProposalError(f"{where}: mood is {str(value)[:40]!r}; write a list of words")
    return tuple(value)


def _text(values: Mapping[str, Any], field: str, where: str) -> str:
    value = values.get(field)
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise ProposalError(f"{where}: {field} is not text; write words")
    return str(value).strip()
