"""`rainbow init`: create a new project with settings, a Dagster home and an example song."""

from __future__ import annotations

import dataclasses
import shlex
import textwrap
from importlib import resources
from pathlib import Path

import click

from rainbow_assets import rules, settings
from rainbow_assets.errors import UsageError
from rainbow_assets.layout import layout
from rainbow_assets.terminal import say

FILES = {"dagster.yaml": "dagster.yaml", "workspace.yaml": "workspace.yaml", "gitignore": ".gitignore",
         "README.md": "README.md"}
"""Template -> its name in the new project."""
SETTINGS, SONGS, EXAMPLE = "rainbow.toml", "data/corpus", "05_01"
"""The settings file, the folder of songs, and the song of the demo that is the example."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Create a new project: settings, workspace, an example song.

    FOLDER is created. A folder that already has a project or songs is not changed.
    """
    taken = [name for name in (*FILES.values(), SETTINGS, SONGS) if (folder / name).exists()]
    if taken:
        raise UsageError(f"{folder} already has {', '.join(taken)}; name a new folder, so that nothing is overwritten")
    try:
        song = _write(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); name another folder") from error
    say(f"{folder} is ready, with the example song {song}; next:")
    say(layout([f"  cd {shlex.quote(str(folder))}", "  rainbow build", "  rainbow release"]))


def _write(folder: Path) -> str:
    """Write the project and return the id of its example song."""
    from rainbow_assets.demo.write import write_example

    songs = folder / SONGS
    songs.mkdir(parents=True)
    templates = resources.files("rainbow_assets") / "project"
    for template, name in FILES.items():
        (folder / name).write_text((templates / template).read_text("utf-8"), "utf-8", newline="\n")
    (folder / SETTINGS).write_text(settings_text(), "utf-8", newline="\n")
    return write_example(songs, EXAMPLE).song_id


def settings_text() -> str:
    """Return a settings file with every default, commented out, and the meaning and allowed values of each setting."""
    lines = ["# Every setting with its default. Remove the # before a [section] and before a line to change it."]
    for section in dataclasses.fields(settings.Rules):
        block = getattr(settings.Rules(), section.name)
        lines += ["", *_comment((type(block).__doc__ or "").splitlines()[0]), f"#[{section.name}]"]
        for name, hint in rules.hints(type(block)).items():
            lines += _comment(f"{rules.meaning(hint)} ({rules.allowed(hint)})")
            lines.append(f"#{name} = {_toml(getattr(block, name))}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text.replace("``", ""), 110)]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
