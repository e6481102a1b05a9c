"""Advice is tried: every command that a message or page of the program names is one that the command line takes."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import rainbow_assets
from rainbow_assets.cli import main

PACKAGE = Path(rainbow_assets.__file__).parent
COMMAND = re.compile(r"\brainbow ((?:[a-z]+|\0\d+\0)(?: [^\s;,)`\"'<|:]+)*)")
PATHS = re.compile(r"\b(?:cd|export|rm|mv|cp) [^;,)\n]*?\0(\d+)\0")
NAMES = {"partition", "VARIABLE", "asset"}
"""What a sentence may write into a command as it is: names that have no spaces."""


def sentences() -> Iterator[tuple[str, str, list[str]]]:
    """(file, text, what it puts in) of each text of the program but docstrings; \\0N\\0 in a text is the Nth of them."""
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                if isinstance(node, ast.JoinedStr | ast.Expr):
                    continue
                if isinstance(child, ast.Constant) and isinstance(child.value, str):
                    yield file.name, child.value, []
                if isinstance(child, ast.JoinedStr):
                    put = [item.value for item in child.values if isinstance(item, ast.FormattedValue)]
                    text = "".join(f"\0{put.index(item.value)}\0" if isinstance(item, ast.FormattedValue)
                                   else str(item.value) for item in child.values if hasattr(item, "value"))
                    yield file.name, text, [ast.unparse(item) for item in put]
    for file in sorted([*PACKAGE.rglob("*.j2"), *PACKAGE.rglob("project/*")]):
        yield file.name, file.read_text("utf-8"), []


def advice() -> list[tuple[str, str]]:
    """(file, command) of each command in a text, with a name in place of what the text puts in."""
    return sorted({(file, re.sub("\0\\d+\0", "Green", found[1]).rstrip("."))
                   for file, text, _ in sentences() for found in COMMAND.finditer(text)})


def test_there_is_advice():
    assert len(advice()) > 40


@pytest.mark.parametrize(("file", "command"), advice())
def test_the_command_line_takes_each_command_that_is_named(file: str, command: str):
    words, parser, context = shlex.split(command), main, click.Context(main)
    while isinstance(parser, click.Group) and words:
        _, found, words = parser.resolve_command(context, words)
        assert found is not None, words
        parser, context = found, click.Context(found, context)
    parser.make_context(command, words, parent=context.parent)


def test_what_is_put_into_a_command_is_quoted_for_the_shell():
    bare = [(file, put[int(number)]) for file, text, put in sentences()
            for found in (*COMMAND.finditer(text), *PATHS.finditer(text))
            for number in re.findall("\0(\\d+)\0", found[0]) if not put[int(number)].startswith("shlex.quote(")]
    assert [item for item in bare if item[1] not in NAMES] == []
