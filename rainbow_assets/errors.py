"""Base classes of the errors that data or usage cause (all others are bugs), and messages for disk errors."""

from __future__ import annotations

import errno
import logging
import os
import traceback
from pathlib import Path


class RainbowError(Exception):
    """An error that a person can fix. Its message names what is wrong, where, and the fix; no traceback is shown."""


class UsageError(RainbowError):
    """Wrong use or configuration (exit code 2)."""


class SettingsError(UsageError):
    """A setting or variable has an invalid value; the message names it and what to write instead."""


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Error numbers of a full disk, an exceeded quota, and a file that is too large."""


def of_the_disk(number: int, file: str | None) -> str:
    """Return a message for the operating system's error ``number`` (``errno``) about ``file``.

    >>> of_the_disk(errno.ENOSPC, None)
    'the disk is full (No space left on device); free some space and run the command again'
    """
    what = os.strerror(number)
    if number in FULL:
        return f"{f'{file} cannot be written: ' if file else ''}the disk is full ({what}); free some space and run " \
               "the command again"
    if not file:
        return f"a file cannot be used ({what}); check the disk, and that you may read and write RAINBOW_DATA"
    return f"{file} cannot be used ({what}); check that it exists and that you may read and write it"


BUG = "bug"
"""The reason why rows are quarantined that a fault of the program kept from being made; every asset may give it."""
TOO_LITTLE_MEMORY = "there is too little memory; close other programs, or shorten the longest files"


def bug(error: Exception, what: str) -> str:
    """Log a fault of the program, with its traceback, and return a sentence about it; ``what`` was being done.

    Raises the error again if it is one of the machine: too little memory, or a disk.
    """
    if isinstance(error, MemoryError | OSError):
        raise error
    logging.getLogger("rainbow_assets").error("a bug in %s; report it", what, exc_info=error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}; this is a bug, report it"
