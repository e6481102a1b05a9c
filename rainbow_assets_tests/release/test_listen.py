"""The listening page: its bytes, its budget, its escaping, and that a real browser plays it from the disk."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import soundfile

from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.listen import make_clips, render_listen
from rainbow_assets.release.versions import Version
from rainbow_assets.sound.mp3 import to_mp3
from rainbow_assets_tests.release import small

V3 = Version(0, 3, 0)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listen")
    small.stage(folder / "out", [small.preview_table(small.preview_parts(folder / "parts", seconds=1.0))])
    return folder / "out" / "listen.html"


class Outline(HTMLParser):
    """Elements of a page, and whether every tag was closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def test_mp3_bytes_are_the_same_every_time_and_hold_the_sound() -> None:
    flac = small.tone(220, 1.0)
    assert to_mp3(flac) == to_mp3(flac)
    samples, rate = soundfile.read(io.BytesIO(to_mp3(flac)))
    assert rate == 44100 and abs(len(samples) - 44100) < 3000 and 0.3 < abs(samples).max() < 1
    assert len(to_mp3(flac)) < len(flac) / 3


def test_well_formed_escaped_and_alone(page: Path) -> None:
    text = page.read_text("utf-8")
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert text.count("<script") == 1 and "&lt;script&gt;alert" in text
    players = [attrs for tag, attrs in outline.tags if tag == "audio"]
    assert len(players) == 15 and all(one["controls"] is None and one["aria-label"] for one in players)
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    loaded = [attrs.get("src") or "" for _, attrs in outline.tags if attrs.get("src")]
    assert all((page.parent / source).stat().st_size > 1000 for source in loaded)
    assert all(re.fullmatch(r"clips/[0-9a-f]{16}\.mp3", source) for source in loaded)
    assert not re.findall(r"url\(|@import|<link|<img|<iframe", text)


def test_the_budget_is_shared_by_colors_in_turn(tmp_path: Path) -> None:
    shards = small.preview_parts(tmp_path / "parts")
    bundle = write_bundle([small.preview_table(shards)], tmp_path / "out")
    every = make_clips(tmp_path / "out", bundle.configs[0])
    assert {color: len(found) for color, found in every.items()} == {"Red": 3, "Green": 6, "Violet": 6}
    one = len(every["Red"][0].mp3)
    few = make_clips(tmp_path / "out", bundle.configs[0], budget=one * 5)
    counts = sorted(len(found) for found in few.values())
    assert sum(counts) in (4, 5) and counts[0] >= 1
    assert sum(len(clip.mp3) for found in few.values() for clip in found) <= one * 5
    assert len({clip.segment_id[:5] for clip in every["Green"][:2]}) == 2


def test_no_clips_is_a_page_that_says_so() -> None:
    assert render_listen({}, V3, "clips").count("This version has no clips of this color.") == 9


def test_a_browser_plays_every_clip_from_the_disk(page: Path, window: Any) -> None:
    window.set_script_timeout(30)
    window.get(page.as_uri())
    states = window.execute_async_script("""
        const done = arguments[0], players = [...document.querySelectorAll('audio')];
        const ready = a => a.readyState >= 1 || a.error ? a : new Promise(r => {
          a.addEventListener('loadedmetadata', () => r(a)); a.addEventListener('error', () => r(a)); });
        Promise.all(players.map(ready)).then(() =>
          done(players.map(a => [a.duration, a.error ? a.error.code : null])));""")
    assert len(states) == 15
    for seconds, error in states:
        assert error is None and abs(seconds - 1.0) < 0.1
    stopped = window.execute_async_script("""
        const done = arguments[0], [a, b] = document.querySelectorAll('audio');
        a.loop = true;
        a.play().then(() => b.play()).then(() => setTimeout(() => done([a.paused, b.error]), 50));""")
    assert stopped == [True, None], "a second player pauses the first"
    assert window.get_log("browser") == []
    window.set_window_size(500, 900)
    assert window.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
