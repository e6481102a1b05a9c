"""A handful of raw threads for the demo, in the layout that the agents write: proposals that repeat what they like."""

from __future__ import annotations

import uuid
from pathlib import Path

import yaml

from rainbow_assets import taxonomy

NAMESPACE = uuid.UUID("6f1f0c52-5d2e-5a61-9a50-3a5f4f0c7d11")
THREADS = (
    ("Green", "The Orchard Keeps Its Own Time", "C major", 93,
     "A field that grows one row for every hour nobody counted."),
    ("Red", "A Ledger of Burnt Bridges", "C major", 88,
     "A clerk writes down each bridge as it burns, and the river corrects him."),
    ("Blue", "Harbor Without a Sea", "A minor", 93,
     "Ships wait in a dry harbor and tell each other about water."),
    ("Yellow", "Static at the Picnic", "C major", 120,
     "A radio plays tomorrow's weather to people who came for yesterday's."),
    ("Violet", "The Mirror Learns to Wait", "C major", 93,
     "A mirror that answers late, and then only with what was meant."),
    ("Indigo", "Letters Under the Floor", "D minor", 75,
     "A house keeps the letters that its tenants decided not to send."),
    ("Orange", "The Museum of Almost", "C major", 93,
     "A museum keeps what nearly happened, and the guide cannot leave the first room."),
    ("Black", "The Toll Keeper Counts Backwards", "E minor", 66,
     "A toll keeper is paid in years, and gives change."),
    ("Green", "Moss on the Ledger", "C major", 93,
     "Moss grows over the accounts of a farm until they are right."),
    ("Red", "The Map Was Hungry", "C major", 93,
     "A map eats the roads it has shown, so that everyone arrives once."),
)
"""Color, title, key, tempo and concept of each thread's last proposal."""


def write_threads(root: Path) -> int:
    """Write the demo's threads below ``root`` and return their number; 0 if the folder holds other threads."""
    names = {str(uuid.uuid5(NAMESPACE, entry[1])): entry for entry in THREADS}
    if root.is_dir() and {path.name for path in root.iterdir() if path.is_dir()} - set(names):
        return 0
    for name, entry in names.items():
        folder = root / name / "yml"
        folder.mkdir(parents=True, exist_ok=True)
        rounds = [_proposal(entry, number, final) for number, final in enumerate((False, False, True))]
        text = yaml.safe_dump({"iterations": rounds}, allow_unicode=True, sort_keys=False)
        (folder / f"all_song_proposals_{name}.yml").write_text(text, "utf-8", newline="\n")
        (folder / "an_object.yml").write_text(yaml.safe_dump({
            "artifact_name": "an object", "thread_id": name, "text": f"What was found near {entry[1]!r}.",
        }), "utf-8", newline="\n")
    return len(names)


def _proposal(entry: tuple[str, str, str, int, str], number: int, final: bool) -> dict[str, object]:
    """Return one proposal of a thread; the last one is the thread's own, the others lead up to it."""
    color, title, key, bpm, concept = entry
    known = taxonomy.by_name(color)
    return {
        "iteration_id": f"{color.lower()}_proposal_v{number + 1}", "bpm": bpm if final else bpm + 4 * (number + 1),
        "tempo": {"numerator": 4, "denominator": 4}, "key": key, "title": title if final else f"{title} (draft)",
        "rainbow_color": {"color_name": color, "mnemonic_character_value": known.mnemonic},
        "mood": ["yearning", "patient"], "genres": ["folk", "drone"], "concept": concept,
    }
