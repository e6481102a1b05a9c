"""Why a step failed: the sentence of a person's error, or a bug with its place in the code."""

from __future__ import annotations

import errno
import os
import sys
from types import SimpleNamespace

from dagster._utils.error import serializable_error_info_from_exc_info

from rainbow_assets.orchestration import runs
from rainbow_assets.storage.shard import MissingShard
from rainbow_assets.text import counted


def chain(work):
    """What Dagster records of an error that a step raises: its own first, the cause last."""
    try:
        try:
            work()
        except Exception as inner:
            raise RuntimeError('Error occurred while executing op "audio":') from inner
    except RuntimeError:
        error = serializable_error_info_from_exc_info(sys.exc_info())
    found = []
    while error is not None:
        found.append(error)
        error = error.cause
    return found


def test_an_error_of_a_person_is_its_sentence():
    def work():
        raise MissingShard("audio/Black has not been built")

    assert runs.cause(chain(work)) == ("audio/Black has not been built", False)


def test_a_bug_is_named_with_its_place():
    sentence, bug = runs.cause(chain(lambda: counted(None, "row")))  # type: ignore[arg-type]
    assert bug and "executing op" not in sentence
    assert f"(rainbow_assets{os.sep}text.py, line " in sentence


def test_a_full_disk_is_no_bug():
    def work():
        raise OSError(errno.ENOSPC, "No space left on device", "/data/part.parquet")

    sentence, bug = runs.cause(chain(work))
    assert not bug and "/data/part.parquet cannot be written: the disk is full" in sentence


def test_a_step_without_an_error_is_a_bug():
    assert runs.cause([]) == ("the step failed without an error", True)


def test_ctrl_c_is_not_a_failure():
    error = SimpleNamespace(cls_name=runs.INTERRUPTED, cause=None, message="", stack=[])
    event = SimpleNamespace(step_failure_data=SimpleNamespace(error=error, user_failure_data=None), step_key="audio")
    result = SimpleNamespace(filter_events=lambda keep: [event])
    try:
        runs.failures(result)
    except KeyboardInterrupt:
        return
    raise AssertionError("a step that ctrl-C ended was taken for a failure")
