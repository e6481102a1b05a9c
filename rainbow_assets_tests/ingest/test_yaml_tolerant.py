"""Hostile and honest YAML: plain values, typed refusals with a line, and nothing ever executed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.ingest.yaml_door import UnreadableYaml, YamlLimits
from rainbow_assets.ingest.yaml_tolerant import parse_bytes, parse_text, read_plain
from rainbow_assets.ingest.yaml_write import Rows, dump
from rainbow_assets.threads.rewrite import edit, relative_value
from rainbow_assets_tests.counts import examples

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)


def refused(text: str | bytes, **limits: int) -> UnreadableYaml:
    """Parse and return the refusal."""
    with pytest.raises(UnreadableYaml) as caught:
        parse_bytes(text if isinstance(text, bytes) else text.encode(), "x.yml", YamlLimits(**limits))
    assert str(caught.value).startswith("x.yml")
    return caught.value


@pytest.mark.parametrize("text", [
    "!!python/object/apply:os.system ['touch {mark}']",
    "a: !!python/object/apply:os.system\n- touch {mark}",
    "!!python/object/new:subprocess.Popen [['touch', '{mark}']]",
    "!!python/object/apply:builtins.eval [\"open('{mark}', 'w')\"]",
    "!!python/object:os.stat_result {{a: 1}}",
    "!!python/name:os.system ''",
    "!!python/module:antigravity ''",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {mark}']",
    "%TAG !p! tag:yaml.org,2002:python/\n---\n!p!object/apply:os.system ['touch {mark}']",
    "? !!python/object/apply:os.system ['touch {mark}']\n: 1",
    "a: &x !!python/object/apply:os.system ['touch {mark}']\nb: *x",
])
def test_hostile_tags_execute_and_import_nothing(text: str, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    before = set(sys.modules)
    document = parse_text(text.format(mark=mark))
    assert not mark.exists()
    assert "antigravity" not in set(sys.modules) - before
    assert document.tags and document.tags[0].line >= 1
    parse_text(edit(text.format(mark=mark), document, "t").text)
    yaml.load(edit(text.format(mark=mark), document, "t").text, yaml.CSafeLoader)


def test_a_fresh_process_imports_nothing_named_by_a_tag() -> None:
    code = ("import sys\nfrom rainbow_assets.ingest.yaml_tolerant import parse_text\n"
            "d = parse_text('a: !!python/object/apply:turtle.done []\\nb: !!python/module:antigravity x')\n"
            "assert 'turtle' not in sys.modules and 'antigravity' not in sys.modules\nprint(d.value)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "{'a': [], 'b': 'antigravity'}"


def test_tags_become_the_values_they_stand_for() -> None:
    text = ("kind: !!python/object/apply:app.Kind\n- yml\n"
            "pair: !!python/tuple\n- 1\n- 2\nflow: !!python/object/apply:a.B [x]\n"
            "name: !!python/name:os.system ''\nmap: !!python/object:a.C {k: 1}\n"
            "again: &id001 !!python/object/apply:a.B\n- same\nalias: *id001\nnumber: !!python/long '7'\n")
    document = parse_text(text)
    assert document.value == {"kind": "yml", "pair": [1, 2], "flow": "x", "name": "os.system", "map": {"k": 1},
                              "again": "same", "alias": "same", "number": 7}
    edited = edit(text, document, "t")
    assert yaml.load(edited.text, yaml.CSafeLoader) == document.value
    assert "python" not in edited.text and edited.tags == 7


def test_billion_laughs_stops_early() -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.monotonic()
    error = refused("\n".join(lines))
    assert error.kind == "alias_bomb" and error.line > 1 and time.monotonic() - start < 2


def test_aliased_long_text_counts_at_its_expanded_size() -> None:
    assert refused("a: &a " + "x" * 1000 + "\nb: [" + ", ".join(["*a"] * 200) + "]", chars=100_000).kind == "alias_bomb"


def test_merge_bomb_and_self_reference() -> None:
    lines = ["a0: &a0 {k0: 1, j0: 2}"] + [
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}" for n in range(1, 12)]
    assert refused("\n".join(lines)).kind == "alias_bomb"
    error = refused("a: &a\n  b: *a\n")
    assert error.kind == "alias_bomb" and error.line == 2


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000,
                                  "\n".join(" " * n + "a:" for n in range(3000))])
def test_deep_nesting_is_refused_without_recursion(text: str) -> None:
    start = time.monotonic()
    error = refused(text)
    assert error.kind == "too_deep" and error.line >= 1 and time.monotonic() - start < 2


def test_deep_nesting_does_not_overflow_a_small_stack() -> None:
    code = ("import resource\nresource.setrlimit(resource.RLIMIT_STACK, (512 * 1024, 512 * 1024))\n"
            "from rainbow_assets.ingest.yaml_tolerant import *\n"
            "try:\n    parse_text('[' * 1_000_000)\nexcept Exception as e:\n    print(e.kind)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "too_deep")


def test_a_hundred_megabytes_are_never_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yml"
    with open(path, "wb") as stream:
        stream.write(b"a: ")
        stream.truncate(100_000_000)
    start = time.monotonic()
    with pytest.raises(UnreadableYaml, match="100,000,000 bytes") as caught:
        read_plain(path)
    assert caught.value.kind == "too_big" and time.monotonic() - start < 0.5
    assert refused("a: 1\nb: " + "x" * 2_000_000).line == 2


def test_many_directives_and_bad_bytes_are_refused_with_a_line() -> None:
    assert refused("\n".join(f"%TAG !a{n}! x" for n in range(5000)) + "\n--- a").kind == "not_yaml"
    assert refused(b"a: 1\nb: \xff\n").line == 2
    assert refused("a: 1\nb: \x00\n").line == 2
    assert refused("a: [1\nb: 2").kind == "not_yaml"
    assert refused("a: 1\n---\nb: 2").line == 2
    assert refused("a: *nobody").kind == "not_yaml"
    assert refused("a: &x 1\nb: &x 2").line == 2
    assert refused("\u00e9\u00e9\n\n\nb: \x07").line == 4, "libyaml counts bytes"


def test_numbers_and_dates_that_the_safe_loader_trips_over() -> None:
    document = parse_text("big: " + "9" * 5000 + "\ndate: 2024-13-45\nx: !!bool maybe\nk: 1\nk: 2\n!odd y: !mine z")
    assert document.value["big"] == "9" * 5000 and document.value["date"] == "2024-13-45"
    assert document.value["x"] == "maybe" and document.value["k"] == 2
    assert {note.kind for note in document.notes} == {"odd_scalar", "repeated_key", "unknown_tag"}
    assert parse_text("").value is None and parse_text("{[1]: 2}").value == {"[1]": 2}


@pytest.mark.parametrize("text", [
    "!!map [1]", "!!seq {a: 1}", "!!int [1]", "!!str {a: 1}", "!!set [1]", "!!omap {a: 1}", "!!timestamp z", "!!binary x",
    "[<<]", "!!merge x", "= : =", "!!python/int [7]", "!!python/none {}", "!!null [1]", "!!float {a: 1}", "!odd [1]",
])
def test_a_tag_that_its_value_does_not_fit_is_no_error(text: str) -> None:
    parse_text(text)


def test_merges_in_a_long_chain_do_not_recurse() -> None:
    links = "".join(f"\n    - &a{n} {{<<: *a{n - 1}, k: {n}}}" for n in range(1, 200))
    document = parse_text(f"- - - &a0 {{k: 0, j: 1}}{links}\n- <<: *a199\n  own: 2\n")
    assert document.value[1] == {"k": 199, "j": 1, "own": 2} and document.notes == []


class _NoDates(yaml.CSafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
        for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()}


@settings(max_examples=examples(300), deadline=None)
@given(PLAIN, st.booleans())
def test_reads_what_the_safe_loader_reads(value: object, flow: bool) -> None:
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=flow)
    assert repr(parse_text(text).value) == repr(yaml.load(text, _NoDates))


@settings(max_examples=examples(300), deadline=None)
@given(PLAIN)
def test_written_yaml_reads_back(value: object) -> None:
    assert repr(parse_text(dump(value)).value) == repr(value)
    assert repr(yaml.load(dump(value), _NoDates)) == repr(value)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=20), st.text() | st.integers(), min_size=1), min_size=1))
def test_written_rows_read_back(rows: list[dict[str, object]]) -> None:
    assert parse_text(dump({"rows": Rows(rows)})).value == {"rows": rows}


THREAD = "88b73903-6ac9-4cb3-8dc4-af2260e3ff47"
TEXTS = st.sampled_from([
    f"/Volumes/My Disk/x/chain_artifacts/{THREAD}/wav/a b.wav", "/Volumes/X/Y/chain_artifacts", "/Users/someone/x.txt",
    f"see /home/me/chain_artifacts/{THREAD}/md/The Last: Echo.md\nand more", "plain", "a: b # c", ""])


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(st.text(alphabet="abc", min_size=1), st.lists(TEXTS, max_size=3) | TEXTS, max_size=4),
       st.sampled_from([None, "'", '"', "|", ">"]), st.integers(20, 200))
def test_edited_text_means_the_same_with_relative_paths(value: object, style: str | None, width: int) -> None:
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, default_style=style, width=width)
    document = parse_text(text, watch=lambda scalar: "/" in scalar)
    edited = edit(text, document, THREAD)
    assert parse_text(edited.text).value == relative_value(value, THREAD)
    assert "/Volumes" not in edited.text and "/Users" not in edited.text and "/home" not in edited.text
