"""One writer per shard: a lock that names its owner and dies with it.

On a local disk the kernel holds the lock, so a killed owner never leaves it behind. Behind a URL it is an
object that is created only if absent, with a lease that its owner renews by holding it shorter than :data:`LEASE_S`.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files

NAME, OWNER = ".lock", ".lock-owner"
LEASE_S = 6 * 3600.0
POLL_S = 0.1


class ShardBusy(RainbowError):
    """Another writer holds the shard."""


def _owner(run: str) -> dict[str, Any]:
    return {"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}


def _describe(files: Files, data: bytes | None) -> str:
    try:
        held = json.loads(data or b"")
        age = max(0.0, time.time() - float(held["since"]))
        who = f"run {held['run']} (process {held['pid']} on {held['host']}), for {age:.0f} s"
    except (ValueError, KeyError, TypeError):
        who = "another writer"
    return f"{files.url} is being written by {who}; wait for it to finish, or stop that run, and try again"


@contextmanager
def writer_lock(files: Files, run: str = "-", wait_s: float = 0.0) -> Iterator[None]:
    """Hold the writer's lock of the shard at ``files``; raise ``ShardBusy`` after ``wait_s`` seconds of waiting."""
    with _local(files, run, wait_s) if files.local else _remote(files, run, time.monotonic() + wait_s):
        yield


@contextmanager
def file_lock(path: Path, owner: Path | None = None, run: str = "-", wait_s: float = -1.0) -> Iterator[None]:
    """Hold the kernel's lock on the file ``path``, and name the holder in the file ``owner``.

    The name is in another file because nobody else can read a locked file on Windows. Raises ``filelock.Timeout``
    after ``wait_s`` seconds; with a negative ``wait_s`` it waits for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, timeout=wait_s, poll_interval=POLL_S, thread_local=False):
        if owner is None:
            yield
            return
        owner.write_bytes(json.dumps(_owner(run)).encode())
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)


@contextmanager
def _local(files: Files, run: str, wait_s: float) -> Iterator[None]:
    with ExitStack() as stack:
        owner = Path(files.path(OWNER))
        try:
            stack.enter_context(file_lock(Path(files.path(NAME)), owner, run, max(0.0, wait_s)))
        except Timeout:
            raise ShardBusy(_describe(files, files.read(OWNER))) from None
        yield


@contextmanager
def _remote(files: Files, run: str, deadline: float) -> Iterator[None]:
    mine = json.dumps(_owner(run)).encode()
    while True:
        try:
            files.fs.makedirs(files.root, exist_ok=True)
            files.fs.pipe_file(files.path(NAME), mine, mode="create")
            break
        except FileExistsError:
            held = files.read(NAME)
            if held is not None and _expired(held):
                files.remove(NAME)
            elif time.monotonic() >= deadline:
                raise ShardBusy(_describe(files, held)) from None
            else:
                time.sleep(POLL_S)
    try:
        yield
    finally:
        if files.read(NAME) == mine:
            files.remove(NAME)


def _expired(held: bytes) -> bool:
    try:
        return time.time() - float(json.loads(held)["since"]) > LEASE_S
    except (ValueError, KeyError, TypeError):
        return True
