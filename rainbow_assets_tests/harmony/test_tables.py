"""The library tables and the graphs: nothing is lost in them, rows sum to 1, minor is there, files are byte-equal."""

from __future__ import annotations

import io

import networkx as nx
import pytest

from rainbow_assets.harmony.drawing import cadence_table, draw_graph
from rainbow_assets.harmony.graphs import (
    cadences,
    from_json,
    function_graph,
    graph_of_rows,
    row_sums,
    to_graphml,
    to_json,
    transitions,
)
from rainbow_assets.harmony.model import Progression, Step
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.harmony.tables import chord_library, chords_of, progression_library
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.music.errors import PackError
from rainbow_assets.music.keys import Key
from rainbow_assets_tests.harmony.packs import free_layout


def progressions_of(rows):
    """The progressions of `progression_library` rows, in the rows' order."""
    columns = ("functions", "romans", "chord_names", "voicings", "start_ms", "duration_ms")
    for row in rows:
        steps = tuple(Step(function, roman, name, tuple(voicing), start, duration) for
                      function, roman, name, voicing, start, duration in zip(*(row[name] for name in columns), strict=True))
        yield Progression(row["progression_id"], row["name"], Key(row["tonic"], row["mode"]), row["category"], row["style"],
                          row["bpm"], steps, tuple(row["mood_tags"]), tuple(row["declared_romans"]), row["pack"],
                          row["source_file"])


def test_tables_hold_all_that_a_pack_holds():
    for pack in (theory_pack(), read_pack(free_layout(), "free")):
        chords = chords_of(chord_library(pack).to_pylist())
        assert len(chords) == len(pack.chords) and set(chords) == set(pack.chords)
        songs = list(progressions_of(progression_library(pack).to_pylist()))
        assert {item.progression_id: item for item in songs} == {
            item.progression_id: item for item in pack.progressions}
        assert len(songs) == len(pack.progressions)


def test_a_library_row_says_what_a_musician_asks():
    rows = {row["chord_id"]: row for row in chord_library(theory_pack()).to_pylist()}
    row = next(
        row for row in rows.values() if row["key"] == "A minor" and row["roman"] == "V7")
    assert (row["tonic"], row["mode"], row["function"], row["chord_name"]) == ("A", "minor", "V", "E7")
    assert row["quality"] == "7" and row["inversion"] == 0 and row["bass_note"].startswith("E")
    assert row["intervals"] == [0, 4, 7, 10] and row["pitch_classes"] == [2, 4, 8, 11]
    first = next(row for row in rows.values() if row["key"] == "C major" and row["chord_name"] == "C/E")
    assert first["inversion"] == 1 and first["roman"] == "I/1" and first["bass_pc"] == 4


@pytest.mark.parametrize(("name", "labels"), [("function_graph", "functions"), ("chord_graph", "romans")])
def test_graphs_are_probabilities_of_both_modes(name, labels):
    rows = [(item.key.mode, getattr(item, labels)) for item in theory_pack().progressions]
    graph = graph_of_rows(name, rows)
    assert all(abs(total - 1) < 1e-9 for total in row_sums(graph).values())
    for mode, tonic in (("major", "I"), ("minor", "i")):
        table = transitions(graph, mode)
        assert tonic in table.labels and table.probability.shape == (len(table.labels),) * 2
        assert abs(table.starts.sum() - 1) < 1e-9 and cadences(graph, mode)
    assert all(data["mode"] == graph.nodes[target]["mode"] for source, target in graph.edges
               for data in [graph.nodes[source]]), "no edge leads from one mode to the other"


def test_counts_are_those_of_the_progressions():
    songs = [item for item in theory_pack().progressions if item.key.tonic == "A" and item.key.mode == "minor"]
    graph = function_graph(songs, alpha=0.0)
    count = sum(pair == ("V", "i") for item in songs for pair in zip(item.functions, item.functions[1:], strict=False))
    assert graph.edges["minor:V", "minor:i"]["count"] == count > 0
    out = sum(item.functions[:-1].count("V") for item in songs)
    assert graph.edges["minor:V", "minor:i"]["probability"] == pytest.approx(count / out)


def test_graphs_are_kept_in_open_formats_byte_for_byte():
    songs = theory_pack().progressions
    graph = function_graph(songs)
    text = to_json(graph)
    assert text == to_json(function_graph(tuple(reversed(songs)))), "the order of the files changes nothing"
    back = from_json(text)
    assert nx.utils.graphs_equal(back, graph)
    xml = nx.read_graphml(io.BytesIO(to_graphml(graph)))
    assert set(xml.edges) == set(graph.edges)
    for bad in ("{}", "[]", "not json", '{"directed": false, "multigraph": false, "nodes": [], "links": []}'):
        with pytest.raises(PackError, match="graph"):
            from_json(bad)


def test_a_drawn_graph_is_a_picture_with_its_cadences():
    graph = function_graph(theory_pack().progressions)
    picture = draw_graph(graph)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and picture == draw_graph(graph)
    assert "| minor | V → i |" in cadence_table(graph)
