"""`rainbow demo`: write a small corpus with sound, and make everything from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rainbow_assets import progress, settings
from rainbow_assets.cli.failures import stop_if_failed
from rainbow_assets.cli.options import SongsType
from rainbow_assets.errors import UsageError
from rainbow_assets.layout import Lines, layout
from rainbow_assets.terminal import say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.storage.store import ShardStore

KEY, TOP = "A minor", 3
"""The key of the demo's chord search, and the number of progressions."""


@click.command()
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--songs-per-color", default=2, show_default=True, type=click.IntRange(1, 12),
              help="Number of songs of each color.")
@click.option("--stems-for", type=click.Path(path_type=Path), help="Folder of manifests that get stand-in media.")
@click.option("--out", "target", type=click.Path(path_type=Path), help="Folder for the songs.")
@click.option("--songs", type=SongsType(), help="Songs to render, for example 01_01,05_03 (default: all).")
@click.option("--shuffle-colors", is_flag=True, help="Assign songs to colors at random (control experiment).")
@click.option("--run", is_flag=True, help="Build, compose and publish everything from the demo corpus.")
def demo(
    out: Path | None, songs_per_color: int, stems_for: Path | None, target: Path | None, songs: str | None,
    shuffle_colors: bool, run: bool,
) -> None:
    """Write a small demo corpus of 8 colors, with sound.

    With --stems-for it renders stand-in media for existing manifests instead.
    """
    if stems_for is not None:
        if target is None:
            raise UsageError("--stems-for needs a folder for the songs and their stand-in media; add --out DIR")
        chosen = [name.strip() for name in songs.split(",") if name.strip()] if songs else None
        say(_standins(stems_for, target, chosen))
        return
    clock = _Clock()
    with clock.part("songs"):
        say(_corpus(target or out or settings.roots().corpus, songs_per_color, shuffle_colors))
    if run:
        _tour(clock)


def _corpus(out: Path, songs_per_color: int, shuffled: bool) -> Lines:
    """Write the demo corpus to ``out`` and return a summary."""
    from rainbow_assets.demo.write import write_demo

    with progress.bar("demo") as tick:
        report = write_demo(out, songs_per_color, progress=tick, shuffled=shuffled)
    return layout(report.lines())


def _standins(source: Path, out: Path, songs: list[str] | None) -> Lines:
    """Render stand-in media for the manifests in ``source`` into ``out`` and return a summary."""
    from rainbow_assets.demo.standins import render_standins

    with progress.bar("stand-ins") as tick:
        report = render_standins(source, out, songs, progress=tick)
    return layout(report.lines())


class _Clock:
    """Measures how long each part takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the time of the part ``name``."""
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun

    def line(self) -> str:
        """Return the parts with their seconds, in the order in which they ran."""
        return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())


def _tour(clock: _Clock) -> None:
    """Run every part of the project once; end with at most eight lines about the results and what to try next."""
    from rainbow_assets.definitions import defs
    from rainbow_assets.demo.threads import write_threads
    from rainbow_assets.orchestration import jobs
    from rainbow_assets.release.commands import hear
    from rainbow_assets.storage.store import ShardStore

    store = ShardStore(settings.roots().data)
    written = write_threads(settings.roots().threads)
    say("building every asset ...")
    with clock.part("tables"):
        stop_if_failed(jobs.run_colors(defs))
    with clock.part("chords"):
        progression = _chords()
    with clock.part("composition"):
        piece = _compose(store)
    with clock.part("release"):
        stop_if_failed(jobs.run_release(defs, {}))
    threads = f"{counted(written, 'thread')} packed and measured" if written else "your own threads were measured"
    say(layout([
        f"time:     {clock.line()}", f"threads:  {threads}; see: rainbow threads feedback",
        f"chords:   {progression}", f"piece:    {piece}; listen and judge it: rainbow review",
        "next:     rainbow plan; rainbow impact Green; make ui", hear(settings.roots()),
    ]))


def _chords() -> str:
    """Search for progressions, write them as MIDI, and return the best one with its file."""
    from rainbow_assets.harmony import commands
    from rainbow_assets.harmony.library import builtin_library
    from rainbow_assets.music.keys import parse_key
    from rainbow_assets.music.midi_write import Performance

    result = commands.find(builtin_library(), commands.Request(parse_key(KEY), top=TOP))
    paths = commands.write_midi(result, _folder("chords-found"), Performance())
    return f"{' '.join(chord.name for chord in result.found[0].progression)} in {paths[0]}"


def _compose(store: ShardStore) -> str:
    """Compose the example proposal and return the folder of its pieces."""
    from rainbow_assets.cli.compose import EXAMPLE, LIBRARY, MADE
    from rainbow_assets.composition import proposal, songs
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs

    path = _folder("proposals") / "demo.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXAMPLE, "utf-8", newline="\n")
    song = songs.place_order(store, proposal.read_proposal(path, {}), {})
    stop_if_failed(jobs.run_colors(defs, assets=(*LIBRARY, *MADE)))
    return str(songs.of_store(store) / song / "candidates")


def _folder(name: str) -> Path:
    """Return a folder for files of the demo: below the data folder, or below ``data`` if that is a URL."""
    from rainbow_assets.storage.files import local_folder

    return (local_folder(settings.roots().data) or Path("data")) / "demo" / name
