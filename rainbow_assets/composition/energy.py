"""The energy that a song asks for, from its tempo and the moods of its proposal."""

from __future__ import annotations

from rainbow_assets.composition.model import SongBrief
from rainbow_assets.composition.templates import ENERGIES

SLOW_BPM, FAST_BPM = 84.0, 124.0
_CALM = ("calm", "quiet", "ambient", "meditative", "melanchol", "serene", "tender", "still", "sparse", "dream", "slow")
_LIVELY = ("energetic", "driving", "urgent", "frantic", "ecstatic", "aggressive", "triumphant", "intense", "dance")


def wanted_energy(song: SongBrief) -> str:
    """Return ``low``, ``medium`` or ``high`` by tempo, moved by one level if the moods are lively or calm."""
    place = 0 if song.bpm < SLOW_BPM else 1 if song.bpm < FAST_BPM else 2
    moods = " ".join(song.moods).lower()
    calm, lively = any(word in moods for word in _CALM), any(word in moods for word in _LIVELY)
    return ENERGIES[max(0, min(2, place + lively - calm))]


def closeness(energy: str, wanted: str) -> float:
    """Return 1 for the wanted energy, 0.5 for one level off, 0.1 for two."""
    return (1.0, 0.5, 0.1)[abs(ENERGIES.index(energy) - ENERGIES.index(wanted))]
