"""What a shell completes: colors, assets, songs, versions; and that it is quick because nothing is loaded for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.cli import main
from rainbow_assets.cli.options import ASSETS


def completed(*words: str) -> list[str]:
    return [item.value for item in ShellComplete(main, {}, "rainbow", "_X").get_completions(list(words[:-1]), words[-1])]


def test_every_asset_is_in_the_list():
    assert sorted(ASSETS) == sorted(GRAPH)


@pytest.mark.parametrize(("words", "found"), [
    (["re"], ["release", "review"]),
    (["build", "--color", "g"], ["Green"]),
    (["build", "--asset", "song"], ["song_splits"]),
    (["why", "train"], ["training_segments", "training_full"]),
    (["impact", "02"], ["02_01"]),
    (["impact", "vi"], ["Violet"]),
])
def test_names_are_completed(project: Path, words: list[str], found: list[str]):
    assert completed(*words) == found


def test_versions_are_completed(project: Path):
    for name in ("v1.0.0", "v1.1.0", "staging"):
        (Path(settings.roots().hub) / name).mkdir(parents=True)
    assert completed("verify", "") == ["v1.0.0", "v1.1.0"]
    assert completed("diff", "1.1") == ["v1.1.0"]


def test_completion_loads_no_table_and_no_dagster(project: Path):
    code = ("import sys; from click.shell_completion import ShellComplete; from rainbow_assets.cli import main\n"
            "ShellComplete(main, {}, 'rainbow', '_X').get_completions(['build', '--asset'], 'a')\nprint(*sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1000:]
    assert not {"dagster", "polars", "pyarrow", "torch"} & set(done.stdout.split())
