"""`README.md` of a release: YAML front matter and text, made from facts alone. Equal facts give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rainbow_assets.corpus.splits import SPLITS
from rainbow_assets.errors import RainbowError
from rainbow_assets.markdown import Markdown
from rainbow_assets.release.bundle import Bundle
from rainbow_assets.release.changelog import ChangelogEntry
from rainbow_assets.release.credit import Songs, credit, notices
from rainbow_assets.release.features import audio_columns, type_label
from rainbow_assets.release.pages import ENVIRONMENT
from rainbow_assets.release.versions import Version
from rainbow_assets.taxonomy import COLORS

NAME = "README.md"
REPOSITORY = "earthlyframes/white-training-data"
NO_SECTION = Markdown()
TAGS = ("music", "multimodal", "audio", "midi", "chromatic-taxonomy", "rebracketing", "evolutionary-composition")
TASKS = ("audio-classification", "text-to-audio", "feature-extraction")
"""The Hub's names of what one may train on it (huggingface.co/tasks)."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"))


class NothingToRelease(RainbowError):
    """No config has any rows."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One published column: name, type as text, meaning."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """One written config. ``section`` is its own text; ``rows_by_color`` has all nine colors.

    ``rows_by_split`` has the splits with rows; ``songs_by_split`` has the songs per color and split, and is empty for a
    table that is not split.
    """

    name: str
    default: bool
    files: int
    rows: int
    bytes: int
    rows_by_color: Mapping[str, int]
    columns: tuple[ColumnFacts, ...]
    audio: tuple[str, ...]
    section: Markdown = NO_SECTION
    rows_by_split: Mapping[str, int] = field(default_factory=dict)
    songs_by_split: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColorFacts:
    """Coverage of one color: songs, stem segments and how many have audio, MIDI and lyric text; seconds of audio."""

    color: str
    songs: int
    segments: int
    with_audio: int
    with_midi: int
    with_text: int
    audio_seconds: float


@dataclass(frozen=True, slots=True)
class AnomalyFacts:
    """One kind of irregularity: how often it occurs in the raw songs, and in how many of them."""

    kind: str
    severity: str
    count: int
    songs: int
    meaning: str


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """The result of one check: in how many colors it passed, of how many; ``numbers`` is its figures as short text."""

    asset: str
    check: str
    passed: int
    colors: int
    numbers: str = ""


@dataclass(frozen=True, slots=True)
class ColorClip:
    """One clip: its path in the version, its song's title, and where in the song it begins (``1:05``)."""

    path: str
    title: str
    place: str


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All facts of a card.

    ``skipped``, ``gaps`` and ``lineage`` are plain sentences; ``songs``: who made the music of which songs;
    ``sample``: a row of the default config as (column, text); ``players``: one clip by color. All texts that are no
    ``Markdown`` are escaped.
    """

    version: Version
    configs: tuple[ConfigFacts, ...]
    colors: tuple[ColorFacts, ...] = ()
    anomalies: tuple[AnomalyFacts, ...] = ()
    verdicts: tuple[VerdictFacts, ...] = ()
    gaps: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    changes: tuple[ChangelogEntry, ...] = ()
    repository: str = REPOSITORY
    songs: Songs = field(default_factory=dict)
    sample: tuple[tuple[str, str], ...] = ()
    players: Mapping[str, ColorClip] = field(default_factory=dict)


def config_facts(bundle: Bundle) -> tuple[ConfigFacts, ...]:
    """Return the facts of the written configs, the default one first; raise ``NothingToRelease``.

    If the default table was not written, the first one takes its place.
    """
    if not bundle.configs:
        raise NothingToRelease("no config has any rows, so there is nothing to release; run: rainbow build")
    chosen = next((config for config in bundle.configs if config.table.default), bundle.configs[0])
    ordered = [chosen, *(config for config in bundle.configs if config is not chosen)]
    return tuple(
        ConfigFacts(
            config.table.config, config is chosen, len(config.files), config.rows, config.bytes,
            config.rows_by_color(), tuple(
                ColumnFacts(item.name, type_label(item.type), (item.metadata or {}).get(b"doc", b"").decode())
                for item in config.table.schema),
            audio_columns(config.table.schema), Markdown(config.table.card_section.strip()), config.rows_by_split(),
            config.songs_by_split() if config.table.splits is not None else {},
        )
        for config in ordered
    )


def size_category(rows: int) -> str:
    """Return the Hub's name for a number of rows, for example ``1K<n<10K``."""
    return next((name for limit, name in _SIZES if rows < limit), "n>10M")


def front_matter(facts: CardFacts) -> Markdown:
    """Return the YAML block without its fences. It has no ``dataset_info``; features.py explains why.

    The size category is that of the largest config, because the others contain the same segments.
    """
    configs: list[dict[str, Any]] = []
    for config in facts.configs:
        # Only splits with files: a pattern without files stops every load of the config.
        files = [{"split": split, "path": f"{config.name}/{split}-*.parquet"} for split in config.rows_by_split]
        configs.append({"config_name": config.name, **({"default": True} if config.default else {}),
                        "data_files": files})
    made_by = credit(facts.songs)
    other = {"license_name": made_by.license_name, "license_link": made_by.license_link}
    document = {
        "license": made_by.license, **(other if made_by.license == "other" else {}), "language": ["en"],
        "pretty_name": made_by.title, "task_categories": list(TASKS), "tags": list(TAGS),
        "size_categories": [size_category(max(config.rows for config in facts.configs))], "configs": configs,
    }
    return Markdown(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000))


def render_card(facts: CardFacts) -> Markdown:
    """Return the whole card."""
    playable = next((config for config in facts.configs if config.audio), None)
    split = max((config for config in facts.configs if config.songs_by_split), default=None,
                key=lambda config: sum(sum(songs.values()) for songs in config.songs_by_split.values()))
    return Markdown(ENVIRONMENT.get_template("card.md.j2").render(
        facts=facts, front_matter=front_matter(facts), colors=COLORS, credit=credit(facts.songs),
        notices=notices(facts.songs), address=f"https://huggingface.co/datasets/{facts.repository}",
        gaps=[*facts.gaps, *_empty(facts.configs)], playable=playable, splits=SPLITS, split=split,
        color=_shown_color(playable) if playable else None,
    ))


def _empty(configs: tuple[ConfigFacts, ...]) -> list[str]:
    """Return sentences about colors without rows: those that no config has, each config's own, and by split."""
    nowhere = [color.name for color in COLORS if not any(config.rows_by_color[color.name] for config in configs)]
    found = [f"No config has rows of {', '.join(nowhere)}."] if nowhere else []
    for config in configs:
        own = [color for color, rows in config.rows_by_color.items() if not rows and color not in nowhere]
        if own:
            found.append(f"{config.name} has no rows of {', '.join(own)}.")
    for split in SPLITS:
        lacking = {config.name: [color for color, songs in config.songs_by_split.items() if not songs[split]]
                   for config in configs if config.songs_by_split}
        for colors in dict.fromkeys(map(tuple, lacking.values())):
            if colors:
                names = ", ".join(name for name, own in lacking.items() if tuple(own) == colors)
                found.append(f"No {split} song of {', '.join(colors)} ({names}).")
    return found


def _shown_color(config: ConfigFacts) -> str:
    """Return the color of the example: Green, or the first one with rows."""
    if config.rows_by_color.get("Green"):
        return "Green"
    return next(color for color, rows in config.rows_by_color.items() if rows)
