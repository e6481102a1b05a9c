"""`rainbow chords`: print the best progressions in a key, and write them as MIDI and WAV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets.cli.options import AS_JSON, ColorType
from rainbow_assets.errors import RainbowError
from rainbow_assets.layout import Lines, document, layout
from rainbow_assets.terminal import say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.music.midi_write import Performance

STRATEGIES = ("best", "brute_force", "graph", "random")


@click.command()
@click.argument("key", default="C major")
@click.option("--length", default=4, show_default=True, help="Number of chords, 2 to 16.")
@click.option("--top", default=10, show_default=True, help="Number of progressions to show.")
@click.option("--color", type=ColorType(), help="Color that the chords should fit, by the trained scorer.")
@click.option("--strategy", type=click.Choice(STRATEGIES), show_default="best", help="Method of the search.")
@click.option("--weights", help="Scorers and weights, for example melody=.25,voice_leading=.3,variety=.15.")
@click.option("--candidates", default=1000, show_default=True, help="Number of draws, unless the strategy is best.")
@click.option("--seed", default=0, show_default=True, help="Seed of the draws.")
@click.option("--pack", default="builtin", show_default=True,
              help="Source of the chords: builtin, library (the asset chord_library), or a pack's folder or .tar.gz.")
@click.option("--kind", "kinds", multiple=True, help="Category of chords to use (triad, seventh ...); repeatable.")
@click.option("--start", help="First chord: a function (V), a roman (V7) or a name (E7).")
@click.option("--end", help="Last chord, written like the first.")
@click.option("--pin", "pins", multiple=True, help="Chord at a given place, for example 2=V7; repeatable.")
@click.option("--no-repeats", is_flag=True, help="Use no chord twice.")
@click.option("--low", type=click.IntRange(0, 127), help="Lowest MIDI pitch.")
@click.option("--high", type=click.IntRange(0, 127), help="Highest MIDI pitch.")
@click.option("--max-leap", type=int, help="Largest move of the top note, in semitones.")
@click.option("--midi", type=click.Path(path_type=Path, file_okay=False), help="Write MIDI files into this folder.")
@click.option("--audio", is_flag=True, help="Write a WAV file beside each MIDI file (needs --midi).")
@click.option("--bpm", default=90.0, show_default=True, help="Tempo of the files, in quarter notes per minute.")
@click.option("--rhythm", default="4", show_default=True, help="Beats per chord, repeated: 4 or 2,2,4.")
@click.option("--strum", default=0, show_default=True, help="Milliseconds between notes; negative strums downwards.")
@AS_JSON
def chords(
    key: str, length: int, top: int, color: str | None, strategy: str | None, weights: str | None, candidates: int,
    seed: int, pack: str, kinds: tuple[str, ...], start: str | None, end: str | None, pins: tuple[str, ...],
    no_repeats: bool, low: int | None, high: int | None, max_leap: int | None, midi: Path | None, audio: bool,
    bpm: float, rhythm: str, strum: int, as_json: bool,
) -> None:
    """Find chord progressions in a key.

    KEY is for example "A minor" or "Bb major" (default: "C major"). The best come first. The strategy best proves that
    no progression scores higher, or prints how much higher one could score.
    """
    from rainbow_assets.harmony import commands
    from rainbow_assets.harmony.limits import SearchLimits
    from rainbow_assets.music.errors import HarmonyUsageError
    from rainbow_assets.music.keys import parse_key
    from rainbow_assets.music.midi_write import Performance

    if audio and midi is None:
        raise HarmonyUsageError("--audio needs a folder for the files; add --midi DIR")
    asked = commands.Request(
        parse_key(key), length, top, strategy, commands.read_weights(weights, color), candidates, seed, kinds,
        SearchLimits(start, end, commands.read_pins(pins), no_repeats, low, high, max_leap), color)
    how = Performance(bpm=bpm, beats=commands.read_beats(rhythm), strum_ms=strum)
    library = _library(pack)
    result = commands.find(library, asked)
    answer = commands.values(library, asked, result)
    paths = commands.write_midi(result, midi, how) if midi is not None else []
    for path, entry, item in zip(paths, answer["progressions"], result.found, strict=False):
        entry["midi"] = path.name
        if audio:
            entry["audio"] = _render([chord.voicing for chord in item.progression], how, path.with_suffix(".wav"))
    say(_text(answer, commands.table(asked, result), midi, as_json))


def _text(answer: dict[str, Any], table: Lines, midi: Path | None, as_json: bool) -> Lines:
    if as_json:
        return document(answer, sort_keys=True)
    if midi is None:
        return table
    return layout([table, f"{counted(len(answer['progressions']), 'MIDI file')} in {midi}"])


def _library(pack: str) -> Any:
    from rainbow_assets import settings
    from rainbow_assets.harmony.library import open_library
    from rainbow_assets.harmony.stored import stored_library
    from rainbow_assets.storage.store import ShardStore

    return stored_library(ShardStore(settings.roots().data)) if pack == "library" else open_library(pack)


def _render(voicings: Sequence[Sequence[int]], how: Performance, path: Path) -> str:
    """Write ``voicings`` as a WAV file, played by the demo's electric piano; return the file's name."""
    from rainbow_assets.music.clock import Clock, Note
    from rainbow_assets.music.midi_write import play
    from rainbow_assets.sound.instruments import Timbre
    from rainbow_assets.sound.render import end_fade, render_notes, to_pcm, write_wav

    notes = [Note(note.start, note.end - note.start, note.pitch, how.velocity) for note in play(voicings, how)]
    clock = Clock(how.bpm)
    sound = render_notes(notes, clock, Timbre(decay_s=2.5, fm_index=0.6), clock.samples(how.borders(len(voicings))[-1]))
    end_fade(sound)
    try:
        write_wav(path, to_pcm(sound, peak=0.9))
    except OSError as error:
        raise RainbowError(f"the sound cannot be written to {path}: {error.strerror or error}") from error
    return path.name
