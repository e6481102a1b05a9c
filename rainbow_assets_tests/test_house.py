"""The rules of the house that no tool checks: names, sizes, and who imports whom for what."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import rainbow_assets

PACKAGE = Path(rainbow_assets.__file__).parent
FILES = {file.relative_to(PACKAGE).as_posix(): file.read_text("utf-8") for file in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in FILES.items()}
DECLARATIONS_READ = {
    "cli/fitness.py": {"load"}, "composition/scoring.py": {"chromatic_scorer"}, "fitness/progressions.py": {"chromatic_scorer"},
    "corpus/targets.py": {"BASE_MANIFEST"}, "corpus/watch.py": {"BASE_MANIFEST"},
    "embeddings/published.py": {"ASSETS"}, "release/vectors.py": {"ASSETS"},
    "release/tables.py": {"INTERNAL", "RANK"},
}
"""What is taken from the module of an asset: the declaration, or a function; rows are read by key and column."""


def test_nobody_imports_the_module_of_an_asset_to_read_its_rows():
    modules = {node.module for node in ast.walk(TREES["assets.py"]) if isinstance(node, ast.ImportFrom)} - {
        "rainbow_assets.lineage.graph", "__future__"}
    found: dict[str, set[str]] = {}
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and name != "assets.py":
                taken = {item.name for item in node.names if {node.module, f"{node.module}.{item.name}"} & modules}
                found.setdefault(name, set()).update(taken)
    assert {name: taken for name, taken in found.items() if taken} == DECLARATIONS_READ


def test_a_name_is_of_one_class():
    names = Counter(node.name for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_file_has_at_most_500_lines():
    assert [name for name, text in FILES.items() if text.count("\n") > 500] == []


DOORS = {
    r"click\.s?echo\(|\bprint\(|sys\.std(out|err)\.write|console\.print": {"terminal.py"},
    r"\bMarkdown\(": {"markdown.py", "caches.py", "release/card.py", "release/publish.py"},
    r"\bLines\(": {"layout.py"},
    r"MetadataValue\.md|MarkdownMetadataValue": {"orchestration/events.py"},
    r"jinja2\.Environment\(": {"pages.py"},
    r"(?m)^import html|^from html import|markupsafe\.escape": {"text.py"},
    r"fsspec\.\w+\(|url_to_fs|fsspec\.core": {"storage/files.py"},
    r"\"://\"|\"file://\"": {"storage/files.py"},
}
"""What only these files may do: write to the terminal, make Markdown and pages, escape for HTML, read URLs."""


def statements(text: str) -> str:
    """The source without docstrings and comments."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))] or [ast.Pass()]
    return ast.unparse(tree).replace("'", '"')


def test_nobody_goes_around_the_doors():
    sources = {name: statements(text) for name, text in FILES.items()}
    for pattern, allowed in DOORS.items():
        found = {name for name, text in sources.items() if re.search(pattern, text)}
        assert found == allowed, pattern


def test_a_pattern_of_files_is_written_in_the_source():
    """A path in a pattern would be read as one."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("glob", "rglob", "iglob"):
                put = [item for part in node.args for item in ast.walk(part) if isinstance(item, ast.Name)]
                assert all(item.id.isupper() for item in put), f"{name}, line {node.lineno}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pl.read_parquet", "pl.scan_parquet"):
                assert any(item.arg == "glob" and ast.unparse(item.value) == "False" for item in node.keywords), name
