"""Options that several verbs share, and shell completion for them.

Completion starts the program at every press of the Tab key, so nothing here loads a table, a model or Dagster. The
names come from the Rainbow Table, from the list of assets below, and from the folders of songs and versions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from rainbow_assets import settings, taxonomy

ASSETS = (
    "base_manifest", "song_splits", "segments", "segment_media", "training_segments", "training_full",
    "concept_embeddings", "lyric_embeddings", "audio_embeddings", "chord_library", "progression_library",
    "function_graph", "chord_graph", "piano_rolls", "fusion_training_set", "fusion_model", "fusion_evaluation",
    "chromatic_scorer", "thread_manifests", "thread_index", "result_feedback", "negative_constraints",
    "chord_candidates", "drum_candidates", "bass_candidates", "melody_candidates", "final_candidates",
    "human_evaluation", "audio", "preview", "preview_mix",
)
"""The names of all row assets, for completion: loading the graph takes too long for that. A test compares them."""


def _beginning(names: Any, incomplete: str) -> list[CompletionItem]:
    """Return the names that begin with what was typed, in any letter case."""
    return [CompletionItem(name) for name in names if name.lower().startswith(incomplete.lower())]


def _folders(root: str | Path) -> list[str]:
    """Return the visible folders below ``root``, or an empty list if it cannot be read (a URL, a missing folder)."""
    try:
        with os.scandir(root) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith((".", "_")))
    except OSError:
        return []


class ColorType(click.ParamType):
    """A color of the Rainbow Table, by name or letter; the value is the full name."""

    name = "color"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the color's name; fail with exit code 2."""
        try:
            return taxonomy.resolve(str(value)).name
        except taxonomy.UnknownColor as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a color's name."""
        return _beginning(taxonomy.COLOR_NAMES, incomplete)


class AssetType(click.ParamType):
    """The name of an asset; the verb itself rejects unknown names."""

    name = "asset"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete an asset's name."""
        return _beginning(ASSETS, incomplete)


class VersionType(click.ParamType):
    """A published version, with or without its ``v``; the verb itself rejects invalid ones."""

    name = "version"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a version of the folder hub; asking a server would take too long."""
        names = [name for name in _folders(settings.roots().hub) if name[:1] == "v" and name[1:2].isdigit()]
        return _beginning(names, incomplete if incomplete[:1] == "v" or not incomplete else f"v{incomplete}")


class TargetType(click.ParamType):
    """The target of `rainbow impact`: a color, a song, or anything else that the verb resolves."""

    name = "target"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a color or a song, or a file after the name of a folder."""
        if "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        return _beginning((*taxonomy.COLOR_NAMES, *_folders(settings.roots().corpus)), incomplete)


class ProposalType(click.ParamType):
    """The source of `rainbow compose`: a file, or a thread by id, folder or title."""

    name = "what"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a raw thread's folder, or a file."""
        return _beginning(_folders(settings.roots().threads), incomplete) or [CompletionItem(incomplete, type="file")]


class SongsType(click.ParamType):
    """Song ids, separated by commas."""

    name = "songs"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last song id."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{item.value}")
                for item in _beginning(_folders(settings.roots().corpus), last)]


AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
ONE_COLOR = click.option("--color", type=ColorType(), help="Color, by name or letter (default: all colors).")
