"""Code versions: digests of what a function does, with everything that it uses, independent of names.

The version of a function combines the digest of its own code (see :mod:`definitions`) with those of all definitions
that it uses. Changing a constant that it uses changes its version. Renaming or moving a function, a module or an import
does not, and neither does a change elsewhere in the same module.

The walk stops at other assets (their rows have digests), at settings (their values are digested by name), at encoders
(their specs have a version), and at the packages that do not shape rows (storage, lineage, logging, Dagster; "the
machine" below). What a function uses of those, and of libraries, counts by its name. The walk does not see what is
looked up at run time (``getattr``, a table that another module fills). No code that shapes rows does that; a test
compares the versions with a real build.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

from rainbow_assets import settings
from rainbow_assets.caches import read_cache, write_cache
from rainbow_assets.digests import digest
from rainbow_assets.lineage import definitions
from rainbow_assets.lineage.definitions import FROM, Chain, Definition, Module

PACKAGE = "rainbow_assets"
# Packages and modules whose names count instead of their code: the machine, and encoders.
STOPS = ("settings", "rules", "errors", "progress", "caches", "atomic", "scratch", "home", "assets", "definitions",
         "orchestration", "cli", "digests", "storage", "lineage", "embeddings.encoders")
LEAVES = ("settings", "errors")
"""Modules of this name count by the names used from them, in every package."""
STEP = "machine.Step"
SHORT = 8
KNOWN_AS = {"RowAsset": "Step"}
"""New name -> old name, for renamed parts of the machine: their names count, and a renaming must make nothing stale."""
Root = tuple[str, str]
"""A definition: its module and its name."""


class CodeCache:
    """The definitions of modules, by the sha256 of their source, in the user's cache folder: parsing takes seconds.

    A cache that cannot be read or written only costs time. Each version of Python and of the parser has its own file.
    """

    def __init__(self, folder: Path) -> None:
        own = hashlib.sha256(Path(str(definitions.__file__)).read_bytes()).hexdigest()[:12]
        self.path = folder / f"code-{sys.version_info.major}.{sys.version_info.minor}-{own}.json"
        self._known: dict[str, Any] | None = None
        self._new = False

    def module(self, source: bytes) -> Module:
        """Return the definitions of ``source``."""
        if self._known is None:
            self._known = read_cache(self.path)
        key = hashlib.sha256(source).hexdigest()
        try:
            return _thawed(self._known[key])
        except (KeyError, TypeError, ValueError, AttributeError):
            found = definitions.read(source.decode("utf-8"))
            self._known[key], self._new = asdict(found), True
            return found

    def save(self) -> None:
        """Write what was parsed to the cache, for the next process."""
        if self._new and self._known is not None:
            write_cache(self.path, dict(self._known))
            self._new = False


def _thawed(kept: dict[str, Any]) -> Module:
    def chain(names: list[str] | None) -> Chain | None:
        return None if names is None else tuple(names)

    return Module(
        [Definition(item["text"], [tuple(names) for names in item["refers"]], tuple(item["binds"]),
                    chain(item["returns"]), chain(item["calls"]), tuple(tuple(names) for names in item["bases"]),
                    tuple(item["lines"])) for item in kept["definitions"]],
        kept["bound"], {name: (module, taken) for name, (module, taken) in kept["imports"].items()},
        kept["effects"])


class Code:
    """The definitions in all modules below ``folder`` (the package's own), and their versions."""

    def __init__(self, folder: Path, known: CodeCache) -> None:
        self.folder = folder
        self._cache = known
        self._modules: dict[str, Module | None] = {}
        self._parts: dict[Root, list[str | Root]] = {}
        self._versions: dict[tuple[Root, ...], str] = {}

    def module(self, name: str) -> Module | None:
        """Return the definitions of the module ``name``, or None if it has no source file."""
        if name not in self._modules:
            file = self._file(name)
            self._modules[name] = self._cache.module(file.read_bytes()) if file else None
        return self._modules[name]

    def _file(self, name: str) -> Path | None:
        root, *names = name.split(".")
        if root != PACKAGE:  # an asset of another package: its source is where it was imported from
            if root in sys.stdlib_module_names:
                return None
            known = getattr(sys.modules.get(name), "__file__", None)
            return Path(known) if known and Path(known).suffix == ".py" else None
        place = self.folder.joinpath(*names)
        return next((path for path in (place / "__init__.py", place.with_name(f"{place.name}.py")) if path.is_file()),
                    None)

    def _resolve(self, module: str, chain: Chain) -> str | tuple[Root, str]:
        """Return what ``chain`` in ``module`` refers to: a definition and attributes of it, or a text."""
        if chain[0] == FROM:
            return self._taken(chain[1], chain[2:])
        here = self.module(module)
        assert here is not None
        if chain[0] in here.bound:
            return (module, chain[0]), ".".join(chain[1:])
        if chain[0] in here.imports:
            source, name = here.imports[chain[0]]
            return self._taken(source, (*([name] if name else []), *chain[1:]))
        return ".".join(("builtins", *chain))

    def _taken(self, module: str, names: tuple[str, ...]) -> str | tuple[Root, str]:
        """Return what ``names``, taken one after the other from ``module``, refer to."""
        if module.split(".")[0] != PACKAGE:
            return ".".join((module, *names))
        if names and self.module(f"{module}.{names[0]}") is not None:
            return self._taken(f"{module}.{names[0]}", names[1:])
        if _stopped(module):
            known = [KNOWN_AS.get(name, name) for name in names] or [module.rpartition(".")[2]]
            return ".".join(("machine", *known))
        if not names:
            return (module, ""), ""
        return self._resolve(module, names)

    def _origin(self, root: Root) -> Root:
        """Return where ``root`` is defined; the module that it is imported from may import it too."""
        found = self._resolve(root[0], (root[1],)) if root[1] and self.module(root[0]) else (root, "")
        return found[0] if not isinstance(found, str) else root

    def refers(self, root: Root) -> list[str | Root]:
        """Return what the version of ``root`` digests: texts, and the definitions that it uses, in order."""
        if root not in self._parts:
            module, name = root
            here = self.module(module)
            if here is None or (name and name not in here.bound):
                raise ModuleNotFoundError(f"there is no {name or 'source file'} in the module {module!r}")
            found: list[str | Root] = []
            for own in here.of(name):
                found.append(f"{own.text}:{own.binds.index(name) if name in own.binds else ''}")
                for chain in own.refers:
                    target = self._resolve(module, chain)
                    found += [target] if isinstance(target, str) else [
                        "step" if self._is_step(target[0]) else target[0], target[1]]
            self._parts[root] = found
        return self._parts[root]

    def _is_step(self, root: Root) -> bool:
        """Return True if ``root`` is a row asset: the digests of its rows count, not its code."""
        here = self.module(root[0])
        return here is not None and any(own.calls and self._makes_step(self._resolve(root[0], own.calls))
                                        for own in here.of(root[1]))

    def _makes_step(self, target: str | tuple[Root, str]) -> bool:
        """Return True if calling ``target`` makes a row asset: it is a subclass, or a function that returns one."""
        if isinstance(target, str) or target[1]:
            return target == STEP
        (module, name), _ = target
        here = self.module(module)
        return here is not None and any(self._makes_step(self._resolve(module, chain)) for own in here.of(name)
                                        for chain in (*own.bases, *filter(None, [own.returns])))

    def closure(self, roots: Iterable[Root]) -> dict[Root, None]:
        """Return ``roots`` and all definitions that they use, in the order of discovery."""
        found: dict[Root, None] = dict.fromkeys(map(self._origin, roots))
        todo = list(found)
        for root in todo:
            for item in self.refers(root):
                if isinstance(item, tuple) and item not in found:
                    found[item] = None
                    todo.append(item)
        return found

    def version(self, roots: Iterable[Root]) -> str:
        """Return the version of ``roots``, 16 hex digits: a digest of the graph of their definitions."""
        # Places in the order of discovery replace the names, so that a renaming changes nothing.
        asked = tuple(self._origin(root) for root in roots)
        if asked not in self._versions:
            places = {root: f"#{place}" for place, root in enumerate(self.closure(asked))}
            seen = hashlib.sha256()
            for root in places:
                parts = (places[item] if isinstance(item, tuple) else item for item in self.refers(root))
                seen.update(("\x1f".join(parts) + "\n").encode())
            self._versions[asked] = seen.hexdigest()[:16]
        return self._versions[asked]

    def texts(self, roots: Iterable[Root]) -> dict[str, list[str]]:
        """Return {short digest of a text: the definitions with it}, to name later which one was edited."""
        found: dict[str, list[str]] = {}
        for module, name in self.closure(roots):
            for own in self.module(module).of(name):  # type: ignore[union-attr]
                found.setdefault(own.text[:SHORT], []).append(f"{name or '*'} in {module.split('.', 1)[-1]}")
        return found


def _stopped(module: str) -> bool:
    parts = module.split(".")
    return len(parts) > 1 and (parts[1] in STOPS or parts[-1] in LEAVES or ".".join(parts[1:]) in STOPS)


@cache
def code() -> Code:
    """Return the code of this package, read once per process: a process runs the code that it imported first."""
    known = CodeCache(settings.cache_folder())
    atexit.register(known.save)
    return Code(Path(__file__).parents[1], known)


@dataclass(frozen=True)
class Used:
    """What functions use: definitions, and the values that were bound into them (arguments, closures)."""

    roots: tuple[Root, ...]
    given: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The code version, 16 hex digits."""
        found = code().version(self.roots)
        return digest(found, self.given)[:16] if self.given else found

    @property
    def modules(self) -> set[str]:
        """The names of the modules that have one of the definitions."""
        return {module for module, _ in code().closure(self.roots)}

    @property
    def texts(self) -> dict[str, list[str]]:
        """See :meth:`Code.texts`."""
        return code().texts(self.roots)


def used_by(*functions: Any) -> Used:
    """Return what ``functions`` use; None is ignored.

    A function that is defined inside another one counts as the whole outer one, with the values that it was given.
    """
    roots: dict[Root, None] = {}
    given: list[str] = []
    for function in functions:
        if function is not None:
            _collect(function, roots, given)
    return Used(tuple(roots), tuple(given))


def _collect(value: Any, roots: dict[Root, None], given: list[str]) -> None:
    if isinstance(value, functools.partial):
        for part in (value.func, *value.args, *value.keywords.values()):
            _collect(part, roots, given)
    elif isinstance(value, type | FunctionType | MethodType | BuiltinFunctionType) or hasattr(value, "__wrapped__"):
        _function(inspect.unwrap(value), roots, given)
    elif isinstance(value, tuple | frozenset):
        for part in sorted(value, key=repr) if isinstance(value, frozenset) else value:
            _collect(part, roots, given)
    elif hasattr(value, "ledger_columns"):
        given.append("step")
    elif is_dataclass(value) and type(value).__hash__ is not None:
        _function(type(value), roots, given)  # its methods are code that the function uses
        for item in fields(value):
            _collect(getattr(value, item.name), roots, given)
    elif isinstance(value, str | int | float | bool | bytes | None):
        given.append(repr(value))
    # Anything else is state, not code: what it does to rows must be in their digests.


def _function(value: Any, roots: dict[Root, None], given: list[str]) -> None:
    here = code().module(value.__module__ or "builtins")
    name = value.__qualname__.split(".")[0]
    if here is not None and name not in here.bound and hasattr(value, "__code__"):
        name = here.at(value.__code__.co_firstlineno) or name
    if here is not None and name in here.bound:
        roots[value.__module__, name] = None
    elif here is None and not hasattr(value, "__code__"):
        given.append(f"{value.__module__}.{value.__qualname__}")
    elif hasattr(value, "__code__"):  # typed into a console, so there is no source to read
        constants = [item for item in value.__code__.co_consts if not isinstance(item, CodeType)]
        given.append(repr((value.__code__.co_code, constants, value.__code__.co_names)))
    for cell in getattr(value, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # an empty cell: its variable is assigned later
            _collect(cell.cell_contents, roots, given)


@cache
def _library_version(name: str) -> str:
    return importlib.metadata.version(name)


def library_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the installed version of each distribution in ``names``."""
    return {name: _library_version(name) for name in sorted(names)}
