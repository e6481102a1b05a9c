"""One writer per shard: a lock that names its owner and ends with it.

On a local disk the kernel keeps the lock, so a killed owner never leaves it behind. Behind a URL the lock is an object
that is created only if it does not exist. It expires after :data:`LEASE_S`; a build must take less time than that.
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

from rainbow_assets.atomic import naming
from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files

NAME, OWNER = ".lock", ".lock-owner"
LEASE_S = 6 * 3600.0
POLL_S = 0.1


class ShardBusy(RainbowError):
    """Another process is writing the shard."""


def _owner(run: str) -> dict[str, Any]:
    return {"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}


def _describe(files: Files, data: bytes | None) -> str:
    try:
        owner = json.loads(data or b"")
        age = max(0.0, time.time() - float(owner["since"]))
        who = f"run {owner['run']} (process {owner['pid']} on {owner['host']}), for {age:.0f} s"
    except (ValueError, KeyError, TypeError):
        who = "another writer"
    return f"{files.url} is being written by {who}; wait for it to finish, or stop that run, and try again"


@contextmanager
def writer_lock(files: Files, run: str = "-", wait_s: float = 0.0) -> Iterator[None]:
    """Lock the shard at ``files`` for writing; raise ``ShardBusy`` after ``wait_s`` seconds of waiting."""
    with _local(files, run, wait_s) if files.local else _remote(files, run, time.monotonic() + wait_s):
        yield


@contextmanager
def file_lock(path: Path, owner: Path | None = None, run: str = "-", wait_s: float = -1.0) -> Iterator[None]:
    """Lock the file ``path`` with the kernel's lock, and name the owner of the lock in the file ``owner``.

    The name goes to another file because Windows lets no other process read a locked one. Raises ``filelock.Timeout``
    after ``wait_s`` seconds; a negative ``wait_s`` waits forever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, timeout=wait_s, poll_interval=POLL_S, thread_local=False):
        if owner is None:
            yield
            return
        with naming(owner):
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
            found = files.read(NAME)
            if found is not None and _expired(found):
                files.remove(NAME)
            elif time.monotonic() >= deadline:
                raise ShardBusy(_describe(files, found)) from None
            else:
                time.sleep(POLL_S)
    try:
        yield
    finally:
        # After the lease another writer may have replaced the lock: remove our own only.
        if files.read(NAME) == mine:
            files.remove(NAME)


def _expired(lock: bytes) -> bool:
    try:
        # Far in the future counts too: the clock of the owner or of this machine was wrong, and the lock would stay.
        return abs(time.time() - float(json.loads(lock)["since"])) > LEASE_S
    except (ValueError, KeyError, TypeError):
        return True
