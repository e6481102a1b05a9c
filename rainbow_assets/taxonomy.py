"""The Rainbow Table: the nine colors, their modes and the target vectors.

This is the only module that knows a color's mode. Targets, column values, demo sounds and card texts are derived from
it, so that a mode is changed in one place. Source: the artist's table of colors; ``Z`` is Black, ``A`` is White.
"""

from __future__ import annotations

from dataclasses import dataclass

TEMPORAL = ("Past", "Present", "Future")
SPATIAL = ("Thing", "Place", "Person")
ONTOLOGICAL = ("Imagined", "Forgotten", "Known")
PEAK = 0.8
"""Probability of a color's own mode in a target vector; two modes share it equally."""


@dataclass(frozen=True, slots=True)
class Color:
    """One row of the Rainbow Table.

    ``spatial`` is the artist's "objectional" mode; its published column keeps the old name
    ``rainbow_color_objectional_mode``. ``transmigration`` is set for Black and White only.
    """

    number: int
    name: str
    mnemonic: str
    hex: str
    album: str
    temporal: str | None = None
    spatial: str | None = None
    ontological: tuple[str, ...] = ()
    transmigration: str | None = None

    @property
    def album_prefix(self) -> str:
        """The album number in two digits, with which song folders start, for example ``05``."""
        return f"{self.number:02d}"

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0..255."""
        return int(self.hex[0:2], 16), int(self.hex[2:4], 16), int(self.hex[4:6], 16)

    @property
    def has_target(self) -> bool:
        """False for Black and White, which have no mode."""
        return bool(self.temporal or self.spatial or self.ontological)


@dataclass(frozen=True, slots=True)
class Target:
    """Probability vectors over the modes; ``None`` if the color has no mode of that kind.

    Orders: temporal (Past, Present, Future), spatial (Thing, Place, Person), ontological
    (Imagined, Forgotten, Known). Each vector sums to 1.
    """

    temporal: tuple[float, ...] | None
    spatial: tuple[float, ...] | None
    ontological: tuple[float, ...] | None


COLORS: tuple[Color, ...] = (
    Color(1, "Black", "Z", "231F20", "The Conjurer's Thread", transmigration="SPACE>TIME>INFORMATION"),
    Color(2, "Red", "R", "AE1E36", "Light Reading", "Past", "Thing", ("Known",)),
    Color(3, "Orange", "O", "EF7143", "Ruine", "Past", "Thing", ("Imagined",)),
    Color(4, "Yellow", "Y", "FFFF00", "Pulsar Palace", "Future", "Place", ("Imagined",)),
    Color(5, "Green", "G", "ABD96D", "The Empty Fields", "Future", "Place", ("Forgotten",)),
    Color(6, "Blue", "B", "042A7B", "Taped Over", "Present", "Person", ("Forgotten",)),
    Color(7, "Indigo", "I", "26294A", "Infranyms", ontological=("Known", "Forgotten")),
    Color(8, "Violet", "V", "AD85D6", "Vanity Pressing", "Present", "Person", ("Known",)),
    Color(9, "White", "A", "F6F6F6", "Unnamed White Album", transmigration="INFORMATION>TIME>SPACE"),
)
COLOR_NAMES: tuple[str, ...] = tuple(color.name for color in COLORS)
_BY_NAME = {color.name.lower(): color for color in COLORS}
_BY_MNEMONIC = {color.mnemonic: color for color in COLORS}


class UnknownColor(ValueError):
    """The Rainbow Table has no color of that name or letter."""


def by_name(name: str) -> Color:
    """Return the color called ``name`` (any letter case); raise ``UnknownColor`` if there is none.

    >>> by_name("green").mnemonic, by_name("green").temporal
    ('G', 'Future')
    """
    color = _BY_NAME.get(name.strip().lower())
    if color is None:
        raise UnknownColor(f"{name!r} is not a color of the Rainbow Table; use one of {', '.join(COLOR_NAMES)}")
    return color


def by_mnemonic(letter: str) -> Color:
    """Return the color of ``letter`` (``Z`` Black ... ``A`` White); raise ``UnknownColor`` if there is none."""
    color = _BY_MNEMONIC.get(letter.strip().upper())
    if color is None:
        letters = ", ".join(f"{c.mnemonic} {c.name}" for c in COLORS)
        raise UnknownColor(f"{letter!r} is not a color letter; use one of {letters}")
    return color


def resolve(text: str) -> Color:
    """Return the color that ``text`` names, by letter or by name; raise ``UnknownColor`` if there is none."""
    return by_mnemonic(text) if len(text.strip()) == 1 else by_name(text)


def _vector(modes: tuple[str, ...], classes: tuple[str, ...]) -> tuple[float, ...] | None:
    if not modes:
        return None
    rest = (1.0 - PEAK) / (len(classes) - len(modes))
    return tuple(PEAK / len(modes) if name in modes else rest for name in classes)


def target(color: Color) -> Target:
    """Return the target vectors of ``color``; Indigo's two ontological modes share the peak."""
    return Target(
        temporal=_vector((color.temporal,) if color.temporal else (), TEMPORAL),
        spatial=_vector((color.spatial,) if color.spatial else (), SPATIAL),
        ontological=_vector(color.ontological, ONTOLOGICAL),
    )
