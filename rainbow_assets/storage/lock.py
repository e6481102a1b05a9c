"""One writer per shard: a lock that names its owner and dies with it.

On a local disk the kernel holds the lock (``flock``), so a killed owner never leaves it behind. Behind a URL it is an
object that is created only if absent, with a lease that its owner renews by holding it shorter than :data:`LEASE_S`.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files

NAME = ".lock"
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
    deadline = time.monotonic() + wait_s
    hold = _local(files, run, deadline) if files.local else _remote(files, run, deadline)
    with hold:
        yield


@contextmanager
def _local(files: Files, run: str, deadline: float) -> Iterator[None]:
    path = Path(files.path(NAME))
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ShardBusy(_describe(files, path.read_bytes())) from None
                time.sleep(POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_owner(run)).encode(), 0)
        yield
    finally:
        os.close(descriptor)


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
