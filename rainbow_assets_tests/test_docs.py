"""The documents are true: commands exist and run, links resolve, tables are those of the code, examples work."""

from __future__ import annotations

import dataclasses
import doctest
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rainbow_assets.cli import main
from rainbow_assets.corpus.anomalies import KINDS
from rainbow_assets.harmony.model import KINDS as PACK_KINDS
from rainbow_assets.lineage import verdicts
from rainbow_assets.segments.slicing import REASONS
from rainbow_assets.settings import Rules
from rainbow_assets.storage.store import ShardStore

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> list[tuple[str, str]]:
    """(page, command) of every `rainbow` line in a console block."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in block.splitlines():
                words = line.split("#")[0].strip()
                if "rainbow " in words and not words.startswith("export"):
                    found.append((page.name, words[words.index("rainbow "):]))
    return found


MODULES = sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
                 for path in (ROOT / "rainbow_assets").rglob("*.py") if ">>> " in path.read_text("utf-8"))


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module: str):
    done = doctest.testmod(importlib.import_module(module))
    assert done.attempted and not done.failed


def test_people_find_examples_where_they_begin():
    assert len(MODULES) >= 10


def test_the_drawing_is_of_todays_imports():
    """If this fails, draw it again: python docs/pictures/structure.py."""
    spec = importlib.util.spec_from_file_location("structure", ROOT / "docs/pictures/structure.py")
    drawing = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(drawing)  # type: ignore[union-attr]
    assert drawing.PICTURE.read_text("utf-8") == drawing.draw()
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert [name for name in drawing.imports() if f"`{name}" not in text and name != "root helpers"] == []


def test_files_that_the_walks_name_exist():
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = re.findall(r"`(\w+/\w+\.py)`", text)
    assert len(named) > 15 and [name for name in named if not (ROOT / "rainbow_assets" / name).exists()] == []


def test_there_are_commands_to_hold():
    assert len(commands()) >= 15


@pytest.mark.parametrize(("page", "command"), commands())
def test_every_command_is_one_that_exists(page, command):
    _, verb, *words = shlex.split(command)
    found = main.get_command(click.Context(main), verb)
    with click.Context(found) as context:
        found.make_parser(context).parse_args(list(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def tables() -> dict[tuple[str, str], str]:
    """What the generated tables have to say."""
    settings = [f"| `{section.name}.{item.name}` | `{item.default!r}` |" for section in dataclasses.fields(Rules)
                for item in dataclasses.fields(getattr(Rules(), section.name))]
    kinds = [f"| `{kind}` | {severity} | {meaning} |" for kind, (severity, meaning) in KINDS.items()]
    packs = [f"| `{kind}` | {severity}: {meaning} |" for kind, (severity, meaning) in PACK_KINDS.items()]
    reasons = [f"| `{reason}` | {meaning} |" for reason, meaning in REASONS.items()]
    return {
        ("segments.md", "settings"): "\n".join(["| setting | default |", "|---|---|", *settings]),
        ("segments.md", "reasons"): "\n".join(["| reason | meaning |", "|---|---|", *reasons]),
        ("harmony.md", "anomalies"): "\n".join(["| kind | meaning |", "|---|---|", *packs]),
        ("corpus.md", "anomalies"): "\n".join(["| kind | severity | meaning |", "|---|---|---|", *kinds]),
    }


@pytest.mark.parametrize(("page", "name"), sorted(tables()))
def test_generated_tables_are_those_of_the_code(page, name):
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.search(rf"<!-- generated: {name} -->\n(.*?)\n?<!-- end -->", text, re.DOTALL)
    assert found is not None
    assert found[1] == tables()[page, name]


def test_the_example_asset_works_exactly_as_written(tmp_path: Path):
    """On a copy of the package: one file, one line, one test; Dagster materializes it, and the command builds it."""
    text = (ROOT / "docs/add-an-asset.md").read_text("utf-8")
    asset, test = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    line, instead = re.findall(r"^[-+](    BASE_MANIFEST.*)$", text, re.MULTILINE)
    for name in ("rainbow_assets", "rainbow_assets_tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "rainbow_assets/corpus/concept_words.py").write_text(asset, "utf-8")
    (tmp_path / "rainbow_assets_tests/corpus/test_concept_words.py").write_text(test, "utf-8")
    graph = tmp_path / "rainbow_assets/assets.py"
    before, after = graph.read_text("utf-8"), "from rainbow_assets.corpus.base_manifest import BASE_MANIFEST\n"
    assert line in before and after in before
    graph.write_text(before.replace(line, instead).replace(
        after, f"{after}from rainbow_assets.corpus.concept_words import CONCEPT_WORDS\n"), "utf-8")

    def run(*words: str) -> str:
        done = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(tmp_path), "DAGSTER_HOME": str(tmp_path),
                                   "RAINBOW_DATA": str(tmp_path / "data"), "RAINBOW_CORPUS": str(tmp_path / "corpus")})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("pytest", "-q", "-p", "no:cacheprovider", "rainbow_assets_tests/corpus/test_concept_words.py")
    run("rainbow_assets.cli", "demo", "corpus", "--songs-per-color", "1")
    run("dagster", "asset", "materialize", "-m", "rainbow_assets.definitions", "--select", "base_manifest,concept_words",
        "--partition", "Red")
    assert "concept_words" in run("rainbow_assets.cli", "why", "concept_words", "--color", "Red")
    shard = ShardStore(str(tmp_path / "data")).shard("concept_words", "Red")
    assert {verdict.check for verdict in verdicts.read(shard)} == {"unique_keys", "no_concept_is_empty"}


def test_the_search_for_chords_runs_as_written(project: Path, capsys: pytest.CaptureFixture[str]):
    text = (ROOT / "docs/harmony.md").read_text("utf-8")
    with pytest.warns(UserWarning, match="chromatic_fitness"):  # no scorer was trained here: its weight is shared out
        exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})  # type: ignore[index]
    assert capsys.readouterr().out.count("\n") == 10


def test_documented_commands_run(whole: Path):
    for words in (["lint"], ["lint", "--json"], ["build"], ["plan"], ["plan", "--json"], ["plan", "--html", "plan.html"],
                  ["why", "segments"], ["why", "training_full", "--color", "Green"], ["impact", "Green"], ["impact", "05_01/05_01.lrc"], ["impact", "05_01", "--removed"],
                  ["impact", "05_01", "--color", "Blue"],
                  ["demo", "songs", "--songs-per-color", "1"], ["release", "--version", "0.3.0"]):
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, (words, done.output)
