"""The plan as an HTML page: the graph with the state of every color, for any browser, without Dagster."""

from __future__ import annotations

from collections.abc import Mapping

from rainbow_assets import taxonomy
from rainbow_assets.lineage import render
from rainbow_assets.lineage.plan import Planned
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.text import html

BOX_W, BOX_H, GAP_X, GAP_Y, MARGIN = 232, 92, 70, 26, 24
STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--ink:#20232a;--soft:#6b7080;--line:#c9ccd4;--box:#fff;
--fresh:#2e9e6b;--stale:#e0912f;--blocked:#d64550}
@media(prefers-color-scheme:dark){:root{--bg:#15171c;--ink:#e8e9ee;--soft:#9aa0b0;--line:#3a3f4b;--box:#1f222a}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;padding:28px}
h1{font-size:22px;margin:0 0 4px}p.sum{color:var(--soft);margin:0 0 16px}
.graph{overflow-x:auto}svg text{fill:var(--ink);font:600 14px system-ui,sans-serif}
svg text.small{font:12px system-ui,sans-serif;fill:var(--soft)}.box{fill:var(--box);stroke:var(--line);stroke-width:1.5}
.edge{fill:none;stroke:var(--line);stroke-width:1.6}.fresh{fill:var(--fresh)}.stale{fill:var(--stale)}
.blocked{fill:var(--blocked)}ul.legend{list-style:none;display:flex;gap:18px;padding:0;margin:14px 0 24px}
ul.legend svg{vertical-align:-2px;margin-right:6px}details{background:var(--box);border:1px solid var(--line);
border-radius:8px;margin:0 0 8px;padding:8px 14px}summary{cursor:pointer}
details:target{outline:2px solid var(--stale)}summary b{font-weight:600}
summary span{color:var(--soft)}li{margin:2px 0;overflow-wrap:anywhere}
.swatch{display:inline-block;width:11px;height:11px;border-radius:3px;border:1px solid var(--line);margin-right:8px}
"""


def columns(steps: Mapping[str, RowAsset]) -> dict[str, int]:
    """Return {asset: its column in the picture}: one more than that of its rightmost upstream asset."""
    found: dict[str, int] = {}
    for name, step in steps.items():
        found[name] = 1 + max((found[asset] for asset in step.reads if asset in found), default=-1)
    return found


def plan_page(steps: Mapping[str, RowAsset], planned: list[Planned]) -> str:
    """Return the whole page; every text in it is escaped, and it loads no other file."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Plan</title>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<style>{STYLE}</style></head><body><h1>What a build would do</h1>"
        f"<p class='sum'>{html(render.summary(planned))}</p>"
        f"<div class='graph'>{_graph(steps, planned)}</div>{_legend()}{_details(planned)}</body></html>\n"
    )


def _graph(steps: Mapping[str, RowAsset], planned: list[Planned]) -> str:
    place: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    for name, column in columns(steps).items():
        row = rows.get(column, 0)
        rows[column] = row + 1
        place[name] = (MARGIN + column * (BOX_W + GAP_X), MARGIN + row * (BOX_H + GAP_Y))
    width = max((x for x, _ in place.values()), default=0) + BOX_W + MARGIN
    height = max((y for _, y in place.values()), default=0) + BOX_H + MARGIN
    edges = "".join(_edge(place[asset], place[name]) for name, step in steps.items()
                    for asset in step.reads if asset in place)
    boxes = "".join(_box(name, place[name], [entry for entry in planned if entry.asset == name]) for name in steps)
    # Wide graphs shrink to the window, down to three quarters of their size; beyond that they scroll.
    return (f"<svg style='width:100%;min-width:{width * 3 // 4}px;max-width:{width}px' "
            f"viewBox='0 0 {width} {height}' role='group' aria-label='asset graph'>{edges}{boxes}</svg>")


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + BOX_W, start[1] + BOX_H // 2, end[0], end[1] + BOX_H // 2
    bend = (x1 + x2) // 2
    return f"<path class='edge' d='M{x1},{y1} C{bend},{y1} {bend},{y2} {x2},{y2}'/>"


def _box(name: str, at: tuple[int, int], entries: list[Planned]) -> str:
    x, y = at
    busy = sum(entry.compute for entry in entries)
    caption = f"{busy} rows to compute" if busy else f"{sum(entry.rows for entry in entries)} rows"
    dots = []
    for number, entry in enumerate(entries):
        title = html(f"{name} / {entry.partition}: {entry.state}, {entry.compute} of {entry.rows} rows")
        dot = (f"<g data-asset='{html(name)}' data-color='{html(entry.partition)}' "
               f"data-state='{entry.state}'><title>{title}</title>{_mark(entry, x + 12 + number * 24, y + 62)}</g>")
        link = f"<a href='#{_anchor(entry)}' aria-label='{title}'>{dot}</a>"
        dots.append(link if entry.reasons else dot)
    return (f"<rect class='box' x='{x}' y='{y}' width='{BOX_W}' height='{BOX_H}' rx='9'/>"
            f"<text x='{x + 12}' y='{y + 26}'>{html(name)}</text>"
            f"<text class='small' x='{x + 12}' y='{y + 46}'>{html(caption)}</text>{''.join(dots)}")


def _anchor(entry: Planned) -> str:
    return html(f"{entry.asset}-{entry.partition}")


def _mark(entry: Planned, x: int, y: int) -> str:
    """Return the color's swatch with its state below: bar (fresh), dot (stale), diamond (restamp), cross (blocked)."""
    try:
        fill = f"#{taxonomy.by_name(entry.partition).hex}"
    except taxonomy.UnknownColor:
        fill = "#888888"
    swatch = f"<rect x='{x}' y='{y}' width='18' height='9' rx='2' style='fill:{fill};stroke:var(--line)'/>"
    return swatch + _sign(entry.state, x + 9, y + 17)


def _sign(state: str, x: int, y: int) -> str:
    if state == "fresh":
        return f"<rect class='fresh' x='{x - 8}' y='{y - 1}' width='16' height='3' rx='1.5'/>"
    if state == "stale":
        return f"<circle class='stale' cx='{x}' cy='{y}' r='4.5'/>"
    if state == "restamp":
        return (f"<polygon points='{x},{y - 5} {x + 5},{y} {x},{y + 5} {x - 5},{y}' "
                "style='fill:none;stroke:var(--stale);stroke-width:2'/>")
    return (f"<path d='M{x - 4},{y - 4} L{x + 4},{y + 4} M{x - 4},{y + 4} L{x + 4},{y - 4}' "
            "style='stroke:var(--blocked);stroke-width:2.6'/>")


def _legend() -> str:
    items = "".join(f"<li><svg width='18' height='14'>{_sign(state, 9, 8)}</svg>{state}</li>"
                    for state in ("fresh", "stale", "restamp", "blocked"))
    return f"<ul class='legend'>{items}</ul>"


def _details(planned: list[Planned]) -> str:
    found = []
    for entry in planned:
        if not entry.reasons:
            continue
        about = "at most " if entry.at_most else ""
        cost = f", about {entry.seconds:.1f} s" if entry.seconds else ""
        reasons = "".join(f"<li>{html(reason)}</li>" for reason in entry.reasons)
        found.append(f"<details open id='{_anchor(entry)}'><summary><b>{html(entry.asset)}</b> / "
                     f"{html(entry.partition)} "
                     f"<span>{entry.state}, {about}{entry.compute} of {entry.rows} rows{cost}</span></summary>"
                     f"<ul>{reasons}</ul></details>")
    return "".join(found)
