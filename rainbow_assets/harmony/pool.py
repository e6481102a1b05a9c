"""Pools: the chords of one key that a search may use, as arrays, with matrices over all pairs of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rainbow_assets.harmony.graphs import Transitions
from rainbow_assets.harmony.model import Chord, make_chord
from rainbow_assets.harmony.voices import Moves, moves
from rainbow_assets.music.chord_types import BY_SYMBOL, NO_FIFTH, ChordType, no_fifth
from rainbow_assets.music.errors import NoProgression
from rainbow_assets.music.keys import Key

Matrix = NDArray[np.float64]
Rows = NDArray[np.int32]


@dataclass(eq=False)
class Pool:
    """Distinct chords in ``key``, and the probabilities of transitions between their functions (None: no graph)."""

    key: Key
    chords: tuple[Chord, ...]
    graph: Transitions | None = None
    _kept: dict[int, tuple[object, Matrix]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.chords)

    @cached_property
    def tops(self) -> NDArray[np.int32]:
        """Highest pitch of each chord, int32[n]."""
        return np.array([chord.voicing[-1] for chord in self.chords], np.int32)

    @cached_property
    def moves(self) -> Moves:
        """Voice leading between all pairs."""
        return moves([chord.voicing for chord in self.chords])

    @cached_property
    def functions(self) -> NDArray[np.int32]:
        """Place of each chord's function among the graph's labels, int32[n]; -1 if the graph does not have it."""
        places = {label: n for n, label in enumerate(self.graph.labels)} if self.graph else {}
        return np.array([places.get(chord.function, -1) for chord in self.chords], np.int32)

    @cached_property
    def transition(self) -> Matrix:
        """Probability that each chord's function follows each other's, float64[n, n]; 0 if the graph has no edge."""
        place = self.functions
        if self.graph is None or not len(self.graph.labels):
            return np.zeros((len(self), len(self)))
        known = (place[:, None] >= 0) & (place[None, :] >= 0)
        return np.where(known, self.graph.probability[place[:, None], place[None, :]], 0.0)

    @cached_property
    def starting(self) -> NDArray[np.float64]:
        """Probability that a progression begins with each chord's function, float64[n]; 0 if none does."""
        starts = np.append(self.graph.starts if self.graph is not None else np.zeros(0), 0.0)
        return starts[self.functions]

    @cached_property
    def pairs(self) -> Progressions:
        """All progressions of two chords, in the order of a flattened n x n matrix."""
        both = np.divmod(np.arange(len(self) ** 2), len(self))
        return Progressions(self, np.stack(both, axis=1).astype(np.int32))

    def once(self, owner: object, make: Callable[[], Matrix]) -> Matrix:
        """Return the matrix that ``make`` computes for ``owner``; it is computed once per pool."""
        # The owner is kept with its matrix, so that no other object can get its id.
        if id(owner) not in self._kept:
            self._kept[id(owner)] = (owner, make())
        return self._kept[id(owner)][1]


@dataclass(frozen=True, eq=False)
class Progressions:
    """Many progressions of one length: ``rows`` int32[n, length] are places in ``pool.chords``."""

    pool: Pool
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def chords(self, number: int) -> tuple[Chord, ...]:
        """Return the chords of progression ``number``."""
        return tuple(self.pool.chords[place] for place in self.rows[number])


def transpose(chord: Chord, key: Key) -> Chord:
    """Return ``chord`` transposed to ``key`` (of the same mode) by the smallest interval, with names of that key."""
    shift = (key.pc - chord.key.pc + 5) % 12 - 5
    return make_chord(key, (chord.root_pc + shift) % 12, _type(chord), tuple(pitch + shift for pitch in chord.voicing),
                      chord.category, chord.pack, chord.source_file)


def _type(chord: Chord) -> ChordType:
    symbol = "" if chord.quality == "maj" else chord.quality
    return no_fifth(BY_SYMBOL[symbol.removesuffix(NO_FIFTH)]) if symbol.endswith(NO_FIFTH) else BY_SYMBOL[symbol]


def make_pool(
    chords: Iterable[Chord], key: Key, graph: Transitions | None = None, categories: Sequence[str] = (),
) -> Pool:
    """Return the pool of ``key``: the library's chords in that key, or else those of the nearest key, transposed.

    Chords with the same notes are used once (under the name in root position, if there is one). They are sorted, so
    that the order of a pack's files does not matter. ``categories`` keeps only chords of these kinds (``triad``,
    ``seventh`` ...). Raises ``NoProgression`` if no chord is left.
    """
    usable = [chord for chord in chords if chord.key.mode == key.mode]
    if not usable:
        raise NoProgression(f"the chord library has no chord in a {key.mode} key; choose another pack")
    by_tonic: dict[int, list[Chord]] = {}
    for chord in usable:
        by_tonic.setdefault((key.pc - chord.key.pc + 5) % 12 - 5, []).append(chord)
    nearest = min(by_tonic, key=lambda shift: (abs(shift), shift))
    known = sorted({chord.category for chord in by_tonic[nearest]})
    unknown = sorted(set(categories) - set(known))
    if unknown:
        raise NoProgression(f"the chord library has no chord of the kind {unknown[0]!r} in {key.label}; it has "
                            f"{', '.join(known)}")
    placed = [chord if chord.key == key else transpose(chord, key) for chord in by_tonic[nearest]
              if not categories or chord.category in categories]
    distinct: dict[tuple[int, ...], Chord] = {}
    for chord in sorted(placed, key=lambda chord: (chord.voicing, abs(chord.inversion), chord.roman)):
        distinct.setdefault(chord.voicing, chord)
    return Pool(key, tuple(distinct.values()), graph)
