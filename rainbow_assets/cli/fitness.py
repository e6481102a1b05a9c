"""`rainbow fitness`: score how well files fit a color; train and evaluate the scorer."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import settings
from rainbow_assets.cli.groups import WholeSummaries
from rainbow_assets.cli.options import ColorType
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.layout import Lines, document, layout
from rainbow_assets.terminal import say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.fitness.scorer import ChromaticScorer, Score

MUSIC, SOUND = (".mid", ".midi"), (".wav", ".flac")
SCORE = "score"
MADE = ("piano_rolls", "fusion_training_set", "fusion_model", "fusion_evaluation", "chromatic_scorer")


class Fitness(WholeSummaries):
    """A group whose first argument may be a file: `rainbow fitness FILE...` means `rainbow fitness score FILE...`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Pass arguments that start with no command of the group to `score`."""
        if args and args[0] not in self.commands:
            return SCORE, self.commands[SCORE], args
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Allow options of `score` before the files."""
        if args and args[0].startswith("--") and args[0] not in ("--help",):
            args = [SCORE, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Fitness, context_settings={"help_option_names": ["-h", "--help"]})
def fitness() -> None:
    """Score how well music, sound or words fit a color.

    Write: rainbow fitness FILE... --color Green.

    FILE is MIDI (.mid) or sound (.wav, .flac). 0.5 means that the scorer is undecided, 1 is the best possible score,
    for every color alike. Black and White have no target and get no fitness.
    """


@fitness.command(name=SCORE)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--color", type=ColorType(), required=True, help="Color to fit, by name or letter.")
@click.option("--concept", help="Concept of the song; then the output also shows what the music adds.")
@click.option("--lyric", help="Words of the song.")
@click.option("--scorer", "model", type=click.Path(path_type=Path), help="ONNX scorer (default: the built one).")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def score(
    files: tuple[Path, ...], color: str, concept: str | None, lyric: str | None, model: Path | None, as_json: bool
) -> None:
    """Score files against a color, best first."""
    if not files and not (concept or lyric):
        raise UsageError("there is nothing to score; name a MIDI or sound file, or add --concept or --lyric")
    for file in files:
        if not file.is_file():
            raise UsageError(f"{file} is not a file; name a MIDI or sound file")
        if file.suffix.lower() not in (*MUSIC, *SOUND):
            raise UsageError(f"{file} is neither MIDI nor sound; name a file that ends with "
                             f"{', '.join((*MUSIC, *SOUND))}")
    scorer = _opened(model)
    found = [(str(file), _scored(scorer, file, color, concept, lyric)) for file in files]
    if not files:
        found = [("(words)", scorer.score(concept=concept, lyric=lyric, color=color))]
    found.sort(key=lambda item: -1.0 if item[1].fitness is None else item[1].fitness, reverse=True)
    say(_json(scorer, found) if as_json else _text(scorer, color, found))
    sys.exit(1 if all(item.fitness is None for _, item in found) else 0)


def _opened(model: Path | None) -> ChromaticScorer:
    from rainbow_assets.fitness.chromatic_scorer import load
    from rainbow_assets.fitness.scorer import ChromaticScorer

    if model is None:
        from rainbow_assets.storage.store import ShardStore

        return load(ShardStore(settings.roots().data))
    if not model.is_file():
        raise UsageError(f"the scorer {model} is not a file; name an ONNX file, or leave out --scorer")
    return ChromaticScorer(model.read_bytes())


def _scored(scorer: ChromaticScorer, file: Path, color: str, concept: str | None, lyric: str | None) -> Score:
    """Return the score of one file; a file that cannot be read has no fitness, but a reason."""
    from rainbow_assets.fitness.scorer import Score

    try:
        if file.suffix.lower() in MUSIC:
            return scorer.score(midi=file, concept=concept, lyric=lyric, color=color)
        return scorer.score(audio=file, concept=concept, lyric=lyric, color=color)
    except RainbowError as error:
        return Score(color, None, None, {}, None, (), 0, scorer.status, str(error))


def _json(scorer: ChromaticScorer, found: list[tuple[str, Score]]) -> Lines:
    return document({"status": scorer.status, "reasons": list(scorer.contract.reasons), "scorer": scorer.sha256,
                "scores": [{"file": name, **asdict(item)} for name, item in found]})


def _text(scorer: ChromaticScorer, color: str, found: list[tuple[str, Score]]) -> Lines:
    lines = [f"the scorer is {scorer.status}", *(f"  {reason}" for reason in scorer.contract.reasons), ""]
    width = max(len(name) for name, _ in found)
    lines.append(f"{'file':<{width}}  {color:>8}  {'music':>7}  modes")
    for name, item in found:
        if item.fitness is None:
            lines.append(f"{name:<{width}}  {'-':>8}  {'':>7}  {item.reason}")
            continue
        best = ", ".join(f"{max(kind, key=lambda label: kind[label])} {max(kind.values()):.2f}"
                         for kind in item.modes.values())
        added = "" if item.relative is None else f"{item.relative:+.3f}"
        lines.append(f"{name:<{width}}  {item.fitness:>8.3f}  {added:>7}  {best}")
    return layout(lines)


@fitness.command()
def train() -> None:
    """Train, evaluate and export the scorer."""
    _materialize(*MADE)
    _evaluated(False)


@fitness.command()
@click.option("--json", "as_json", is_flag=True, help="Print the evaluation as JSON.")
def evaluate(as_json: bool) -> None:
    """Show how well the models score songs that they were not trained on.

    It also prints if the scorer may be used for ranking.
    """
    _evaluated(as_json)


def _materialize(*assets: str) -> None:
    from rainbow_assets.cli.failures import stop_if_failed
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs

    result = jobs.run_colors(defs, assets=assets)
    stop_if_failed(result)
    computed, _ = jobs.rows(result)
    say(f"brought up to date: {', '.join(assets)} ({counted(computed, 'row')} computed)")


def _evaluated(as_json: bool) -> None:
    from rainbow_assets.fitness import summaries
    from rainbow_assets.storage.shard import MissingShard
    from rainbow_assets.storage.store import ShardStore

    store = ShardStore(settings.roots().data)
    try:
        rows = store.shard("fusion_evaluation").rows()
        scorers = store.shard("chromatic_scorer").rows(without=["onnx"])
    except MissingShard as error:
        raise UsageError("no model has been evaluated yet; run: rainbow fitness train") from error
    if not rows or not scorers:
        raise RainbowError("no model could be trained: torch is not installed (pip install 'rainbow-assets[torch]'), "
                           "or there are too few songs; find out which: rainbow why fusion_model")
    if as_json:
        say(document({"evaluation": rows, "scorer": scorers[0]}))
        return
    say(layout([*summaries.evaluation_lines(rows), "", f"the scorer is {scorers[0]['status']}",
                *(f"  {reason}" for reason in scorers[0]["reasons"])]))
