"""`review.yml`: a person's verdicts on the finished pieces of a song.

The review page writes it, people edit it by hand, and `human_evaluation` reads it. A verdict belongs to the bytes of a
piece: when a song is composed again, verdicts on pieces that were replaced move to ``earlier`` and keep their files.
Comments and the order of a file edited by hand are kept, which is why it is read and written by ruamel.yaml.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.ingest import yaml_strict
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.music.midi_file import MIDI_BYTES
from rainbow_assets.storage.files import Files, sha256_bytes
from rainbow_assets.storage.lock import ShardBusy, writer_lock

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

FILE, PIECES, APPROVED_FOLDER = "review.yml", "candidates", "approved"
PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
STATUSES = {"pending": PENDING, "": PENDING, "approved": APPROVED, "accepted": APPROVED, "rejected": REJECTED}
"""Spellings of a status, in any case, and the status that each means."""
HUMAN = ("status", "label", "notes")
MOST_BYTES, WAIT_S = 4 << 20, 20.0
_HEAD = ("Your verdicts on the finished pieces. status: approved, rejected or pending; label: a name for the piece,\n"
         "one approval per label; notes: anything. Edit here or with: rainbow review")


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """One piece with a person's verdict. ``current`` is True if the piece is among the finals of the last build."""

    candidate_id: str
    midi_file: str
    midi_sha256: str
    status: str
    label: str
    notes: str
    scores: Mapping[str, Any]
    current: bool


def lay_out(folder: Path, finals: Sequence[Mapping[str, Any]]) -> None:
    """Write the finals' files into the song's folder and list them in its review; verdicts are kept.

    The files of a piece are removed if it is no longer a final and was not judged.
    """
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    files = Files(str(folder))
    entries = []
    for row in finals:
        stem = f"{PIECES}/{row['final_id'].rpartition('.')[2]}-{row['midi_sha256'][:8]}"
        # The digest is part of the name, so that a page loaded before never plays the new piece for the old one.
        files.write_changed(f"{stem}.mid", row["midi"])
        for name, data in [("", row["flac"]), *((f".{item['part']}", item["flac"]) for item in row["stems"])]:
            files.write_changed(f"{stem}{name}.flac", data)
        scores = {name: row[name] if row[name] is None else round(row[name], 4)
                  for name in ("total", "theory", "fitness", "relative")}
        entries.append({"candidate_id": row["candidate_id"], "midi_file": f"{stem}.mid",
                        "midi_sha256": row["midi_sha256"], "scores": {**scores, "scorer": row["scorer_status"]}})
    with _locked(folder):
        document = _load(folder) if (folder / FILE).exists() else CommentedMap()
        if not document:
            document.yaml_set_start_comment(_HEAD)
        first = finals[0]
        document.update({name: first[name] for name in ("song_id", "title", "rainbow_color", "key", "bpm",
                                                        "time_signature", "thread_id")})
        # Verdicts in "earlier" are looked up too: a piece that is composed again gets its verdict back.
        old = {str(entry.get("midi_sha256")): entry for entry in [*_entries(document, "candidates", folder),
                                                                   *_entries(document, "earlier", folder)]}
        fresh, kept_files = CommentedSeq(), {entry["midi_file"][:-4] for entry in entries}
        for entry in entries:
            known = old.pop(entry["midi_sha256"], None)
            own = CommentedMap({name: (known or {}).get(name, default) for name, default in
                                zip(HUMAN, (PENDING, None, ""), strict=True)})
            fresh.append(CommentedMap({**entry, **own}) if known is None else _renewed(known, entry))
        document["candidates"] = fresh
        judged = [entry for entry in old.values() if _was_judged(entry)]
        document["earlier"] = CommentedSeq(judged)
        kept_files |= {str(entry.get("midi_file"))[:-4] for entry in judged}
        _save(folder, document)
    # Only now, after the review is saved: a process killed here leaves extra files, but no entry without its file.
    for name in files.names(PIECES):
        if f"{PIECES}/{name.partition('.')[0]}" not in kept_files:
            files.remove(f"{PIECES}/{name}")


def _renewed(known: CommentedMap, entry: Mapping[str, Any]) -> CommentedMap:
    known.update(entry)
    return known


def _was_judged(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("notes") or entry.get("label")) or str(entry.get("status") or "").lower() not in ("", PENDING)


def read(folder: Path) -> list[HumanVerdict]:
    """Return the verdicts of a song's review; raise ``ReviewError`` with the file, the candidate and the field."""
    document, found = _load(folder), []
    for place in ("candidates", "earlier"):
        for number, entry in enumerate(_entries(document, place, folder), 1):
            found.append(_verdict(entry, f"{folder.name}/{FILE}: {place} {number}", place == "candidates"))
    approved: dict[str, str] = {}
    for verdict in found:
        if verdict.status != APPROVED:
            continue
        label = verdict.label or verdict.candidate_id
        if label in approved and approved[label] != verdict.midi_sha256:
            raise ReviewError("two_approvals", f"{folder.name}/{FILE}: two pieces are approved under the label "
                                               f"{label!r}; approve one of them only, or change one label")
        approved[label] = verdict.midi_sha256
    return found


def _verdict(entry: Mapping[str, Any], where: str, current: bool) -> HumanVerdict:
    name = str(entry.get("candidate_id") or "")
    where = f"{where} ({name})" if name else where
    written = str(entry.get("status") if entry.get("status") is not None else "").strip()
    status = STATUSES.get(written.lower())
    if status is None:
        raise ReviewError("unknown_status", f"{where}: status is {written[:40]!r}; write approved, rejected or pending "
                                            "(the name of the piece goes into label)")
    label = str(entry.get("label") or "").strip()
    if label and (not label.isprintable() or set(label) & set("/\\:*?\"<>|") or label.startswith(".")
                  or len(label) > 80):
        raise ReviewError("bad_label", f"{where}: label is {label[:40]!r}, which cannot be a file name; write letters, "
                                       "digits, spaces, - and _")
    for field in ("candidate_id", "midi_file", "midi_sha256"):
        if not isinstance(entry.get(field), str):
            raise ReviewError("damaged_entry", f"{where}: {field} is missing; restore it from another copy of the "
                                               "file, or delete the file and run: rainbow compose")
    file = Path(str(entry["midi_file"]))
    if file.is_absolute() or ".." in file.parts:
        raise ReviewError("damaged_entry", f"{where}: midi_file is {str(file)[:60]!r}, which is outside the song's "
                                           "folder; write a path relative to the folder")
    scores = entry.get("scores")
    return HumanVerdict(name, str(file), str(entry["midi_sha256"]), status, label, str(entry.get("notes") or ""),
                   dict(scores) if isinstance(scores, Mapping) else {}, current)


def change(folder: Path, midi_sha256: str, field: str, value: str, was: str) -> dict[str, str]:
    """Set one field of one piece and return its fields; edits by other people at the same time are not lost.

    ``was`` is the value that the person saw. If the file has another one by now, notes are joined, and any other field
    raises ``ReviewError`` (reason ``changed_meanwhile``). So does a second approval under one label.
    """
    if field not in HUMAN:
        raise ReviewError("damaged_entry", f"the field {field!r} cannot be changed; change one of {', '.join(HUMAN)}")
    if not (folder / FILE).exists():  # and no folder is made for a song that does not exist
        raise ReviewError("damaged_entry", f"{folder.name}/{FILE} does not exist; reload the page")
    with _locked(folder):
        document = _load(folder)
        entries = _entries(document, "candidates", folder)
        entry = next((item for item in entries if item.get("midi_sha256") == midi_sha256), None)
        if entry is None:
            raise ReviewError("damaged_entry", f"{folder.name}/{FILE}: the piece is no longer among the candidates; "
                                               "reload the page")
        now = str(entry.get(field) or "")
        if now not in (was, value) and not (field == "status" and _same_status(now, was)):
            if field != "notes":
                raise ReviewError("changed_meanwhile", f"somebody changed {field} to {now!r} meanwhile; reload the "
                                                       "page, then change it again")
            # Whole lines are compared: a short note is kept even if a longer line contains it.
            value = "\n".join([now, *(line for line in value.split("\n") if line not in now.split("\n"))])
        entry[field] = _written(value, field)
        _verdict(entry, folder.name, True)  # raises before anything is written
        _one_approval(entries, entry, folder)
        _save(folder, document)
        return {name: str(entry.get(name) or "") for name in HUMAN}


def _written(value: str, field: str) -> str:
    """Return ``value`` as a scalar that reads back unchanged; raise ``ReviewError`` if it cannot be encoded.

    YAML folds line breaks of plain text, and treats U+0085, U+2028 and U+2029 as line breaks too. So text with
    characters that are not printable is written in double quotes, where each of them is escaped.
    """
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ReviewError("bad_text", f"{field} has half a character (U+{ord(value[error.start]):04X}) at position "
                                      f"{error.start + 1}; delete it or type it again") from None
    return value if value.isprintable() else DoubleQuotedScalarString(value)


def _same_status(one: str, other: str) -> bool:
    return STATUSES.get(one.strip().lower(), one) == STATUSES.get(other.strip().lower(), other)


def _one_approval(entries: list[Any], changed: Mapping[str, Any], folder: Path) -> None:
    label = str(changed.get("label") or "").strip()
    if not label or STATUSES.get(str(changed.get("status") or "").lower()) != APPROVED:
        return
    for other in entries:
        if other is not changed and str(other.get("label") or "").strip() == label and (
                STATUSES.get(str(other.get("status") or "").strip().lower()) == APPROVED):
            raise ReviewError("two_approvals", f"{folder.name}: {other.get('candidate_id')} is already approved as "
                                               f"{label!r}; choose another label, or reject that piece first")


def midi_of(folder: Path, verdict: HumanVerdict) -> bytes | None:
    """Return the content of the piece's file, or None if it does not exist or may not be read."""
    with suppress(FileNotFoundError, RefusedFile):
        return read_file(folder / verdict.midi_file, MIDI_BYTES, folder)
    return None


def approved_files(folder: Path, verdicts: Sequence[HumanVerdict]) -> dict[str, bytes]:
    """Return {label: bytes} of the approved pieces; raise ``ReviewError`` if a file is missing or was changed.

    A piece without a label is named by its candidate's id.
    """
    wanted: dict[str, bytes] = {}
    for verdict in verdicts:
        if verdict.status != APPROVED:
            continue
        data = midi_of(folder, verdict)
        if data is None or sha256_bytes(data) != verdict.midi_sha256:
            problem = "is missing" if data is None else "is not the file that was judged"
            raise ReviewError("missing_file", f"{folder.name}/{FILE}: {verdict.candidate_id} is approved, but its "
                                              f"midi_file {verdict.midi_file} {problem}; restore the file, or compose "
                                              "the song again")
        wanted[verdict.label or verdict.candidate_id.replace(".", "_")] = data
    return wanted


def promote(folder: Path, verdicts: Sequence[HumanVerdict]) -> list[str]:
    """Copy approved pieces to ``approved/<label>.mid``, remove those no longer approved, and return the labels.

    Raises ``ReviewError`` like :func:`approved_files`, before any file is written.
    """
    wanted, files = approved_files(folder, verdicts), Files(str(folder))
    for label, data in wanted.items():
        files.write_changed(f"{APPROVED_FOLDER}/{label}.mid", data)
    for name in files.names(APPROVED_FOLDER):
        if name.endswith(".mid") and name[:-4] not in wanted:
            files.remove(f"{APPROVED_FOLDER}/{name}")
    return sorted(wanted)


def state(folder: Path) -> bytes:
    """Return the bytes of a song's review, empty if it has none; if it may not be read, those of the reason."""
    try:
        return _bytes(folder)
    except ReviewError as error:
        return str(error).encode()


def _bytes(folder: Path) -> bytes:
    try:
        return read_file(folder / FILE, MOST_BYTES, folder)
    except FileNotFoundError:
        return b""
    except RefusedFile as error:
        raise ReviewError("unreadable_review", f"{folder.name}/{FILE}: {error}") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(writer_lock(Files(str(folder)), "review", WAIT_S))
        except ShardBusy:  # its message names a folder of this machine
            raise ReviewError("busy", f"{folder.name}/{FILE} is being written by another program; wait for it, then "
                                      "try again") from None
        yield


def _yaml() -> YAML:
    from ruamel.yaml import YAML

    found = YAML(typ="rt", pure=True)
    found.width, found.preserve_quotes, found.allow_duplicate_keys = 110, True, False
    found.indent(mapping=2, sequence=4, offset=2)
    return found


def _load(folder: Path) -> CommentedMap:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    data, where = _bytes(folder), f"{folder.name}/{FILE}"
    try:
        # What the door refuses (aliases without end, depth, tags, half surrogates) never reaches ruamel.
        yaml_strict.load(data)
        document = _yaml().load(data.decode("utf-8-sig"))
    except UnreadableYaml as error:
        raise ReviewError("unreadable_review", f"{where}, {error}; nothing was changed; fix the line") from None
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise ReviewError("unreadable_review", f"{where}{line}: {problem}; nothing was changed; fix the line") from None
    if not isinstance(document, CommentedMap):
        raise ReviewError("unreadable_review", f"{where} has no fields; restore it from another copy, or delete it and "
                                               "run: rainbow compose")
    return document


def _entries(document: CommentedMap, name: str, folder: Path) -> list[Any]:
    from ruamel.yaml.comments import CommentedMap

    found = document.get(name) or []
    if not isinstance(found, list) or not all(isinstance(entry, CommentedMap) for entry in found):
        raise ReviewError("unreadable_review", f"{folder.name}/{FILE}: {name} is not a list of pieces; fix it in an "
                                               "editor")
    return list(found)


def _save(folder: Path, document: CommentedMap) -> None:
    out = io.BytesIO()
    _yaml().dump(document, out)
    Files(str(folder)).write_changed(FILE, out.getvalue())
