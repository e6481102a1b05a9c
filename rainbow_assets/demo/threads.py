"""Raw threads for the demo, in the layout that the agents write. Keys and tempos repeat, as in many real threads."""

from __future__ import annotations

import uuid
from pathlib import Path

import yaml

from rainbow_assets import taxonomy
from rainbow_assets.demo.texts import THREADS

NAMESPACE = uuid.UUID("6f1f0c52-5d2e-5a61-9a50-3a5f4f0c7d11")


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
