"""The instrument of a stand-in stem, chosen by the words that describe the stem."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rainbow_assets.corpus.model import Track
from rainbow_assets.sound import instruments
from rainbow_assets.sound.instruments import Timbre


@dataclass(frozen=True, slots=True)
class Player:
    """An instrument: ``part`` is what it plays, ``base`` its lowest tonic, ``keys`` its drums, ``peak`` its level."""

    name: str
    part: str
    timbre: Timbre
    base: int = 48
    keys: tuple[int, ...] = ()
    peak: float = 0.3
    pan: float = 0.0


_KIT = Timbre(drum=True)
_PLAYERS: tuple[tuple[str, Player], ...] = (
    (r"drum machine|stylus|beat|loop", Player("drum machine", "kit", Timbre(drum=True, slope=0.9, decay_s=0.7),
     keys=(instruments.KICK, instruments.CLAP, instruments.CLOSED_HAT), peak=0.45)),
    (r"kick|bass drum", Player("kick", "kick", _KIT, keys=(instruments.KICK,), peak=0.5)),
    (r"snare", Player("snare", "snare", _KIT, keys=(instruments.SNARE,), peak=0.4)),
    (r"\btoms?\b|floor|tabla|timpani", Player("toms", "fill", _KIT, keys=(instruments.TOM, 41), peak=0.45, pan=0.2)),
    (r"hi-? ?hat|hihat|\bhh\b|\bhat", Player("hi-hat", "pulse", _KIT,
     keys=(instruments.CLOSED_HAT, instruments.OPEN_HAT), peak=0.25, pan=0.35)),
    (r"cymbal|\bride\b|crash|gong|overhead|\broom\b", Player("cymbal", "wash", _KIT,
     keys=(instruments.RIDE, instruments.CRASH), peak=0.3, pan=-0.35)),
    (r"tambourine|\btam\b", Player("tambourine", "pulse", _KIT, keys=(instruments.TAMBOURINE,), peak=0.28, pan=0.5)),
    (r"shaker|maraca|perc|clap|cowbell|conga|bongo|block", Player("shaker", "pulse", _KIT, keys=(instruments.SHAKER,),
     peak=0.28, pan=-0.5)),
    (r"drum", Player("drum kit", "kit", _KIT, keys=(instruments.KICK, instruments.SNARE, instruments.CLOSED_HAT),
     peak=0.45)),
    (r"vo[cx]|choir|voice|sing|spoken|speech|chant|infranym", Player("voice", "voice", Timbre(
        53, slope=0.6, attack_s=0.04, wobble_cents=15.0, wobble_hz=5.2, vowel=True, breath=0.02), 57, peak=0.4)),
    (r"bass", Player("bass", "bass", Timbre(33, slope=1.3, decay_s=0.8, release_s=0.06), 36, peak=0.4)),
    (r"guitar|banjo|mandolin|ukulele|lap steel|twelve|baritone", Player("guitar", "strum",
     Timbre(25, slope=1.1, attack_s=0.003, decay_s=0.6, release_s=0.08), 48, peak=0.32, pan=0.4)),
    (r"violin|viola|cello|strings|fiddle|alp horn|horn|trumpet|brass|sax|flute|clarinet", Player("strings", "chords",
     Timbre(48, slope=1.2, attack_s=0.15, release_s=0.25, wobble_cents=8.0, wobble_hz=5.0), 55, pan=-0.4)),
    (r"organ|farfisa|harmonium|accordion|mellotron", Player("organ", "chords",
     Timbre(16, slope=1.0, attack_s=0.01, release_s=0.05), 48, pan=0.25)),
    (r"piano|wurlitzer|rhodes|clavinet|keys|vibes|harpsi|marimba|bell|glock", Player("piano", "strum",
     Timbre(4, slope=1.3, decay_s=0.9, release_s=0.1), 53, pan=-0.25)),
    (r"pad|drone|atmos|ambien|noise|field|tape|\bfx\b|wind|ocean|texture|morphagene", Player("pad", "drone",
     Timbre(89, slope=1.4, attack_s=0.6, release_s=0.8, breath=0.15, room_s=1.2), 48, peak=0.25)),
    (r"arp|sequence|runner|modular", Player("arpeggio", "arpeggio",
     Timbre(81, slope=0.8, attack_s=0.002, decay_s=0.2, release_s=0.04, fm_index=1.0), 60, pan=0.3)),
)
SYNTH = Player("synth", "lead", Timbre(81, slope=0.9, attack_s=0.008, release_s=0.08, wobble_cents=4.0), 60, peak=0.32)
"""The instrument of a stem that no word matches."""


def player(track: Track) -> Player:
    """Return the instrument of ``track`` by its description, else its file's name, else its group."""
    file = re.sub(r"[_/.]+", " ", track.audio_file or track.midi or "")
    for text in (track.description, file, track.group or ""):
        for words, found in _PLAYERS:
            if re.search(words, text.lower()):
                return found
    return SYNTH
