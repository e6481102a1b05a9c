"""Made-up raw threads in the shapes that the agents write: tags, machine paths, debug documents, mosaic segments."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import yaml

MACHINE = "/Volumes/Somewhere/Project/chain_artifacts"
COLORS = ("Indigo", "Black", "Black", "Red", "Orange", "Yellow", "Yellow", "Green", "Green", "Blue", "Blue", "Indigo",
          "Indigo", "Violet", "Violet", "White")
LETTERS = {"Black": "Z", "Red": "R", "Orange": "O", "Yellow": "Y", "Green": "G", "Blue": "B", "Indigo": "I",
           "Violet": "V", "White": "W"}
WORDS = (
    "river", "lantern", "static", "orchard", "signal", "winter", "ladder", "mirror", "copper", "harbor",
    "ember", "theory", "window", "garden", "engine", "paper", "salt", "machine", "thunder", "bridge", "silver",
    "pattern", "letter", "hollow",
)
ENUM = "!!python/object/apply:app.structures.enums"


def prose(rng: random.Random, words: int) -> str:
    """Return ``words`` words of nothing in particular."""
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def thread_id(seed: int) -> str:
    """Return the id of the made-up thread ``seed``."""
    return str(uuid.UUID(int=random.Random(seed).getrandbits(128), version=4))


def proposal(rng: random.Random, index: int, color: str, **fields: object) -> dict[str, object]:
    """Return one proposal as the agents write it; ``fields`` replace its values."""
    made: dict[str, object] = {
        "agent_name": f"{color} Agent", "bpm": rng.randint(60, 130), "concept": prose(rng, 120),
        "genres": ["ambient", "drone", "folk"], "iteration_id": f"{color.lower()}_idea_v{index}",
        "iteration_number": None, "key": rng.choice(["F# minor", "C major", "D minor", "A# major", "E ♭ major"]),
        "mood": ["yearning", "liminal"],
        "rainbow_color": {"color_name": color, "file_prefix": None, "hex_value": 255,
                          "mnemonic_character_value": LETTERS[color], "objectional_mode": "Thing",
                          "ontological_mode": ["Known"], "temporal_mode": "None", "transmigrational_mode": None},
        "tempo": {"numerator": 7, "denominator": 8}, "timestamp": None, "title": prose(rng, 4).rstrip("."),
    }
    made.update(fields)
    return made


def artifact(thread: str, kind: str, name: str, rng: random.Random, body: int = 300) -> str:
    """Return a YAML artifact of the old writer: enum tags and the machine's base path."""
    return (f"artifact_id: {uuid.UUID(int=rng.getrandbits(128), version=4)}\nartifact_name: {name}\n"
            f"base_path: {MACHINE}\n"
            f"chain_artifact_file_type: {ENUM}.chain_artifact_file_type.ChainArtifactFileType\n- yml\n"
            f"chain_artifact_type: {ENUM}.chain_artifact_type.ChainArtifactType\n- {kind}\n"
            f"coordinates: !!python/tuple\n- 41.5\n- -74.1\n"
            f"text: {prose(rng, body)}\nthread_id: {thread}\n")


def write_thread(root: Path, seed: int, files: int = 57, **final: object) -> Path:
    """Write the made-up thread ``seed`` below ``root``, ``files`` files or more; ``final`` changes the last proposal."""
    rng = random.Random(seed)
    name = thread_id(seed)
    folder = root / name
    for sub in ("yml", "md", "html", "png", "wav", "debug", "json"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    rounds = [proposal(rng, index, color) for index, color in enumerate(COLORS)]
    rounds[5]["rainbow_color"], rounds[12]["rainbow_color"] = "Y", "indigo"
    rounds[12].update(timestamp=1770126936.72 + seed, iteration_id=f"indigo_proposal_{1770126936720 + seed * 1000}",
                      tempo="Moderato")
    rounds[-1].update(final)
    dump = yaml.dump({"iterations": rounds}, Dumper=yaml.CSafeDumper, allow_unicode=True)
    (folder / f"yml/all_song_proposals_{name}.yml").write_text(dump, "utf-8")
    for item in rounds:
        raw = item["rainbow_color"]
        shown = f"{raw['color_name']} (0x00ff)" if isinstance(raw, dict) else str(raw)
        text = yaml.dump(item, Dumper=yaml.CSafeDumper, allow_unicode=True)
        (folder / f"yml/song_proposal_{shown}_{item['iteration_id']}.yml").write_text(text, "utf-8")
    for letter, kind in (("t", "newspaper_article"), ("o", "symbolic_object"), ("t", "alternate_timeline"),
                         ("g", "species_extinction"), ("r", "REDChainArtifactBook")):
        made = uuid.UUID(int=rng.getrandbits(128), version=4)
        (folder / f"yml/{made}_{letter}_{kind.lower()}.yml").write_text(artifact(name, kind, kind, rng), "utf-8")
    clips = [f"{uuid.UUID(int=rng.getrandbits(128), version=4)}_z_segment_{n}.wav" for n in range(1, 4)]
    blend = f"{uuid.UUID(int=rng.getrandbits(128), version=4)}_z_blended.wav"
    mosaic = f"{uuid.UUID(int=rng.getrandbits(128), version=4)}_z_mosiac.wav"
    for clip in (*clips, blend, mosaic):
        (folder / "wav" / clip).write_bytes(b"RIFF" + rng.randbytes(2000))
    lines = "".join(f"- {MACHINE}/{name}/wav/{clip}\n" for clip in clips)
    (folder / f"yml/{uuid.UUID(int=rng.getrandbits(128), version=4)}_t_evp.yml").write_text(
        f"audio_mosiac: {MACHINE}/{name}/wav/{mosaic}\naudio_segments:\n{lines}"
        f"noise_blended_audio: {MACHINE}/{name}/wav/{blend}\ntranscript: yeah\n", "utf-8")
    for color in ("red", "blue", "green", "violet", "indigo", "black", "orange", "yellow"):
        for kind in ("document_synthesis", "rebracketing_analysis"):
            (folder / f"md/white_agent_{name}_{color}_{kind}.md").write_text(prose(rng, 400), "utf-8")
    (folder / f"md/white_agent_{name}_CHROMATIC_SYNTHESIS.md").write_text(prose(rng, 900), "utf-8")
    (folder / f"md/{uuid.UUID(int=rng.getrandbits(128), version=4)}_t_circle_jerk_interview.md").write_text(
        "**Milo:** Why?\n\n**Walsh:** Look, " + prose(rng, 60) + "\n\n**Walsh:** Okay, " + prose(rng, 60), "utf-8")
    (folder / f"html/{uuid.UUID(int=rng.getrandbits(128), version=4)}_t_UNKNOWN_ARTIFACT_NAME.html").write_text(
        f"<html><img src='{MACHINE}/{name}/png/a.png'></html>", "utf-8")
    (folder / "png/character_portrait_encounter_0.png").write_bytes(rng.randbytes(3000))
    (folder / ".DS_Store").write_bytes(b"\0" * 10)
    (folder / "debug/white_enter_2026-02-03T10:00:00.json").write_text('{"state": 1}', "utf-8")
    have = sum(path.is_file() for path in folder.rglob("*"))
    for extra in range(max(0, files - have)):
        (folder / f"md/{uuid.UUID(int=rng.getrandbits(128), version=4)}_g_note {extra}.md").write_text(
            prose(rng, 300), "utf-8")
    return folder
