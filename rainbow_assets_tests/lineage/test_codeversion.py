"""Code versions follow what code means, not how it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.lineage.codeversion import canonical, closure, code_version, imports
from rainbow_assets.lineage.digests import digest
from rainbow_assets_tests.counts import examples

BASE = '''"""Doc."""
LIMIT = 3


def double(x: int) -> int:
    """Say it twice."""
    return x * 2  # twice
'''


@pytest.mark.parametrize("same", [
    BASE.replace('"""Doc."""', '"""Another."""'),
    BASE.replace("  # twice", ""),
    BASE.replace("x * 2", "(x\n        * 2)"),
    BASE.replace('    """Say it twice."""\n', ""),
    BASE.replace("\n\n\ndef", "\n\n\n\n\ndef"),
])
def test_reformatting_changes_nothing(same):
    assert canonical(same) == canonical(BASE)


@pytest.mark.parametrize("other", [
    BASE.replace("LIMIT = 3", "LIMIT = 4"), BASE.replace("x * 2", "x + 2"), BASE.replace("double", "twice_as"),
    BASE.replace("LIMIT = 3", "LIMIT = 3.0"), BASE.replace("LIMIT = 3", "LIMIT = '3'"),
])
def test_meaning_changes_the_version(other):
    assert canonical(other) != canonical(BASE)


def test_the_walk_follows_first_party_imports_and_stops_at_the_machine():
    found = closure(("rainbow_assets.corpus.steps",))
    assert "rainbow_assets.taxonomy" in found
    assert "rainbow_assets.corpus.model" in found
    assert not [name for name in found if name.startswith(("rainbow_assets.lineage", "rainbow_assets.storage"))]
    assert not [name for name in found if name.endswith((".assets", ".checks", ".quality", ".registry"))]


def test_imports_inside_functions_count():
    source = "def f():\n    from rainbow_assets.corpus import tables\n    return tables\n"
    assert imports(source) == {"rainbow_assets.corpus.tables"}


def test_a_version_is_stable():
    assert code_version(("rainbow_assets.taxonomy",)) == code_version(("rainbow_assets.taxonomy",))


def test_a_missing_module_is_an_error():
    with pytest.raises(ModuleNotFoundError):
        code_version(("rainbow_assets.no_such_module",))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=8)


@given(VALUES, VALUES)
@hypothesis_settings(max_examples=examples(300), deadline=None)
def test_digests_tell_values_apart(left, right):
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
