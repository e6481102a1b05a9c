"""`rainbow init`: a folder that commands run in, settings that are those of the code, and nothing overwritten."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from click.testing import CliRunner

from rainbow_assets.cli import main
from rainbow_assets.cli.init import settings_text
from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.settings import Rules, load_rules


def test_a_new_project_has_a_song_without_errors(tmp_path: Path):
    done = CliRunner().invoke(main, ["init", str(tmp_path / "new")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report = lint_report(tmp_path / "new/data/corpus")
    assert report.songs == 1 and not report.quarantined
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        ".gitignore", "README.md", "dagster.yaml", "data", "rainbow.toml", "workspace.yaml"}


def test_nothing_is_overwritten(tmp_path: Path):
    (tmp_path / "rainbow.toml").write_text("mine", "utf-8")
    done = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert done.exit_code == 2
    assert "already has rainbow.toml" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["rainbow.toml"]
    (tmp_path / "a_file").write_text("", "utf-8")
    assert CliRunner().invoke(main, ["init", str(tmp_path / "a_file/below")]).exit_code == 2


def test_the_settings_file_names_every_setting_at_its_default(tmp_path: Path):
    (tmp_path / "none.toml").write_text(settings_text(), "utf-8")
    assert load_rules(tmp_path / "none.toml") == Rules()
    (tmp_path / "all.toml").write_text(re.sub(r"(?m)^#(?=[\[a-z])", "", settings_text()), "utf-8")
    assert tomllib.loads((tmp_path / "all.toml").read_text("utf-8"))["slices"]["snap_ms"] == 2000
    assert load_rules(tmp_path / "all.toml") == Rules()
