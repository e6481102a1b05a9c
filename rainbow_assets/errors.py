"""The one base class of errors that are the data's or the user's, not the program's; and sentences about disks."""

from __future__ import annotations

import errno
import os


class RainbowError(Exception):
    """A sentence for a person: what is wrong, where, and what to do. Shown without a traceback."""


class UsageError(RainbowError):
    """Wrong use or configuration (exit code 2)."""


class SettingsError(UsageError):
    """A setting or variable that cannot be used; the message names it and what to write instead."""


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def of_the_disk(number: int, file: str | None) -> str:
    """Return a sentence for the error ``number`` (``errno``) of the operating system about ``file``.

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
