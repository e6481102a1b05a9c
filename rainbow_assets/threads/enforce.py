"""Checking proposals against negative constraints, and measuring which constraints later threads broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainbow_assets.errors import UsageError
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import read_plain
from rainbow_assets.threads import wording
from rainbow_assets.threads.constraints import Constraint, NegativeConstraints, bpm_range, derive
from rainbow_assets.threads.feedback import DEFAULT_RULES, measure
from rainbow_assets.threads.measured import MeasuredThread, ThreadProposal, proposal
from rainbow_assets.threads.settings import FeedbackRules


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that a proposal breaks, in which field, and the words that break it."""

    kind: str
    value: str
    severity: str
    field: str
    found: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Plain dictionary, for JSON."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return f"{self.severity}: {self.field} {self.found!r} breaks {self.kind} {self.value!r} ({self.reason})"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdict on one proposal: ``excluded`` where it breaks an ``exclude``; ``unread`` are fields not checked."""

    title: str
    violations: tuple[Violation, ...]
    unread: tuple[str, ...]
    checked: int

    @property
    def excluded(self) -> bool:
        """Whether the proposal must not go on (exit code 1)."""
        return any(item.severity == "exclude" for item in self.violations)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {"title": self.title, "excluded": self.excluded, "constraints_checked": self.checked,
                "violations": [item.as_dict() for item in self.violations], "unread_fields": list(self.unread)}


def read_proposal(path: Path) -> ThreadProposal:
    """Read a proposal file: one proposal, or ``iterations`` of which the final one counts. Raises ``UsageError``."""
    try:
        value = read_plain(path).value
    except UnreadableYaml as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error
    rows = value.get("iterations") if isinstance(value, dict) and "title" not in value else None
    if isinstance(rows, list) and rows:
        marked = [row for row in rows if isinstance(row, dict) and row.get("is_final") is True]
        value = marked[0] if len(marked) == 1 else rows[-1]
    if not isinstance(value, dict) or not any(name in value for name in ("title", "key", "bpm", "concept")):
        raise UsageError(f"{path.name} holds no proposal: a mapping with title, key, bpm or concept is needed")
    return proposal(str(value.get("thread_id") or ""), value)


def check_proposal(item: ThreadProposal, constraints: NegativeConstraints) -> CheckReport:
    """Return which constraints a proposal breaks. Pure; the strictest come first."""
    found = [violation for constraint in constraints.constraints for violation in _broken(item, constraint)]
    unread = [name for name, missing in (
        ("key", item.key.label is None), ("bpm", item.bpm is None), ("title", not item.title),
        ("concept", not item.concept), ("time_signature", item.time_signature is None)) if missing]
    found.sort(key=lambda entry: (entry.severity != "exclude", entry.kind, entry.value))
    return CheckReport(item.title, tuple(found), tuple(unread), len(constraints.constraints))


def _broken(item: ThreadProposal, constraint: Constraint) -> list[Violation]:
    kind, value = constraint.kind, constraint.value
    field, hit = kind, None
    if kind == "key" and item.key.label == value:
        hit = item.key.raw
    elif kind == "bpm" and item.bpm is not None:
        bounds = bpm_range(value)
        hit = str(item.bpm) if bounds and bounds[0] <= item.bpm <= bounds[1] else None
    elif kind == "phrase":
        field, hit = "concept", value if wording.phrases_in(item.concept, (value,)) else None
    elif kind == "title_word":
        field, hit = "title", item.title if value.lower() in _title_words(item.title) else None
    elif kind == "title" and wording.same_title(item.title, value):
        hit = item.title
    elif kind == "time_signature" and item.time_signature == value:
        hit = value
    elif kind == "mood":
        hit = next((mood for mood in item.mood if mood.strip().lower() == value.lower()), None)
    if hit is None:
        return []
    return [Violation(kind, value, constraint.severity, field, hit, constraint.reason)]


def _title_words(title: str) -> set[str]:
    """All words of a title, short ones too: a person may have set a constraint on one."""
    return {*wording.words(title), *wording.title_words(title)}


@dataclass(frozen=True, slots=True)
class Effect:
    """How later threads treated one constraint: ``broken`` of ``later`` threads, and which."""

    kind: str
    value: str
    severity: str
    share_before: float | None
    later: int
    broken: int
    threads: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary, for YAML and JSON."""
        return {**asdict(self), "threads": list(self.threads),
                "share_after": round(self.broken / self.later, 3) if self.later else None}


def measured_effect(constraints: NegativeConstraints, threads: Sequence[MeasuredThread]) -> list[Effect]:
    """Return, per constraint, which threads that came after it broke it.

    Later threads are those that the constraints were not made from. Taken titles are left out: they can only repeat.
    """
    before = set(constraints.generated_from.get("thread_ids") or ())
    later = sorted((item for item in threads if item.thread_id not in before), key=_when)
    return [Effect(rule.kind, rule.value, rule.severity, rule.share, len(later), len(broke), tuple(broke))
            for rule in constraints.constraints if rule.kind not in ("title", "dialogue_opener")
            for broke in [[item.thread_id for item in later if _broken(item.final, rule)]]]


def _when(item: MeasuredThread) -> tuple[str, str]:
    return (item.timestamp or "", item.thread_id)


def walk_forward(threads: Sequence[MeasuredThread], rules: FeedbackRules = DEFAULT_RULES) -> list[dict[str, Any]]:
    """Return, thread by thread in order of time, what it broke of the constraints that all earlier ones led to.

    Starts after ``min_n`` threads; threads without a time cannot be put in order and are left out.
    """
    ordered = sorted((item for item in threads if item.timestamp), key=_when)
    rows = []
    for position in range(rules.min_n, len(ordered)):
        before, item = ordered[:position], ordered[position]
        report = check_proposal(item.final, derive(measure(before, rules)))
        rows.append({"thread_id": item.thread_id, "timestamp": item.timestamp, "before": position,
                     "constraints": report.checked, "excluded": report.excluded,
                     "broken": [f"{entry.severity} {entry.kind} {entry.value}" for entry in report.violations]})
    return rows
