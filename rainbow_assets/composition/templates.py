"""Pattern templates: bars written as text in data files, and fitted to any meter beat by beat.

A template is written for one meter, one cell of characters per beat. In another meter each beat takes the cell of a
beat of its kind (the first, the last, or one in between), shortened or extended to its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rainbow_assets.composition.errors import TemplateError
from rainbow_assets.composition.meter import Meter
from rainbow_assets.digests import digest
from rainbow_assets.door import TEXT_BYTES, RefusedFile, parse_toml, read_file

HERE = Path(__file__).parent / "data"
ENERGIES = ("low", "medium", "high")
_OWN = ("name", "family", "energy", "meter")
_ALLOWED = {"drums": set(".goxX"), "bass": set(".-R358LA"), "melody": set(".-x"), "strum": set(".-xud123a")}


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern of one bar: ``rows`` are its voices, each with a cell of characters per beat of ``meter``."""

    name: str
    family: str
    energy: str
    meter: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    def bar(self, meter: Meter) -> dict[str, str]:
        """Return {voice: its bar in ``meter``, one character per step}."""
        return {voice: "".join(_cell(cells, number, len(meter.beats), beat.steps)
                               for number, beat in enumerate(meter.beats)) for voice, cells in self.rows}


def _cell(cells: tuple[str, ...], number: int, beats: int, steps: int) -> str:
    """Return the cell of beat ``number`` of ``beats``: the first and last stay in place, the inner ones repeat."""
    if len(cells) == beats:
        chosen = cells[number]
    elif number == 0:
        chosen = cells[0]
    elif number == beats - 1:
        chosen = cells[-1]
    else:
        inner = cells[1:-1] or cells[:1]
        chosen = inner[(number - 1) % len(inner)]
    return fit(chosen, steps)


def fit(cell: str, steps: int) -> str:
    """Return ``cell`` with ``steps`` characters: halved, cut, or extended by repeating its last two."""
    if len(cell) == 2 * steps:
        return cell[::2]
    if len(cell) >= steps:
        return cell[:steps]
    tail = cell[-2:] if len(cell) > 1 else cell + "."
    return (cell + tail * steps)[:steps]


def own_folder(data: Path) -> Path:
    """Return the folder of a person's templates (``drums.toml``, ``bass.toml``, ``melody.toml``, ``strum.toml``)."""
    return data / "compositions" / "templates"


def templates(kind: str, own: Path | None = None) -> tuple[Template, ...]:
    """Return the templates of ``kind``: the included ones and those in the folder ``own``.

    A person's template replaces an included one of the same name. Raises ``TemplateError``.
    """
    found = {item.name: item for path in _files(kind, own) for item in _read(kind, _bytes(path), str(path.name))}
    return tuple(found.values())


def template_digest(kind: str, own: Path | None = None) -> str:
    """Return a digest of the templates of ``kind``; it changes if a pattern is edited, not if a comment is."""
    return digest([[item.name, item.family, item.energy, item.meter, [[name, list(cells)] for name, cells in item.rows]]
                   for item in templates(kind, own)])


def _files(kind: str, own: Path | None) -> list[Path]:
    places = [HERE / f"{kind}.toml", *([own / f"{kind}.toml"] if own else [])]
    return [path for path in places if path.is_file()]


def _bytes(path: Path) -> bytes:
    try:
        return read_file(path, TEXT_BYTES)
    except RefusedFile as error:
        raise TemplateError(f"the templates {path.name}: {error}") from None


@lru_cache(maxsize=32)
def _read(kind: str, data: bytes, name: str) -> tuple[Template, ...]:
    try:
        document = parse_toml(data.decode("utf-8"))
    except (RefusedFile, UnicodeDecodeError) as error:
        raise TemplateError(f"the templates {name} are not valid TOML ({error}); fix the line") from error
    entries = document.get(kind)
    if not isinstance(entries, list) or not entries:
        raise TemplateError(f"the templates {name} have no [[{kind}]] entries; write one for each pattern")
    return tuple(_template(kind, name, number, entry) for number, entry in enumerate(entries, 1))


def _template(kind: str, file: str, number: int, entry: dict[str, Any]) -> Template:
    where = f"{file}: [[{kind}]] {number} ({entry.get('name', 'without a name')})"
    for field in _OWN:
        if not isinstance(entry.get(field), str) or not entry[field].strip():
            raise TemplateError(f"{where}: the field {field} is missing or not text; write text in quotes")
    if entry["energy"] not in ENERGIES:
        raise TemplateError(f"{where}: energy is {entry['energy']!r}; write one of {', '.join(ENERGIES)}")
    rows = []
    for voice, text in entry.items():
        if voice in _OWN:
            continue
        cells = tuple(str(text).split())
        wrong = sorted(set("".join(cells)) - _ALLOWED[kind])
        if not isinstance(text, str) or not cells or wrong:
            problem = f"contains {', '.join(wrong)}" if wrong else "is not text"
            raise TemplateError(f"{where}: {voice} {problem}; write cells of {' '.join(sorted(_ALLOWED[kind]))}, one "
                                "per beat")
        rows.append((voice, cells))
    if not rows:
        raise TemplateError(f"{where}: it has no voice; write at least one line of cells")
    if len({len(cells) for _, cells in rows}) > 1:
        raise TemplateError(f"{where}: its voices have different numbers of beats; write one cell per beat in each")
    return Template(entry["name"], entry["family"], entry["energy"], entry["meter"], tuple(rows))
