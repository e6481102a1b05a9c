"""Save the README's pictures of the demo: the listen page of its version, and the asset graph in Dagster's UI.

    make demo pictures

Chromium and its driver must be installed. The pictures are small: 800 pixels wide, 64 colors.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium import webdriver

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDTH, COLORS = 800, 64
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
WAIT_S = 60.0


@contextmanager
def browser(width: int, height: int) -> Iterator[webdriver.Chrome]:
    """Open a headless Chromium whose page has this size."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("install Chromium: apt-get install chromium")
    for flag in (*FLAGS, f"--window-size={width},{height + 143}"):  # the window counts a frame
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield opened
    finally:
        opened.quit()


def save(png: bytes, name: str, box: tuple[int, int, int, int] | None = None) -> None:
    """Crop a screenshot to ``box`` (left, top, right, bottom) and keep it small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").crop(box)
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(COLORS).save(HERE / name, optimize=True)
    print(f"{HERE / name}: {(HERE / name).stat().st_size / 1000:.0f} kB")


def listen_page() -> None:
    """Save a picture of the newest version's listen page."""
    pages = sorted((ROOT / "data/hub").glob("v*/listen.html"), key=lambda path: path.stat().st_mtime)
    if not pages:
        sys.exit("there is no published version; run: make demo")
    with browser(1400, 700) as page:
        page.get(pages[-1].as_uri())
        page.execute_script("document.querySelector('#Green, [id*=green]')?.scrollIntoView()")
        time.sleep(1)
        save(page.get_screenshot_as_png(), "listen.png")


@contextmanager
def webserver() -> Iterator[str]:
    """Run Dagster's web server for the project and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    command = [str(Path(sys.executable).parent / "dagster-webserver"), "-m", "rainbow_assets.definitions",
               "-p", address.rpartition(":")[2]]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DAGSTER_HOME": str(ROOT)},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def asset_graph() -> None:
    """Save a picture of the graph of asset groups, without the navigation around it."""
    with webserver() as address, browser(1700, 620) as page:
        page.get(f"{address}/asset-groups")
        time.sleep(12)  # a worker of the page draws the graph and does not report when it is done
        save(page.get_screenshot_as_png(), "graph.png", (710, 130, 1530, 560))


if __name__ == "__main__":
    listen_page()
    asset_graph()
