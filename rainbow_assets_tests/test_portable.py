"""The program imports and runs where POSIX is missing, and without doc strings and asserts."""

from __future__ import annotations

import ast
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import rainbow_assets

ROOT = Path(rainbow_assets.__file__).resolve().parent
FILES = sorted(ROOT.rglob("*.py"))
POSIX = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "readline", "curses")
IMPORT_ALL = f"""
import builtins, importlib, pkgutil, sys
real = builtins.__import__

def without_posix(name, globals=None, locals=None, fromlist=(), level=0):
    if name in {POSIX!r} and str((globals or {{}}).get("__name__", "")).startswith("rainbow_assets"):
        raise ModuleNotFoundError(f"No module named {{name!r}}")
    return real(name, globals, locals, fromlist, level)

builtins.__import__ = without_posix
import rainbow_assets
found = [item.name for item in pkgutil.walk_packages(rainbow_assets.__path__, "rainbow_assets.")]
for name in found:
    if name not in {{"rainbow_assets.embeddings.modal_app", "rainbow_assets.fitness.modal_app"}}:
        importlib.import_module(name)
print(len(found))
"""
SYSTEM = {"os.fork", "os.pwrite", "os.pread", "os.getuid", "os.geteuid", "os.mkfifo", "os.sched_getaffinity", "os.uname",
          "os.O_CLOEXEC", "os.O_NOFOLLOW", "os.O_NONBLOCK", "os.O_DIRECTORY", "signal.SIGKILL", "signal.SIGALRM",
          "signal.alarm", "os.killpg", "os.setsid"}
"""What Windows lacks; ``getattr(os, name, 0)`` is the way to use a flag where it exists."""


def test_every_module_imports_where_posix_is_missing():
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == len(list(pkgutil.walk_packages(rainbow_assets.__path__, "rainbow_assets.")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_needs_one_system(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    used = {f"{node.value.id}.{node.attr}" for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}
    assert used & SYSTEM == set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "write_text":
            assert any(item.arg == "newline" for item in node.keywords), f"line {node.lineno}: newline differs by system"


IN_TURN = """
import sys
from rainbow_assets.cli import main
for words in {commands!r}:
    print(f"== {{words}}", flush=True)
    try:
        main(words)
    except SystemExit as done:
        if done.code:
            sys.exit(f"{{words}} ended with {{done.code}}")
"""


def rainbow(folder: Path, *commands: list[str], flag: str = "-OO") -> subprocess.CompletedProcess[str]:
    """Run commands in one process without doc strings and asserts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAINBOW_", "DAGSTER_"))}
    env = {**kept, "PYTHONPATH": str(ROOT.parent), "DAGSTER_HOME": str(folder), "RAINBOW_CORPUS": str(folder / "corpus")}
    return subprocess.run([sys.executable, flag, "-c", IN_TURN.format(commands=commands)], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=300)


def test_commands_run_without_doc_strings_and_asserts(project: Path):
    folder, plan = project.parent, ["plan", "--json"]
    done = rainbow(folder, ["--version"], ["lint"], ["build", "--color", "Green", "--asset", "base_manifest"],
                   ["chords", "A minor", "--length", "3"], plan)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = rainbow(folder, plan, flag="-B").stdout
    assert '"stale"' in shown and done.stdout.endswith(shown), "one code version"


def test_help_is_there_without_doc_strings(tmp_path: Path):
    done = rainbow(tmp_path, ["plan", "--help"])
    assert done.returncode == 0 and "--json" in done.stdout
