"""Song orders: the songs to compose. Each has a folder below ``compositions`` with its ``proposal.yml``.

The file contains a whole proposal, or the id of a thread and the fields that override it. The thread's fields are not
copied, so that an edit of the thread's concept reaches the music.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from rainbow_assets.composition.errors import ProposalError
from rainbow_assets.composition.proposal import Proposal, checked, load_fields
from rainbow_assets.digests import digest
from rainbow_assets.errors import RainbowError, UsageError, bug
from rainbow_assets.storage.files import Files, local_folder
from rainbow_assets.storage.shard import MissingShard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.threads.tables import rows_of

FILE = "proposal.yml"
SONG = re.compile(r"[a-z0-9][a-z0-9-]{0,95}")


@dataclass(frozen=True, slots=True)
class SongOrder:
    """A song to compose: its proposal, or None and the ``problem`` with it, which may be a ``bug`` of the program."""

    song_id: str
    proposal: Proposal | None
    problem: str = ""
    bug: bool = False


def of_store(store: ShardStore) -> Path:
    """Return the folder of the compositions of ``store``; raise ``UsageError`` if the store is not a local folder."""
    # The URL, not the root folder: a plan runs in a store whose root is an in-memory layer over this one.
    folder = local_folder(url := store.files.url)
    if folder is None:
        raise UsageError(f"RAINBOW_DATA is {url}, and songs can be composed on a local disk only; set it to a folder")
    return folder / "compositions"


def orders(store: ShardStore) -> list[SongOrder]:
    """Return every ordered song, sorted by id; one whose proposal cannot be read has a ``problem``."""
    base = of_store(store)
    found = store.once(("proposals", base), partial(_written, base))
    return [_order(store, base / song, values) for song, values in found.items()]


def _written(base: Path) -> dict[str, dict[str, Any] | Exception]:
    """Return {song: fields of its proposal, or the error}, sorted by song."""
    places = sorted(path.parent for path in base.glob(f"*/{FILE}")) if base.is_dir() else []
    return {place.name: _fields(place / FILE) for place in places if SONG.fullmatch(place.name)}


def _fields(path: Path) -> dict[str, Any] | Exception:
    try:
        return load_fields(path)
    except Exception as error:
        return error


def _order(store: ShardStore, place: Path, values: dict[str, Any] | Exception) -> SongOrder:
    try:
        if isinstance(values, Exception):
            raise values
        if thread := values.get("thread"):
            values = {**thread_fields(store, str(thread), str(place / FILE)), **values}
        return SongOrder(place.name, checked(values, f"{place.name}/{FILE}"))
    except ProposalError as error:
        return SongOrder(place.name, None, str(error))
    except RainbowError:
        raise  # it is not the proposal's, but the store's
    except Exception as error:
        return SongOrder(place.name, None, f"{place.name}/{FILE}: {bug(error, f'reading {place.name}/{FILE}')}", True)


def thread_fields(store: ShardStore, thread: str, where: str) -> dict[str, Any]:
    """Return the fields of a thread's final proposal; raise ``ProposalError`` if no or several threads match."""
    row = thread_row(store, thread, where)
    return {"thread": row["thread_id"], "title": row["title"], "key": row["key"] or row["key_raw"], "bpm": row["bpm"],
            "time_signature": row["time_signature"] or row["tempo_text"], "mood": list(row["mood"] or ()),
            "rainbow_color": row["rainbow_color"] or row["rainbow_color_raw"], "concept": row["concept"]}


def thread_row(store: ShardStore, thread: str, where: str) -> dict[str, Any]:
    """Return the row of `thread_manifests` whose id (or its beginning), folder or title is ``thread``."""
    try:
        rows = rows_of(store.shard("thread_manifests"))
    except MissingShard:
        raise ProposalError(f"{where}: thread is {thread!r}, but no threads have been read; run: rainbow build "
                            "--asset thread_manifests") from None
    found = [row for name, row in rows.items() if thread in (name, row["directory"], row["title"])]
    found = found or [row for name, row in rows.items() if len(thread) >= 4 and name.startswith(thread)]
    if len(found) != 1:
        raise ProposalError(f"{where}: thread is {thread!r}, which matches {len(found) or 'none'} of {len(rows)} "
                            "threads; write an id from thread_index")
    return found[0]


def place_order(store: ShardStore, proposal: Proposal, changes: Mapping[str, Any]) -> str:
    """Write the song's folder and return its id. For a thread, write its id and ``changes`` only.

    A proposal of the same title replaces the one before.
    """
    base, name = of_store(store), proposal.song_id
    # If another song has this folder already, a digest is added to the name, so that no proposal is overwritten.
    if _of_another(base / name / FILE, proposal):
        own = proposal.thread[:8] if proposal.thread else digest(proposal.color, proposal.title)[:8]
        name = f"{name}-{own}"
    document: dict[str, Any] = proposal.document()
    if proposal.thread:
        document = {"thread": proposal.thread, **{key: value for key, value in changes.items() if value is not None}}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    Files(str(base / name)).write(FILE, text.encode("utf-8"))
    return name


def _of_another(path: Path, proposal: Proposal) -> bool:
    """Return True if ``path`` is the proposal of another song: of another thread, or by hand with another title."""
    try:
        fields = load_fields(path)
    except ProposalError:
        return path.exists()  # it cannot be read, and is kept
    thread = str(fields.get("thread") or "")
    if thread or proposal.thread:
        return thread != proposal.thread
    return str(fields.get("title", "")).strip() != proposal.title
