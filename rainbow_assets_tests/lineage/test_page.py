"""The plan's page in a real browser: every color's state, the reasons, what it costs; escaped, offline, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage import render
from rainbow_assets.lineage.page import plan_page
from rainbow_assets.lineage.plan import BLOCKED, FRESH, RESTAMP, STALE, Planned, plan
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

HOSTILE = "files: 05_01/<script>window.broken=1</script>.yml changed & 'more\""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Green stale with a hostile file name, Blue blocked, the rest fresh."""
    planned = []
    for name, step in GRAPH.items():
        for partition in COLOR_NAMES if step.colored else ("_all",):
            state = {"Green": STALE, "Blue": BLOCKED, "Indigo": RESTAMP}.get(partition, FRESH)
            said = {STALE: [HOSTILE, "6 rows: base_manifest.words changed"], BLOCKED: ["its check failed"], FRESH: [],
                    RESTAMP: ["another version"]}
            planned.append(Planned(name, partition, state, 24, 6 if state == STALE else 0, at_most=name == "preview",
                                   seconds=1.5, reasons=said[state]))
    target = tmp_path / "plan.html"
    target.write_text(plan_page(GRAPH, planned), "utf-8")
    return target


def test_a_person_sees_each_state_and_why(page: Path, window: Any):
    window.get(page.as_uri())
    steps = GRAPH
    marks = window.execute_script(
        "return [...document.querySelectorAll('[data-asset]')].map(g => [g.dataset.asset, g.dataset.color, g.dataset.state])")
    assert len(marks) == sum(len(COLOR_NAMES) if step.colored else 1 for step in steps.values())
    states = {(asset, color): state for asset, color, state in marks}
    assert {state for (_, color), state in states.items() if color == "Green"} == {STALE}
    assert {state for (_, color), state in states.items() if color == "Blue"} == {BLOCKED}
    assert states["segments", "Red"] == FRESH
    text = window.execute_script("return document.body.innerText")
    assert "stale, 6 of 24 rows, about 1.5 s" in text and "at most 6 of 24 rows" in text
    assert HOSTILE in text, "shown as it is written"
    assert window.execute_script("return window.broken") is None, "and not run"
    assert window.execute_script("return document.querySelectorAll('script').length") == 0
    assert window.get_log("browser") == []


def test_states_differ_by_shape_and_can_be_reached_by_keyboard(page: Path, window: Any):
    window.get(page.as_uri())
    shapes = window.execute_script("""
        const of = state => { const g = document.querySelector(`[data-state=${state}]`); return g.lastElementChild.tagName; };
        return ['fresh', 'stale', 'restamp', 'blocked'].map(of);""")
    assert len(set(shapes)) == 4, "not by hue alone"
    link = window.execute_script("return document.querySelector(\"a[href='#segments-Green']\").getAttribute('aria-label')")
    assert link == "segments / Green: stale, 6 of 24 rows"
    window.execute_script("document.querySelector(\"a[href='#segments-Green']\").focus()")
    window.switch_to.active_element.send_keys("\n")
    assert window.execute_script("return document.querySelector(':target b').innerText") == "segments"


def test_it_fits_the_window_and_the_dark(page: Path, window: Any):
    window.get(page.as_uri())
    assert window.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    light = window.execute_script("return getComputedStyle(document.body).backgroundColor")
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    assert window.execute_script("return getComputedStyle(document.body).backgroundColor") != light
    window.set_window_size(500, 900)
    assert window.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), "the graph scrolls"


def test_a_page_of_nothing_made_yet(tmp_path: Path, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch, window: Any):
    monkeypatch.setenv("RAINBOW_CORPUS", str(tiny_corpus))
    target = tmp_path / "plan.html"
    target.write_text(plan_page(GRAPH, plan(GRAPH, ShardStore(str(tmp_path / "data")), COLOR_NAMES)), "utf-8")
    window.get(target.as_uri())
    assert "shards stale" in window.execute_script("return document.querySelector('.sum').innerText")
    assert "has never been built" in window.execute_script("return document.body.innerText")


def test_what_is_on_request_has_its_own_heading_and_is_no_work_that_waits():
    """A model of older songs stays until somebody asks for a newer one."""
    planned = [Planned("segments", "Green", "fresh", 3),
               Planned("fusion_model", "_all", "stale", 6, 6, reasons=["6 rows: input changed"], on_request=True)]
    lines = render.plan_tree(planned).splitlines()
    assert lines[:2] == ["segments: fresh (3 rows)", "nothing to do: 1 shard fresh"]
    assert lines[3] == "on request (run: rainbow build --asset NAME):"
    assert "fusion_model: 6 rows to compute" in lines[4]
    assert planned[1].as_dict()["on_request"] is True
