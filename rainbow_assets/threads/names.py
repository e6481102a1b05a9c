"""Names: what a file of a thread is, from its place and name, and what the folder of a packed thread is called."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rainbow_assets.threads.colors import color_of_letter, find_color

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ARTIFACT = re.compile(rf"({UUID.pattern})_([a-z])_(.+)\.([A-Za-z0-9]+)")
_PROPOSAL = re.compile(r"song_proposal_(.+?)_(.+)\.(?:yml|yaml)")
_PROPOSAL_HEX = re.compile(r"song_proposal_(.+? \(0x[0-9a-fA-F]+\))_(.+)\.(?:yml|yaml)")
_WHITE = re.compile(rf"white_agent_(?:{UUID.pattern}_)?(.+)\.(?:md|json)", re.IGNORECASE)
_MEDIA = {"png": "image", "jpg": "image", "jpeg": "image", "wav": "audio", "mp3": "audio", "flac": "audio",
          "mid": "midi", "midi": "midi"}
_BY_NAME = {
    "evp": ("evp", "Black"), "character_sheet": ("character_sheet", "Yellow"),
    "pulsar_palace_game_run": ("game_run", "Yellow"), "circle_jerk_interview": ("interview", "Violet"),
    "rescue_decision": ("rescue_decision", "Green"), "arbitrarys_survey": ("survey", "Green"),
    "last_human": ("last_human", "Green"), "UNKNOWN_ARTIFACT_NAME": ("quantum_tape_label", "Blue"),
}
_BY_TYPE = {
    "newspaper_article": ("newspaper", "Orange"), "symbolic_object": ("symbolic_object", "Orange"),
    "alternate_timeline": ("alternate_timeline", "Blue"), "species_extinction": ("species_extinction", "Green"),
    "redchainartifactbook": ("book", "Red"), "book": ("book", "Red"), "last_human": ("last_human", "Green"),
    "evp": ("evp", "Black"), "quantum_tape": ("quantum_tape", "Blue"),
    "rescue_decision": ("rescue_decision", "Green"),
}
"""Which agent makes which artifact: its color counts where the file's own letter is ``t`` (none was set)."""

LONGEST = 80
"""Characters of a title in the name of a packed folder."""


@dataclass(frozen=True, slots=True)
class FileName:
    """What follows from the name alone. ``proposal`` is (color text, iteration id) of a single proposal's file."""

    type: str
    color: str | None
    proposal: tuple[str, str] | None = None
    unnamed: bool = False


@lru_cache(maxsize=8192)
def read_name(file: str) -> FileName:
    """Read the path of a file inside its thread. Pure; an unknown name gets the type of its suffix."""
    name = file.rpartition("/")[2]
    if name.startswith("all_song_proposals_"):
        return FileName("all_song_proposals", "White")
    single = _PROPOSAL_HEX.fullmatch(name) or _PROPOSAL.fullmatch(name)
    if single:
        color = find_color(single[1])
        return FileName("song_proposal", color.name if color else None, (single[1], single[2]))
    white = _WHITE.fullmatch(name)
    if white:
        return FileName(white[1].lower(), "White")
    found = _ARTIFACT.fullmatch(name)
    if found:
        color = color_of_letter(found[2])
        kind, usual = _BY_NAME.get(found[3], (_by_suffix(name, file), None))
        return FileName(kind, color.name if color else usual, unnamed=found[3] == "UNKNOWN_ARTIFACT_NAME")
    if name.startswith("character_portrait_"):
        return FileName("character_portrait", "Yellow")
    if name.startswith("audio_") and name.endswith("_metadata.json"):
        return FileName("infranym_metadata", "Indigo")
    return FileName(_by_suffix(name, file), None)


def _by_suffix(name: str, file: str) -> str:
    suffix = name.rpartition(".")[2].lower()
    if suffix in _MEDIA:
        return _MEDIA[suffix]
    return "narrative" if suffix == "md" and "/" in file else "document"


def typed_by_content(name: FileName, value: Any) -> tuple[str, str | None]:
    """Return (type, color) once the file's own ``chain_artifact_type`` and color letter are known."""
    if not isinstance(value, dict) or name.type in ("song_proposal", "all_song_proposals"):
        return name.type, name.color
    named = value.get("chain_artifact_type")
    kind, usual = name.type, None
    if isinstance(named, str):
        kind, usual = _BY_TYPE.get(named.lower(), (re.sub(r"[^a-z0-9]+", "_", named.lower()).strip("_"), None))
    letter = value.get("rainbow_color_mnemonic_character_value")
    by_letter = color_of_letter(letter) if isinstance(letter, str) else None
    return kind, name.color or (by_letter.name if by_letter else usual)


def slug(text: str) -> str:
    """Return ``text`` in lower case with everything but letters and digits as single hyphens, at most 80 long.

    Letters of other alphabets are transliterated, so that a person can read the name everywhere.

    >>> slug("Été: l’ombre"), slug("Пламя над рекой")
    ('ete-lombre', 'plamya-nad-rekoy')
    """
    plain = text if text.isascii() else "".join(map(_ascii, unicodedata.normalize("NFC", text)))
    plain = re.sub(r"['’`]", "", plain.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")


def _ascii(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain or not letter.isalpha():
        return plain
    from anyascii import anyascii

    return anyascii(letter)


def directory_for(title: str, thread_id: str, crowded: bool = False) -> str:
    """Return the folder name of a new thread: its title's slug and the first eight characters of its id.

    It depends neither on which other titles there are nor on the order in which the threads came. ``crowded`` puts
    the whole id there, for ids that begin alike.
    """
    return f"{slug(title) or 'thread'}-{thread_id if crowded else thread_id[:8]}"


def shared_prefixes(thread_ids: list[str]) -> frozenset[str]:
    """Return the first eight characters that two or more different ids share."""
    counts = Counter(name[:8] for name in set(thread_ids))
    return frozenset(prefix for prefix, count in counts.items() if count > 1)
