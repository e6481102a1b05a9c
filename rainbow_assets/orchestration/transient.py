"""Which errors are worth a second try: those of disks and networks that pass by themselves, never those of data."""

from __future__ import annotations

import errno

PASSING = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNABORTED,
    errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.EPIPE,
})
"""A missing file, a refused permission and a full disk are not among them: they stay as they are."""


def worth_retrying(error: BaseException) -> bool:
    """Tell whether doing the same again may go well: a passing error of I/O, or one that such an error caused."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, (ConnectionError, TimeoutError)):
            return True
        if isinstance(current, OSError) and current.errno in PASSING:
            return True
        current = current.__cause__
    return False
