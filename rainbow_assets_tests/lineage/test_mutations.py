"""Code versions of the real package, held against other witnesses than the code that computes them.

Definitions are changed in a copy of the package, everything is renamed and moved in a copy, and the functions that a
real build calls are compared with those that the versions follow.
"""

from __future__ import annotations

import ast
import inspect
import os
import random
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import CodeType, FrameType

import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.embeddings.row_asset import EmbeddingAsset
from rainbow_assets.lineage import codeversion, definitions, verdicts
from rainbow_assets.lineage.codeversion import PACKAGE, Code, CodeCache, Root
from rainbow_assets.lineage.ledger import commit, reconcile
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets_tests.counts import count

HOME = Path(codeversion.__file__).parents[1]


def roots() -> dict[str, tuple[Root, ...]]:
    """{step: the functions that it names}."""
    return {name: step.code.roots for name, step in GRAPH.items()}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> CodeCache:
    """Modules are parsed once for all tests here."""
    return CodeCache(tmp_path_factory.mktemp("parsed"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that code versions are computed from."""
    package = tmp_path / PACKAGE
    shutil.copytree(HOME, package, ignore=shutil.ignore_patterns("__pycache__", "*.html", "*.j2"))
    return package


def path_of(package: Path, module: str) -> Path:
    place = package.joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def versions(package: Path, parsed: CodeCache) -> dict[str, str]:
    code = Code(package, parsed)
    return {name: code.version(of) for name, of in roots().items()}


def mutated(source: str, lines: tuple[int, int]) -> str | None:
    """Change the first constant within ``lines`` that is neither a doc string nor an annotation; None without one."""
    tree = ast.parse(source)
    left_out = {id(inner) for node in ast.walk(tree) for part in (
        [node.value] if isinstance(node, ast.Expr) else [getattr(node, "annotation", None), getattr(node, "returns", None)])
        if isinstance(part, ast.AST) for inner in ([part] if isinstance(node, ast.Expr) else ast.walk(part))}
    for node in ast.walk(tree):
        if (isinstance(node, ast.Constant) and id(node) not in left_out and lines[0] <= node.lineno <= lines[1]
                and isinstance(node.value, int | float | str)):
            # Twice and one more: one more alone is the same number for a large float.
            node.value = f"{node.value}!" if isinstance(node.value, str) else 2 * node.value + 1
            return ast.unparse(tree)
    return None


@pytest.mark.counted
def test_a_changed_constant_makes_those_steps_stale_that_use_it(
    copy: Path, parsed: CodeCache, record_property: Callable[[str, object], None]
) -> None:
    """For every step one constant that is its alone, and a sample of all others."""
    code = Code(copy, parsed)
    users: dict[Root, set[str]] = {}
    for name, of in roots().items():
        for root in code.closure(of):
            users.setdefault(root, set()).add(name)
    alone = sorted(root for root, names in users.items() if len(names) == 1)
    shared = sorted(set(users) - set(alone))
    others = random.Random(os.environ["RAINBOW_TEST_SEED"]).sample(shared, min(len(shared), count("mutations")))
    before, done, tried = versions(copy, parsed), set[str](), 0
    for module, name in [*alone, *others]:
        if len(users[module, name]) == 1 and users[module, name] <= done:
            continue
        here = code.module(module)
        assert here is not None
        path = path_of(copy, module)
        source = path.read_text("utf-8")
        edited = mutated(source, here.of(name)[0].lines) if name else None
        if edited is None:
            continue
        path.write_text(edited, "utf-8")
        now = versions(copy, parsed)
        path.write_text(source, "utf-8")
        bound = {(module, other) for other in here.of(name)[0].binds}  # one statement may bind two names
        assert {step for step in now if now[step] != before[step]} == set[str]().union(
            *(users[root] for root in bound & set(users))), (module, name)
        done |= users[module, name] if len(users[module, name]) == 1 else set()
        record_property("constants that were changed", "with the right steps stale")
        tried += 1
    assert versions(copy, parsed) == before
    assert tried > 20
    # What two steps have in common, to the last line: one function makes both, with other values.
    assert set(roots()) - done <= {"function_graph", "chord_graph", "chord_library", "progression_library"}


def test_the_code_of_an_encoder_counts_by_the_version_of_its_spec(copy: Path, parsed: CodeCache):
    before = versions(copy, parsed)
    for module in ("minilm", "descriptor", "encoders"):
        path = path_of(copy, f"{PACKAGE}.embeddings.{module}")
        edited = mutated(path.read_text("utf-8"), (1, 500))
        assert edited is not None
        path.write_text(edited, "utf-8")
    assert versions(copy, parsed) == before
    specs = path_of(copy, f"{PACKAGE}.embeddings.specs")
    specs.write_text(specs.read_text("utf-8").replace("5b0cdd2f2b081393", "5b0cdd2f2b081394"), "utf-8")
    now = versions(copy, parsed)
    assert {"chromatic_scorer", "chord_candidates"} <= {name for name in now if now[name] != before[name]}


def renamed(source: str, kept: set[str]) -> str:
    """The same module with other private names, other layout, and other words in its doc strings."""
    tree = ast.parse(source)
    private = {name for name in definitions.read(source).bound if re.fullmatch(r"_[A-Za-z]\w+", name)} - kept
    taken = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword | ast.arg) and node.arg}
    for node in ast.walk(tree):
        for field in ("id", "name"):
            if getattr(node, field, None) in private - taken and not isinstance(node, ast.alias):
                setattr(node, field, f"{getattr(node, field)}_renamed")
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant("Said in other words."))
    return "# another remark\n" + ast.unparse(tree).replace("\n", "  # remark\n", 1) + "\n\n\n"


def test_renaming_and_moving_everything_moves_nothing(copy: Path, parsed: CodeCache):
    """Private names get others, and every module goes to another place and is passed on from the old one."""
    before, own = versions(copy, parsed), {root for of in roots().values() for root in of}
    for module in sorted({module for of in roots().values() for module, _ in Code(copy, parsed).closure(of)}):
        path = path_of(copy, module)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        source = renamed(path.read_text("utf-8"), {name for of, name in own if of == module})
        there = path.with_name(f"moved_{path.stem.strip('_')}.py")
        there.write_text(source, "utf-8")
        here = definitions.read(source)
        names = ", ".join([*here.bound, *here.imports])
        path.write_text(f"from {package}.{there.stem} import {names}\n" if names else "", "utf-8")
    assert versions(copy, parsed) == before


def test_no_module_that_shapes_rows_changes_what_another_one_owns():
    """A table that another module fills while it is imported would not be seen by those who use it."""
    code = codeversion.code()
    for module in sorted({module for of in roots().values() for module, _ in code.closure(of)}):
        here = code.module(module)
        assert here is not None and here.effects == [], module


@pytest.mark.heavy
def test_what_a_build_calls_is_what_versions_follow(project: Path):
    """Every function of ours that runs while rows are made is in the version of its step, or behind a stop."""
    # The spec's own version stands for the code that makes vectors of inputs.
    vectors = (f"{PACKAGE}.embeddings.", f"{PACKAGE}.sound.flac", f"{PACKAGE}.sound.waveform")
    store, unseen, calls = ShardStore(str(project)), {}, 0
    for name, step in GRAPH.items():
        seen: set[Root] = set()
        for partition in step.partitions:
            shard = store.shard(name, partition)
            with profiled(seen) if partition in ("Green", WHOLE) else nullcontext():
                delta = reconcile(step, shard)
                commit(delta, step.compute(delta.work()))
            verdicts.ensure(shard, GRAPH[name].checks)
        followed = set(codeversion.code().closure(step.code.roots))
        left_out = {root for root in seen - followed if not codeversion._stopped(root[0])}
        if isinstance(step, EmbeddingAsset):
            left_out = {(module, name) for module, name in left_out if not module.startswith(vectors)}
        calls += len(seen)
        unseen.update({name: left_out} if left_out else {})
    assert unseen == {}
    assert calls > 400


@contextmanager
def profiled(found: set[Root]) -> Iterator[None]:
    """Add to ``found`` the definitions of the package whose functions are called meanwhile, in any thread."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        codes.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    for item in codes:
        path = Path(item.co_filename)
        if path.is_relative_to(HOME) and item.co_flags & inspect.CO_OPTIMIZED:  # no body of a module or class
            module = ".".join((PACKAGE, *path.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__")
            here = codeversion.code().module(module)
            name = here.at(item.co_firstlineno) if here else None
            if name:
                found.add((module, name))
