"""Roots, addresses and rules: the one place that reads the environment and the settings file.

Roots come from ``RAINBOW_*`` variables. Rules that shape rows are frozen data classes with measured
defaults; a TOML file (``RAINBOW_SETTINGS``, else ``rainbow.toml`` in the working directory)
overrides them by ``[section] name = value``. A row asset names the rules it depends on as
``section.name`` (or a whole ``section``) and :func:`values` resolves those names.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from rainbow_assets.errors import UsageError


class SettingsError(UsageError):
    """A setting or variable that cannot be used; the message names it and what to write instead."""


@dataclass(frozen=True, slots=True)
class SliceRules:
    """How a song's time is cut into slices; times in milliseconds."""

    lyric_tail_ms: int = 3000
    snap_ms: int = 2000
    window_ms: int = 30000
    overlap_ms: int = 2000
    min_ms: int = 500
    coverage: str = "full"
    """``full``: every millisecond of the song is in a slice. ``lyrics``: the original rule."""

    def __post_init__(self) -> None:
        if self.coverage not in ("full", "lyrics"):
            raise SettingsError(f"slices.coverage is {self.coverage!r}; write 'full' or 'lyrics'")
        if not 0 <= self.overlap_ms < self.window_ms:
            raise SettingsError("slices.overlap_ms must be at least 0 and less than slices.window_ms")
        if not 0 <= self.min_ms <= self.window_ms:
            raise SettingsError("slices.min_ms must be at least 0 and at most slices.window_ms")


@dataclass(frozen=True, slots=True)
class AudioRules:
    """How audio is judged and stored."""

    sample_rate: int = 44100
    silence_db: float = -40.0
    """A window whose RMS (full scale = 0 dB) is below this is silent."""


@dataclass(frozen=True, slots=True)
class PreviewRules:
    """How the playable preview is sampled."""

    samples: int = 20
    seed: int = 42


@dataclass(frozen=True, slots=True)
class SplitRules:
    """Shares of songs per color that go to validation and test; at least one song stays in train."""

    validation: float = 0.1
    test: float = 0.1
    seed: int = 42


@dataclass(frozen=True, slots=True)
class SafetyRules:
    """When a change of the raw material is not believed."""

    max_vanished: float = 0.2
    """Largest share of a color's songs (or of the threads) that may disappear at once without --allow-deletes."""


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """From which share on something is overused, and from how many threads on that is said. Shares 0..1."""

    min_n: int = 10
    key_avoid: float = 0.30
    key_exclude: float = 0.50
    bpm_reach: int = 5
    bpm_avoid: float = 0.30
    phrase_avoid: float = 0.30
    found_phrase_avoid: float = 0.50
    title_word_avoid: float = 0.20
    opener_avoid: float = 0.30
    time_signature_avoid: float = 0.60
    mood_avoid: float = 0.50
    warn_entropy_bits: float = 2.0
    warn_bpm_std: float = 10.0
    seed: int = 42


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """What a version holds besides the configs that every version has."""

    threads: bool = False
    human_evaluation: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingRules:
    """Which vectors are made, and where. Only ``profile`` and ``audio_checkpoint`` shape rows (through their specs)."""

    profile: str = "embedded"
    """``embedded``: offline, no torch. ``production``: DeBERTa and CLAP."""
    audio_checkpoint: str = "laion/larger_clap_music"
    """Audio encoder of the production profile; ``laion/clap-htsat-unfused`` is the other one."""
    engine: str = "local"
    """``local`` (this machine) or ``modal`` (GPUs by the second)."""
    device: str = "auto"
    """Of the local engine: ``auto``, ``cpu``, ``cuda`` or ``mps``."""
    budget_usd: float = 5.0
    """A run that is estimated to cost more does not start, and one that has cost more stops."""
    retries: int = 3
    """How often an input is tried again before the run stops (unreachable engine) or sets it aside (poisoned)."""

    def __post_init__(self) -> None:
        for name, known in (("profile", ("embedded", "production")), ("engine", ("local", "modal")),
                            ("device", ("auto", "cpu", "cuda", "mps"))):
            if getattr(self, name) not in known:
                raise SettingsError(f"embeddings.{name} is {getattr(self, name)!r}; write {' or '.join(known)}")
        if not 0 <= self.budget_usd < float("inf") or self.retries < 0:
            raise SettingsError("embeddings.budget_usd and embeddings.retries must be 0 or more")


@dataclass(frozen=True, slots=True)
class FitnessRules:
    """How the fusion model is trained. ``engine`` and ``device`` say where, all others shape the weights."""

    profile: str = "compact"
    """``compact``: a strided stem and at most 0.1 M parameters, for CPUs. ``full``: the diary's model (4.3 M)."""
    folds: int = 5
    """Folds of songs that the honest evaluation trains and tests on."""
    max_epochs: int = 24
    patience: int = 6
    """Training stops after so many epochs without a lower validation loss."""
    batch: int = 64
    learning_rate: float = 2e-3
    modality_dropout: float = 0.3
    """How often sound, MIDI and lyric are each hidden in training."""
    concept_dropout: float = 0.7
    """How often the concept is hidden: it names the song, and would otherwise be all that is learned."""
    transpose: int = 5
    """MIDI is moved by up to so many semitones in training: a color is not a key."""
    seed: int = 42
    engine: str = "local"
    """``local`` (this machine) or ``modal``."""
    device: str = "auto"
    """Of the local engine: ``auto``, ``cpu`` or ``cuda``."""

    def __post_init__(self) -> None:
        for name, known in (("profile", ("compact", "full")), ("engine", ("local", "modal")),
                            ("device", ("auto", "cpu", "cuda"))):
            if getattr(self, name) not in known:
                raise SettingsError(f"fitness.{name} is {getattr(self, name)!r}; write {' or '.join(known)}")
        for name in ("modality_dropout", "concept_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"fitness.{name} must be at least 0 and less than 1")
        if self.folds < 3 or min(self.max_epochs, self.patience, self.batch) < 1:
            raise SettingsError("fitness.folds must be at least 3 (one to test with, one to stop by, and the rest to "
                                "learn from); max_epochs, patience and batch at least 1")
        if not (0 < self.learning_rate < 1 and 0 <= self.transpose <= 12 and self.seed >= 0):
            raise SettingsError("fitness.learning_rate must be between 0 and 1, transpose 0 to 12, seed 0 or more")


STAGES = ("chords", "drums", "bass", "melody")


@dataclass(frozen=True, slots=True)
class CompositionRules:
    """How songs are composed: how many candidates, how they are bred, what they are ranked by, which are kept."""

    stages: str = ",".join(STAGES)
    """Stages that compose, with commas, in this order; one that is left out is silent. Chords are always composed."""
    candidates: int = 50
    """Different candidates of a stage over each parent."""
    keep: int = 3
    """Candidates that are kept: of each parent, or of all of them."""
    prune: str = "parent"
    """``parent``: of each parent ``keep`` are kept, and of all these at most ``beam``. ``global``: ``keep`` of all."""
    beam: int = 6
    finals: int = 5
    """Finished pieces that a person is asked about."""
    generations: int = 2
    """Generations that are bred after the first draws; 0 leaves it at these."""
    tournament: int = 3
    elitism: int = 2
    crossover: float = 0.5
    mutation: float = 0.35
    theory_weight: float = 0.4
    """Share of theory in the score; the rest is chromatic fitness, where the scorer is discriminative."""
    diversity: float = 0.3
    """How much the kept ones must differ: 0 takes the best, 1 the most different."""
    bars: int = 8
    soundfont: str = ""
    """A soundfont (.sf2, .sf3) for fluidsynth; empty: the first that is installed."""
    seed: int = 42

    def __post_init__(self) -> None:
        named = [name.strip() for name in self.stages.split(",")]
        if named[:1] != ["chords"] or [name for name in STAGES if name in named] != named:
            raise SettingsError(f"composition.stages is {self.stages!r}; write some of {', '.join(STAGES)} in this "
                                "order, chords first")
        if self.prune not in ("parent", "global"):
            raise SettingsError(f"composition.prune is {self.prune!r}; write 'parent' or 'global'")
        for name, least, most in (("candidates", 2, 500), ("keep", 1, 50), ("beam", 1, 100), ("finals", 1, 50),
                                  ("generations", 0, 100), ("tournament", 1, 50), ("elitism", 0, 50), ("bars", 4, 64),
                                  ("seed", 0, 2**31)):
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"composition.{name} is {getattr(self, name)}; write {least} to {most}")
        for name in ("crossover", "mutation", "theory_weight", "diversity"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"composition.{name} is {getattr(self, name)}; write 0 to 1")


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules that shape rows, by section."""

    slices: SliceRules = field(default_factory=SliceRules)
    audio: AudioRules = field(default_factory=AudioRules)
    preview: PreviewRules = field(default_factory=PreviewRules)
    splits: SplitRules = field(default_factory=SplitRules)
    safety: SafetyRules = field(default_factory=SafetyRules)
    embeddings: EmbeddingRules = field(default_factory=EmbeddingRules)
    feedback: FeedbackRules = field(default_factory=FeedbackRules)
    fitness: FitnessRules = field(default_factory=FitnessRules)
    composition: CompositionRules = field(default_factory=CompositionRules)
    release: ReleaseRules = field(default_factory=ReleaseRules)


def values(rules: Rules, names: tuple[str, ...]) -> dict[str, Any]:
    """Resolve setting names (``slices`` or ``slices.snap_ms``) to their values, flat and sorted."""
    found: dict[str, Any] = {}
    for name in names:
        section, _, leaf = name.partition(".")
        block = getattr(rules, section, None)
        if block is None or (leaf and not hasattr(block, leaf)):
            raise SettingsError(f"no setting is called {name!r}")
        chosen = {leaf: getattr(block, leaf)} if leaf else dataclasses.asdict(block)
        found.update({f"{section}.{key}": value for key, value in chosen.items()})
    return dict(sorted(found.items()))


def origin() -> str:
    """Return where :func:`load_rules` finds the rules: a file's path, or that there is none."""
    named = os.environ.get("RAINBOW_SETTINGS") or "rainbow.toml"
    return named if Path(named).exists() else f"the defaults, as there is no {named}"


def load_rules(path: Path | None = None) -> Rules:
    """Read the rules from ``path`` (default: ``RAINBOW_SETTINGS`` or ``./rainbow.toml``); defaults where absent."""
    named = os.environ.get("RAINBOW_SETTINGS")
    source = path or (Path(named) if named else Path("rainbow.toml"))
    if not source.exists():
        if path or named:
            raise SettingsError(f"the settings file {source} does not exist; unset RAINBOW_SETTINGS or create it")
        return Rules()
    try:
        document = tomllib.loads(source.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{source} is not valid TOML: {error}") from error
    blocks: dict[str, Any] = {}
    sections = {f.name: type(getattr(Rules(), f.name)) for f in dataclasses.fields(Rules)}
    for section, entries in document.items():
        if section not in sections or not isinstance(entries, dict):
            raise SettingsError(f"{source}: no settings section is called [{section}]; known: {', '.join(sections)}")
        blocks[section] = _block(source, section, sections[section], entries)
    return Rules(**blocks)


def _block(source: Path, section: str, kind: type, entries: dict[str, Any]) -> Any:
    known = {f.name: f for f in dataclasses.fields(kind)}
    for name, value in entries.items():
        if name not in known:
            raise SettingsError(f"{source}: [{section}] has no setting {name!r}; known: {', '.join(known)}")
        wanted = type(known[name].default)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            entries[name] = float(value)
        elif type(value) is not wanted:
            raise SettingsError(f"{source}: {section}.{name} is {value!r}; write a {wanted.__name__}")
    return kind(**entries)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where things are. ``data`` and ``hub`` may be fsspec URLs; the others are local folders."""

    corpus: Path
    data: str
    hub: str
    threads: Path
    chords: Path


def roots() -> Roots:
    """Read the roots from the environment: ``RAINBOW_CORPUS``, ``RAINBOW_DATA``, ``RAINBOW_HUB`` and the rest."""
    data = os.environ.get("RAINBOW_DATA") or str(Path("data").absolute())
    return Roots(
        corpus=Path(os.environ.get("RAINBOW_CORPUS") or Path("data/corpus").absolute()),
        data=data,
        hub=os.environ.get("RAINBOW_HUB") or f"{data.rstrip('/')}/hub",
        threads=Path(os.environ.get("RAINBOW_THREADS") or Path("data/threads/chain_artifacts").absolute()),
        chords=Path(os.environ.get("RAINBOW_CHORDS") or Path("data/chords").absolute()),
    )


def cache_folder() -> Path:
    """Return ``RAINBOW_CACHE``, or the user's cache folder for this program; what is in it may go at any time."""
    named = os.environ.get("RAINBOW_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("rainbow_assets", appauthor=False))


def models_folder() -> Path | None:
    """Return ``RAINBOW_MODELS``, a folder of ``<checkpoint>/<revision>/`` for machines without the hub, or None."""
    named = os.environ.get("RAINBOW_MODELS")
    return Path(named) if named else None


@lru_cache(maxsize=1)
def default_rules() -> Rules:
    """The process's rules, read once."""
    return load_rules()
