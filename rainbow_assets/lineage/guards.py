"""Guards against a source that vanished: an unmounted disk must not read as "everything was deleted"."""

from __future__ import annotations

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.ledger import Delta

NAMED = 5
"""How many of the missing a message names."""


class Vanished(RainbowError):
    """More of the raw material is gone at once than anybody deletes by hand."""


def vanished(delta: Delta) -> str | None:
    """Return why the deletions that ``delta`` found are not believed, or None where they are.

    Only steps that read from outside the store (``Step.source``) are asked: what is gone there goes everywhere.
    The share is counted in groups (songs, threads), not rows, and compared with ``safety.max_vanished``.
    """
    step, shard = delta.step, delta.shard
    if step.source is None or delta.current or delta.index is None:
        return None
    before = set(delta.old["part"])
    gone = sorted(before - set(delta.candidates["part"]))
    most = delta.rules.safety.max_vanished
    if not gone or len(gone) <= most * len(before):
        return None
    names = ", ".join(gone[:NAMED]) + (f" and {len(gone) - NAMED} more" if len(gone) > NAMED else "")
    return (f"{shard.where}: {len(gone)} of {len(before)} {step.unit}s are gone at once ({names}), more than "
            f"{most:.0%}; nothing was deleted. If a disk is not mounted or a variable names another folder, put that "
            f"right; if they were deleted on purpose, run: rainbow build --allow-deletes")


def require_present(delta: Delta) -> None:
    """Pass where the deletions of ``delta`` are believable; raise ``Vanished`` otherwise."""
    sentence = vanished(delta)
    if sentence is not None:
        raise Vanished(sentence)
