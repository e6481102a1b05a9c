"""Which errors are worth a retry: temporary ones of disks and networks, never those of data."""

from __future__ import annotations

import errno

PASSING = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNABORTED,
    errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.EPIPE,
})
"""Error numbers of temporary problems; a missing file, a refused permission and a full disk are not temporary."""


def worth_retrying(error: BaseException) -> bool:
    """Return True if a retry may succeed: ``error`` or one of its causes is a temporary I/O error."""
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
