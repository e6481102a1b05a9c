"""Code versions from what the code means: a comment changes nothing, a constant does.

The version of a module set is the sha256 of a canonical serialization of the syntax trees of the modules and of the
first-party modules that they import, transitively. Doc strings, positions, formatting and comments are not part of
it. The walk stops at settings (their values are digested by name), errors, logging, Dagster faces, and at the machine
itself (storage and lineage: what they do to rows is in the digests and the layout number), none of which shape rows.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import importlib.metadata
import importlib.util
import sys
from functools import cache, lru_cache
from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.caches import read_cache, write_cache

PACKAGE = "rainbow_assets"
Imported = list[tuple[str, str | None]]
STOPS = ("settings", "errors", "progress", "caches", "home", "definitions", "cli", "storage", "lineage")
FACES = ("assets", "checks", "resources", "automation", "jobs", "partitions", "dagster")


@lru_cache(maxsize=4096)
def _file(module: str) -> Path | None:
    """Return the source of ``module``; only its root package is imported, never what stands between."""
    root, *names = module.split(".")
    spec = importlib.util.find_spec(root)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        place = Path(folder, *names)
        for path in (place / "__init__.py", place.with_suffix(".py")) if names else (place / "__init__.py",):
            if path.is_file():
                return path
    return None


def _skipped(module: str) -> bool:
    parts = module.split(".")
    return parts[0] != PACKAGE or len(parts) == 1 or parts[1] in STOPS or parts[-1] in FACES


def canonical(source: str) -> bytes:
    """Serialize the syntax tree of ``source`` without doc strings, annotations' formatting or positions."""
    into: list[str] = []
    _write(ast.parse(source), into)
    return "\x1f".join(into).encode("utf-8", "surrogatepass")


def _write(node: object, into: list[str]) -> None:
    if isinstance(node, ast.AST):
        into.append(type(node).__name__)
        for name, value in ast.iter_fields(node):
            if name in ("type_ignores", "type_comment", "kind", "ctx") or value is None or value == []:
                continue
            if name == "body" and isinstance(value, list):
                value = _without_docstring(value)
            into.append(name)
            _write(value, into)
        into.append(")")
    elif isinstance(node, list):
        into.append("[")
        for item in node:
            _write(item, into)
        into.append("]")
    else:
        into.append(f"{type(node).__name__}:{node!r}")


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    def text(statement: ast.stmt) -> bool:
        return (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        )

    return [statement for statement in body if not text(statement)]


def imports(source: str) -> set[str]:
    """Return the first-party modules that ``source`` imports statically, anywhere in its text."""
    return _modules(_imported(source))


def _imported(source: str) -> Imported:
    """Return the first-party imports as they are written: (module, name taken from it or None)."""
    found: set[tuple[str, str | None]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.update((node.module, alias.name) for alias in node.names)
    return sorted((item for item in found if item[0].split(".")[0] == PACKAGE), key=str)


def _modules(imported: Imported) -> set[str]:
    """Return the modules that are meant: a name taken from a package may be a module of it, as things are on disk."""
    found = {f"{module}.{name}" if name and _file(f"{module}.{name}") else module for module, name in imported}
    return {name for name in found if not _skipped(name)}


class CodeCache:
    """Digests of sources by their sha256, kept in the user's cache folder: parsing all takes over a second.

    A cache that cannot be read or written changes nothing but the time. Each version of Python and of
    this module has its own file.
    """

    def __init__(self, folder: Path) -> None:
        own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        self.path = folder / f"code-{sys.version_info.major}.{sys.version_info.minor}-{own}.json"
        self._known: dict[str, tuple[str, Imported]] | None = None
        self._new = False

    def digest(self, source: bytes) -> tuple[str, Imported]:
        """Return the digest of the canonical tree of ``source``, and its first-party imports."""
        known = self._load()
        key = hashlib.sha256(source).hexdigest()
        if key not in known:
            text = source.decode("utf-8")
            known[key] = hashlib.sha256(canonical(text)).hexdigest(), _imported(text)
            self._new = True
        return known[key]

    def _load(self) -> dict[str, tuple[str, Imported]]:
        if self._known is None:
            try:
                self._known = {key: (str(tree), [(str(module), name) for module, name in imported])
                               for key, (tree, imported) in read_cache(self.path).items()}
            except (ValueError, TypeError):
                self._known = {}
        return self._known

    def save(self) -> None:
        """Keep what was parsed for the next process."""
        if self._new and self._known is not None:
            write_cache(self.path, dict(self._known))
            self._new = False


@cache
def _known() -> CodeCache:
    found = CodeCache(settings.cache_folder())
    atexit.register(found.save)
    return found


@lru_cache(maxsize=1024)
def _module(path: str, state: tuple[int, int]) -> tuple[str, frozenset[str]]:
    source = Path(path).read_bytes()
    tree, named = _known().digest(source)
    return tree, frozenset(_modules(named))


def closure(modules: tuple[str, ...]) -> dict[str, str]:
    """Return {module: digest of its canonical tree} for ``modules`` and all that they import, stops left out."""
    found: dict[str, str] = {}
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module in found:
            continue
        path = _file(module)
        if path is None:
            raise ModuleNotFoundError(f"step names the module {module!r}, which has no source file")
        stat = path.stat()
        found[module], more = _module(str(path), (stat.st_mtime_ns, stat.st_size))
        todo.extend(more)
    return found


@cache
def code_version(modules: tuple[str, ...]) -> str:
    """Return 16 hex digits for the meaning of ``modules`` and their first-party imports.

    Computed once per process: what a process runs is what it imported.
    """
    seen = hashlib.sha256()
    for module, tree in sorted(closure(modules).items()):
        seen.update(f"{module}={tree}\n".encode())
    return seen.hexdigest()[:16]


@cache
def _library_version(name: str) -> str:
    return importlib.metadata.version(name)


def library_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the installed version of each distribution in ``names``."""
    return {name: _library_version(name) for name in sorted(names)}
