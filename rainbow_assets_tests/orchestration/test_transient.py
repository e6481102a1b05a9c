"""Only what may pass by itself is tried again."""

from __future__ import annotations

import errno

import pytest

from rainbow_assets.errors import RainbowError
from rainbow_assets.orchestration.transient import worth_retrying


@pytest.mark.parametrize("error", [OSError(errno.EIO, "I/O"), OSError(errno.ESTALE, "stale"), ConnectionResetError(), TimeoutError()])
def test_disks_and_networks_are_tried_again(error: Exception):
    assert worth_retrying(error)


@pytest.mark.parametrize("error", [
    FileNotFoundError(errno.ENOENT, "gone"), PermissionError(errno.EACCES, "no"), OSError(errno.ENOSPC, "full"),
    OSError("without a number"), ValueError("bug"), RainbowError("the data")])
def test_what_stays_as_it_is_is_not(error: Exception):
    assert not worth_retrying(error)


def test_what_such_an_error_caused_counts_and_a_ring_of_causes_ends():
    outer = RuntimeError("could not read")
    outer.__cause__ = OSError(errno.ETIMEDOUT, "slow")
    assert worth_retrying(outer)
    ring = RuntimeError("a")
    ring.__cause__ = ValueError("b")
    ring.__cause__.__cause__ = ring
    assert not worth_retrying(ring)
