"""Figures as PNG bytes: one canvas that needs no display, and the colors of all figures. Equal data, equal bytes.

matplotlib is loaded by the first figure, not by this module.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILL = {"Black": "#20232a", "Red": "#d64550", "Orange": "#e0912f", "Yellow": "#e3c62c", "Green": "#2e9e6b",
        "Blue": "#2f6fde", "Indigo": "#4b3f9e", "Violet": "#9b51c9", "White": "#b9bdc7"}
"""What a color of the Rainbow Table is drawn in."""
PLAIN, CHANCE, GUIDE = "#5b6b8c", "#d64550", "#b9bdc7"
"""A plain series, the level of chance, and a line to compare with."""


def new_figure(
    width: float, height: float, dpi: int = 80, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """Return an empty figure of ``width`` times ``height`` inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=dpi, layout=layout)


def png(figure: Figure) -> bytes:
    """Return ``figure`` as PNG, without the name and version of what drew it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    # savefig draws everything twice.
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()
