"""Code versions follow what code does, not what it is called, where it is, or how it is written."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.digests import digest
from rainbow_assets.lineage import definitions
from rainbow_assets.lineage.codeversion import PACKAGE, Code, CodeCache, used_by
from rainbow_assets_tests.counts import examples

ROOT = (f"{PACKAGE}.corpus.work", "compute")
WORK = '''
"""Doc."""
from rainbow_assets.corpus import rules
from rainbow_assets.corpus.rules import longest as most, Rule
import numpy as np

LIMIT = 3
UNUSED = 4


def double(x: int) -> int:
    """Say it twice."""
    return np.add(x, x) * LIMIT  # twice


def compute(rows, least=1):
    from rainbow_assets.corpus.late import finish
    kept = [double(row) for row in rows if Rule(row).fits() and row > least]
    return finish(most(kept), rules.TABLE)
'''
RULES = '''
from dataclasses import dataclass

TABLE = {"a": 1}
TABLE["b"] = 2


@dataclass
class Rule:
    value: int

    def fits(self) -> bool:
        return self.value > 0 or even(self.value)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def longest(rows):
    return max(rows)


def shortest(rows):
    return min(rows)
'''
LATE = '''
def finish(rows, table):
    return f"{rows:>{table['a']}}"
'''


@pytest.fixture
def package(tmp_path: Path):
    """Return a function that writes a package of the given modules and returns the version of ``ROOT`` in it."""
    count = 0

    def version(root: tuple[str, str] = ROOT, **modules: str) -> str:
        nonlocal count
        count += 1
        folder = tmp_path / f"{count}" / PACKAGE
        for name, source in {"work": WORK, "rules": RULES, "late": LATE, **modules}.items():
            path = folder / "corpus" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source), "utf-8")
        return Code(folder, CodeCache(tmp_path / "cache")).version([root])

    return version


@pytest.mark.parametrize("work", [
    WORK.replace('"""Doc."""', '"""Another."""'),
    WORK.replace("  # twice", ""),
    WORK.replace("(x, x)", "(x,\n                  x)"),
    WORK.replace('    """Say it twice."""\n', ""),
    WORK.replace("x: int) -> int", "x: 'float') -> 'float'"),
    WORK.replace("double", "twice_as"),
    WORK.replace("LIMIT", "MOST_OF_ALL"),
    WORK.replace("UNUSED = 4", "UNUSED = 5"),
    WORK.replace("most", "greatest").replace("longest as greatest", "longest as greatest"),
    WORK.replace("import numpy as np", "import numpy").replace("np.add", "numpy.add"),
    WORK.replace("import numpy as np", "from numpy import add as plus").replace("np.add", "plus"),
    WORK.replace("longest as most, Rule", "Rule").replace("most(kept)", "rules.longest(kept)"),
    WORK.replace("    from rainbow_assets.corpus.late import finish\n", "").replace(
        "import numpy as np", "import numpy as np\nfrom rainbow_assets.corpus.late import finish"),
    WORK.replace("LIMIT = 3\nUNUSED = 4\n", "") + "\n\nUNUSED = 4\nLIMIT = 3\n",
])
def test_names_places_and_layout_change_nothing(package, work):
    assert work != WORK
    assert package(work=work) == package()


def test_what_moves_to_another_module_is_the_same(package):
    double = WORK[WORK.index("def double"):WORK.index("def compute")]
    moved = WORK.replace(double, "").replace("LIMIT = 3\n", "").replace(
        "import numpy as np", "from rainbow_assets.corpus.sums import twice as double")
    sums = "import numpy\n\n" + double.replace("double", "twice").replace("LIMIT", "_M").replace("np.", "numpy.") + "_M = 3\n"
    assert package(work=moved, sums=sums) == package()


def test_what_passes_through_another_module_is_the_same(package):
    through = WORK.replace("corpus.rules import longest", "corpus.names import longest")
    assert package(work=through, names="from rainbow_assets.corpus.rules import longest, Rule\n") == package()


@pytest.mark.parametrize(("module", "before", "after"), [
    ("work", "LIMIT = 3", "LIMIT = 4"), ("work", "LIMIT = 3", "LIMIT = 3.0"), ("work", "LIMIT = 3", "LIMIT = '3'"),
    ("work", "np.add", "np.multiply"), ("work", "most(kept)", "rules.shortest(kept)"), ("work", "least=1", "least=2"),
    ("work", "longest as most", "shortest as most"), ("work", "row > least", "row < least"),
    ("work", "    kept", "    rows = rows[1:]\n    kept"),
    ("rules", '"a": 1', '"a": 2'), ("rules", 'TABLE["b"] = 2', 'TABLE["b"] = 3'), ("rules", "max(rows)", "max(rows) + 1"),
    ("rules", "self.value > 0", "self.value > 1"), ("rules", "n != 0 and", "n == 0 and"), ("rules", "@dataclass\n", ""),
    ("rules", "value: int\n", "value: int = 3\n"), ("rules", "odd(n - 1)", "odd(n - 3)"),
    ("late", ":>{", ":<{"), ("late", "table['a']", "table['b']"),
])
def test_whatever_is_used_counts(package, module, before, after):
    source = {"work": WORK, "rules": RULES, "late": LATE}[module]
    assert before in source
    assert package(**{module: source.replace(before, after)}) != package()


def test_other_definitions_of_a_module_do_not_count(package):
    assert package(rules=RULES.replace("min(rows)", "sum(rows)")) == package()
    assert package(work=WORK + "\n\nprint(UNUSED)\n") == package()


def test_loops_and_calls_at_the_top_belong_to_what_they_touch(package):
    loop = RULES + "\nfor name in ('x', 'y'):\n    TABLE[name] = 3\n"
    assert len({package(rules=RULES), package(rules=loop), package(rules=loop.replace("= 3", "= 4"))}) == 3
    call = RULES + "\nTABLE.update(c=5)\n"
    assert len({package(rules=RULES), package(rules=call), package(rules=call.replace("=5", "=6"))}) == 3


def test_steps_settings_and_the_machine_count_by_name(package):
    machine = WORK + ('\nfrom rainbow_assets.lineage.ledger import outputs\nfrom rainbow_assets.lineage.row_asset import RowAsset\n'
                      'OTHER = RowAsset("other", compute=double)\n\n\ndef more():\n    return outputs(OTHER.name)\n')
    root = (ROOT[0], "more")
    assert package(root, work=machine) == package(root, work=machine.replace("LIMIT = 3", "LIMIT = 4"))
    assert package(root, work=machine) == package(root, work=machine.replace("OTHER", "ANOTHER"))
    assert package(root, work=machine) != package(root, work=machine.replace("OTHER.name", "OTHER.key"))
    assert package(root, work=machine) != package(root, work=machine.replace("outputs", "inputs"))


def test_a_missing_definition_is_an_error(package):
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        package((ROOT[0], "no_such"))
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        package((f"{PACKAGE}.corpus.nothing", "compute"))


def outer(bound: int, of):
    def inner(rows):
        return [of(row) for row in rows if row > bound]
    return inner


def test_a_function_counts_with_what_it_was_given():
    first = used_by(outer(1, len))
    assert first.roots == ((__name__, "outer"),)
    assert first.version == used_by(outer(1, len)).version
    assert len({used_by(outer(1, len)).version, used_by(outer(2, len)).version, used_by(outer(1, max)).version}) == 3
    assert used_by(partial(outer, 1)).version != used_by(partial(outer, 2)).version
    assert used_by(outer(1, len), None).version == first.version
    assert used_by(outer(1, outer)).roots == ((__name__, "outer"),)


@dataclass(frozen=True)
class Given:
    """A value with a method, as a function may be given one."""

    number: int

    def doubled(self) -> int:
        """Code that the function uses, though it never names it."""
        return 2 * self.number


def test_the_methods_of_a_value_that_was_given_count():
    assert used_by(partial(outer, Given(1))).roots == ((__name__, "outer"), (__name__, "Given"))
    assert used_by(partial(outer, Given(1))).version != used_by(partial(outer, Given(2))).version


def test_functions_without_a_source_have_a_version():
    space: dict = {"__name__": "nowhere"}
    exec("def f(x): return x + 1\ndef g(x): return x + 2", space)
    assert used_by(space["f"]).version != used_by(space["g"]).version


def test_a_damaged_cache_costs_time_only(tmp_path, package):
    for damage in (b"", b"{", b"[]", b'{"x": 1}'):
        cache = CodeCache(tmp_path / "cache")
        cache.path.parent.mkdir(exist_ok=True)
        cache.path.write_bytes(damage)
        assert cache.module(RULES.encode()) == definitions.read(RULES)
    whole = CodeCache(tmp_path / "cache")
    whole.module(RULES.encode())
    whole.save()
    kept = CodeCache(tmp_path / "cache")
    assert kept.module(RULES.encode()) == definitions.read(RULES)
    kept._known = {key: {"definitions": [{}]} for key in kept._known or {}}
    assert kept.module(RULES.encode()) == definitions.read(RULES)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=8)


@given(VALUES, VALUES)
@hypothesis_settings(max_examples=examples(300), deadline=None)
def test_different_values_have_different_digests(left, right):
    assert (digest(left) == digest(right)) == (repr(left) == repr(right) or _same(left, right))


def _same(left, right):
    """Dictionaries are equal in any order; NaN is one value; types are never mixed up."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return repr(left) == repr(right)


def test_digest_encoding_has_no_collisions_by_concatenation():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(["a"], ["b"]) != digest(["a", "b"])
    assert digest(1) != digest("1") != digest(b"1") != digest(1.0) != digest(True)
