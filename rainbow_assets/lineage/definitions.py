"""The definitions of a module, each as a text without names and a list of what it refers to.

A definition is a statement at the top of a module that binds a name: a function, a class, a constant. Its text is the
serialized syntax tree without docstrings, positions, formatting, and annotations of functions. A mark replaces every
name that is bound outside the definition, and those names are listed apart. So the text does not change when the
definition moves to another module or is renamed, nor when something that it calls changes.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Chain = tuple[str, ...]
"""A name and the attributes taken from it, as they are written: ``np.linalg.norm``. For an import inside a function:
``from``, the module, and the names taken from it."""
FROM = "from "
MARK = "\x1eref"
SKIPPED = frozenset({"type_ignores", "type_comment", "kind", "ctx", "type_params", "returns"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
PLAIN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
"""Statements that only bind names."""
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Definition:
    """``text``: a digest of the tree without names. ``refers``: the names that the marks in it replace, in order."""

    text: str
    refers: list[Chain]
    binds: tuple[str, ...]
    returns: Chain | None = None
    """The return annotation of a function: ``codeversion`` uses it to recognize functions that make row assets."""
    calls: Chain | None = None
    """The function that an assigned value calls: ``NAME = calls(...)``."""
    bases: tuple[Chain, ...] = ()
    lines: tuple[int, int] = (0, 0)


@dataclass
class Module:
    """``imports``: name -> (module, name taken from it or None). ``bound``: name -> places in ``definitions``."""

    definitions: list[Definition] = field(default_factory=list)
    bound: dict[str, list[int]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    """Statements that bind nothing and refer only to other modules."""

    def of(self, name: str) -> list[Definition]:
        """Return the definitions of ``name``, or all definitions of the module if ``name`` is empty."""
        return [self.definitions[place] for place in self.bound.get(name, ())] if name else self.definitions

    def at(self, line: int) -> str | None:
        """Return the name of the definition that includes ``line``, or None."""
        for own in self.definitions:
            if own.binds and own.lines[0] <= line <= own.lines[1]:
                return own.binds[0]
        return None


def read(source: str) -> Module:
    """Return the definitions in ``source``.

    A statement that is not a definition (``TABLE["x"] = 1``, ``LOADER.add(...)``, a loop) counts as part of every
    definition of the module that it names: it may change them.
    """
    found, effects = Module(), []
    for node in _flat(ast.parse(source).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.imports.update(_imported(node))
        elif isinstance(node, PLAIN) and (names := tuple(_bound([node]))):
            _add(found, _definition(node, names), ())
        elif not _is_text(node):
            effects.append(node)
    for node in effects:
        definition = _definition(node, tuple(_bound([node])))
        touched = {chain[0] for chain in definition.refers if chain[0] in found.bound}
        if definition.binds or touched:
            _add(found, definition, sorted(touched))
        else:
            found.effects.append(ast.unparse(node))
    return found


def _add(found: Module, definition: Definition, touched: Sequence[str]) -> None:
    for name in dict.fromkeys((*definition.binds, *touched)):
        found.bound.setdefault(name, []).append(len(found.definitions))
    found.definitions.append(definition)


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module; imports for type checkers, and those in ``try`` and ``if``, count as well."""
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            yield from (inner for inner in node.body if isinstance(inner, ast.Import | ast.ImportFrom))
        elif isinstance(node, ast.Try | ast.If) and any(isinstance(inner, ast.Import | ast.ImportFrom)
                                                        for inner in ast.walk(node)):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom))
            yield node
        else:
            yield node


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, str | None]]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield ((alias.asname, (alias.name, None)) if alias.asname
                   else (alias.name.split(".")[0], (alias.name.split(".")[0], None)))
    elif node.module and not node.level and node.module != "__future__":
        for alias in node.names:
            yield alias.asname or alias.name, (node.module, alias.name)


def _bound(body: Sequence[ast.AST]) -> dict[str, None]:
    """Return the names that statements bind in their own scope, in order, without imports."""
    found: dict[str, None] = {}
    todo = list(body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found[node.id] = None
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found[node.name] = None
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, *COMPREHENSIONS)):
            todo[:0] = ast.iter_child_nodes(node)
        elif isinstance(node, COMPREHENSIONS):
            found.update({inner.target.id: None for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)})
    return found


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _definition(node: ast.stmt, binds: tuple[str, ...]) -> Definition:
    writer = _Writer(binds)
    writer.write(node)
    text = hashlib.sha256("\x1f".join(writer.into).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    returns = calls = None
    bases = [chain_of(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        returns = chain_of(node.returns)
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
        calls = chain_of(node.value.func)
    return Definition(text, writer.refers, binds, returns, calls,
                      tuple(base for base in bases if base), (node.lineno, node.end_lineno or node.lineno))


def chain_of(node: ast.AST) -> Chain | None:
    """Return ``("a", "b", "c")`` for the expression ``a.b.c``, None for any other."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None


@dataclass
class _Scope:
    """Names that are bound around the current place; an imported name has the chain that it imports."""

    names: dict[str, Chain | None]
    of_class: bool = False


class _Writer:
    """Serializes one definition. ``scopes`` are the scopes around the current place, innermost last."""

    def __init__(self, binds: tuple[str, ...]) -> None:
        self.binds = binds
        self.into: list[str] = []
        self.refers: list[Chain] = []
        self.scopes: list[_Scope] = []

    def write(self, node: object) -> None:
        """Serialize a node, a list of nodes, or a plain value, without imports and docstrings."""
        if isinstance(node, ast.AST):
            self._node(node)
        elif isinstance(node, list):
            self.into.append("[")
            for item in node:
                if not isinstance(item, ast.Import | ast.ImportFrom) and not _is_text(item):
                    self.write(item)
            self.into.append("]")
        else:
            self.into.append(f"{type(node).__name__}:{node!r}")

    def _node(self, node: ast.AST) -> None:
        chain = chain_of(node)
        if chain is not None and self._outside(chain):
            return
        self.into.append(type(node).__name__)
        if isinstance(node, FUNCTIONS):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, COMPREHENSIONS):
            self._inside(_Scope(dict.fromkeys(_bound([inner.target for inner in node.generators]))), node)
        else:
            self._fields(node)
        self.into.append(")")

    def _outside(self, chain: Chain) -> bool:
        """Write a mark for a name that is bound outside the definition; return False for a local one."""
        if not self.scopes and chain[0] in self.binds and len(chain) == 1:
            self.into.append(f"own:{self.binds.index(chain[0])}")
            return True
        for depth, scope in enumerate(reversed(self.scopes)):
            # Methods do not see the names of their class body.
            if chain[0] in scope.names and not (scope.of_class and depth):
                imported = scope.names[chain[0]]
                if imported is None:
                    return False
                chain = (*imported, *chain[1:])
                break
        self.into.append(MARK)
        self.refers.append(chain)
        return True

    def _fields(self, node: ast.AST, without: tuple[str, ...] = ()) -> None:
        in_class = bool(self.scopes) and self.scopes[-1].of_class
        for name, value in ast.iter_fields(node):
            if name in SKIPPED or name in without or value is None or value == []:
                continue
            # Annotations matter in class bodies only, where pydantic and dataclasses read them.
            if name == "annotation" and not in_class:
                continue
            if isinstance(node, ast.JoinedStr):  # some Python versions put an empty text between two values
                value = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
            self.into.append(name)
            self.write(value)

    def _inside(self, scope: _Scope, node: ast.AST, without: tuple[str, ...] = ()) -> None:
        self.scopes.append(scope)
        self._fields(node, without)
        self.scopes.pop()

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        self.write([*getattr(node, "decorator_list", ()), *arguments.defaults,
                    *(item for item in arguments.kw_defaults if item)])
        self.into.append(repr([item is None for item in arguments.kw_defaults]))
        body = node.body if isinstance(node.body, list) else [node.body]
        names = [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs,
                                       arguments.vararg, arguments.kwarg) if item]
        scope: dict[str, Chain | None] = dict.fromkeys((*names, *_bound(body)))
        for inner in _own(body):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                scope.update({alias: (FROM, module, name) if name else (FROM, module)
                              for alias, (module, name) in _imported(inner)})
            elif isinstance(inner, ast.Global | ast.Nonlocal):
                for name in inner.names:
                    scope.pop(name, None)
        name = () if self.scopes else ("name",)
        self._inside(_Scope(scope), node, ("decorator_list", "defaults", "kw_defaults", *name))

    def _class(self, node: ast.ClassDef) -> None:
        self.write([*node.decorator_list, *node.bases, *node.keywords])
        name = () if self.scopes else ("name",)
        scope = _Scope(dict.fromkeys(_bound(node.body)), True)
        self._inside(scope, node, ("decorator_list", "bases", "keywords", *name))


def _own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of ``body`` that are in its own scope."""
    todo = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
