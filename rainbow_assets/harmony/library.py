"""Libraries of chords with their function graph, and a search with the signature of the original generator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from rainbow_assets.errors import RainbowError
from rainbow_assets.harmony.graphs import Transitions, function_graph, transitions
from rainbow_assets.harmony.limits import SearchLimits
from rainbow_assets.harmony.model import Chord, Pack
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.harmony.pool import Pool, make_pool
from rainbow_assets.harmony.scorers import FITNESS, Scorer, fitness_scorer
from rainbow_assets.harmony.search import Found, search
from rainbow_assets.harmony.theory import NAME, theory_pack
from rainbow_assets.music.keys import MODES, Key, parse_key

if TYPE_CHECKING:
    import networkx as nx


@dataclass(eq=False)
class Library:
    """The chords of all keys and the function graph of both modes. ``digest`` identifies their source."""

    name: str
    digest: str
    chords: tuple[Chord, ...]
    graph: nx.DiGraph
    _tables: dict[str, Transitions] = field(default_factory=dict, repr=False)
    _pools: dict[tuple[Key, tuple[str, ...]], Pool] = field(default_factory=dict, repr=False)

    def pool(self, key: Key, categories: Sequence[str] = ()) -> Pool:
        """Return the pool of ``key`` (of these categories, or all). Pools are kept, because their matrices are slow."""
        wanted = (key, tuple(sorted(set(categories))))
        if wanted not in self._pools:
            if not self._tables:
                self._tables.update({mode: transitions(self.graph, mode) for mode in MODES})
            self._pools[wanted] = make_pool(self.chords, key, self._tables[key.mode], wanted[1])
        return self._pools[wanted]


def library_of(pack: Pack) -> Library:
    """Return the library of ``pack``."""
    return Library(pack.name, pack.digest, pack.chords, function_graph(pack.progressions))


@lru_cache(maxsize=1)
def builtin_library() -> Library:
    """Return the library of the built-in theory pack."""
    return library_of(theory_pack())


def open_library(pack: str = NAME) -> Library:
    """Return the library of ``builtin`` or of the pack in a folder or tar archive; raise ``PackError``."""
    return builtin_library() if pack == NAME else library_of(read_pack(pack))


def generate_progression_brute_force(
    key: str, mode: str | None = None, length: int = 4, num_candidates: int = 1000, top_k: int = 10,
    weights: Mapping[str, float] | None = None, use_graph: bool = True, *, seed: int = 0,
    library: Library | None = None, scorers: Mapping[str, Scorer] | None = None,
    constraints: SearchLimits | None = None, color: str | None = None,
) -> list[Found]:
    """Draw ``num_candidates`` progressions in ``key`` and return the ``top_k`` best: (score, chords, breakdown).

    ``key`` is ``A minor``, or a tonic with ``mode`` beside it (``Major``, ``minor``). Without ``use_graph`` the draws
    are uniform. The same arguments give the same list. Raises ``HarmonyUsageError`` and ``NoProgression``.

    A weight for ``chromatic_fitness`` scores how well a progression fits ``color`` with this project's trained scorer.
    Without a color, or if that scorer failed its gates, the other scorers share its weight and there is a warning.

    >>> found = generate_progression_brute_force("C", "Major", length=4, num_candidates=200)
    >>> [chord.function for chord in found[0].progression][0]
    'I'
    """
    chosen, unscored = with_fitness(weights, scorers, color)
    pool = (library or builtin_library()).pool(parse_key(key, mode))
    result = search(pool, length, strategy="brute_force" if use_graph else "random", top=top_k, weights=weights,
                    scorers=chosen, candidates=num_candidates, seed=seed, constraints=constraints,
                    unscored=unscored)
    if result.note:
        warnings.warn(result.note, stacklevel=2)
    return list(result.found)


def with_fitness(
    weights: Mapping[str, float] | None, scorers: Mapping[str, Scorer] | None, color: str | None
) -> tuple[dict[str, Scorer], str]:
    """Return ``scorers``, with ``chromatic_fitness`` if ``weights`` name it, and the reason if it is missing."""
    found = dict(scorers or {})
    if FITNESS not in (weights or {}) or FITNESS in found or color is None:
        return found, ""
    try:
        return {**found, FITNESS: fitness_scorer(color)}, ""
    except RainbowError as error:
        return found, str(error)
