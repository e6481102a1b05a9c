"""Settings: every value has bounds and a sentence, and one that cannot be is named with its file and line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt

from rainbow_assets import rules
from rainbow_assets.cli.init import _toml
from rainbow_assets.errors import SettingsError
from rainbow_assets.settings import Rules, load_rules

SECTIONS = {item.name: type(getattr(Rules(), item.name)) for item in dataclasses.fields(Rules)}
ALL = [(section, name, hint) for section, kind in SECTIONS.items() for name, hint in rules.hints(kind).items()]


def read(tmp_path: Path, text: str) -> Rules:
    file = tmp_path / "rainbow.toml"
    file.write_text(text, "utf-8")
    return load_rules(file)


def outside(hint: Any) -> list[str]:
    """What cannot be written for a setting, as TOML."""
    kind = get_args(hint)[0]
    if get_origin(kind) is Literal:
        return ['"nothing of that name"', "1"]
    if kind is bool:
        return ['"yes"', "1"]
    if kind is str:
        return ["1", "true"]
    bounds = [item for item in hint.__metadata__ if isinstance(item, Ge | Gt | Le | Lt)]
    assert any(isinstance(item, Ge | Gt) for item in bounds) and any(isinstance(item, Le | Lt) for item in bounds)
    past = [item.ge - 1 if isinstance(item, Ge) else item.gt if isinstance(item, Gt) else
            item.le + 1 if isinstance(item, Le) else item.lt for item in bounds]
    return [*(str(value) if kind is int else f"{float(value):.4f}" for value in past), "nan", "inf", "true", '"1"',
            *(["1.5"] if kind is int else [])]


@pytest.mark.parametrize(("section", "name", "hint"), ALL, ids=[f"{section}.{name}" for section, name, _ in ALL])
def test_what_cannot_be_is_named_with_file_and_line(tmp_path: Path, section: str, name: str, hint: Any):
    assert rules.meaning(hint).endswith(".") and rules.allowed(hint)
    default = getattr(getattr(Rules(), section), name)
    assert read(tmp_path, f"[{section}]\n{name} = {_toml(default)}\n") == Rules()
    for value in outside(hint):
        with pytest.raises(SettingsError) as caught:
            read(tmp_path, f"# mine\n[{section}]\n\n{name} = {value}\n")
        said = str(caught.value)
        assert said.startswith(f"{tmp_path / 'rainbow.toml'}, line 4: {section}.{name} is "), said
        assert said.endswith(f"; write {rules.allowed(hint)}"), said


@pytest.mark.parametrize(("text", "said"), [
    ("[slices]\nsnap = 3\n", "line 2: [slices] has no setting 'snap'; known: lyric_tail_ms"),
    ("[slice]\nsnap = 3\n", "line 1: no settings section is called [slice]; known: slices"),
    ("[slices]\nwindow_ms = 1000\n", "line 1: slices.overlap_ms must be less than slices.window_ms"),
    ("[slices]\nwindow_ms = 2500\nmin_ms = 2600\n", "line 1: slices.min_ms must be at most slices.window_ms"),
    ("[splits]\ntest = 0.95\n", "line 1: splits.validation and splits.test must add up to less than 1"),
    ("[composition]\nstages = 'drums'\n", "line 1: composition.stages is 'drums'; write some of chords, drums"),
    ("[slices\n", "is not valid TOML"), ("slices = 1\n", "no settings section is called [slices]"),
])
def test_other_mistakes_are_sentences_too(tmp_path: Path, text: str, said: str):
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_whole_number_is_a_number(tmp_path: Path):
    assert read(tmp_path, "[audio]\nsilence_db = -50\n").audio.silence_db == -50
