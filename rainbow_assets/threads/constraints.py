"""Negative constraints: what the next thread should leave alone, as YAML, as a prompt block, and as rules to check.

A constraint forbids nothing by itself; :mod:`rainbow_assets.threads.enforce` lists which ones a proposal breaks.
Manual overrides live in the same file under ``manual_overrides`` and outlive every regeneration; they add a
constraint, change the severity of a generated one, or allow what it would forbid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from rainbow_assets.errors import UsageError
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import read_plain
from rainbow_assets.ingest.yaml_write import Rows, dump
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.feedback import PROSE, Feedback, Scope
from rainbow_assets.threads.keys import read_key
from rainbow_assets.threads.metrics import Share

Severity = Literal["exclude", "avoid"]
Kind = Literal["key", "bpm", "phrase", "title_word", "title", "dialogue_opener", "time_signature", "mood"]
KINDS: tuple[str, ...] = get_args(Kind)
OVERRIDES = ("exclude", "avoid", "allow")


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing to leave alone. ``value`` is a key label, a BPM range ``86-96``, a phrase, a word, a whole title ...

    ``count`` of ``n`` and ``share`` are what was measured; None for a manual one. ``source``: measured or manual.
    """

    kind: Kind
    value: str
    severity: Severity
    reason: str
    count: int | None = None
    share: float | None = None
    source: Literal["measured", "manual"] = "measured"


@dataclass(frozen=True, slots=True)
class ConstraintOverride:
    """A person's word on one constraint; ``severity`` allow takes it away."""

    kind: Kind
    value: str
    severity: Literal["exclude", "avoid", "allow"]
    reason: str


@dataclass(frozen=True, slots=True)
class NegativeConstraints:
    """All constraints in force, the overrides among their sources, and the threads that they were measured on."""

    constraints: tuple[Constraint, ...]
    overrides: tuple[ConstraintOverride, ...]
    generated_from: dict[str, Any]
    warnings: tuple[str, ...]


def derive(feedback: Feedback, overrides: tuple[ConstraintOverride, ...] = ()) -> NegativeConstraints:
    """Return the constraints that ``feedback`` leads to; only titles if there are too few threads."""
    measured = _measured(feedback) if feedback.enough else []
    reason = "a thread has this title already"
    titles = [Constraint("title", title, "exclude", reason, 1, None) for title in feedback.titles]
    generated_from = {"threads": feedback.n, "min_n": feedback.rules.min_n, "digest": feedback.threads_digest,
                      "newest": feedback.newest, "thread_ids": list(feedback.thread_ids)}
    return NegativeConstraints(tuple(_overridden([*measured, *titles], overrides)), overrides, generated_from,
                               feedback.warnings)


def from_rows(
    rows: Iterable[dict[str, Any]], report: dict[str, Any], thread_ids: Sequence[str],
    overrides: tuple[ConstraintOverride, ...],
) -> NegativeConstraints:
    """Return what :func:`derive` returned, from the rows of `negative_constraints` and the report of the feedback."""
    names = [item.name for item in fields(Constraint)]
    generated_from = {"threads": report["threads"], "min_n": report["min_n"], "digest": report["threads_digest"],
                      "newest": report["newest"], "thread_ids": list(thread_ids)}
    constraints = _in_order(Constraint(**{name: row[name] for name in names}) for row in rows)
    return NegativeConstraints(tuple(constraints), overrides, generated_from, tuple(report["warnings"]))


def _measured(feedback: Feedback) -> list[Constraint]:
    rules, final = feedback.rules, feedback.final
    found = [Constraint("key", item.name, "exclude" if item.share.value >= rules.key_exclude else "avoid",
                        _reason("the final key", item, feedback.n), item.count, round(item.share.value, 3))
             for item in final.normalized.labels if item.name != PROSE and item.share.value >= rules.key_avoid]
    found += [Constraint("bpm", f"{item.low}-{item.high}", "avoid",
                         f"{item.count} of {feedback.n} threads have a tempo within {rules.bpm_reach} BPM of "
                         f"{item.center}", item.count, round(item.share, 3)) for item in final.bpm_clusters]
    found += _shares("phrase", final.phrases, rules.phrase_avoid, "the concept", feedback.n)
    found += _shares("phrase", final.found_phrases, rules.found_phrase_avoid, "the concept", feedback.n)
    found += _shares("title_word", final.title_words, rules.title_word_avoid, "the title", feedback.n)
    found += _shares("dialogue_opener", feedback.openers, rules.opener_avoid, "the answers' opening",
                     feedback.answers)
    found += _shares("time_signature", _real(final), rules.time_signature_avoid, "the time signature", feedback.n)
    found += _shares("mood", final.moods, rules.mood_avoid, "the mood", feedback.n)
    return found


def _real(final: Scope) -> tuple[Share, ...]:
    return tuple(item for item in final.time_signatures if "/" in item.name)


def _shares(kind: Kind, items: tuple[Share, ...], least: float, what: str, n: int) -> list[Constraint]:
    return [Constraint(kind, item.name, "avoid", _reason(what, item, n), item.count, round(item.share.value, 3))
            for item in items if item.share.value >= least]


def _reason(what: str, item: Share, n: int) -> str:
    return (f"{what} of {item.count} of {n} ({item.share.value:.0%}; 95 % interval {item.share.low:.0%} to "
            f"{item.share.high:.0%})")


def _overridden(found: list[Constraint], overrides: tuple[ConstraintOverride, ...]) -> list[Constraint]:
    by_key = {(item.kind, item.value.lower()): item for item in found}
    for item in overrides:
        name = (item.kind, item.value.lower())
        if item.severity == "allow":
            by_key.pop(name, None)
        else:
            before = by_key.get(name)
            by_key[name] = Constraint(item.kind, before.value if before else item.value, item.severity, item.reason,
                                      before.count if before else None, before.share if before else None, "manual")
    return _in_order(by_key.values())


def _in_order(constraints: Iterable[Constraint]) -> list[Constraint]:
    """Return the constraints in the order of the file: by kind, the excluded first, then by share."""
    rank = {"exclude": 0, "avoid": 1}
    return sorted(constraints, key=lambda item: (KINDS.index(item.kind), rank[item.severity], -(item.share or 0.0),
                                                 item.value))


def document(constraints: NegativeConstraints, report: dict[str, Any]) -> dict[str, Any]:
    """Return the content of ``negative_constraints.yml``; ``report`` is what :meth:`Feedback.as_dict` returned."""
    keys, bpm = report["final"]["keys"]["normalized"], report["final"]["bpm"]
    return {
        "generated_from": constraints.generated_from,
        "constraints": Rows(map(asdict, constraints.constraints)),
        "diversity_metrics": {
            "key_entropy_bits": keys["entropy_bits"],
            "key_distribution": {item["name"]: item["count"] for item in keys["distribution"]},
            **{f"bpm_{name}": bpm[name] for name in ("mean", "std", "variance", "min", "max") if name in bpm},
        },
        "warnings": list(constraints.warnings),
        "prompt": prompt_block(constraints),
        "manual_overrides": list(map(asdict, constraints.overrides)),
    }


def prompt_block(constraints: NegativeConstraints) -> str:
    """Return the constraints as instructions for a prompt: excluded first, then avoided, by kind; empty for none."""
    if not constraints.constraints:
        return ""
    lines = [f"What the last {constraints.generated_from['threads']} threads have used up:"]
    for severity, verb in (("exclude", "Do not use"), ("avoid", "Avoid")):
        for kind in KINDS:
            values = [item.value for item in constraints.constraints if (item.kind, item.severity) == (kind, severity)]
            if values:
                shown = "; ".join(f'"{value}"' if kind in _QUOTED else value for value in values)
                lines.append(f"- {verb} {_SAID[kind]}: {shown}.")
    return "\n".join(lines) + "\n"


_QUOTED = ("phrase", "title_word", "title", "dialogue_opener", "mood")
_SAID = {"key": "these keys", "bpm": "tempi in these ranges (BPM)", "phrase": "these phrases in the concept",
         "title_word": "these words in the title", "title": "these titles, which are taken",
         "dialogue_opener": "opening an answer with", "time_signature": "these time signatures",
         "mood": "these moods"}


def write(path: Path, constraints: NegativeConstraints, report: dict[str, Any]) -> None:
    """Replace the constraints file, atomically; an equal one is left alone."""
    Files(str(path.parent)).write_changed(path.name, dump(document(constraints, report)).encode())


def load(path: Path) -> NegativeConstraints:
    """Read a constraints file; raise ``UsageError`` with file and field where it cannot be used."""
    document = _document(path)
    rows = document.get("constraints")
    if not isinstance(rows, list):
        raise UsageError(f"{path.name}, field constraints: a list is needed there; generate the file again")
    found = []
    for index, row in enumerate(rows):
        where = f"{path.name}, constraints[{index}]"
        item = _override(row, where, ("exclude", "avoid"))
        share = row.get("share")
        found.append(Constraint(item.kind, item.value, "exclude" if item.severity == "exclude" else "avoid",
                                item.reason, row.get("count"), float(share) if share is not None else None,
                                "manual" if row.get("source") == "manual" else "measured"))
    overrides = _overrides(document, path.name)
    generated = document.get("generated_from")
    warnings = document.get("warnings")
    return NegativeConstraints(tuple(_overridden(found, overrides)), overrides,
                              dict(generated) if isinstance(generated, dict) else {"threads": 0, "thread_ids": []},
                              tuple(map(str, warnings)) if isinstance(warnings, list) else ())


def load_overrides(path: Path) -> tuple[ConstraintOverride, ...]:
    """Read the manual overrides of a constraints file; none if there is no file. Raises ``UsageError``."""
    return _overrides(_document(path), path.name) if path.exists() else ()


def _document(path: Path) -> dict[str, Any]:
    try:
        value = read_plain(path).value
    except UnreadableYaml as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be read: {error.strerror}; make it again: rainbow threads feedback") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path.name} is no mapping of fields; generate it again")
    return value


def _overrides(document: dict[str, Any], name: str) -> tuple[ConstraintOverride, ...]:
    rows = document.get("manual_overrides") or []
    if not isinstance(rows, list):
        raise UsageError(f"{name}, field manual_overrides: write a list of kind, value, severity and reason")
    return tuple(_override(row, f"{name}, manual_overrides[{index}]", OVERRIDES) for index, row in enumerate(rows))


def _override(row: Any, where: str, severities: tuple[str, ...]) -> ConstraintOverride:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: write a mapping of kind, value, severity and reason")
    kind, value, severity = row.get("kind"), row.get("value"), row.get("severity")
    if kind not in KINDS:
        raise UsageError(f"{where}, field kind: {kind!r} is not known; write one of {', '.join(KINDS)}")
    if severity not in severities:
        raise UsageError(f"{where}, field severity: {severity!r} is not known; write one of {', '.join(severities)}")
    if value is None or isinstance(value, (list, dict)) or not str(value).strip():
        raise UsageError(f"{where}, field value: write what the constraint is about")
    text = str(value).strip()
    if kind == "key":
        label = read_key(text).label
        if label is None:
            raise UsageError(f"{where}, field value: {text!r} is no key; write for example 'C major'")
        text = label
    if kind == "bpm" and bpm_range(text) is None:
        raise UsageError(f"{where}, field value: {text!r} is no range; write for example '86-96'")
    return ConstraintOverride(kind, text, severity, str(row.get("reason") or "set by hand"))


def bpm_range(text: str) -> tuple[int, int] | None:
    """Return the bounds of ``86-96`` (or of a single ``90``), or None where it is no range."""
    low, _, high = text.partition("-")
    low, high = low.strip(), (high or low).strip()
    if not (low.isdecimal() and high.isdecimal()) or int(low) > int(high):
        return None
    return int(low), int(high)
