"""The sound of a color, derived from its modes in the Rainbow Table; this module names no color.

Temporal mode: tempo, attack, brightness. Spatial mode: instruments and how long they ring. Ontological mode: scale,
chords and rhythm; a color with two of them alternates from section to section. Without modes: noisy and chromatic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rainbow_assets.sound.instruments import Timbre
from rainbow_assets.taxonomy import Color


@dataclass(frozen=True, slots=True)
class Era:
    """The part of the sound that a temporal mode decides. ``pulse`` is the lead's grid in quarter notes."""

    bpm: tuple[int, int]
    pulse: float
    attack_s: float
    slope: float
    wobble_cents: float
    fm_index: float


ERAS: dict[str | None, Era] = {
    "Past": Era((66, 82), 1.0, 0.03, 2.0, 14.0, 0.0),
    "Present": Era((96, 114), 0.5, 0.008, 1.3, 0.0, 0.0),
    "Future": Era((132, 156), 0.5, 0.002, 0.7, 0.0, 2.5),
    None: Era((84, 126), 0.5, 0.006, 1.1, 3.0, 0.6),
}


@dataclass(frozen=True, slots=True)
class Body:
    """The part that a spatial mode decides: stems, length of chords and lead notes (1 = until the next), and voices."""

    roles: tuple[str, ...]
    lead: Timbre
    chords: Timbre
    chord_beats: float
    hold: float
    bass_drone: bool = False


BODIES: dict[str | None, Body] = {
    "Thing": Body(("kick", "percussion", "bass", "chords", "lead"), Timbre(12, decay_s=0.22, release_s=0.05),
                  Timbre(24, decay_s=0.3, release_s=0.05), 1.0, 0.5),
    "Place": Body(("texture", "bass", "chords", "lead"), Timbre(98, decay_s=0.9, release_s=0.4, room_s=1.6),
                  Timbre(89, attack_s=0.5, release_s=0.8, room_s=2.2), 4.0, 1.0, bass_drone=True),
    "Person": Body(("drums", "bass", "chords", "lead"),
                   Timbre(53, attack_s=0.04, release_s=0.07, wobble_cents=18.0, wobble_hz=5.3, vowel=True, breath=0.02),
                   Timbre(4, decay_s=1.1, release_s=0.12), 2.0, 0.85),
    None: Body(("static", "bass", "chords", "lead"), Timbre(14, decay_s=0.5, release_s=0.2, breath=0.12),
               Timbre(19, release_s=0.05, breath=0.05), 1.5, 0.7),
}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The part that an ontological mode decides. Scales are in semitones; roots and chord steps are scale positions.

    ``rhythm``: ``regular`` on the grid, ``dotted`` 3+3+2, ``sparse`` off the beat with holes, ``free`` anywhere.
    """

    scales: tuple[tuple[int, ...], ...]
    minor: bool | None
    roots: tuple[int, ...]
    chord: tuple[int, ...]
    rhythm: str
    fading: bool = False


LYDIAN, WHOLE_TONE = (0, 2, 4, 6, 7, 9, 11), (0, 2, 4, 6, 8, 10)
PHRYGIAN, AEOLIAN = (0, 1, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 10)
IONIAN, CHROMATIC = (0, 2, 4, 5, 7, 9, 11), tuple(range(12))
KNOWLEDGE: dict[str | None, Knowledge] = {
    "Imagined": Knowledge((LYDIAN, WHOLE_TONE), False, (1, 2, 4, 3), (0, 2, 4, 6), "dotted"),
    "Forgotten": Knowledge((PHRYGIAN, AEOLIAN), True, (1, 5, 6, 3), (0, 2, 4), "sparse", fading=True),
    "Known": Knowledge((IONIAN,), False, (3, 4, 5, 1), (0, 2, 4), "regular"),
    None: Knowledge((CHROMATIC,), None, (6, 1, 7, 10, 3), (0, 1, 6, 11), "free"),
}


@dataclass(frozen=True, slots=True)
class Character:
    """The sound of a color; ``voices`` has a timbre for each role of a stem."""

    era: Era
    body: Body
    knowledge: tuple[Knowledge, ...]
    voices: dict[str, Timbre]

    def knows(self, section: int) -> Knowledge:
        """Return the ontological part of the section with this number; two modes alternate."""
        return self.knowledge[section % len(self.knowledge)]


def character(color: Color) -> Character:
    """Return the sound of ``color``, derived from its temporal, spatial and ontological modes."""
    era, body = ERAS[color.temporal], BODIES[color.spatial]
    knowledge = tuple(KNOWLEDGE[mode] for mode in color.ontological) or (KNOWLEDGE[None],)
    room = body.chords.room_s / 3
    hiss = 0.0 if color.ontological else 0.18
    drums = Timbre(drum=True, slope=era.slope, decay_s=1.6 if era.slope > 1.5 else 1.0, room_s=room)
    voices = {
        "lead": _aged(body.lead, era, hiss),
        "chords": _aged(replace(body.chords, fm_index=0.0), era, hiss),
        "bass": Timbre(38 if era.fm_index > 1 else 33, slope=min(1.4, era.slope + 0.3), release_s=0.06,
                       attack_s=max(era.attack_s / 2, 0.004), decay_s=None if body.bass_drone else 0.7,
                       fm_index=era.fm_index / 2, wobble_cents=era.wobble_cents / 2),
        "kick": drums, "percussion": drums, "drums": drums, "static": replace(drums, room_s=0.5),
        "texture": Timbre(96, slope=era.slope, attack_s=1.2, release_s=1.0, breath=0.6, room_s=2.0),
    }
    return Character(era, body, knowledge, voices)


def _aged(timbre: Timbre, era: Era, hiss: float) -> Timbre:
    """Return a voice with the attack, brightness, flutter and noise of its era; a singing voice keeps its vibrato."""
    flutter = timbre.wobble_cents or era.wobble_cents
    attack = max(timbre.attack_s, era.attack_s) if timbre.decay_s else max(timbre.attack_s, 2 * era.attack_s)
    fm = 0.0 if timbre.vowel else era.fm_index
    slope = 0.6 if timbre.vowel else era.slope
    return replace(timbre, attack_s=attack, slope=slope, wobble_cents=flutter, fm_index=fm, breath=timbre.breath + hiss)
