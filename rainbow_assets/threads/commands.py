"""What ``rainbow threads`` does, without the command line: plain arguments in, plain values and exit codes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainbow_assets import settings
from rainbow_assets.errors import UsageError
from rainbow_assets.layout import Lines, layout
from rainbow_assets.threads import constraints as limits
from rainbow_assets.threads import enforce, history, prune
from rainbow_assets.threads.feedback import Feedback, measure
from rainbow_assets.threads.journal import PruneEntry
from rainbow_assets.threads.manifest import INDEX
from rainbow_assets.threads.measured import OUTPUT, read_folder
from rainbow_assets.threads.prune import PrunePlan, PruneReport
from rainbow_assets.threads.report import ShrinkwrapReport
from rainbow_assets.threads.shrinkwrap import Tick, shrinkwrap


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a command: plain values for ``--json``, text for a person, and the exit code (0 or 1)."""

    values: dict[str, Any]
    text: Lines
    exit_code: int = 0


def shrinkwrap_command(
    source: Path, out: Path, *, do_prune: bool = False, dry_run: bool = False, undo: bool = False,
    confirm: bool = False, verify: bool = False, tick: Tick | None = None,
) -> Answer:
    """``rainbow threads shrinkwrap [--prune] [--dry-run] [--verify] [--undo | --confirm] [--json]``.

    Packs; with ``do_prune`` then moves what packing leaves out of the source to ``<source>/.prune``, from where
    ``undo`` brings it back and ``confirm`` deletes it. Exit code 1 where folders were quarantined.
    """
    if sum((do_prune, undo, confirm)) > 1:
        raise UsageError("--prune, --undo and --confirm exclude each other; give one of them")
    if dry_run and (undo or confirm):
        raise UsageError("--dry-run goes with packing and --prune only")
    if undo or confirm:
        settled = prune.undo(source, out) if undo else prune.confirm(source, out)
        return Answer({"prune": settled.as_dict()}, _prune_text(settled), 1 if settled.stuck else 0)
    report = shrinkwrap(source, out, dry_run=dry_run, verify=verify, tick=tick)
    values, text = report.as_dict(), _pack_text(report)
    if do_prune:
        pruned = _prune(source, out, report)
        values["prune"] = pruned.as_dict()
        text = layout([text, _prune_text(pruned)])
    return Answer(values, text, 1 if report.quarantined else 0)


def _prune(source: Path, out: Path, report: ShrinkwrapReport) -> PruneReport:
    if report.dry_run and not (out / INDEX).exists():
        # Nothing is packed yet: list what a prune after packing would move.
        lines = tuple(PruneEntry(f"{thread.thread_id}/{item.file}", item.size, item.rule)
                      for thread in report.threads for item in thread.dropped)
        return PruneReport("planned", PrunePlan(lines, ()))
    return prune.prune(source, out, dry_run=report.dry_run)


def _pack_text(report: ShrinkwrapReport) -> Lines:
    values = report.as_dict()
    would = "would be " if report.dry_run else ""
    lines = [f"{values['threads']} threads: {values['packed']} {would}packed, {values['repacked']} {would}packed "
             f"again, {values['unchanged']} unchanged, {len(report.quarantined)} quarantined",
             f"files kept: {values['files_kept']:,} ({values['bytes_kept']:,} bytes); left out: "
             f"{values['files_dropped']:,} ({values['bytes_freed']:,} bytes)"]
    lines += [f"  {rule}: {counts['files']:,} files, {counts['bytes']:,} bytes"
              for rule, counts in values["dropped_by_rule"].items() if counts["files"]]
    lines += [f"quarantined ({item.reason}): {item.message}" for item in report.quarantined]
    lines += list(report.recovered)
    if report.orphans:
        lines.append(f"{len(report.orphans)} packed threads have no source any more; they stay")
    if report.stray:
        lines.append(f"not threads, left alone: {', '.join(report.stray)}")
    return layout(lines)


def _prune_text(report: PruneReport) -> Lines:
    plan = report.plan
    what = f"{len(plan.lines):,} files, {plan.bytes:,} bytes"
    sentence = {"planned": f"a prune would move out: {what}",
            "moved": f"moved out of the source: {what}; --confirm deletes them, --undo brings them back",
            "undone": f"brought back: {what}", "confirmed": f"deleted: {what}",
            "nothing": "there is nothing to prune, undo or confirm"}[report.state]
    lines = [report.recovered] if report.recovered else []
    lines.append(sentence)
    lines += [f"left alone: {thread}: {reason}" for thread, reason in plan.skipped]
    lines += [f"could not go back, another file is there: {file}" for file in report.stuck]
    return layout(lines)


def feedback_command(
    manifests: Path, write_to: Path | None = None, rules: settings.FeedbackRules | None = None
) -> Answer:
    """``rainbow threads feedback [--manifests DIR] [--json]``: measure, and derive the constraints.

    With ``write_to`` the constraints (manual overrides kept), the history and its chart are written there.
    """
    threads, rules = read_folder(manifests), rules or settings.default_rules().feedback
    feedback = measure(threads, rules)
    path = write_to / OUTPUT if write_to else None
    before = limits.load(path) if path is not None and path.exists() else None
    derived = limits.derive(feedback, before.overrides if before else ())
    values = feedback.as_dict()
    values["constraints"] = list(map(asdict, derived.constraints))
    values["prompt"] = limits.prompt_block(derived)
    values["effect"] = [item.as_dict() for item in enforce.measured_effect(before, threads)] if before else []
    values["walk_forward"] = enforce.walk_forward(threads, rules)
    if write_to is not None and path is not None:
        write_to.mkdir(parents=True, exist_ok=True)
        limits.write(path, derived, feedback.as_dict())
        history.note(write_to, history.snapshot(feedback))
    return Answer(values, _feedback_text(feedback, derived, values["effect"]))


def _feedback_text(feedback: Feedback, derived: limits.NegativeConstraints, effect: list[dict[str, Any]]) -> Lines:
    final = feedback.final
    lines = [f"{feedback.n} threads" + (f", {feedback.iterations.n} proposals" if feedback.iterations else "")]
    for name, series in (("original", final.original), ("normalized", final.normalized)):
        if series.entropy and series.labels:
            top = series.labels[0]
            lines.append(f"keys, {name}: {series.entropy.value:.2f} bits [{series.entropy.low:.2f}, "
                         f"{series.entropy.high:.2f}]; {top.name} {top.share.value:.2f}")
    if final.bpm_std:
        lines.append(f"tempo: mean {final.bpm['mean']:.1f} BPM, standard deviation {final.bpm['std']:.2f} "
                     f"[{final.bpm_std.low:.2f}, {final.bpm_std.high:.2f}], variance {final.bpm['variance']:.2f}")
    lines += [f"warning: {warning}" for warning in feedback.warnings]
    lines += [f"{item.severity} {item.kind} {item.value}: {item.reason}" for item in derived.constraints
              if item.kind != "title"]
    lines += [f"effect: {item['broken']} of {item['later']} later threads broke {item['kind']} {item['value']}"
              for item in effect if item["later"]]
    return layout(lines)


def check_command(proposal: Path, constraints: Path) -> Answer:
    """``rainbow threads check PROPOSAL.yml [--json]``: exit code 1 where an ``exclude`` is broken."""
    if not constraints.exists():
        raise UsageError(f"there are no constraints at {constraints}; make them first: rainbow threads feedback")
    report = enforce.check_proposal(enforce.read_proposal(proposal), limits.load(constraints))
    lines = [item.sentence for item in report.violations]
    if report.unread:
        lines.append(f"not checked, because the proposal does not say it: {', '.join(report.unread)}")
    verdict = "excluded" if report.excluded else "allowed"
    lines.append(f"{report.title or 'the proposal'}: {verdict}, {len(report.violations)} of {report.checked} "
                 "constraints broken")
    return Answer(report.as_dict(), layout(lines), 1 if report.excluded else 0)
