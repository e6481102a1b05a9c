"""Roots and rules, read from the environment and the settings file.

Roots come from ``RAINBOW_*`` variables. Each package declares its rules in its ``settings.py``, as frozen data classes
with measured defaults, bounds, units and a description each. A TOML file (``RAINBOW_SETTINGS``, else ``rainbow.toml``
in the working directory) overrides them by ``[section] name = value``. A row asset names the rules that it depends on
as ``section.name`` (or a whole ``section``), and :func:`values` looks them up.
"""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from rainbow_assets import rules as declared
from rainbow_assets.composition.settings import CompositionRules
from rainbow_assets.corpus.settings import SplitRules
from rainbow_assets.door import TEXT_BYTES, RefusedFile, parse_toml, read_file
from rainbow_assets.embeddings.settings import EmbeddingRules
from rainbow_assets.errors import SettingsError
from rainbow_assets.fitness.settings import FitnessRules
from rainbow_assets.lineage.settings import SafetyRules
from rainbow_assets.release.settings import PreviewRules, ReleaseRules
from rainbow_assets.segments.settings import AudioRules, MidiRules, SliceRules
from rainbow_assets.threads.settings import FeedbackRules


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules that shape rows, by section."""

    slices: SliceRules = field(default_factory=SliceRules)
    audio: AudioRules = field(default_factory=AudioRules)
    midi: MidiRules = field(default_factory=MidiRules)
    preview: PreviewRules = field(default_factory=PreviewRules)
    splits: SplitRules = field(default_factory=SplitRules)
    safety: SafetyRules = field(default_factory=SafetyRules)
    embeddings: EmbeddingRules = field(default_factory=EmbeddingRules)
    feedback: FeedbackRules = field(default_factory=FeedbackRules)
    fitness: FitnessRules = field(default_factory=FitnessRules)
    composition: CompositionRules = field(default_factory=CompositionRules)
    release: ReleaseRules = field(default_factory=ReleaseRules)


def values(rules: Rules, names: tuple[str, ...]) -> dict[str, Any]:
    """Return {``section.name``: value}, sorted, of the settings ``names`` (``slices`` or ``slices.snap_ms``)."""
    found: dict[str, Any] = {}
    for name in names:
        section, _, leaf = name.partition(".")
        block = getattr(rules, section, None)
        if block is None or (leaf and not hasattr(block, leaf)):
            raise SettingsError(f"no setting is called {name!r}; correct the name in the asset's settings")
        chosen = {leaf: getattr(block, leaf)} if leaf else dataclasses.asdict(block)
        found.update({f"{section}.{key}": value for key, value in chosen.items()})
    return dict(sorted(found.items()))


def origin() -> str:
    """Return the settings file that :func:`load_rules` reads, or a text that the defaults apply."""
    named = os.environ.get("RAINBOW_SETTINGS") or "rainbow.toml"
    return named if Path(named).exists() else f"the defaults (there is no {named})"


def load_rules(path: Path | None = None) -> Rules:
    """Return the rules in ``path`` (default: ``RAINBOW_SETTINGS`` or ``./rainbow.toml``); the others have defaults."""
    named = os.environ.get("RAINBOW_SETTINGS")
    source = path or (Path(named) if named else Path("rainbow.toml"))
    try:
        text = read_file(source, TEXT_BYTES).decode("utf-8")
        document = parse_toml(text)
    except FileNotFoundError:
        if path or named:
            raise SettingsError(
                f"the settings file {source} does not exist; unset RAINBOW_SETTINGS or create it") from None
        return Rules()
    except RefusedFile as error:
        raise SettingsError(f"{source}: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{source} is not valid TOML: {error}") from error
    blocks: dict[str, Any] = {}
    sections = {f.name: type(getattr(Rules(), f.name)) for f in dataclasses.fields(Rules)}
    for section, entries in document.items():
        if section not in sections or not isinstance(entries, dict):
            raise SettingsError(f"{source}{_line(text, section)}: no settings section is called [{section}]; known: "
                                f"{', '.join(sections)}")
        blocks[section] = _block(f"{source}", text, section, sections[section], entries)
    return Rules(**blocks)


def _block(source: str, text: str, section: str, kind: type, entries: dict[str, Any]) -> Any:
    """Return the section with validated values; raise ``SettingsError`` for the first invalid one."""
    hints, found = declared.hints(kind), {}
    for name, value in entries.items():
        where = f"{source}{_line(text, section, name)}"
        if name not in hints:
            raise SettingsError(f"{where}: [{section}] has no setting {name!r}; known: {', '.join(hints)}")
        try:
            found[name] = declared.checked(hints[name], value)
        except ValueError:
            raise SettingsError(
                f"{where}: {section}.{name} is {value!r}; write {declared.allowed(hints[name])}") from None
    try:
        return kind(**found)
    except SettingsError as error:
        raise SettingsError(f"{source}{_line(text, section)}: {error}") from None


def _line(text: str, section: str, name: str | None = None) -> str:
    """Return ``, line N`` for the header of a section or the setting ``name`` in it; an empty text if not found."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\[\]]+)\]", line)
        if head:
            inside = head[1].strip().strip("'\"") == section
        if inside and (head if name is None else re.match(rf"\s*['\"]?{re.escape(name)}['\"]?\s*=", line)):
            return f", line {number}"
    return ""


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders that are read and written. ``data`` and ``hub`` may be fsspec URLs; the others are local."""

    corpus: Path
    data: str
    hub: str
    threads: Path
    chords: Path


def roots() -> Roots:
    """Return the roots that the environment names: ``RAINBOW_CORPUS``, ``RAINBOW_DATA``, ``RAINBOW_HUB`` and others."""
    data = os.environ.get("RAINBOW_DATA") or str(Path("data").absolute())
    return Roots(
        corpus=Path(os.environ.get("RAINBOW_CORPUS") or Path("data/corpus").absolute()),
        data=data,
        hub=os.environ.get("RAINBOW_HUB") or f"{data.rstrip('/')}/hub",
        threads=Path(os.environ.get("RAINBOW_THREADS") or Path("data/threads/chain_artifacts").absolute()),
        chords=Path(os.environ.get("RAINBOW_CHORDS") or Path("data/chords").absolute()),
    )


def cache_folder() -> Path:
    """Return ``RAINBOW_CACHE``, or the user's cache folder for this program; it may be deleted at any time."""
    named = os.environ.get("RAINBOW_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("rainbow_assets", appauthor=False))


def models_folder() -> Path | None:
    """Return ``RAINBOW_MODELS`` or None: a folder of ``<checkpoint>/<revision>/``, for machines that are offline."""
    named = os.environ.get("RAINBOW_MODELS")
    return Path(named) if named else None


@lru_cache(maxsize=1)
def default_rules() -> Rules:
    """Return the rules of this process, which are read once."""
    return load_rules()
