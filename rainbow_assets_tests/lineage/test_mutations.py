"""Every module behind every step is changed in a copy of the package: exactly the steps that use it go stale.

Which steps use a module is taken from another tool (grimp, which import-linter is built on), not from the code under
test.
"""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import grimp
import pytest

from rainbow_assets import rooms
from rainbow_assets.lineage import codeversion
from rainbow_assets.lineage.codeversion import FACES, PACKAGE, STOPS, closure

ROOT = Path(__file__).resolve().parents[2]


def steps() -> dict[str, tuple[str, ...]]:
    return {name: step.code for name, step in rooms.steps().items()}


def by_grimp() -> dict[str, set[str]]:
    """{step: the modules that it imports, directly or not}, stops left out, as grimp sees the imports."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)

    def stops(module: str) -> bool:
        parts = module.split(".")
        return len(parts) == 1 or parts[1] in STOPS or parts[-1] in FACES

    found = {}
    for name, code in steps().items():
        reached, todo = set(), list(code)
        while todo:
            module = todo.pop()
            if module not in reached and not stops(module):
                reached.add(module)
                todo.extend(graph.find_modules_directly_imported_by(module))
        found[name] = reached
    return found


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that code versions are computed from."""
    package = tmp_path / PACKAGE
    shutil.copytree(ROOT / PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "*.html", "*.j2"))

    def located(module: str) -> Path | None:
        path = tmp_path.joinpath(*module.split("."))
        return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

    monkeypatch.setattr(codeversion, "_file", located)
    return tmp_path


def versions() -> dict[str, str]:
    codeversion.code_version.cache_clear()
    codeversion._module.cache_clear()
    try:
        return {name: codeversion.code_version(code) for name, code in steps().items()}
    finally:
        codeversion.code_version.cache_clear()


def mutated(source: str) -> str:
    """Change the first constant that is no doc string; a module without one gets one."""
    tree = ast.parse(source)
    strings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in strings and isinstance(node.value, int | float | str):
            node.value = node.value + ("!" if isinstance(node.value, str) else 1)
            return ast.unparse(tree)
    return source + "\nCONSTANT = 1\n"


def reformatted(source: str) -> str:
    """The same code in another layout, with other comments and doc strings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant("Said in other words."))
    return "# another remark\n" + ast.unparse(tree).replace("\n", "  # remark\n", 1) + "\n\n\n"


def test_each_module_of_each_step_counts_and_no_other(copy: Path):
    expected = by_grimp()
    assert {name: set(closure(code)) for name, code in steps().items()} == expected
    before = versions()
    modules = sorted(set().union(*expected.values()))
    assert len(modules) >= 30
    for module in modules:
        path = codeversion._file(module)
        assert path is not None
        source = path.read_text("utf-8")
        path.write_text(mutated(source), "utf-8")
        now = versions()
        assert {name for name in now if now[name] != before[name]} == {
            name for name in expected if module in expected[name]}, module
        path.write_text(source, "utf-8")
    assert versions() == before


def test_reformatting_every_module_moves_nothing(copy: Path):
    before = versions()
    for module in sorted(set().union(*by_grimp().values())):
        path = codeversion._file(module)
        assert path is not None
        path.write_text(reformatted(path.read_text("utf-8")), "utf-8")
    assert versions() == before


def test_sound_does_not_hang_on_text_code():
    """What reads lyrics, manifests or modes may change without a second of audio being cut or encoded again."""
    modules = set(closure(rooms.steps()["segment_media"].code))
    text = {f"rainbow_assets.{name}" for name in (
        "taxonomy", "corpus.lrc", "corpus.manifest", "corpus.reader", "corpus.timecode", "segments.slicing")}
    assert modules.isdisjoint(text)
