"""YAML: nothing is run, nothing explodes, and scalars keep their text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_strict import LIMITS, load
from rainbow_assets_tests.counts import examples

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 10)) for n in range(9))


@pytest.mark.parametrize(("text", "value"), [
    ("a: 2021-09-07", "2021-09-07"), ("a: 12", 12), ("a: 1.5", 1.5), ("a: -3", -3), ("a: true", True), ("a: ~", None),
    ("a:", None), ("a: no", "no"), ("a: 010", "010"), ("a: 1:30", "1:30"), ("a: '12'", "12"), ("a: +5", "+5"),
    ("a: 0", 0), ("a: 0.50", "0.50"), ("a: [04:25.999]", ["04:25.999"]), ("a: 2021-09-07 10:00:00", "2021-09-07 10:00:00"),
])
def test_scalars(text: str, value: object) -> None:
    found = load(text.encode())["a"]
    assert found == value and type(found) is type(value)


def test_aliases_and_merges_of_honest_size() -> None:
    assert load(b"a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  d: 2\n") == {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 1, "d": 2}}


@pytest.mark.parametrize(("data", "line", "said"), [
    (BOMB, 5, "values"), (b"a: &a [*a]", 1, "alias"), (b"a: *nothing", 1, "nothing"),
    (b"[" * 100, 1, "deep"), (b"a: 1\nb: 2\na: 3", 3, "twice"), (b"a: {b: 1, b: 2}", 1, "twice"),
    (b"a: !!python/name:os.system x", 1, "python"), (b"a: \xff", 1, "UTF-8"), (b"a: b: c", 1, "mapping"),
    (b"a: 1\n--- b", 2, "document"), (b"a: \x00", 1, "control"), (b"? [1]\n: 2", 1, "unhashable"),
    (b"x: !!int abc", 1, "not YAML"), (b"x: !!float abc", 1, "not YAML"), (b"!!binary x: x\ny: !!timestamp z", 1, ""),
    (b"a: 1\nx: !!bool maybe", 2, "not YAML"), (b"a: !!int [1]", 1, "scalar"), (b"a: !!timestamp z", 1, "timestamp"),
    (b"a: {<<: {b: 1, b: 2}}", 1, "twice"), (b"a: &x 1\nb: &x 2", 2, "anchor"),
    (b"\n".join(b"%%TAG !a%d! x" % n for n in range(500)) + b"\n--- a", 2, "%"),
])
def test_refusals_name_the_line(data: bytes, line: int, said: str) -> None:
    with pytest.raises(UnreadableYaml) as caught:
        load(data)
    assert said in str(caught.value)
    assert not line or caught.value.line == line


def test_size_limit() -> None:
    with pytest.raises(UnreadableYaml, match="bytes"):
        load(b"a" * (LIMITS.file_bytes + 1))


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!? \n\t'\"#|>%@`0123456789._~<=,", max_size=80).map(str.encode))
def test_any_bytes_load_or_are_refused(data: bytes) -> None:
    try:
        load(data)
    except UnreadableYaml as error:
        assert str(error)
