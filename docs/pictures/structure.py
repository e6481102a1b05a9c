"""Draw which package imports which, from the source, in the rows of the import contract: docs/pictures/structure.svg.

An arrow that follows from others (a imports b, b imports c, so a may know c) is left out.
"""

from __future__ import annotations

import ast
import html
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "rainbow_assets"
PICTURE = Path(__file__).with_name("structure.svg")
WIDE, HIGH, GAP, ROW, ASIDE = 130, 38, 30, 66, 110
HELPERS = ("settings", "rules", "taxonomy", "caches", "digests", "door", "progress", "text", "errors",
           "scratch", "atomic")
"""Root helpers, which nearly everything uses: drawn as one box."""


def layers() -> list[list[str]]:
    """Return the rows of the import contract, highest first, with the helpers as one box at the bottom."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    rows = [[name.strip() for name in row.split("|")] for row in contract["layers"]]
    kept = [[name for name in row if name not in HELPERS] for row in rows]
    return [*(row for row in kept if row), ["root helpers"]]


def imports() -> dict[str, set[str]]:
    """Return {package: the packages that its modules import}."""
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        own = _box(file.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "rainbow_assets":
                parts = tuple(node.module.split(".")[1:])
                taken = [parts] if parts else [(item.name,) for item in node.names]
                found.setdefault(own, set()).update(_box(one) for one in taken if not one[0].startswith("__"))
    return {own: names - {own} for own, names in found.items() if own != "__init__"}


def _box(parts: tuple[str, ...]) -> str:
    """Return the box of a module. The root's settings read those of the packages, so these are in the root's box."""
    return "root helpers" if parts[0] in HELPERS or parts[-1] == "settings" else parts[0]


def arrows(known: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports that do not follow from other ones."""
    def reached(name: str, without: tuple[str, str]) -> set[str]:
        seen: set[str] = set()
        todo = [name]
        while todo:
            here = todo.pop()
            fresh = {there for there in known.get(here, ()) if (here, there) != without} - seen
            seen |= fresh
            todo += fresh
        return seen

    return [(one, other) for one in sorted(known) for other in sorted(known[one])
            if other not in reached(one, (one, other))]


def draw() -> str:
    """Return the picture as SVG."""
    rows = layers()
    width = max(len(row) for row in rows) * (WIDE + GAP) + 2 * GAP + 2 * ASIDE
    # Rows of one box alternate between left, middle and right, so that no arrow passes behind a box.
    place = {name: ((width - len(row) * (WIDE + GAP) + GAP) / 2 + at * (WIDE + GAP)
                    + (ASIDE * (number % 3 - 1) if len(row) == 1 else 0), number * ROW + GAP)
             for number, row in enumerate(rows) for at, name in enumerate(row)}
    lines = []
    for one, other in arrows(imports()):
        if one in place and other in place:
            (x, y), (to_x, to_y) = place[one], place[other]
            start, end = f"{x + WIDE / 2:g}", f"{to_x + WIDE / 2:g}"
            lines.append(f'<path d="M{start} {y + HIGH:g}C{start} {y + HIGH + 22:g} {end} {to_y - 22:g} {end} '
                         f'{to_y - 4:g}" marker-end="url(#tip)"/>')
    boxes = [f'<g><rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="8"/>'
             f'<text x="{x + WIDE / 2:g}" y="{y + HIGH / 2 + 5:g}">{html.escape(name)}</text></g>'
             for name, (x, y) in place.items()]
    style = ("rect{fill:#f6f3ea;stroke:#444}text{font:15px sans-serif;text-anchor:middle;fill:#222}"
             "path{fill:none;stroke:#777;stroke-width:1.4}marker path{fill:#777;stroke:none}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {len(rows) * ROW + GAP}">'
            f'<style>{style}</style><rect x="0" y="0" width="100%" height="100%" style="fill:#fff;stroke:none"/>'
            '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0L8 4L0 8z"/></marker>{"".join(lines)}{"".join(boxes)}</svg>\n')


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8", newline="\n")
